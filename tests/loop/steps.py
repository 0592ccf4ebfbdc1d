"""The steps of the loop: what each runs, and where its result lies."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.command import ROOT

SERVING = Path(os.environ.get("SKILL_FACTORY_TRAINERS", ROOT / ".trainers")) / "serve"
OURS = (sys.executable, "-m", "skill_factory")


@dataclass(frozen=True)
class Arm:
    """One recipe of the comparison: its name, what it changes, and the change; none is the base."""

    name: str
    what: str
    changes: str = ""


ARMS = (
    Arm("base", "the paper's recipe"),
    Arm("no_reflections", "no reflections", '"traces.formats" = ["no_reflection"]'),
    Arm("any_order", "no order", '"traces.formats" = ["random"]'),
)


def ours(*words: str | Path) -> str:
    """Standard output of a command of ours. No clock ends it: on a busy machine nothing is late that goes on."""
    done = subprocess.run([*OURS, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()[-2_000:]}")
    return done.stdout


def make_raw(folder: Path, questions: int, asked: int) -> tuple[Path, Path, list[str]]:
    """Raw data of the world of sums; questions that a build holds out, with their gold answers; and the ids of these."""
    raw, split = folder / "raw.parquet", folder / "split"
    ours("demo", "--world", "sums", "--questions", str(questions + asked), "--out", raw)
    ours("build", raw, "--out", split, "--holdout", str(asked / (questions + asked)))
    (held,) = (split / "heldout").glob("*.parquet")
    report = json.loads((split / "report.json").read_text(encoding="utf-8"))
    return raw, held, report["overlap"]["ids"]["held_out"]


def ablate(raw: Path, folder: Path, attempts: int, held: Sequence[str]) -> Path:
    """The suite: an arm each from the same questions, those that are held out aside, in equal sizes."""
    arms = [
        f'[[arms]]\nname = "{arm.name}"\nsays = "{arm.what}"\nchanges = {{ {arm.changes} }}\n'
        for arm in ARMS
        if arm.changes
    ]
    (folder / "suite.toml").write_text("\n".join(['version = 1\nname = "loop"\n', *arms]), encoding="utf-8")
    out, aside = folder / "suite", json.dumps(list(held))
    asked = (
        "--suite",
        folder / "suite.toml",
        "--attempts",
        str(attempts),
        "--set",
        f"balance.exclude={aside}",
    )
    ours("ablate", raw, "--out", out, *asked)
    return out


def write_traces(suite: Path, folder: Path) -> list[Path]:
    """Question and response of each trace of an arm as JSON lines; the suite has made them equally many."""
    paths = []
    for arm in ARMS:
        path = folder / f"{arm.name}.jsonl"
        shards = sorted((suite / "arms" / arm.name).rglob("train-*.parquet"))
        turns = pa.concat_tables(map(pq.read_table, shards))["conversations"].to_pylist()
        lines = (json.dumps([user["content"], assistant["content"]]) for user, assistant in turns)
        path.write_text("\n".join(lines), encoding="utf-8")
        paths.append(path)
    return paths


def train(traces: Path, out: Path, length: Sequence[str], seed: int) -> subprocess.Popen[bytes]:
    """The training of a model, begun; it takes one core. `length` are the options of `train.py` that say how much."""
    words = [SERVING / "bin" / "python", ROOT / "tests" / "loop" / "train.py", traces, out]
    options = [*length, "--seed", str(seed)]
    with (out.parent / f"{out.name}.log").open("w") as log:
        return subprocess.Popen(
            [*words, *options], stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"}
        )


def sampling(temperature: float) -> tuple[str, ...]:
    """How outputs are drawn: nothing but the temperature shapes the model's own chances."""
    bare = ("--top-p", "1", "--top-k", "none", "--repetition-penalty", "none")
    return ("--temperature", f"{temperature:g}", *bare)


PATIENCE = "7200"
"""Seconds for an answer: with eight at once on a busy machine each takes as long as all of them."""


def evaluate(
    model: Path, asked: Path, out: Path, limits: tuple[int, int], temperature: float, few: int = 0
) -> None:
    """Outputs of a model for all questions of a file, or for a few; `limits` are outputs a question and tokens an output."""
    samples, most_tokens = limits
    # Some models of this size never end; what the limit cuts off is counted.
    pace = ("--max-tokens", str(most_tokens), "--concurrency", "8", "--timeout", PATIENCE)
    model_here = ("--serve", "--program", SERVING / "bin" / "transformers", "--model", model)
    how = ("--samples", str(samples), "--task", "number", "--json")
    pilot = ("--pilot", str(few)) if few else ()
    ours(
        "evaluate",
        asked,
        "--out",
        out,
        *model_here,
        *how,
        *pilot,
        *sampling(temperature),
        *pace,
        "--patience",
        PATIENCE,
    )


def measured(suite: Path) -> dict[str, Any]:
    """The figures of all arms; the suite knows which is the base, and where their outputs are."""
    found: dict[str, Any] = json.loads(ours("measure", "--suite", suite, "--task", "number", "--json"))
    return found


def next_build(outputs: Path, folder: Path) -> dict[str, Any]:
    """Round two: the outputs become raw data, and the raw data a build."""
    raw = folder / "round-two.parquet"
    ours("harvest", outputs, "--out", raw, "--task", "number", "--json")
    seen = json.loads(ours("inspect", raw, "--json"))
    usable = max((int(n) for n, questions in seen["usable_questions"].items() if questions), default=0)
    if not usable:
        return {"rows": pq.read_metadata(raw).num_rows, "traces": 0, "attempts": 0}
    done = json.loads(ours("build", raw, "--out", folder / "build-round-two", "--attempts", "2", "--json"))
    return {"rows": pq.read_metadata(raw).num_rows, "traces": done["traces"], "attempts": 2}
