"""A process that outlives the page: it works for a folder, which remembers its number and when it started.

FOLDER/process  the process's number and when it started
       told     what the command printed: at its end one JSON object
       log      what it wrote to standard error
       stopping exists since it was asked to stop

Builds, pushes and makings are all of this kind; they differ in their command and in what else their folder holds.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from skill_factory.errors import BuildFolderError
from skill_factory.hosting import visitor_environment
from skill_factory.work.home import place

NO_ROOM = 20_000_000
"""Bytes; with less of the disk free, what ended without a word had no room for one."""

_NOTHING: Mapping[str, str] = {}


class State(StrEnum):
    """What a process is doing, or how it ended."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


ACTIVE = (State.WAITING, State.RUNNING, State.STOPPING)


@dataclass(frozen=True)
class FolderProcess:
    """The process of a folder, whether it is running, has ended or was never started."""

    path: Path
    patience: float
    """Seconds that it has to stop by itself once asked to; after that it is killed."""
    ended: str
    """The sentence for one that was killed before it could say why."""

    def start(
        self, command: Sequence[str], token: str = "", key: str = "", more: Mapping[str, str] = _NOTHING
    ) -> None:
        """Run a command as the visitor whose token and key these are; `more` goes into its environment."""
        # Left from the run before; with it, this one would look as if it was being stopped.
        (self.path / "stopping").unlink(missing_ok=True)
        with (self.path / "told").open("wb") as told, (self.path / "log").open("wb") as log:
            # A session of its own: Ctrl-C in the server's terminal isn't meant for this process.
            process = subprocess.Popen(
                command,
                # A command that asks something must fail, not wait for nobody.
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=log,
                start_new_session=True,
                env={**visitor_environment(token, key), **more},
            )
        (self.path / "process").write_text(f"{process.pid} {_stamp(process.pid)}", encoding="utf-8")

    def state(self) -> State:
        """How it is doing: FAILED if it ended unasked, which its caller may know to be DONE."""
        asked = self.path / "stopping"
        if not self.alive:
            return State.STOPPED if asked.exists() else State.FAILED
        if not asked.exists():
            return State.RUNNING
        # Killed by whoever looks next, so that no watcher has to stay alive for it.
        if time.time() - asked.stat().st_mtime > self.patience:
            self._send(signal.SIGKILL)
        return State.STOPPING

    @property
    def alive(self) -> bool:
        """Whether it is running."""
        words = self.read("process").split()
        if len(words) != 2:
            return False
        # The number alone isn't enough: the system gives it to another process sooner or later.
        stamp = _stamp(int(words[0]))
        return bool(stamp) and stamp == words[1]

    @property
    def before(self) -> int | None:
        """How many are before it in the queue; None if it isn't waiting."""
        found = self.read("waiting")
        return int(found) if found.isdecimal() else None

    def here(self) -> None:
        """Note that its visitor's page is open: without that it loses its place in the queue."""
        with contextlib.suppress(OSError):
            (self.path / "here").touch()

    def stop(self) -> None:
        """Ask it to stop, as Ctrl-C would."""
        (self.path / "stopping").touch()
        self._send(signal.SIGINT)

    def told(self) -> dict[str, Any]:
        """The object that its command printed at its end; empty before that."""
        # The last line: libraries sometimes print something of their own before it.
        lines = self.read("told").strip().splitlines()
        try:
            printed = json.loads(lines[-1]) if lines else {}
        except ValueError:
            return {}
        return printed if isinstance(printed, dict) else {}

    def why(self, id: str) -> str:
        """Why it failed: its last sentence, an apology for a fault of ours, or `ended` if it said nothing."""
        lines = [line for line in self.log().splitlines() if line.strip() and not line.startswith("{")]
        # A traceback helps no visitor, and may hold their texts; the log keeps it.
        if any(line.startswith("Traceback") for line in lines):
            return f"Something went wrong, and it isn't your fault. If it happens again, report it with the ID {id[:8]}."
        if not lines and shutil.disk_usage(self.path).free < NO_ROOM:
            return (
                "The disk is full where the app keeps its work (SKILL_FACTORY_HOME). Make room there, and resume: what is "
                "finished is kept."
            )
        return lines[-1] if lines else self.ended

    def log(self) -> str:
        """What it wrote to standard error; a visitor's texts, names and keys may stand in it."""
        return self.read("log")

    def fault(self) -> str:
        """Where and how our own code failed, for the server's log: no message, since that may hold a visitor's text."""
        places = re.findall(r'File "[^"]*?(skill_factory/[\w/]+\.py)", line (\d+)', self.log())
        kinds = re.findall(
            r"^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit))\b", self.log(), re.MULTILINE
        )
        if not places:
            return "ended with a sentence for its visitor" if self.log().strip() else "ended without a word"
        return f"{kinds[-1] if kinds else 'error'} at {' > '.join(f'{path}:{line}' for path, line in places[-4:])}"

    def read(self, name: str) -> str:
        """What a file of the folder holds; empty if it isn't there."""
        return _text(self.path / name)

    def _send(self, which: signal.Signals) -> None:
        """Send it a signal, if it is running; SIGKILL goes to the processes that it started, too."""
        if not self.alive:
            return
        pid = int(self.read("process").split()[0])
        with contextlib.suppress(ProcessLookupError):
            # A build stops its own workers on Ctrl-C; once patience is over, all of them are killed.
            os.killpg(pid, which) if which is signal.SIGKILL else os.kill(pid, which)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _stamp(pid: int) -> str:
    """What tells this process from a later one with the same number; empty if it has ended."""
    stat = _text(Path(f"/proc/{pid}/stat"))
    if stat:
        fields = stat.rpartition(")")[2].split()
        # Field 20 of what follows the name is the start time; Z is a process that has ended and waits to be noticed.
        return "" if fields[0] == "Z" else fields[19]
    if Path("/proc/self").exists():
        return ""
    # Elsewhere, as on macOS, a process is known by its number alone.
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return ""
    return "running"


# -- the folders of a kind -----------------------------------------------------------------------------------------


class Kept(Protocol):
    """A piece of work that lies in a folder below SKILL_FACTORY_HOME."""

    @property
    def path(self) -> Path:
        """The folder."""
        ...

    @property
    def started(self) -> float:
        """When it was started, in seconds since the epoch."""
        ...


K = TypeVar("K", bound=Kept)


def folder_of(kind: str, id: str) -> Path | None:
    """The folder of that name; None for a name that no folder can have. A name can't be guessed, so it works as a key."""
    # Checked before it becomes a path: an id comes from a link, so from anybody.
    return place(kind) / id if re.fullmatch(r"[\w-]{20,40}", id) else None


def latest(kind: str, find: Callable[[str], K | None], most: int) -> list[K]:
    """What the folders of a kind hold, the latest first. Never list it on a shared server: there a name is a key."""
    pieces = [piece for path in place(kind).iterdir() if (piece := find(path.name))]
    return sorted(pieces, key=lambda piece: -piece.started)[:most]


def remove(piece: Kept, running: bool) -> None:
    """Delete a folder with all its files. Errors: BuildFolderError while its process is running."""
    if running:
        raise BuildFolderError("This is still running. Stop it first.")
    shutil.rmtree(piece.path, ignore_errors=True)
