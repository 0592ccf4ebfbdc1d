"""A build on its way to the Hub: `python -m skill_factory push …` as a process of its own, with all that is known on disk.

BUILD/push/asked.json     where to and how; no token
           README.md      the card as the person who published it saw it
           progress.json  how far it is
           told, log      what the command said; `process` and `stopping` as for builds

So publishing goes on when the page reruns, the tab is closed or the server restarts, as a build does. And since all of it
is one commit, a push that was killed on its way has either changed nothing or landed whole.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from skill_factory.publish.plan import Mode, PushPlan
from skill_factory.publish.push import PushResult, PushStep
from skill_factory.work import queue
from skill_factory.work.builds import Job
from skill_factory.work.process import ACTIVE, FolderProcess, State

PATIENCE = 8.0
"""Seconds that a push has to stop by itself before it is killed."""
ENDED = "Publishing was killed. It is all or nothing: see below what is there now, and try again."


@dataclass(frozen=True)
class Asked:
    """What was agreed to: the repository, how, and the commit that was looked at ("" if nothing can be lost)."""

    repo: str
    mode: str
    public: bool
    parent: str = ""


@dataclass(frozen=True)
class Sending:
    """How a push is doing."""

    state: State
    asked: Asked
    step: PushStep | None = None
    result: PushResult | None = None
    said: str = ""
    """Why it failed, in a sentence."""
    before: int | None = None
    """Pieces of work before it in the queue; None if it isn't waiting."""

    @property
    def share(self) -> float:
        """The share of the bytes that has been sent, between 0 and 1."""
        return min(1.0, self.step.done / self.step.total) if self.step and self.step.total else 0.0


def start(job: Job, plan: PushPlan, card: str, token: str, visitor: str = "") -> None:
    """
    Start what a visitor has seen and agreed to; does nothing while another push of this build is on its way.

    Errors: BuildFolderError if too many are waiting already.
    """
    # A second click would send everything again for nothing.
    if running(job):
        return
    queue.check_room("network", visitor)
    path = _place(job)
    path.mkdir(exist_ok=True, mode=0o700)
    # Of the push before, which would otherwise show as the result of this one.
    for left in ("told", "progress.json"):
        (path / left).unlink(missing_ok=True)
    (path / "README.md").write_text(card, encoding="utf-8")
    asked = _agreed(plan)
    (path / "asked.json").write_text(json.dumps(asdict(asked)), encoding="utf-8")
    run, told = queue.behind_the_line(command(job, asked), path, visitor)
    _process(job).start(run, token, more=told)


def _agreed(plan: PushPlan) -> Asked:
    """Replacing where nothing was is publishing as new, so that anything that came meanwhile is refused."""
    replaces = plan.mode is Mode.REPLACE and plan.before is not None
    mode = Mode.NEW if plan.mode is Mode.REPLACE and not replaces else plan.mode
    return Asked(plan.repo, mode.value, plan.public, str(plan.parent) if replaces else "")


def command(job: Job, asked: Asked) -> list[str]:
    """The command that runs: the same words that anyone could type after `python -m skill_factory`."""
    path = _place(job)
    words = ["push", str(job.out), asked.repo, "--mode", asked.mode, "--card", str(path / "README.md")]
    words += ["--public"] if asked.public else []
    words += ["--parent", asked.parent] if asked.parent else []
    words += ["--yes", "--json", "--progress", str(path / "progress.json")]
    return words


def running(job: Job) -> bool:
    """Whether a push of this build is on its way."""
    return _process(job).alive


def status(job: Job) -> Sending | None:
    """How the last push of a build is doing; None if there was none. One that doesn't stop in time is killed here."""
    path = _place(job)
    try:
        asked = Asked(**json.loads((path / "asked.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    process = _process(job)
    state = process.state()
    if state in ACTIVE:
        return Sending(state, asked, _step(path), before=process.before)
    if told := process.told():
        # Its own words count, even if it was stopped right after the commit.
        return Sending(State.DONE, asked, result=PushResult(**{**told, "warnings": tuple(told["warnings"])}))
    said = process.why(job.id) if state is State.FAILED else ""
    return Sending(state, asked, _step(path), said=said)


def here(job: Job) -> None:
    """Note that its visitor's page is open."""
    _process(job).here()


def stop(job: Job) -> None:
    """Ask it to stop."""
    _process(job).stop()


def fault(job: Job) -> str:
    """Where and how our own code failed, for the server's log."""
    return _process(job).fault()


def _step(path: Path) -> PushStep | None:
    try:
        return PushStep(**json.loads((path / "progress.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _place(job: Job) -> Path:
    return job.path / "push"


def _process(job: Job) -> FolderProcess:
    return FolderProcess(_place(job), PATIENCE, ENDED)
