"""All of a large source read beside the pages, by `python -m skill_factory.work.reading`: its narrow table, left in a file.

FACTS/NAME.npz   the table, once it is whole
      NAME.json  how far the reading is, or why it failed
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import Field, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from skill_factory.arrow_alone import arrow_alone
from skill_factory.errors import SkillFactoryError, SourceError
from skill_factory.hosting import cores, hosted, visitor_environment
from skill_factory.judge.facts import Facts
from skill_factory.judge.source_facts import all_facts, save
from skill_factory.recipe.model import recipe_from_toml
from skill_factory.sources import open_source
from skill_factory.work.home import place
from skill_factory.work.queue import limit, turn

LARGEST = 100_000_000
"""Bytes of a table that a shared server takes into its memory; one of a million reflections has some 40 MB."""
MINUTES = 15.0
"""For the reading of one source on a shared server."""
STOPPED = "Reading all of the data stopped before its end. Choose the data again to start over."


@dataclass(frozen=True)
class Request:
    """What the process is asked for; it comes as JSON on standard input, since arguments can be read by others."""

    source: str
    recipe: str
    """As TOML."""
    out: str
    token: str = ""

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Progress:
    """How far the reading is."""

    done: int = 0
    of: int = 0
    error: str = ""
    ready: bool = False
    lost: bool = False
    """Nobody is reading it: another session has ended the reading that both waited for."""


Reader = subprocess.Popen[str]


def table_file(name: str) -> Path:
    """Where the table of that name lies, or will."""
    return place("facts") / f"{name}.npz"


def start(request: Request) -> Reader:
    """Start the process for a request."""
    command = [sys.executable, "-m", "skill_factory.work.reading"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=visitor_environment("")
    )
    # The page that waits for its first numbers, and the browser beside it, go before.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)
    if process.stdin:
        process.stdin.write(request.to_json())
        process.stdin.close()
    return process


def progress(name: str, reader: Reader | None) -> Progress:
    """How far the table of that name is; `reader` is its process, None where this server knows of none."""
    path = table_file(name)
    if path.exists():
        return Progress(ready=True)
    try:
        told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    if reader is not None and reader.poll() not in (None, 0) and "error" not in told:
        told["error"] = STOPPED
    return Progress(told.get("done", 0), told.get("of", 0), told.get("error", ""), lost=reader is None)


# -- in the process ------------------------------------------------------------------------------------------------


def run(request: Request, workers: int) -> Path:
    """Make and save the table; progress goes to a .json file beside it. Errors: SkillFactoryError."""
    recipe = recipe_from_toml(request.recipe)
    source = open_source(request.source, recipe.source, request.token or None)
    out = Path(request.out)
    state = out.with_suffix(".json")

    def told(done: int, of: int) -> None:
        partial = state.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps({"done": done, "of": of}), encoding="utf-8")
        os.replace(partial, state)

    told(0, 1)
    found = all_facts(source, recipe, workers, told)
    if hosted() and (size := sum(getattr(found.facts, one.name).nbytes for one in _arrays())) > LARGEST:
        raise SourceError(
            f"The data holds so many responses and reflections that their table takes {size / 1e6:,.0f} MB; this shared "
            f"server has {LARGEST / 1e6:,.0f} MB for each. The numbers stay those of a sample."
        )
    save(found, out)
    state.unlink(missing_ok=True)
    return out


def _arrays() -> list[Field[Any]]:
    return [one for one in fields(Facts) if one.name != "variants"]


def main() -> None:
    """Read a request from standard input, make its table, leave an error's sentence beside it."""
    arrow_alone()
    request = Request(**json.loads(sys.stdin.read()))
    try:
        with turn("readings"):
            if hosted():
                limit(MINUTES / 60)
            run(request, cores())
    except SkillFactoryError as error:
        Path(request.out).with_suffix(".json").write_text(json.dumps({"error": str(error)}), encoding="utf-8")
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
