"""Builds as processes of their own, `python -m skill_factory build …`, with all that is known of them on disk.

So a build goes on when the page reruns, the tab is closed or the server restarts; a link to it needs only its folder's
name, which can't be guessed. The state is read from the disk and the process each time: nothing of a build lives in this
process.
"""

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from skill_factory.build.folder import BuildFolder
from skill_factory.build.progress import BuildProgress
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.mixture_file import recipe_or_mixture
from skill_factory.tally import LevelTally, tally_from_json, total
from skill_factory.whole_files import write_whole
from skill_factory.work import queue
from skill_factory.work.home import new_place
from skill_factory.work.process import ACTIVE, FolderProcess, State, folder_of, latest, remove

KIND = "builds"
LONGEST_NAME = 80
PATIENCE = 8.0
"""Seconds that a build has to stop by itself before it is killed."""
ENDED = "The build was killed, usually because the machine ran out of memory. What is finished is kept: resume it."


@dataclass(frozen=True)
class Job:
    """A build: where it is and what was asked for."""

    id: str
    path: Path
    source: str
    """What `open_source` takes."""
    label: str
    """What the page calls the source."""
    asked: str
    """Fingerprint of the recipe before its source was pinned."""
    started: float
    """Seconds since the epoch."""
    name: str = ""
    """What its visitor calls it; empty until they do."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Of a mixture, what opens each source, by its name there; empty for one source."""

    @property
    def title(self) -> str:
        """What lists call it."""
        return self.name or self.label

    @property
    def out(self) -> Path:
        """The build folder."""
        return self.path / "data"

    @property
    def recipe(self) -> AnyRecipe:
        """The recipe that was asked for, or the mixture."""
        return recipe_or_mixture((self.path / "recipe.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Status:
    """How a build is doing."""

    state: State
    progress: BuildProgress | None = None
    said: str = ""
    """Why it failed, in a sentence."""
    before: int = 0
    """How many builds are before it in the queue."""


def start(
    source: str,
    label: str,
    recipe: AnyRecipe,
    token: str = "",
    visitor: str = "",
    places: Mapping[str, str] | None = None,
) -> Job:
    """
    Start a build in a new folder: of a source, or of the sources of a mixture, which `places` names.

    Errors: BuildFolderError if too many are waiting already.
    """
    # Before the folder is made, so that a refusal leaves nothing behind.
    queue.check_room("builds", visitor)
    path = new_place(KIND)
    job = Job(path.name, path, source, label, recipe.fingerprint(), time.time(), places=places or {})
    (path / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    note(job)
    _run(job, token, visitor)
    return job


def note(job: Job) -> None:
    """Write down what the work in a folder is."""
    known = {name: value for name, value in asdict(job).items() if name not in ("id", "path")}
    write_whole(job.path / "job.json", json.dumps(known))


def rename(job: Job, name: str) -> None:
    """Call it something; an empty name gives its data's name back."""
    with contextlib.suppress(OSError):  # deleted in another tab meanwhile
        note(replace(job, name=" ".join(name.split())[:LONGEST_NAME]))


def resume(job: Job, token: str = "", visitor: str = "") -> None:
    """Resume a stopped build where it was; a running one is left alone."""
    if status(job).state in (State.STOPPED, State.FAILED):
        _run(job, token, visitor)


def command(job: Job) -> list[str]:
    """The command that runs: the same words that anyone could type after `python -m skill_factory`."""
    froms = [f"--from={name}={place}" for name, place in job.places.items()]
    source = [] if job.places else [job.source]
    return [
        "build",
        *source,
        "--recipe",
        str(job.path / "recipe.toml"),
        *froms,
        "--out",
        str(job.out),
        "--json",
    ]


def _run(job: Job, token: str, visitor: str) -> None:
    run, told = queue.behind_the_line(command(job), job.path, visitor)
    _process(job).start(run, token, more=told)


def here(job: Job) -> None:
    """Note that its visitor's page is open."""
    _process(job).here()


def _process(job: Job) -> FolderProcess:
    return FolderProcess(job.path, PATIENCE, ENDED)


def find(id: str) -> Job | None:
    """The build of that name; None if there is none."""
    return noted(KIND, id)


def noted(kind: str, id: str) -> Job | None:
    """What `note` wrote of a build, or of a suite, which is one in these respects; None if there is none."""
    if (path := folder_of(kind, id)) is None:
        return None
    try:
        known: dict[str, Any] = json.loads((path / "job.json").read_text(encoding="utf-8"))
        return Job(id, path, **known)
    except (OSError, ValueError, TypeError):
        return None


def recent(most: int = 8) -> list[Job]:
    """The builds of this machine, the latest first. Never list them on a shared server: there a name is a key."""
    return latest(KIND, find, most)


def forget(job: Job) -> None:
    """Delete a build with all its files. Errors: BuildFolderError while it, its publishing or its training is running."""
    # What works for a build works in a folder of it (`pushes.py`, `trainings/`).
    working = any(FolderProcess(job.path / part, PATIENCE, ENDED).alive for part in ("push", "train"))
    remove(job, working or status(job).state in ACTIVE)


# -- how it is doing -------------------------------------------------------------------------------------------------


def status(job: Job) -> Status:
    """What a build is doing now. A build that doesn't stop in time is killed here."""
    process = _process(job)
    state = process.state()
    if state is State.RUNNING and (before := process.before) is not None:
        return Status(State.WAITING, before=before)
    # The report is what says that a build is whole: a process may be killed after writing it.
    if state not in ACTIVE and report(job) is not None:
        return Status(State.DONE)
    return Status(state, progress(job), process.why(job.id) if state is State.FAILED else "")


def cancel(job: Job) -> None:
    """Ask a build to stop, as Ctrl-C would; what is finished is kept."""
    _process(job).stop()


def report(job: Job) -> dict[str, Any] | None:
    """The report of a finished build."""
    return BuildFolder(job.out).report()


def progress(job: Job) -> BuildProgress | None:
    """How far the build was when it last reported."""
    try:
        values = json.loads((job.out / ".work" / "progress.json").read_text(encoding="utf-8"))
        # By name, so that progress of another version of this package can't be read as something else.
        return BuildProgress(**{name: values[name] for name in BuildProgress.__annotations__})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def finished_parts(job: Job) -> tuple[int, int]:
    """Partitions of an unfinished build that are whole, and how many there will be; 0 of 0 before the first is begun."""
    now = progress(job)
    # Nobody knows how many partitions there will be before all rows were read.
    if now is None or now.phase == "scan":
        return 0, 0
    return len(list((job.out / ".work").glob("part-*.json"))), now.total


def ledger(job: Job) -> dict[Level, LevelTally]:
    """What was kept and dropped so far: rows once all are read, everything else by finished partition."""
    if finished := report(job):
        return tally_from_json(finished).ledger
    parts = []
    for path in sorted((job.out / ".work").glob("part-*.json")):
        try:
            parts.append(tally_from_json(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError):  # the build ended at this moment and deleted its work files
            continue
    with contextlib.suppress(OSError, ValueError, KeyError):
        # Rows are counted by the scan, everything that follows by the partitions.
        scanned = json.loads((job.out / ".work" / "scattered.json").read_text(encoding="utf-8"))
        parts.append(tally_from_json(scanned["tally"]))
    return total(parts).ledger


def fault(job: Job) -> str:
    """Where and how our own code failed, for the server's log."""
    return _process(job).fault()
