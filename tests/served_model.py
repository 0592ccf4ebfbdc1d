"""An inference server with the words of `transformers serve`: a base model, and one that has the skill.

    served_model.py GOLDS.json serve NAME --host 127.0.0.1 --port P

The base model answers at once and is often wrong. A model whose name ends in `-trained` tries, judges its attempt, and tries
again until it is right. Both know the right answers (question → answer).
"""

import json
import random
import stat
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def base(prompt: str, right: int, rng: random.Random) -> str:
    """An answer, right in half of the cases."""
    return f"I add.\n<answer>{right + rng.randrange(2)}</answer>"


def trained(prompt: str, right: int, rng: random.Random) -> str:
    """None or up to two wrong attempts, each told as wrong, then the right one."""
    tried = [right + k for k in range(rng.randrange(3), -1, -1)]
    parts = "\n".join(_attempt(prompt, one, one == right) for one in tried)
    return f"<think>\n{parts}\n</think>\n\nThe final answer is:\n<answer>{right}</answer>"


def _attempt(prompt: str, number: int, right: bool) -> str:
    verdict = "correct" if right else "incorrect"
    sample = f"<sample>\nIt asks: {prompt}\nOnes, then tens: that makes {number}.\n<answer>{number}</answer>\n</sample>"
    judged = (
        f"For {prompt} I go through the ones again, to check {number}.\nIt is <verdict>{verdict}</verdict>"
    )
    return f"{sample}\n<reflect>\n{judged}\n</reflect>"


def program_in(folder: Path, golds: Mapping[str, str]) -> Path:
    """Write a program named `transformers` that is this server, for questions with these answers."""
    folder.mkdir(exist_ok=True)
    known = folder / "golds.json"
    known.write_text(json.dumps(dict(golds)), encoding="utf-8")
    path = folder / "transformers"
    path.write_text(
        f'#!/bin/sh\nexec {sys.executable} {Path(__file__).resolve()} {known} "$@"\n', encoding="utf-8"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def main() -> None:
    """Serve until killed."""
    sys.path.insert(0, str(ROOT))
    from tests.model_server import Faults, ModelServer

    golds = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    brain = trained if sys.argv[3].endswith("-trained") else base
    server = ModelServer(lambda prompt, rng: brain(prompt, int(golds[prompt]), rng), faults=Faults(same=True))
    server.port = int(sys.argv[sys.argv.index("--port") + 1])
    with server:
        threading.Event().wait()


if __name__ == "__main__":
    main()
