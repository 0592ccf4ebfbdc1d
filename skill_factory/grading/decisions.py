"""What grading decides, with its reason, and what a comparison may use."""

from enum import StrEnum
from typing import NamedTuple


class Decision(StrEnum):
    """What grading says of an answer; `UNJUDGED` where one side could not be read, or both not compared."""

    RIGHT = "right"
    WRONG = "wrong"
    UNJUDGED = "unjudged"


class Finding(NamedTuple):
    """A decision and its reason, half a sentence."""

    decision: Decision
    why: str
    misfit: bool = False
    """The gold answer does not fit the task, so that no answer can be judged."""


class Rules(NamedTuple):
    """What a comparison may use: words of the question that can be counted, and conversion of units if asked for."""

    asked: frozenset[str] = frozenset()
    convert: bool = False


USUAL = Rules()


def unread(why: str) -> Finding:
    """Unjudged, for this reason."""
    return Finding(Decision.UNJUDGED, why)


def told(same: bool, yes: str, no: str) -> Finding:
    """Right or wrong, with the reason for either."""
    return Finding(Decision.RIGHT, yes) if same else Finding(Decision.WRONG, no)
