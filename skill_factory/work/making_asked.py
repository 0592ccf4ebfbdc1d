"""What a visitor asks to be made, from the form to the words of the command; a key is never part of it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.cli.options.endpoint import PILOT
from skill_factory.errors import EndpointError
from skill_factory.hosting import hosted
from skill_factory.recipe.fields import NAMES
from skill_factory.recipe.model import Source

if TYPE_CHECKING:
    from skill_factory.generate import Job

REQUESTS, ANSWERS = "requests.jsonl", "answers.jsonl"
"""Files of the way without a connection."""


class What(StrEnum):
    """What is made."""

    GRADE = "grade"
    RESPONSES = "responses"
    REFLECTIONS = "reflections"
    OUTPUTS = "outputs"
    """Of a trained model, to be measured."""


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
"""Stages that end with a raw set of all the questions."""
OUT = {
    What.GRADE: "graded.parquet",
    What.RESPONSES: "answers",
    What.REFLECTIONS: "reflections",
    What.OUTPUTS: "outputs",
}
_OLD_OUT = {What.REFLECTIONS: "critiques"}
"""Names that folders of earlier versions may still have: their answers were paid for."""


class Where(StrEnum):
    """Where the model is."""

    ADDRESS = "address"
    PROVIDER = "provider"
    FILES = "files"
    HERE = "here"
    """On this computer, served while it is asked: a folder, or a model on the Hub. Only for outputs."""


@dataclass(frozen=True)
class Asked:
    """Everything that a visitor chose, except the key."""

    what: What
    source: str
    label: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Field → column, or a list of columns."""
    part: tuple[str, str, str] = ("", "train", "")
    """Config, split and revision of a Hub dataset."""
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
    def called(self) -> str:
        """What pages call the model: never the path of this machine."""
        from skill_factory.measure.evaluation.serving import name_of

        return name_of(self.model) if self.where is Where.HERE else self.model

    @property
    def asks_for(self) -> "Asked":
        """The same without prices, budget and speed, which change no answer."""
        return replace(self, price_in=0.0, price_out=0.0, budget=0.0, concurrency=96)


def out_of(asked: Asked, folder: Path) -> Path:
    """Where the raw set goes."""
    # `folder / ""` is the folder itself, which stands for "there was no old name".
    old = folder / _OLD_OUT.get(asked.what, "")
    return old if old != folder and old.exists() else folder / OUT[asked.what]


def check(asked: Asked, stage: Stage) -> None:
    """Check the settings. Errors: EndpointError, RecipeError if they can't be used."""
    if asked.what is What.GRADE:
        return
    if not asked.model.strip():
        raise EndpointError("Name the model, as its server knows it.")
    # Said here in the form's words; the command would name an option that the page doesn't have.
    if asked.where is Where.ADDRESS and not asked.url.strip():
        raise EndpointError("Give the address of the model's server, for example http://localhost:8000/v1.")
    job = job_of(asked, Path("."), stage).checked()
    if asked.where is Where.HERE:
        _check_here(asked)
    elif stage in (Stage.PILOT, Stage.WHOLE):
        job.endpoint.checked()


def _check_here(asked: Asked) -> None:
    from skill_factory.measure.evaluation.serving import OWN, ServeError, command

    if hosted():
        raise ServeError(
            "This server is shared, so no model is served on it. Give the address of its server."
        )
    looks_like_path = asked.model.startswith(("/", ".", "~")) or asked.model.count("/") > 1
    if looks_like_path and not Path(asked.model).expanduser().is_dir():
        raise ServeError(
            f"There is no folder {asked.model}. Give a model's folder, or its name on the Hub: user/model."
        )
    try:
        command(asked.model, 0)
    except ServeError:
        if os.environ.get(OWN):
            raise
        # The command would name an option that the page doesn't have.
        raise ServeError(
            "No inference server is installed here. Install one (pip install 'transformers[serving]' torch), or start the app "
            f"with the program of another environment in {OWN}, or give an address where the model is served."
        ) from None


def words(asked: Asked, stage: Stage, folder: Path) -> list[str]:
    """The command that runs: the same words that anyone could type after `python -m skill_factory`."""
    out = out_of(asked, folder)
    if stage is Stage.GRADE:
        options = ["--task", asked.task, "--final", asked.final, "--yes", "--replace", "--json"]
        config, split, revision = asked.part
        options += ["--config", config, "--split", split, "--revision", revision]
        return ["grade", asked.source, "--out", str(out), *options, *_mapping(asked.columns)]
    from skill_factory.generate.words import words_of

    typed = words_of(job_of(asked, out, stage))
    if stage in (Stage.PILOT, Stage.WHOLE):
        return [*typed, *(["--serve"] if asked.where is Where.HERE else []), "--json"]
    files = {
        Stage.WRITE: ["--requests", str(folder / REQUESTS)],
        Stage.JOIN: ["--answers", str(folder / ANSWERS)],
    }
    return ["generate", "batch", stage.value, *_without_server(typed[1:]), *files[stage], "--json"]


_SERVER = ("--timeout", "--concurrency", "--tries", "--patience", "--price-in", "--price-out")


def _without_server(typed: Sequence[str]) -> list[str]:
    kept, skip = [], False
    for word in typed:
        if not skip and word not in _SERVER:
            kept.append(word)
        # The value behind such an option goes with it, whatever it looks like.
        skip = word in _SERVER and not skip
    return kept


def _mapped(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that hold columns, which is all that `--map` takes; how they are read is settled by the command itself."""
    return {name: mapped for name, mapped in columns.items() if name in NAMES}


def _mapping(columns: Mapping[str, Any]) -> list[str]:
    pairs = [
        (name, column)
        for name, mapped in _mapped(columns).items()
        for column in ([mapped] if isinstance(mapped, str) else mapped)
    ]
    return [word for name, column in pairs for word in ("--map", f"{name}={column}")]


def job_of(asked: Asked, out: Path, stage: Stage) -> "Job":
    """What was asked for, as `generate` takes it."""
    from skill_factory.generate import Budget, Endpoint, Job, Kind, Limits, Price, Sampling

    by_files = asked.where is Where.FILES
    provider = asked.provider if asked.where is Where.PROVIDER else ""
    end = Endpoint(asked.model.strip(), asked.url.strip() if asked.where is Where.ADDRESS else "", provider)
    price = Price(asked.price_in, asked.price_out)
    # A pilot is small, and ending it halfway would leave its figures without a base.
    budget = Budget(None, asked.budget or None) if stage is Stage.WHOLE else Budget()
    return Job(
        Kind(asked.what.value),
        asked.source,
        out,
        end,
        Sampling(temperature=asked.temperature, max_tokens=asked.max_tokens),
        _mapped(asked.columns),
        "",
        () if asked.what is What.OUTPUTS else tuple(asked.variants),
        asked.per_variant,
        asked.task,
        asked.k,
        0 if by_files else max(asked.k, asked.max_k),
        PILOT if stage is Stage.PILOT else 0,
        price,
        budget,
        Limits(asked.concurrency),
        False,
        Source(config=asked.part[0], split=asked.part[1], revision=asked.part[2]),
    )
