"""On a shared server heavy work waits for its turn: so many at once, the others in one fair line that says its length.

Builds and grading keep the processor busy, generating and publishing wait for others' servers; each of the two has turns of
its own. In line a visitor's second piece comes after everybody's first. A turn is a locked file and dies with its process;
so does a place in line, and so does the place of a visitor who is gone. `python -m skill_factory.work.queue build …` is
`python -m skill_factory build …` behind the line.
"""

import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock

from skill_factory.errors import BuildFolderError
from skill_factory.hosting import cores, hosted
from skill_factory.locks import held, take
from skill_factory.work.home import place

NOTE = "SKILL_FACTORY_WAITING"
"""Names the file in which a waiting process says how many are before it."""
VISITOR = "SKILL_FACTORY_VISITOR"
"""Says whose work it is, as letters that mean nothing elsewhere."""
LEASE = "SKILL_FACTORY_LEASE"
"""Names the file that the visitor's page touches while it is open."""
AT_ONCE = "SKILL_FACTORY_BUILDS"
"""Builds that a shared server runs at once; default: one for every two cores."""
HOURS = "SKILL_FACTORY_HOURS"
"""Hours after which a piece of work is ended on a shared server."""
AWAY = "SKILL_FACTORY_AWAY_SECONDS"
"""Seconds after which a visitor whose page is closed loses the place in line."""
LINE = 40
"""Places in line; who comes after that is asked to come back later."""
PLACES = 3
"""Places of one visitor."""
NETWORK = 4
"""How many times as many pieces may run at once that mostly wait for the network."""
MEMORY = 6_000_000_000
"""Bytes that a process of a visitor's work may take."""
LARGEST_FILE = 20_000_000_000
PAUSE = 0.3
KINDS = {"build": "builds", "grade": "builds"}
"""Command → the line in which it stands; all others stand in `network`."""

_PLACE = re.compile(r"(\d{20})-(\d+)-(\w*)")


def kind_of(words: list[str]) -> str:
    """The line in which a command stands."""
    return KINDS.get(words[0] if words else "", "network")


def at_once(kind: str = "builds") -> int:
    """How many heavy pieces of work run side by side."""
    asked = os.environ.get(AT_ONCE, "")
    found = max(1, int(asked)) if asked.isdecimal() else max(1, cores() // 2)
    return found * NETWORK if kind == "network" else found


def waiting(kind: str = "builds", visitor: str | None = None) -> int:
    """How many wait in line now: all, or those of one visitor."""
    names = [path.name for path in _line(place("turns") / kind)]
    return len(names) if visitor is None else sum(_of(name) == visitor for name in names)


def check_room(kind: str, visitor: str) -> None:
    """Errors: BuildFolderError where the line is full, or this visitor has enough places in it."""
    if not hosted():
        return
    if visitor and waiting(kind, visitor) >= PLACES:
        raise BuildFolderError(
            f"{PLACES} pieces of your work are waiting on this server already. Wait for one of them, or stop one."
        )
    if waiting(kind) >= LINE:
        raise BuildFolderError(
            f"{LINE} builds are waiting on this server already. Come back in some minutes, or build on your own computer."
        )


def behind_the_line(words: list[str], folder: Path, visitor: str) -> tuple[list[str], dict[str, str]]:
    """What to run for a command of this package, and what to add to its environment; at home there is no line."""
    if not hosted():
        return [sys.executable, "-m", "skill_factory", *words], {}
    (folder / "waiting").unlink(missing_ok=True)
    (folder / "here").touch()
    told = {NOTE: str(folder / "waiting"), VISITOR: visitor, LEASE: str(folder / "here")}
    return [sys.executable, "-m", "skill_factory.work.queue", *words], told


@contextmanager
def turn(kind: str, note: Path | None = None, visitor: str = "", lease: Path | None = None) -> Iterator[None]:
    """
    Wait for a turn and hold it; at home there is no line. `note` is a file that says how many are before, `lease` one that
    a page touches while it is open. Errors: BuildFolderError where nobody has touched it for too long.
    """
    if not hosted():
        yield
        return
    folder = place("turns") / kind
    folder.mkdir(exist_ok=True, mode=0o700)
    mine = folder / f"{time.time_ns():020d}-{os.getpid()}-{visitor}"
    coming = folder / f"coming-{os.getpid()}"
    here = take(coming)
    os.rename(coming, mine)  # locked before it can be seen: an unlocked place is that of an ended process
    try:
        slot, number = _first_free(folder, mine, note, lease)
    finally:
        mine.unlink(missing_ok=True)
        if here is not None:
            here.release()
        if note is not None:
            note.unlink(missing_ok=True)
    (folder / f"turn-{number}.of").write_text(visitor, encoding="utf-8")
    try:
        yield
    finally:
        slot.release()


def _first_free(folder: Path, mine: Path, note: Path | None, lease: Path | None) -> tuple[BaseFileLock, int]:
    """The lock of a free turn, once nobody is before."""
    said = -1
    while True:
        before = _before(folder, mine)
        if before == 0:
            for number in range(at_once(folder.name)):
                if (slot := take(folder / f"turn-{number}")) is not None:
                    return slot, number
        _check_lease(lease)
        if note is not None and before != said:
            note.write_text(str(before), encoding="utf-8")
            said = before
        time.sleep(PAUSE)


def _before(folder: Path, mine: Path) -> int:
    """How many come first: in each round one piece of every visitor; who was served last has had one."""
    rounds = _served(folder)
    order = []
    for path in _line(folder):
        visitor = _of(path.name)
        order.append((rounds[visitor] if visitor else 0, path.name))
        rounds[visitor] += 1
    order.sort()
    return next((k for k, (_, name) in enumerate(order) if name == mine.name), 0)


def _served(folder: Path) -> Counter[str]:
    """How many turns each visitor holds, or was the last to hold: they have had a round."""
    found: Counter[str] = Counter()
    for number in range(at_once(folder.name)):
        with suppress(OSError):
            found[(folder / f"turn-{number}.of").read_text(encoding="utf-8")] += 1
    return found


def _check_lease(lease: Path | None) -> None:
    if lease is None:
        return
    away = float(os.environ.get(AWAY) or 180)
    with suppress(FileNotFoundError):
        if time.time() - lease.stat().st_mtime > away:
            raise BuildFolderError(
                "The page was closed while this waited in line, so the place went to somebody who is here. Start it again."
            )


def _line(folder: Path) -> list[Path]:
    """The places in line that are held; those of ended processes are taken away."""
    waiting = []
    for path in sorted(folder.glob("[0-9]*-*")):
        if held(path):
            waiting.append(path)
        else:
            path.unlink(missing_ok=True)
    return waiting


def _of(name: str) -> str:
    """Whose place it is; empty where that isn't known."""
    found = _PLACE.fullmatch(name)
    return found[3] if found else ""


def limit(hours: float) -> None:
    """Bounds for one piece of a visitor's work: time, memory, the size of a file."""

    def late(number: int, frame: object) -> None:
        # A second alarm ends what doesn't even hear this.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        raise BuildFolderError(
            f"This took longer than the {hours:g} hours that one piece of work has on this shared server. What is finished "
            "is kept. Use less data, or run it on your own computer."
        )

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, hours * 3600)
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(words: list[str]) -> int:
    """Run a command of the package when its turn has come, and give its exit code."""
    note, visitor, lease = (os.environ.pop(name, "") for name in (NOTE, VISITOR, LEASE))
    try:
        with turn(kind_of(words), Path(note) if note else None, visitor, Path(lease) if lease else None):
            from skill_factory.cli.main import main as run

            if hosted():
                limit(float(os.environ.get(HOURS) or 4))
            return run(words)
    except BuildFolderError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
