"""What is being made for a visitor: labels, responses or critiques, each by a command of its own, all of it on disk.

MADE/ID/asked.json  what was asked for, and which stage runs; no key
        critiques/  the raw set (`answers/`, `graded.parquet`), with the answers so far in its `.store`
        told, log   what the command said; `process` and `stopping` as for builds
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.wording import many
from skill_factory.work import queue
from skill_factory.work.home import new_place
from skill_factory.work.making_asked import ANSWERS, REQUESTS, Asked, Stage, What, Where, check, out_of, words
from skill_factory.work.process import ACTIVE, FolderProcess, State, folder_of, latest, remove

if TYPE_CHECKING:
    from skill_factory.generate import GenerateProgress

KIND = "made"
PATIENCE = 45.0
"""Seconds that a run has to stop by itself: answers under way are paid for, so it waits for them a while."""
ENDED = (
    "It was ended from outside, most often because memory ran out. What is answered is kept: go on with it."
)


@dataclass(frozen=True)
class Making:
    """Something that is made, or was: where it lies and what was asked for."""

    id: str
    path: Path
    asked: Asked
    stage: Stage
    started: float

    @property
    def out(self) -> Path:
        """The raw set."""
        return out_of(self.asked, self.path)

    @property
    def requests(self) -> Path:
        """The request file of the offline way."""
        return self.path / REQUESTS

    @property
    def answers(self) -> Path:
        """The uploaded answers to it."""
        return self.path / ANSWERS


@dataclass(frozen=True)
class Status:
    """How it stands."""

    state: State
    progress: "GenerateProgress | None" = None
    told: Mapping[str, Any] = field(default_factory=dict)
    """What the command said at its end."""
    said: str = ""
    """Why it failed, in a sentence."""
    seconds: float = 0.0
    before: int | None = None
    """Pieces of work before it in line; None where it doesn't wait."""

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.state in ACTIVE


# -- starting ------------------------------------------------------------------------------------------------------


def start(
    asked: Asked,
    stage: Stage,
    token: str = "",
    key: str = "",
    before: Making | None = None,
    visitor: str = "",
) -> Making:
    """
    Run a stage of what was asked for, in the folder of `before` where it is of the same source, so that nothing that was
    answered there is asked again. Errors: SkillFactoryError for settings that can't be.
    """
    check(asked, stage)
    if before is not None and status(before).running:
        return before
    queue.check_room(queue.kind_of([What.GRADE if stage is Stage.GRADE else "generate"]), visitor)
    same = before is not None and (before.asked.what, before.asked.source) == (asked.what, asked.source)
    path = before.path if before is not None and same else new_place(KIND)
    made = Making(path.name, path, asked, stage, time.time())
    _forget_stage(made)
    known = {"asked": asdict(asked), "stage": stage, "started": made.started}
    (path / "asked.json").write_text(json.dumps(known), encoding="utf-8")
    run, told = queue.behind_the_line(words(asked, stage, path), path, visitor)
    _process(made).start(run, token, key, told)
    return made


def _process(made: Making) -> FolderProcess:
    return FolderProcess(made.path, PATIENCE, ENDED)


def _forget_stage(made: Making) -> None:
    """What an earlier stage told would be taken for this one's."""
    for name in ("progress.json", *(["pilot.json"] if made.stage is Stage.PILOT else [])):
        (made.out / ".store" / name).unlink(missing_ok=True)


# -- finding -------------------------------------------------------------------------------------------------------


def find(id: str) -> Making | None:
    """What is made under that name; None where there is none."""
    if (path := folder_of(KIND, id)) is None:
        return None
    try:
        known = json.loads((path / "asked.json").read_text(encoding="utf-8"))
        told = known["asked"]
        told |= {
            "what": What(told["what"]),
            "where": Where(told["where"]),
            "variants": tuple(told["variants"]),
            "part": tuple(told["part"]),
        }
        return Making(id, path, Asked(**told), Stage(known["stage"]), known["started"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def recent(most: int = 6) -> list[Making]:
    """What was made on this machine, the latest first. On a shared server it is nobody's to list."""
    return latest(KIND, find, most)


def forget(made: Making) -> None:
    """Remove it, with all answers. Errors: BuildFolderError while it is running."""
    remove(made, status(made).running)


# -- how it stands -------------------------------------------------------------------------------------------------


def status(made: Making) -> Status:
    """How it stands now. What does not stop by itself in time is ended here: no answer that has come is lost."""
    process = _process(made)
    state = process.state()
    if state in ACTIVE:
        return Status(
            state, progress(made), seconds=max(0.0, time.time() - made.started), before=process.before
        )
    told = process.told()
    if told:
        state = State.STOPPED if told.get("ending") == "cancelled" else State.DONE
    said = process.why(made.id) if state is State.FAILED else ""
    return Status(state, progress(made), told, said)


def progress(made: Making) -> "GenerateProgress | None":
    """How far a run was when it last said so."""
    from skill_factory.generate import read_progress

    return read_progress(made.out) if made.stage in (Stage.PILOT, Stage.WHOLE) else None


def pilot(made: Making) -> dict[str, Any] | None:
    """The figures of its pilot."""
    from skill_factory.generate import read_pilot

    return None if made.asked.what is What.GRADE else read_pilot(made.out)


def here(made: Making) -> None:
    """Note that its visitor's page is open."""
    _process(made).here()


def stop(made: Making) -> None:
    """Ask it to stop; what is answered is kept."""
    _process(made).stop()


def fault(made: Making) -> str:
    """Where and how our own code failed, for the server's log."""
    return _process(made).fault()


def made_label(made: Making) -> str:
    """How the made raw set is called on the page."""
    by = f" by {made.asked.model}" if made.asked.model else ""
    ends = {What.GRADE: ", graded", What.RESPONSES: f", answers{by}", What.REFLECTIONS: f", critiques{by}"}
    return f"{made.asked.label}{ends[made.asked.what]}"


def summary(made: Making, told: Mapping[str, Any]) -> str:
    """What came of it, in a sentence."""
    if made.stage is Stage.GRADE:
        said = (
            f"{many(told['responses'], 'response')} graded: {told['right']:,} right, {told['wrong']:,} wrong"
        )
        return f"{said}, {told['unjudged']:,} without a decision." if told["unjudged"] else f"{said}."
    noun = "critique" if made.asked.what is What.REFLECTIONS else "answer"
    said = f"{many(told['answers'], noun)} made by {made.asked.model}"
    said += f", cost {told['cost']:,.2f}" if told.get("cost") else ""
    return f"{said}. {many(told['missing'], noun)} did not come." if told.get("missing") else f"{said}."
