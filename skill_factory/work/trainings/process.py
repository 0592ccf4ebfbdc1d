"""The process that trains on a build: started, looked at, stopped, forgotten."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_factory.training.events import Seen, read_log
from skill_factory.training.plan import Plan
from skill_factory.work import queue
from skill_factory.work.builds import Job
from skill_factory.work.process import ACTIVE, FolderProcess, State
from skill_factory.work.trainings.asked import asked_in, command, keep

PATIENCE = 180.0
"""Seconds that it has to stop by itself: a checkpoint of a large model takes a while to write."""
ENDED = (
    "The training was killed, usually because the machine ran out of memory. Its last checkpoint is kept: resume it, or "
    "train an adapter (LoRA), which takes less."
)


@dataclass(frozen=True)
class Training:
    """How the training of a build is doing."""

    state: State
    plan: Plan
    seen: Seen
    said: str = ""
    """Why it failed, in a sentence."""
    url: str = ""
    """The job's page, or that of the trained model."""
    before: int | None = None
    """Pieces of work before it in the queue; None if it isn't waiting."""

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.state in ACTIVE


def plan_for(job: Job, **chosen: Any) -> Plan:
    """The plan of a build's training. Errors: SkillFactoryError for values that don't go together."""
    return Plan(data=str(job.out), out=str(_place(job) / "out"), **chosen)


def start(job: Job, plan: Plan, token: str = "", visitor: str = "") -> None:
    """
    Start the training of a build, or resume it; an earlier training with another plan is deleted first.

    Does nothing while one is running. Errors: BuildFolderError if too much is waiting already.
    """
    if _process(job).alive:
        return
    queue.check_room("network", visitor)
    path = _place(job)
    if (before := asked_in(path)) is not None and before != plan:
        shutil.rmtree(path, ignore_errors=True)
    path.mkdir(exist_ok=True, mode=0o700)
    (path / "told").unlink(missing_ok=True)
    keep(plan, path)
    run, told = queue.behind_the_line(command(plan), path, visitor)
    _process(job).start(run, token, more=told)


def status(job: Job) -> Training | None:
    """How the training of a build is doing; None if there is none. One that doesn't stop in time is killed here."""
    path = _place(job)
    plan = asked_in(path)
    if plan is None:
        return None
    process, seen = _process(job), read_log(path / "out")
    state = process.state()
    if state in ACTIVE:
        return Training(state, plan, seen, url=_url(path), before=process.before)
    if seen.how == "trained":
        return Training(State.DONE, plan, seen, url=process.told().get("url", ""))
    if state is State.STOPPED or seen.how in ("stopped", "expired"):
        return Training(State.STOPPED, plan, seen)
    return Training(State.FAILED, plan, seen, _why(process, job))


def _why(process: FolderProcess, job: Job) -> str:
    said = process.why(job.id)
    # It was telling how it goes when it was killed: that isn't a reason.
    if said.startswith(("step ", "started", "resumed", "Time: ", "Started: ")):
        return ENDED
    # The page has a button for it.
    return said.replace("; run the same command again to resume", "").replace(
        "Run the same command again to", "You can"
    )


def _url(path: Path) -> str:
    try:
        return str(json.loads((path / "out" / "job.json").read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError):
        return ""


def stop(job: Job) -> None:
    """Ask it to stop: it saves a checkpoint first; a job on the Hub is cancelled."""
    _process(job).stop()


def here(job: Job) -> None:
    """Note that its visitor's page is open."""
    _process(job).here()


def forget(job: Job) -> None:
    """Delete the training of a build, unless it is running."""
    if not _process(job).alive:
        shutil.rmtree(_place(job), ignore_errors=True)


def fault(job: Job) -> str:
    """Where and how our own code failed, for the server's log."""
    return _process(job).fault()


def golds(job: Job) -> dict[str, str]:
    """The answers of the questions that samples are taken of, where they are known."""
    try:
        settings = json.loads((_place(job) / "out" / "training.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    known = settings.get("golds")
    return known if isinstance(known, dict) else {}


def model_folder(job: Job) -> Path:
    """Where the trained model lies, when it was trained here."""
    return _place(job) / "out" / "model"


def _place(job: Job) -> Path:
    return job.path / "train"


def _process(job: Job) -> FolderProcess:
    return FolderProcess(_place(job), PATIENCE, ENDED)
