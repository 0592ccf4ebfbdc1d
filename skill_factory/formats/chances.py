"""What traces show on average over the draws: how many are expected to end right, be all right, correct a mistake."""

from math import comb

from skill_factory.formats.record import ResponseCounts, Shows
from skill_factory.recipe.model import Traces


def sizes(ask: Traces) -> range:
    """The numbers of attempts that a trace may have, all equally likely: N alone, or 2..N where the recipe draws them."""
    return range(2, ask.attempts + 1) if ask.sample_attempts else range(ask.attempts, ask.attempts + 1)


def right_last(counts: ResponseCounts, n: int) -> Shows:
    """What a trace shows with a right response last and n − 1 of the others before it."""
    if n == 1:
        return 1.0, 0.0, 0.0, 0.0
    # The last attempt is right already, so one right response fewer is left to draw from.
    all_right = comb(counts.right - 1, n - 1) / comb(counts.kept - 1, n - 1)
    return 0.0, all_right, 1 - all_right, 0.0


def summed(these: Shows, those: Shows) -> Shows:
    """The sum of two expectations."""
    one_attempt, all_right, fixed, ends_wrong = (a + b for a, b in zip(these, those, strict=True))
    return one_attempt, all_right, fixed, ends_wrong


def scaled(shows: Shows, by: float) -> Shows:
    """An expectation, multiplied."""
    one_attempt, all_right, fixed, ends_wrong = (value * by for value in shows)
    return one_attempt, all_right, fixed, ends_wrong
