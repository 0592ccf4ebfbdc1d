"""On a shared server heavy work waits for its turn: a few at a time, the others in one fair queue that knows its length.

Builds and grading keep the processor busy, generating and publishing wait for others' servers; each of the two has turns of
its own. In the queue a visitor's second piece comes after everybody's first. A turn is a locked file and ends with its
process; so does a place in the queue, and so does the place of a visitor who is gone.
`python -m skill_factory.work.queue build …` is `python -m skill_factory build …` behind the queue.
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
"""Environment variable: the file in which a waiting process writes how many are before it."""
VISITOR = "SKILL_FACTORY_VISITOR"
"""Environment variable: whose work it is, as letters that mean nothing elsewhere."""
LEASE = "SKILL_FACTORY_LEASE"
"""Environment variable: the file that the visitor's page touches while it is open."""
AT_ONCE = "SKILL_FACTORY_BUILDS"
"""Environment variable: how many builds a shared server runs at once; default: one for every two cores."""
HOURS = "SKILL_FACTORY_HOURS"
"""Environment variable: hours after which a piece of work is ended on a shared server."""
AWAY = "SKILL_FACTORY_AWAY_SECONDS"
"""Environment variable: seconds after which a visitor whose page is closed loses the place in the queue."""
LINE = 40
"""Places in the queue; whoever comes after that is asked to come back later."""
PLACES = 3
"""Places of one visitor."""
NETWORK = 4
"""How many times as many pieces may run at once that mostly wait for the network."""
MEMORY = 6_000_000_000
"""Bytes that a process of a visitor's work may take."""
LARGEST_FILE = 20_000_000_000
PAUSE = 0.3
KINDS = {"build": "builds", "ablate": "builds", "grade": "builds"}
"""Command → the queue in which it stands; all others stand in `network`."""

_PLACE = re.compile(r"(\d{20})-(\d+)-(\w*)")


def kind_of(words: list[str]) -> str:
    """The queue in which a command stands."""
    # An unknown command waits with those that use little: it can't hold up a build.
    return KINDS.get(words[0] if words else "", "network")


def at_once(kind: str = "builds") -> int:
    """How many pieces of heavy work run side by side."""
    wanted = os.environ.get(AT_ONCE, "")
    number = max(1, int(wanted)) if wanted.isdecimal() else max(1, cores() // 2)
    return number * NETWORK if kind == "network" else number


def waiting(kind: str = "builds", visitor: str | None = None) -> int:
    """How many are in the queue now: all, or those of one visitor."""
    names = [path.name for path in _line(place("turns") / kind)]
    return len(names) if visitor is None else sum(_of(name) == visitor for name in names)


def check_room(kind: str, visitor: str) -> None:
    """Errors: BuildFolderError if the queue is full, or if this visitor has enough places in it."""
    # At home there is one visitor, who may start what they like.
    if not hosted():
        return
    # Before the queue's own limit: the sentence should say what this person can do.
    if visitor and waiting(kind, visitor) >= PLACES:
        raise BuildFolderError(
            f"{PLACES} pieces of your work are already waiting on this server. Wait for one of them, or stop one."
        )
    if waiting(kind) >= LINE:
        what = "builds" if kind == "builds" else "pieces of work"
        raise BuildFolderError(
            f"{LINE} {what} are already waiting on this server. Come back in a few minutes, or work on your own computer."
        )


def behind_the_line(words: list[str], folder: Path, visitor: str) -> tuple[list[str], dict[str, str]]:
    """What to run for a command of this package, and what to add to its environment; at home there is no queue."""
    if not hosted():
        return [sys.executable, "-m", "skill_factory", *words], {}
    (folder / "waiting").unlink(missing_ok=True)
    (folder / "here").touch()
    told = {NOTE: str(folder / "waiting"), VISITOR: visitor, LEASE: str(folder / "here")}
    return [sys.executable, "-m", "skill_factory.work.queue", *words], told


@contextmanager
def turn(kind: str, note: Path | None = None, visitor: str = "", lease: Path | None = None) -> Iterator[None]:
    """
    Wait for a turn and hold it; on one's own computer nobody waits.

    `note` is a file that says how many are before, `lease` one that a page touches while it is open. Errors:
    BuildFolderError if nobody has touched it for too long.
    """
    if not hosted():
        yield
        return
    folder = place("turns") / kind
    folder.mkdir(exist_ok=True, mode=0o700)
    # The time in front, so that names sort in the order of coming.
    mine = folder / f"{time.time_ns():020d}-{os.getpid()}-{visitor}"
    coming = folder / f"coming-{os.getpid()}"
    here = take(coming)
    os.rename(coming, mine)  # locked before anyone sees it: an unlocked place counts as left by its process
    try:
        slot, number = _first_free(folder, mine, note, lease)
    finally:
        mine.unlink(missing_ok=True)
        if here is not None:
            here.release()
        if note is not None:
            note.unlink(missing_ok=True)
    # Written, not remembered: the next in line is another process.
    (folder / f"turn-{number}.of").write_text(visitor, encoding="utf-8")
    try:
        yield
    finally:
        slot.release()


def _first_free(folder: Path, mine: Path, note: Path | None, lease: Path | None) -> tuple[BaseFileLock, int]:
    """The lock of a free turn and its number, once nobody is before us."""
    noted = -1
    while True:
        before = _before(folder, mine)
        # Only the first may look for a free turn, or whoever looks at the right moment would jump the queue.
        if before == 0:
            for number in range(at_once(folder.name)):
                if (slot := take(folder / f"turn-{number}")) is not None:
                    return slot, number
        _check_lease(lease)
        if note is not None and before != noted:
            note.write_text(str(before), encoding="utf-8")
            noted = before
        # Looked at now and then: a lock of a process that was killed tells nobody that it is free.
        time.sleep(PAUSE)


def _before(folder: Path, mine: Path) -> int:
    """How many come first: in each round one piece of every visitor; who was served last has had one."""
    rounds = _served(folder)
    order = []
    for path in _line(folder):
        visitor = _of(path.name)
        # Work of nobody in particular never waits for a later round.
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
                "The page was closed while this waited in the queue, so its place went to someone who is still here. Start it again."
            )


def _line(folder: Path) -> list[Path]:
    """The places in the queue that are held; those of ended processes are deleted."""
    waiting = []
    for path in sorted(folder.glob("[0-9]*-*")):
        # The lock ends with its process, so a place without one was left by it.
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
    # Taken out of the environment, so that processes it starts don't write into the same files.
    note, visitor, lease = (os.environ.pop(name, "") for name in (NOTE, VISITOR, LEASE))
    try:
        with turn(kind_of(words), Path(note) if note else None, visitor, Path(lease) if lease else None):
            # Imported only now: those who wait should hold as little memory as they can.
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
