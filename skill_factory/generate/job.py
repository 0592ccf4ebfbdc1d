"""A job: everything that a run is asked for, but for the key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from skill_factory.errors import RecipeError
from skill_factory.generate.limits import Limits
from skill_factory.generate.money import Budget, Price
from skill_factory.generate.net.endpoint import Endpoint
from skill_factory.generate.pilot import Pilot
from skill_factory.generate.request import Sampling
from skill_factory.recipe.model import Source

PILOT_QUESTIONS = 50


class Kind(StrEnum):
    """What is made."""

    RESPONSES = "responses"
    REFLECTIONS = "reflections"
    OUTPUTS = "outputs"
    """Of a trained model, to be measured."""


@dataclass(frozen=True)
class Job:
    """What to make, from what, into which folder, with which model."""

    kind: Kind
    source: str
    out: Path
    endpoint: Endpoint
    sampling: Sampling = field(default_factory=Sampling)
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Overrides of the guessed mapping."""
    prompts: str = ""
    """A file of own prompts."""
    variants: tuple[str, ...] = ()
    per_variant: int = 16
    task: str = "auto"
    k: int = 4
    max_k: int = 0
    """0 is k: nothing beyond it."""
    pilot: int = 0
    """So many questions only; 0 is all."""
    price: Price = field(default_factory=Price)
    budget: Budget = field(default_factory=Budget)
    limits: Limits = field(default_factory=Limits)
    retry_declined: bool = False
    part: Source = field(default_factory=Source)
    """Config, split and revision of a Hub data set."""

    def checked(self) -> "Job":
        """Errors: RecipeError for a number that can't be."""
        for name, value, least in (
            ("--per-variant", self.per_variant, 1), ("--k", self.k, 1), ("--pilot", self.pilot, 0),
            ("--concurrency", self.limits.concurrency, 1), ("--tries", self.limits.tries, 1),
        ):  # fmt: skip
            if value < least:
                raise RecipeError(f"{name} is {value}; it must be at least {least}.")
        if self.max_k and self.max_k < self.k:
            raise RecipeError(
                f"--max-k is {self.max_k}, below --k {self.k}. It is the bound that k may grow to."
            )
        self.budget.checked(self.price)
        return self


@dataclass(frozen=True)
class Made:
    """What a run came to."""

    out: Path
    ending: str
    """`done`, `stopped` (the budget) or `cancelled`."""
    rows: int
    """Raw rows written; 0 where nothing was."""
    counts: Mapping[str, int]
    answers: int
    """In the store, all runs."""
    tokens: Mapping[str, int]
    cost: float
    lost: int
    """Requests that were sent, brought nothing and may have been billed."""
    missing: int
    """Answers that are still wanted."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Failed attempts by reason, all runs."""
    pilot: Pilot | None = None
    notes: tuple[str, ...] = ()
    """Sentences on what a person should know of the answers."""
