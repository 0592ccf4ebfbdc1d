"""A doubt, and the sample of a reading that is judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from skill_factory.build.prepare import Settled
from skill_factory.insight.readiness import Step
from skill_factory.judge.responses import final_answer
from skill_factory.recipe.model import Recipe
from skill_factory.tally import Tally

TENTH = 0.1
"""The share from which on something is worth a doubt."""


@dataclass(frozen=True)
class Doubt:
    """One reason to look twice."""

    code: str
    sentence: str
    fix: str
    """The one thing to do."""
    step: Step = Step.NONE
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe that fix it, if a press can."""
    pick: Sequence[str] = ()
    """Fields of a row whose columns are in question."""
    words: Sequence[str] = ()
    """Values that a person has to give a meaning."""
    share: float = 1.0
    """How much of the data it concerns."""

    def to_json(self) -> dict[str, str]:
        """The doubt as `inspect --json` shows it."""
        return {"code": self.code, "sentence": self.sentence, "fix": self.fix}


@dataclass(frozen=True)
class Sample:
    """What was read of a source, to be judged."""

    settled: Settled
    table: pa.Table
    """Canonical rows; `correct` is null where nothing says right or wrong."""
    tally: Tally
    """What was kept and dropped of the labelled ones under the recipe."""
    row_of: Sequence[int] = ()
    """The row of the source that each response came from."""

    @property
    def recipe(self) -> Recipe:
        """As it was settled."""
        return self.settled.recipe

    @cached_property
    def questions(self) -> list[str]:
        """The question of each response."""
        found: list[str] = self.table["question"].to_pylist()
        return found

    @cached_property
    def golds(self) -> list[str | None]:
        """The gold answer next to each response."""
        found: list[str | None] = self.table["answer"].to_pylist()
        return found

    @cached_property
    def responses(self) -> list[str]:
        """The responses."""
        found: list[str] = self.table["response"].to_pylist()
        return found

    @cached_property
    def labels(self) -> list[bool | None]:
        """Whether each is right."""
        found: list[bool | None] = self.table["correct"].to_pylist()
        return found

    @cached_property
    def answers(self) -> list[str | None]:
        """The final answer of each, by the recipe's rules."""
        find = final_answer(self.recipe.answers)
        extracted = self.table["extracted"].to_pylist()
        every = zip(self.responses, extracted, self.golds, self.labels, strict=True)
        return [find(text, took, gold, right is True) for text, took, gold, right in every]
