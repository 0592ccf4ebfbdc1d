"""What a trainer is to us: one record. The command, the page, the docs and the tests are made from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from skill_factory.trainers.bundle import Bundle
from skill_factory.trainers.options import Options, family_of
from skill_factory.trainers.questions import Pool, Split

Keep = npt.NDArray[np.bool_] | None
"""Which rows stay, over all shards; None for all."""


@dataclass(frozen=True)
class Traces:
    """What a trainer that learns from traces is given."""

    bundle: Bundle
    options: Options
    keep: Keep
    report: str
    """What was found, for the notes."""


@dataclass(frozen=True)
class Questions:
    """What a trainer that learns from rewards is given."""

    bundle: Bundle
    options: Options
    pool: Pool
    split: Split
    report: str


@dataclass(frozen=True)
class Trainer:
    """A trainer: what it is called, what it does with the data, and its names for the chat templates of model families."""

    name: str
    """What `--to` takes."""
    title: str
    """Its own spelling."""
    does: str
    """What it does, in a few words."""
    families: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """Family of models (`options.FAMILIES`) → the trainer's name for its chat template."""

    def template(self, options: Options) -> str:
        """The chosen chat template, else the one of the model's family; empty where the tokenizer's own must do."""
        return options.template or self.families.get(family_of(options.model), "")


@dataclass(frozen=True)
class TracesTrainer(Trainer):
    """A trainer that fine-tunes on the traces."""

    write: Callable[[Traces, Path], None]


@dataclass(frozen=True)
class QuestionsTrainer(Trainer):
    """A trainer that asks the questions again and rewards the answers."""

    write: Callable[[Questions, Path], None]
