"""What traces show on average over the draws: how many are expected to end right, to be all right, to put a mistake right."""

from math import comb

from skill_factory.formats.record import Pool, Shows
from skill_factory.recipe.model import Traces


def sizes(ask: Traces) -> range:
    """The numbers of attempts that a trace may have where a format makes one of N, or of a drawn number; each as likely."""
    return range(2, ask.attempts + 1) if ask.sample_attempts else range(ask.attempts, ask.attempts + 1)


def right_last(pool: Pool, n: int) -> Shows:
    """One right response last, n − 1 of the others before it."""
    if n == 1:
        return 1.0, 0.0, 0.0, 0.0
    all_right = comb(pool.right - 1, n - 1) / comb(pool.kept - 1, n - 1)
    return 0.0, all_right, 1 - all_right, 0.0


def summed(these: Shows, those: Shows) -> Shows:
    """Two expectations together."""
    one, all_right, fixed, ends_wrong = (a + b for a, b in zip(these, those, strict=True))
    return one, all_right, fixed, ends_wrong


def scaled(shows: Shows, by: float) -> Shows:
    """So many times an expectation."""
    one, all_right, fixed, ends_wrong = (value * by for value in shows)
    return one, all_right, fixed, ends_wrong
