"""What is being made for a visitor: labels, responses or reflections, each by a command of its own, all of it on disk.

MADE/ID/asked.json  what was asked for, and which stage runs; no key
        reflections/  the raw set (or `answers/`, `graded.parquet`), with the answers so far in its `.store`
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
    "It was killed, usually because the machine ran out of memory. Every answer that came is kept: resume it."
)


@dataclass(frozen=True)
class Making:
    """Something that is being made, or was: where it is and what was asked for."""

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
        """The request file of the way without a connection."""
        return self.path / REQUESTS

    @property
    def answers(self) -> Path:
        """The uploaded answers to it."""
        return self.path / ANSWERS


@dataclass(frozen=True)
class Status:
    """How it is doing."""

    state: State
    progress: "GenerateProgress | None" = None
    told: Mapping[str, Any] = field(default_factory=dict)
    """What the command printed at its end."""
    said: str = ""
    """Why it failed, in a sentence."""
    seconds: float = 0.0
    before: int | None = None
    """Pieces of work before it in the queue; None if it isn't waiting."""

    @property
    def running(self) -> bool:
        """Whether its process is still there."""
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
    Run a stage of what was asked for. If `before` has the same source, its folder is used again, so that nothing that was
    answered there is asked again. Errors: SkillFactoryError for settings that can't be used.
    """
    check(asked, stage)
    # A second click, or a second tab: the answers would be paid for twice.
    if before is not None and status(before).running:
        return before
    queue.check_room(queue.kind_of([What.GRADE if stage is Stage.GRADE else "generate"]), visitor)
    # Answers belong to one kind of work on one source; anything else starts in a folder of its own.
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
    """Delete an earlier stage's figures: they would be taken for this one's."""
    for name in ("progress.json", *(["pilot.json"] if made.stage is Stage.PILOT else [])):
        (made.out / ".store" / name).unlink(missing_ok=True)


# -- finding -------------------------------------------------------------------------------------------------------


def find(id: str) -> Making | None:
    """What is made under that name; None if there is nothing."""
    if (path := folder_of(KIND, id)) is None:
        return None
    try:
        known = json.loads((path / "asked.json").read_text(encoding="utf-8"))
        values = known["asked"]
        values |= {
            "what": What(values["what"]),
            "where": Where(values["where"]),
            "variants": tuple(values["variants"]),
            "part": tuple(values["part"]),
        }
        return Making(id, path, Asked(**values), Stage(known["stage"]), known["started"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def recent(most: int = 6) -> list[Making]:
    """What was made on this machine, the latest first. Never list it on a shared server: there a name is a key."""
    return latest(KIND, find, most)


def forget(made: Making) -> None:
    """Delete it, with all answers. Errors: BuildFolderError while it is running."""
    remove(made, status(made).running)


# -- how it is doing -------------------------------------------------------------------------------------------------


def status(made: Making) -> Status:
    """How it is doing now. What doesn't stop in time is killed here: no answer that has come is lost."""
    process = _process(made)
    state = process.state()
    if state in ACTIVE:
        return Status(
            state, progress(made), seconds=max(0.0, time.time() - made.started), before=process.before
        )
    told = process.told()
    # What the command printed at its end counts, however the process ended after that.
    if told:
        state = State.STOPPED if told.get("ending") == "cancelled" else State.DONE
    said = process.why(made.id) if state is State.FAILED else ""
    return Status(state, progress(made), told, said)


def progress(made: Making) -> "GenerateProgress | None":
    """How far a run was when it last reported."""
    from skill_factory.generate import read_progress

    return read_progress(made.out) if made.stage in (Stage.PILOT, Stage.WHOLE) else None


def pilot(made: Making) -> dict[str, Any] | None:
    """The figures of its pilot, if there was one."""
    from skill_factory.generate import read_pilot

    return None if made.asked.what is What.GRADE else read_pilot(made.out)


def here(made: Making) -> None:
    """Note that its visitor's page is open."""
    _process(made).here()


def stop(made: Making) -> None:
    """Ask it to stop; what is answered is kept."""
    _process(made).stop()


def lost(made: Making) -> str:
    """What deleting it would throw away, in words: above all the answers that were paid for."""
    stay = "The data it was made from stays as it is."
    if made.stage is Stage.GRADE:
        return f"The labels would have to be worked out again. {stay}"
    noun = "reflection" if made.asked.what is What.REFLECTIONS else "answer"
    if made.asked.where is Where.FILES:
        return f"The requests are lost, and every {noun} that was joined to them. {stay}"
    now = progress(made)
    if now is None or not now.done:
        return f"No {noun} has come yet, so nothing that was paid for is lost. {stay}"
    price = (
        f"cost {now.cost:,.2f}" if now.cost else f"took {now.prompt_tokens + now.completion_tokens:,} tokens"
    )
    return f"{many(now.done, noun)} would be lost. They {price}; asking for them again costs as much again. {stay}"


def fault(made: Making) -> str:
    """Where and how our own code failed, for the server's log."""
    return _process(made).fault()


def made_label(made: Making) -> str:
    """What the page calls the raw set that was made."""
    by = f" by {made.asked.called}" if made.asked.model else ""
    ends = {
        What.GRADE: ", graded",
        What.RESPONSES: f", answers{by}",
        What.REFLECTIONS: f", reflections{by}",
        What.OUTPUTS: f", outputs{by}",
    }
    return f"{made.asked.label}{ends[made.asked.what]}"


def summary(made: Making, told: Mapping[str, Any]) -> str:
    """What came of it, in a sentence."""
    if made.stage is Stage.GRADE:
        graded = (
            f"{many(told['responses'], 'response')} graded: {told['right']:,} right, {told['wrong']:,} wrong"
        )
        return f"{graded}, {told['unjudged']:,} without a decision." if told["unjudged"] else f"{graded}."
    noun = "reflection" if made.asked.what is What.REFLECTIONS else "answer"
    written = f"{many(told['answers'], noun)} made by {made.asked.called}"
    written += f", cost {told['cost']:,.2f}" if told.get("cost") else ""
    return f"{written}. {many(told['missing'], noun)} never came." if told.get("missing") else f"{written}."
