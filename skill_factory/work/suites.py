"""Suites as processes of their own, `python -m skill_factory ablate …`, in folders like those of builds (`builds.py`)."""

import contextlib
import time
from collections.abc import Sequence

from skill_factory.suites.desk import suite_report
from skill_factory.suites.differences import Difference, from_json
from skill_factory.suites.suite import BASE, Suite
from skill_factory.work import queue
from skill_factory.work.builds import ENDED, PATIENCE, Job, Status, note, noted, progress
from skill_factory.work.home import new_place
from skill_factory.work.process import ACTIVE, FolderProcess, State, remove

KIND = "suites"


def start(source: str, label: str, suite: Suite, token: str = "", visitor: str = "") -> Job:
    """Start a suite in a new folder. Errors: BuildFolderError if too much is waiting already."""
    queue.check_room("builds", visitor)
    path = new_place(KIND)
    job = Job(path.name, path, source, label, suite.fingerprint(), time.time())
    (path / "suite.toml").write_text(suite.to_toml(), encoding="utf-8")
    note(job)
    _run(job, token, visitor)
    return job


def command(job: Job) -> list[str]:
    """The command that runs: the same words that anyone could type after `python -m skill_factory`."""
    return ["ablate", job.source, "--suite", str(job.path / "suite.toml"), "--out", str(job.out), "--json"]


def resume(job: Job, token: str = "", visitor: str = "") -> None:
    """Resume a stopped suite where it was; a running one is left alone."""
    if status(job).state in (State.STOPPED, State.FAILED):
        _run(job, token, visitor)


def _run(job: Job, token: str, visitor: str) -> None:
    run, told = queue.behind_the_line(command(job), job.path, visitor)
    _process(job).start(run, token, more=told)


def find(id: str) -> Job | None:
    """The suite of that name; None if there is none."""
    return noted(KIND, id)


def status(job: Job) -> Status:
    """What a suite is doing now. One that doesn't stop in time is killed here."""
    process = _process(job)
    state = process.state()
    if state is State.RUNNING and (before := process.before) is not None:
        return Status(State.WAITING, before=before)
    if state not in ACTIVE and suite_report(job.out) is not None:
        return Status(State.DONE)
    return Status(state, progress(job), process.why(job.id) if state is State.FAILED else "")


def rows(job: Job) -> tuple[Sequence[Difference], Sequence[str]]:
    """The table of a finished suite, and what was said of its arms; nothing before that."""
    report = suite_report(job.out)
    if report is None:
        return [], []
    return [from_json(row) for row in report["table"]], report["notes"]


def held_out(job: Job) -> int:
    """How many questions with a gold answer a finished suite holds out of all its arms."""
    report = suite_report(job.out) or {"reports": {}}
    told = report["reports"].get(BASE, {}).get("overlap", {})
    return int(told["held_out"]["with_gold"]) if told else 0


def said(job: Job) -> list[str]:
    """What a running suite has said before it writes anything."""
    with contextlib.suppress(OSError):
        lines = (job.path / "log").read_text(encoding="utf-8", errors="replace").splitlines()
        # Progress is written there too, a line now and then.
        return [
            line for line in lines if line.strip() and not line.startswith(("reading ·", "building ·", "{"))
        ]
    return []


def here(job: Job) -> None:
    """Note that its visitor's page is open."""
    _process(job).here()


def cancel(job: Job) -> None:
    """Ask it to stop, as Ctrl-C would; what is finished is kept."""
    _process(job).stop()


def forget(job: Job) -> None:
    """Delete a suite that isn't running, with all its files. Errors: BuildFolderError while it is running."""
    remove(job, status(job).state in ACTIVE)


def fault(job: Job) -> str:
    """Where and how our own code failed, for the server's log."""
    return _process(job).fault()


def _process(job: Job) -> FolderProcess:
    return FolderProcess(job.path, PATIENCE, ENDED)
