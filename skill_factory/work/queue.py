"""On a shared server heavy work waits for its turn: a few at a time, the others in a queue that knows its length.

A turn is a locked file and ends with its process; so does a place in the queue. `python -m skill_factory.work.queue build …`
is `python -m skill_factory build …` behind the queue.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock

from skill_factory.hosting import cores, hosted
from skill_factory.locks import held, take
from skill_factory.work.home import place

NOTE = "SKILL_FACTORY_WAITING"
"""Environment variable: the file in which a waiting process writes how many are before it."""
AT_ONCE = "SKILL_FACTORY_BUILDS"
"""Environment variable: how many builds a shared server runs at once; default: one for every two cores."""
LINE = 40
"""Places in the queue; whoever comes after that is asked to come back later."""
PAUSE = 0.3


def at_once() -> int:
    """How many pieces of heavy work run side by side."""
    wanted = os.environ.get(AT_ONCE, "")
    return max(1, int(wanted)) if wanted.isdecimal() else max(1, cores() // 2)


def waiting(kind: str = "builds") -> int:
    """How many are in the queue now."""
    return len(_line(place("turns") / kind))


@contextmanager
def turn(kind: str, note: Path | None = None) -> Iterator[None]:
    """Wait for a turn and hold it; on one's own computer nobody waits. `note` is a file that says how many are before."""
    if not hosted():
        yield
        return
    folder = place("turns") / kind
    folder.mkdir(exist_ok=True, mode=0o700)
    mine = folder / f"{time.time_ns():020d}-{os.getpid()}"
    coming = folder / f"coming-{os.getpid()}"
    here = take(coming)
    os.rename(coming, mine)  # locked before anyone sees it: an unlocked place counts as left by its process
    try:
        slot = _first_free(folder, mine, note)
    finally:
        mine.unlink(missing_ok=True)
        if here is not None:
            here.release()
        if note is not None:
            note.unlink(missing_ok=True)
    try:
        yield
    finally:
        slot.release()


def _first_free(folder: Path, mine: Path, note: Path | None) -> BaseFileLock:
    """The lock of a free turn, once nobody is before us."""
    noted = -1
    while True:
        before = sum(path.name < mine.name for path in _line(folder))
        if before == 0:
            for number in range(at_once()):
                if (slot := take(folder / f"turn-{number}")) is not None:
                    return slot
        if note is not None and before != noted:
            note.write_text(str(before), encoding="utf-8")
            noted = before
        time.sleep(PAUSE)


def _line(folder: Path) -> list[Path]:
    """The places in the queue that are held; those of ended processes are deleted."""
    waiting = []
    for path in sorted(folder.glob("[0-9]*-*")):
        if held(path):
            waiting.append(path)
        else:
            path.unlink(missing_ok=True)
    return waiting


def main(words: list[str]) -> int:
    """Run a command of the package when its turn has come, and give its exit code."""
    note = os.environ.pop(NOTE, "")
    try:
        with turn("builds", Path(note) if note else None):
            from skill_factory.cli.main import main as run

            return run(words)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
