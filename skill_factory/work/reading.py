"""A large source read in the background by `python -m skill_factory.work.reading`, which leaves its narrow table in a file.

FACTS/NAME.npz   the table, once it is whole
      NAME.json  how far the reading has got, or why it failed
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
from skill_factory.whole_files import write_whole
from skill_factory.wording import file_size
from skill_factory.work.home import place
from skill_factory.work.queue import limit, turn

LARGEST = 100_000_000
"""Bytes of a table that a shared server takes into its memory; one with a million reflections takes about 40 MB."""
MINUTES = 15.0
"""For the reading of one source on a shared server."""
STOPPED = "Reading the data stopped before the end. Choose the data again to start over."


@dataclass(frozen=True)
class Request:
    """What the process is asked for; it comes as JSON on standard input, since others can read arguments."""

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
    """How far the reading has got."""

    done: int = 0
    of: int = 0
    error: str = ""
    ready: bool = False
    lost: bool = False
    """Whether nobody is reading it: another session ended the reading that both were waiting for."""


Reader = subprocess.Popen[str]


def table_file(name: str) -> Path:
    """Where the table of that name is, or will be."""
    return place("facts") / f"{name}.npz"


def start(request: Request) -> Reader:
    """Start the process for a request."""
    command = [sys.executable, "-m", "skill_factory.work.reading"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=visitor_environment("")
    )
    # The page that waits for its first numbers, and the browser next to it, come first.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)
    if process.stdin:
        process.stdin.write(request.to_json())
        process.stdin.close()
    return process


def progress(name: str, reader: Reader | None) -> Progress:
    """How far the table of that name has got; `reader` is its process, None if this server knows of none."""
    path = table_file(name)
    if path.exists():
        return Progress(ready=True)
    try:
        state = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        state = {}
    if reader is not None and reader.poll() not in (None, 0) and "error" not in state:
        state["error"] = STOPPED
    return Progress(state.get("done", 0), state.get("of", 0), state.get("error", ""), lost=reader is None)


# -- in the process ------------------------------------------------------------------------------------------------


def run(request: Request, workers: int) -> Path:
    """Make and save the table; progress goes into a .json file next to it. Errors: SkillFactoryError."""
    recipe = recipe_from_toml(request.recipe)
    source = open_source(request.source, recipe.source, request.token or None)
    out = Path(request.out)
    state = out.with_suffix(".json")

    def report(done: int, of: int) -> None:
        write_whole(state, json.dumps({"done": done, "of": of}))

    # At once, so that the page sees that somebody reads it.
    report(0, 1)
    table = all_facts(source, recipe, workers, report)
    # Before it is saved: a table that the server can't take into memory is of no use on its disk.
    if hosted() and (size := sum(getattr(table.facts, one.name).nbytes for one in _arrays())) > LARGEST:
        raise SourceError(
            f"The data holds so many responses and reflections that their table takes {file_size(size)}; this shared "
            f"server has {file_size(LARGEST)} for each. The numbers stay those of a sample."
        )
    save(table, out)
    # Last: while there is a state file, the table next to it may be partial.
    state.unlink(missing_ok=True)
    return out


def _arrays() -> list[Field[Any]]:
    return [one for one in fields(Facts) if one.name != "variants"]


def main() -> None:
    """Read a request from standard input and make its table; an error's sentence is left next to it."""
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
