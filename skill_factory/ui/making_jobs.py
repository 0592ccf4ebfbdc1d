"""What is being made for a visitor: labels, responses or critiques, each by a command of its own, all of it on disk.

MADE/ID/asked.json  what was asked for, and which stage runs; no key
        critiques/  the raw set (`answers/`, `graded.parquet`), with the answers so far in its `.store`
        told, log   what the command said; `process` and `stopping` as for builds
"""

import json
import re
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.errors import BuildFolderError, EndpointError
from skill_factory.home import forget_old, hosted, new_place, place
from skill_factory.ui import child
from skill_factory.ui.jobs import State
from skill_factory.wording import many

if TYPE_CHECKING:
    from skill_factory.generate import GenerateProgress, Job

KIND = "made"
PATIENCE = 45.0
"""Seconds that a run has to stop by itself: answers under way are paid for, so it waits for them a while."""
HOSTED_DAYS = 2.0
PILOT = 50
"""Questions."""


class What(StrEnum):
    """What is made."""

    GRADE = "grade"
    RESPONSES = "responses"
    REFLECTIONS = "reflections"


class Stage(StrEnum):
    """Which command runs."""

    GRADE = "grade"
    PILOT = "pilot"
    WHOLE = "whole"
    WRITE = "write"
    """The request file."""
    JOIN = "join"
    """Its answers."""


FINAL = (Stage.GRADE, Stage.WHOLE, Stage.JOIN)
"""Stages that end in a raw set of all the questions."""
OUT = {What.GRADE: "graded.parquet", What.RESPONSES: "answers", What.REFLECTIONS: "critiques"}


class Where(StrEnum):
    """Where the model is."""

    ADDRESS = "address"
    PROVIDER = "provider"
    FILES = "files"


@dataclass(frozen=True)
class Asked:
    """All that a visitor chose, but for the key."""

    what: What
    source: str
    label: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Field → column, or a list of columns."""
    task: str = "auto"
    final: str = "auto"
    where: Where = Where.ADDRESS
    url: str = ""
    provider: str = "auto"
    model: str = ""
    price_in: float = 0.0
    price_out: float = 0.0
    budget: float = 0.0
    per_variant: int = 4
    variants: tuple[str, ...] = ()
    k: int = 4
    max_k: int = 8
    temperature: float = 0.7
    max_tokens: int = 4096
    concurrency: int = 96

    @property
    def asks_for(self) -> "Asked":
        """Without what changes no answer: prices, budget and speed."""
        return replace(self, price_in=0.0, price_out=0.0, budget=0.0, concurrency=96)


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
        return self.path / OUT[self.asked.what]

    @property
    def requests(self) -> Path:
        """The request file of the offline way."""
        return self.path / "requests.jsonl"

    @property
    def answers(self) -> Path:
        """The uploaded answers to it."""
        return self.path / "answers.jsonl"


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

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.state in (State.RUNNING, State.STOPPING)


# -- starting ------------------------------------------------------------------------------------------------------


def start(asked: Asked, stage: Stage, token: str = "", key: str = "", before: Making | None = None) -> Making:
    """
    Run a stage of what was asked for, in the folder of `before` where it is of the same source, so that nothing that was
    answered there is asked again. Errors: SkillFactoryError for settings that can't be.
    """
    check(asked, stage)
    if before is not None and status(before).running:
        return before
    if hosted():
        forget_old(KIND, HOSTED_DAYS)
    same = before is not None and (before.asked.what, before.asked.source) == (asked.what, asked.source)
    path = before.path if before is not None and same else new_place(KIND)
    made = Making(path.name, path, asked, stage, time.time())
    _forget_stage(made)
    known = {"asked": asdict(asked), "stage": stage, "started": made.started}
    (path / "asked.json").write_text(json.dumps(known), encoding="utf-8")
    child.start(path, [sys.executable, "-m", "skill_factory", *words(made)], token, key)
    return made


def again(made: Making, token: str = "", key: str = "") -> Making:
    """Go on with what was stopped or failed."""
    return start(made.asked, made.stage, token, key, made)


def check(asked: Asked, stage: Stage) -> None:
    """Errors: EndpointError, RecipeError where the settings can't be used."""
    if asked.what is What.GRADE:
        return
    if not asked.model.strip():
        raise EndpointError("Name the model, as its server knows it.")
    if asked.where is Where.ADDRESS and not asked.url.strip():
        raise EndpointError("Give the address of the model's server, for example http://localhost:8000/v1.")
    job = job_of(asked, Path("."), stage).checked()
    if stage in (Stage.PILOT, Stage.WHOLE):
        job.endpoint.checked()


def _forget_stage(made: Making) -> None:
    """What an earlier stage told would be taken for this one's."""
    for name in ("progress.json", *(["pilot.json"] if made.stage is Stage.PILOT else [])):
        (made.out / ".store" / name).unlink(missing_ok=True)


def words(made: Making) -> list[str]:
    """What is run: the same words that anyone could type after `python -m skill_factory`."""
    asked = made.asked
    if made.stage is Stage.GRADE:
        told = ["--task", asked.task, "--final", asked.final, "--yes", "--replace", "--json"]
        return ["grade", asked.source, "--out", str(made.out), *told, *_mapping(asked.columns)]
    from skill_factory.generate.words import words_of

    typed = words_of(job_of(asked, made.out, made.stage))
    if made.stage in (Stage.PILOT, Stage.WHOLE):
        return [*typed, "--json"]
    files = {Stage.WRITE: ["--requests", str(made.requests)], Stage.JOIN: ["--answers", str(made.answers)]}
    return ["generate", "batch", made.stage.value, *_without_server(typed[1:]), *files[made.stage], "--json"]


_SERVER = ("--timeout", "--concurrency", "--tries", "--patience", "--price-in", "--price-out")


def _without_server(typed: Sequence[str]) -> list[str]:
    kept, skip = [], False
    for word in typed:
        if not skip and word not in _SERVER:
            kept.append(word)
        skip = word in _SERVER and not skip
    return kept


def _mapping(columns: Mapping[str, Any]) -> list[str]:
    pairs = [
        (name, column)
        for name, found in columns.items()
        for column in ([found] if isinstance(found, str) else found)
    ]
    return [word for name, column in pairs for word in ("--map", f"{name}={column}")]


def job_of(asked: Asked, out: Path, stage: Stage) -> "Job":
    """What was asked for as the core takes it."""
    from skill_factory.generate import Budget, Endpoint, Job, Kind, Limits, Price, Sampling

    by_files = asked.where is Where.FILES
    provider = asked.provider if asked.where is Where.PROVIDER else ""
    end = Endpoint(asked.model.strip(), asked.url.strip() if asked.where is Where.ADDRESS else "", provider)
    price = Price(asked.price_in, asked.price_out)
    budget = Budget(None, asked.budget or None) if stage is Stage.WHOLE else Budget()
    return Job(
        Kind(asked.what.value), asked.source, out, end, Sampling(temperature=asked.temperature, max_tokens=asked.max_tokens),
        asked.columns, "", tuple(asked.variants), asked.per_variant, asked.task, asked.k,
        0 if by_files else max(asked.k, asked.max_k), PILOT if stage is Stage.PILOT else 0,
        price, budget, Limits(asked.concurrency),
    )  # fmt: skip


# -- finding -------------------------------------------------------------------------------------------------------


def find(id: str) -> Making | None:
    """What is made under that name; None where there is none."""
    if not re.fullmatch(r"[\w-]{20,40}", id):
        return None
    path = place(KIND) / id
    try:
        known = json.loads((path / "asked.json").read_text(encoding="utf-8"))
        told = known["asked"]
        told |= {
            "what": What(told["what"]),
            "where": Where(told["where"]),
            "variants": tuple(told["variants"]),
        }
        return Making(id, path, Asked(**told), Stage(known["stage"]), known["started"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def recent(most: int = 6) -> list[Making]:
    """What was made on this machine, the latest first. On a shared server it is nobody's to list."""
    found = [made for path in place(KIND).iterdir() if (made := find(path.name))]
    return sorted(found, key=lambda made: -made.started)[:most]


def forget(made: Making) -> None:
    """Remove it, with all answers. Errors: BuildFolderError while it is running."""
    if status(made).running:
        raise BuildFolderError("This is still running. Stop it first.")
    shutil.rmtree(made.path, ignore_errors=True)


# -- how it stands -------------------------------------------------------------------------------------------------


def status(made: Making) -> Status:
    """How it stands now. What does not stop by itself in time is ended here: no answer that has come is lost."""
    seconds = max(0.0, time.time() - made.started)
    if child.alive(made.path):
        asked = made.path / "stopping"
        if not asked.exists():
            return Status(State.RUNNING, progress(made), seconds=seconds)
        if time.time() - asked.stat().st_mtime > PATIENCE:
            child.send(made.path, signal.SIGKILL)
        return Status(State.STOPPING, progress(made), seconds=seconds)
    told = _told(made)
    if told and told.get("ending") != "cancelled":
        return Status(State.DONE, progress(made), told)
    if told or (made.path / "stopping").exists():
        return Status(State.STOPPED, progress(made), told)
    return Status(State.FAILED, progress(made), said=_why(made))


def progress(made: Making) -> "GenerateProgress | None":
    """How far a run was when it last said so."""
    from skill_factory.generate import read_progress

    return read_progress(made.out) if made.stage in (Stage.PILOT, Stage.WHOLE) else None


def pilot(made: Making) -> dict[str, Any] | None:
    """The figures of its pilot."""
    from skill_factory.generate import read_pilot

    return None if made.asked.what is What.GRADE else read_pilot(made.out)


def stop(made: Making) -> None:
    """Ask it to stop; what is answered is kept."""
    child.ask_to_stop(made.path)


def log(made: Making) -> str:
    """What the command wrote to standard error, for the server's own log."""
    return child.read(made.path / "log")


def _told(made: Making) -> dict[str, Any]:
    lines = child.read(made.path / "told").strip().splitlines()
    try:
        told = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _why(made: Making) -> str:
    lines = [line for line in log(made).splitlines() if line.strip() and not line.startswith("{")]
    if any(line.startswith("Traceback") for line in lines):
        return f"Something went wrong that is not your fault. If it happens again, report it with the id {made.id[:8]}."
    if not lines:
        return "It was ended from outside, most often because memory ran out. What is answered is kept: go on with it."
    return lines[-1]


def title(asked: Asked) -> str:
    """What is made, in words."""
    words = {What.GRADE: "Grade", What.RESPONSES: "Get answers", What.REFLECTIONS: "Get critiques"}
    return words[asked.what]


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
