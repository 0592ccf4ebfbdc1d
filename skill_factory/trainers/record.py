"""What a trainer is: one record, from which command, page, docs and tests are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from skill_factory.traces.lengths import Lengths
from skill_factory.trainers.bundle import Bundle
from skill_factory.trainers.options import Options, family_of
from skill_factory.trainers.questions import QuestionPool, Split

Keep = npt.NDArray[np.bool_] | None
"""Which rows of all shards stay; None for all."""


@dataclass(frozen=True)
class Traces:
    """What a trainer gets that learns from traces."""

    bundle: Bundle
    options: Options
    keep: Keep
    lengths: Lengths
    report: str
    """What the checks found, as text for the notes."""


@dataclass(frozen=True)
class Tokens:
    """What a trainer gets that learns from tokens: they are written already, into the folder `data`."""

    bundle: Bundle
    options: Options
    report: str
    """What was trained and what the checks found, as text for the notes."""


@dataclass(frozen=True)
class Questions:
    """What a trainer gets that learns from rewards."""

    bundle: Bundle
    options: Options
    pool: QuestionPool
    split: Split
    report: str


@dataclass(frozen=True)
class Trainer:
    """A trainer: its name, what it does with the data, and its names for the chat templates of model families."""

    name: str
    """The name that `--to` takes."""
    title: str
    """The name as the trainer's authors spell it."""
    does: str
    """What it does with the data, in a few words."""
    families: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """Family of models (`options.FAMILIES`) → the trainer's name for its chat template."""

    own_template: bool = field(default=False, kw_only=True)
    """Whether it writes with the model's own chat template, and with all that the template does to a text."""

    def by_qwen3(self, options: Options) -> bool:
        """Whether Qwen3's own template may write the traces, which rewrites them; an unknown model may be a Qwen3."""
        own = self.own_template or self.template(options) == "tokenizer_default"
        return own and family_of(options.model) in ("qwen3", "qwen3.5", "")

    def adds_thinking(self, options: Options) -> bool:
        """Whether a trace without thinking gets an empty block of it: LLaMA-Factory's `qwen3` does that, and no more."""
        return self.template(options) in ("qwen3", "qwen3_5") or self.by_qwen3(options)

    def template(self, options: Options) -> str:
        """The chosen chat template, otherwise that of the model's family; empty stands for the tokenizer's own."""
        # What a person names wins; an empty answer is better than a template of another family.
        return options.template or self.families.get(family_of(options.model), "")


@dataclass(frozen=True)
class TracesTrainer(Trainer):
    """A trainer that fine-tunes on the traces, as text or, where it can, as tokens with labels."""

    write: Callable[[Traces, Path], None]
    tokens: Callable[[Tokens, Path], None] | None = field(default=None, kw_only=True)
    """Writes what the trainer needs for tokens, if it takes them."""


@dataclass(frozen=True)
class TokensTrainer(Trainer):
    """A trainer that only takes tokens with labels."""

    tokens: Callable[[Tokens, Path], None]


@dataclass(frozen=True)
class QuestionsTrainer(Trainer):
    """A trainer that asks the questions again and rewards the answers."""

    write: Callable[[Questions, Path], None]
