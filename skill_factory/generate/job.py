"""A job: everything that a run needs to know, except for the key."""

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


class Kind(StrEnum):
    """What is made."""

    RESPONSES = "responses"
    REFLECTIONS = "reflections"
    OUTPUTS = "outputs"
    """Outputs of a trained model, to be measured."""


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
    """A file with the user's own prompts."""
    variants: tuple[str, ...] = ()
    per_variant: int = 16
    task: str = "auto"
    k: int = 4
    max_k: int = 0
    """0 means k: nothing beyond it."""
    pilot: int = 0
    """How many questions to try; 0 means all of them."""
    price: Price = field(default_factory=Price)
    budget: Budget = field(default_factory=Budget)
    limits: Limits = field(default_factory=Limits)
    retry_declined: bool = False
    part: Source = field(default_factory=Source)
    """Config, split and revision of a dataset on the Hub."""

    def checked(self) -> "Job":
        """The job itself. Errors: RecipeError for a number that makes no sense."""
        limits, seconds = self.limits, (1e-3, 1e9)
        for name, value, (least, most) in (
            ("--per-variant", self.per_variant, (1, 1_000_000)),
            ("--k", self.k, (1, 1_000_000)),
            ("--pilot", self.pilot, (0, 10**9)),
            # Each request in flight holds a connection, and systems allow a process some thousands.
            ("--concurrency", limits.concurrency, (1, 10_000)),
            ("--tries", limits.tries, (1, 1_000)),
            ("--timeout", self.endpoint.timeout, seconds),
            ("--patience", limits.patience, seconds),
        ):
            if not least <= value <= most:  # true of `nan` too
                raise RecipeError(f"{name} is {value:,}; it must be from {least:g} to {most:,.0f}.")
        if self.max_k and self.max_k < self.k:
            raise RecipeError(f"--max-k is {self.max_k}, below --k {self.k}. It is how far k may grow.")
        self.budget.checked(self.price)
        return self


@dataclass(frozen=True)
class Made:
    """What a run came to."""

    out: Path
    ending: str
    """`done`, `stopped` (the budget) or `cancelled`."""
    rows: int
    """Raw rows written."""
    counts: Mapping[str, int]
    answers: int
    """Answers in the store, from all runs."""
    tokens: Mapping[str, int]
    cost: float
    lost: int
    """Requests that were sent and brought nothing, but may have been billed."""
    missing: int
    """Answers that the set still lacks."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Failed attempts by reason, from all runs."""
    pilot: Pilot | None = None
    notes: tuple[str, ...] = ()
    """What a person should know about the answers, a sentence each."""
