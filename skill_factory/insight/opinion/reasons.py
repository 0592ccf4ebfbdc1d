"""What speaks against some data, and what that does to the answer."""

from enum import StrEnum
from typing import NamedTuple

from skill_factory.insight.readiness import Step

TOY, SMALL = 20, 100
"""Usable questions below which data only shows how things work, and below which it is called small."""


class Ready(StrEnum):
    """The answer to "Is this data ready?"."""

    YES = "yes"
    YES_BUT = "yes_but"
    NOT_YET = "not_yet"

    @property
    def words(self) -> str:
        """As the page and the command say it."""
        return {"yes": "Yes", "yes_but": "Yes, but", "not_yet": "Not yet"}[self.value]


class Weight(StrEnum):
    """What a reason does to the answer."""

    STOPS = "stops"
    SERIOUS = "serious"
    NOTE = "note"


class Reason(NamedTuple):
    """One thing that speaks against the data."""

    code: str
    weight: Weight
    short: str
    """What stands after "Not yet:" or "Yes, but"."""
    sentence: str
    todo: str = ""
    step: Step = Step.NONE
