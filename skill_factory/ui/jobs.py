"""Builds as processes of their own, `python -m skill_factory build …`, with all that is known of them on disk.

So a build goes on when the page is run again, the tab is closed or the server is started anew; its folder's name, which
can't be guessed, is what a link to it needs. The state is read off the disk and the process each time: nothing of a
build lives in this process.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from skill_factory import turns
from skill_factory.build_folder import BuildFolder
from skill_factory.errors import BuildFolderError
from skill_factory.home import hosted, new_place, place
from skill_factory.progress import Progress
from skill_factory.reasons import Level
from skill_factory.recipe import Recipe, load_recipe
from skill_factory.tally import LevelTally, tally_from_json, total

KIND = "builds"
TOKEN = "SKILL_FACTORY_TOKEN"
"""Carries the visitor's token to the process: an argument would show in the machine's list of processes."""
PATIENCE = 8.0
"""Seconds that a build has to stop by itself."""


class State(StrEnum):
    """What a build is doing."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


ACTIVE = (State.WAITING, State.RUNNING, State.STOPPING)


@dataclass(frozen=True)
class Job:
    """A build: where it lies and what was asked for."""

    id: str
    path: Path
    source: str
    """What `open_source` takes."""
    label: str
    """How the source is called on the page."""
    asked: str
    """Fingerprint of the recipe before its source was pinned."""
    started: float
    """Seconds since the epoch."""

    @property
    def out(self) -> Path:
        """The build folder."""
        return self.path / "data"

    @property
    def recipe(self) -> Recipe:
        """The recipe that was asked for."""
        return load_recipe(str(self.path / "recipe.toml"))


@dataclass(frozen=True)
class Status:
    """How a build stands."""

    state: State
    progress: Progress | None = None
    said: str = ""
    """Why it failed, in a sentence."""
    before: int = 0
    """Builds before it in line."""


def start(source: str, label: str, recipe: Recipe, token: str = "") -> Job:
    """Start a build of a source in a new folder. Errors: BuildFolderError where too many wait already."""
    if hosted() and turns.waiting() >= turns.LINE:
        raise BuildFolderError(
            f"{turns.LINE} builds are waiting on this server already. Come back in some minutes, or build on your "
            "own computer."
        )
    path = new_place(KIND)
    job = Job(path.name, path, source, label, recipe.fingerprint(), time.time())
    (path / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    known = {name: value for name, value in asdict(job).items() if name not in ("id", "path")}
    (path / "job.json").write_text(json.dumps(known), encoding="utf-8")
    _run(job, token)
    return job


def resume(job: Job, token: str = "") -> None:
    """Go on with a stopped build where it was; one that is running is left alone."""
    if status(job).state in (State.STOPPED, State.FAILED):
        _run(job, token)


def command(job: Job) -> list[str]:
    """What is run: the same words that anyone could type."""
    words = ["build", job.source, "--recipe", str(job.path / "recipe.toml"), "--out", str(job.out), "--json"]
    return [sys.executable, "-m", "skill_factory.turns" if hosted() else "skill_factory", *words]


def _run(job: Job, token: str) -> None:
    for left in ("stopping", "waiting"):
        (job.path / left).unlink(missing_ok=True)
    with (job.path / "told").open("wb") as told, (job.path / "log").open("wb") as log:
        # A session of its own: Ctrl-C in the terminal of the server is not meant for the build.
        process = subprocess.Popen(
            command(job), stdin=subprocess.DEVNULL, stdout=told, stderr=log, start_new_session=True,
            env=_environment(token) | {turns.NOTE: str(job.path / "waiting")},
        )  # fmt: skip
    (job.path / "process").write_text(f"{process.pid} {_stamp(process.pid)}", encoding="utf-8")


def _environment(token: str) -> dict[str, str]:
    """That of the server, without a login of its own: a visitor's build acts for the visitor alone."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
    }
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, paths)), TOKEN: token}


def find(id: str) -> Job | None:
    """The build of that name; None where there is none."""
    if not re.fullmatch(r"[\w-]{20,40}", id):
        return None
    path = place(KIND) / id
    try:
        known: dict[str, Any] = json.loads((path / "job.json").read_text(encoding="utf-8"))
        return Job(id, path, **known)
    except (OSError, ValueError, TypeError):
        return None


def recent(most: int = 8) -> list[Job]:
    """The builds of this machine, the latest first. On a shared server they are nobody's to list."""
    found = [job for path in place(KIND).iterdir() if (job := find(path.name))]
    return sorted(found, key=lambda job: -job.started)[:most]


def forget(job: Job) -> None:
    """Remove a build that is not running, with all its files. Errors: BuildFolderError while it is running."""
    if status(job).state in ACTIVE:
        raise BuildFolderError("This build is still running. Stop it first.")
    shutil.rmtree(job.path, ignore_errors=True)


# -- how it stands -------------------------------------------------------------------------------------------------


def status(job: Job) -> Status:
    """What a build is doing now. A build that does not stop by itself in time is ended here."""
    if _alive(job):
        asked = job.path / "stopping"
        if asked.exists():
            if time.time() - asked.stat().st_mtime > PATIENCE:
                _signal(job, signal.SIGKILL)
            return Status(State.STOPPING, progress(job))
        before = _read(job.path / "waiting")
        if before.isdecimal():
            return Status(State.WAITING, before=int(before))
        return Status(State.RUNNING, progress(job))
    if report(job) is not None:
        return Status(State.DONE)
    if (job.path / "stopping").exists():
        return Status(State.STOPPED, progress(job))
    return Status(State.FAILED, progress(job), _why(job))


def report(job: Job) -> dict[str, Any] | None:
    """The report of a finished build."""
    return BuildFolder(job.out).report()


def progress(job: Job) -> Progress | None:
    """How far the build was when it last said so."""
    try:
        told = json.loads((job.out / ".work" / "progress.json").read_text(encoding="utf-8"))
        return Progress(**{name: told[name] for name in Progress.__annotations__})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ledger(job: Job) -> dict[Level, LevelTally]:
    """What was kept and dropped so far: rows once all are read, the rest by finished partition."""
    if found := report(job):
        return tally_from_json(found).ledger
    parts = []
    for path in sorted((job.out / ".work").glob("part-*.json")):
        try:
            parts.append(tally_from_json(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError):  # the build ended this moment and took its work files away
            continue
    with contextlib.suppress(OSError, ValueError, KeyError):
        scanned = json.loads((job.out / ".work" / "scattered.json").read_text(encoding="utf-8"))
        parts.append(tally_from_json(scanned["tally"]))
    return total(parts).ledger


def _why(job: Job) -> str:
    lines = [line for line in _read(job.path / "log").splitlines() if line.strip()]
    if not lines:
        return "The build was ended from outside, most often because memory ran out. What is finished is kept: go on with it."
    if any(line.startswith("Traceback") for line in lines):
        return f"Something went wrong that is not your fault. If it happens again, report it with the id {job.id[:8]}."
    return lines[-1]


def log(job: Job) -> str:
    """What the build wrote to standard error, for the server's own log."""
    return _read(job.path / "log")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


# -- the process ---------------------------------------------------------------------------------------------------


def cancel(job: Job) -> None:
    """Ask a build to stop, as Ctrl-C would; what is finished is kept."""
    (job.path / "stopping").touch()
    _signal(job, signal.SIGINT)


def _signal(job: Job, which: signal.Signals) -> None:
    if not _alive(job):
        return
    pid = int(_read(job.path / "process").split()[0])
    with contextlib.suppress(ProcessLookupError):
        # The build answers Ctrl-C for its workers too; at the end of patience all of them are ended.
        os.killpg(pid, which) if which is signal.SIGKILL else os.kill(pid, which)


def _alive(job: Job) -> bool:
    words = _read(job.path / "process").split()
    if len(words) != 2:
        return False
    stamp = _stamp(int(words[0]))
    return bool(stamp) and stamp == words[1]


def _stamp(pid: int) -> str:
    """What tells this process from a later one with the same number; empty where it has ended."""
    stat = _read(Path(f"/proc/{pid}/stat"))
    if stat:
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    if Path("/proc/self").exists():
        return ""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return ""
    return "running"
