"""Between which bounds a share lies that was seen in some cases: 95 % intervals."""

from math import sqrt

SURE = 1.96
"""Standard errors to each side of a 95 % interval."""


def wilson(share: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share that was seen in `n` cases, by Wilson's score: it holds at 0 and 1, and with few cases."""
    middle = (share + SURE * SURE / (2 * n)) / (1 + SURE * SURE / n)
    half = SURE * sqrt(share * (1 - share) / n + SURE * SURE / (4 * n * n)) / (1 + SURE * SURE / n)
    return max(0.0, middle - half), min(1.0, middle + half)
