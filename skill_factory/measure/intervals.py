"""Intervals: how far a figure would move if other questions had been asked.

Outputs of one question are not independent, so whole questions are drawn, with replacement, 2,000 times; the interval
is the percentile interval. The draws are keyed by the number of questions alone, so two runs that are compared on the
same questions are drawn alike, and no order of rows changes an interval.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skill_factory.draws import Draws, draw_key
from skill_factory.measure.cells import Matrix

RESAMPLES = 2_000
FEW = 30
"""Below so many questions an interval is rough, and the report says so."""
_CELLS_AT_ONCE, _SMALL = 4_000_000, 500

Statistic = Callable[[Matrix], Matrix]
"""Sums (a row per resample, a column per count) → the figure of each row, NaN where it can't be had."""


class Interval(NamedTuple):
    """A figure with the range that holds it in 95 of 100 repetitions; NaN where there is none."""

    value: float
    low: float
    high: float


def resampled(matrix: Matrix, seed: int = 0, resamples: int = RESAMPLES) -> Matrix:
    """Sums of all columns for each resample of the rows (questions): `resamples` × columns."""
    questions = len(matrix)
    # Draws of small runs are kept, since every group asks for them again; those of large ones come in slices.
    weights = (
        _kept(questions, seed, resamples) if questions <= _SMALL else _weights(questions, seed, resamples)
    )
    parts = [some @ matrix for some in weights]
    return np.concatenate(parts) if parts else np.zeros((0, matrix.shape[1]))


def interval(statistic: Statistic, sums: npt.NDArray[np.float64], draws: Matrix) -> Interval:
    """A figure of the sums, with its interval from resampled sums."""
    return _spread(float(statistic(sums[None, :])[0]), statistic(draws) if len(draws) else np.zeros(0))


def difference(
    statistic: Statistic,
    sums: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    draws: tuple[Matrix, Matrix],
) -> Interval:
    """The second run's figure less the first's; both were drawn on the same questions."""
    values = [float(statistic(one[None, :])[0]) for one in sums]
    spread = statistic(draws[1]) - statistic(draws[0]) if len(draws[0]) else np.zeros(0)
    return _spread(values[1] - values[0], spread)


def _spread(value: float, spread: Matrix) -> Interval:
    known = spread[~np.isnan(spread)]
    if np.isnan(value) or not len(known):
        # Where no resample could tell the figure it is shown without an interval, not with one of width 0.
        return Interval(value, float("nan"), float("nan"))
    # Resamples in which the figure can't be had are left out; as 0 they would pull the interval down.
    low, high = np.percentile(known, [2.5, 97.5])
    return Interval(value, float(low), float(high))


@lru_cache(maxsize=2)
def _kept(questions: int, seed: int, resamples: int) -> tuple[Matrix, ...]:
    """The draws of a few questions, which many groups of a small run share."""
    return tuple(_weights(questions, seed, resamples))


def _weights(questions: int, seed: int, resamples: int) -> Iterator[Matrix]:
    """How often each question was drawn, for some resamples at a time."""
    if not questions:
        return
    # The question count is part of the key, and nothing else of the data is: that pairs two runs on the same questions.
    words = Draws(draw_key(seed, "intervals", questions)).words(2)
    rng = np.random.default_rng(list(words))
    at_once = max(1, _CELLS_AT_ONCE // questions)
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        drawn = rng.integers(0, questions, (rows, questions), dtype=np.uint32).astype(np.int64)
        # Each resample gets numbers of its own, so that one count over all gives a row for each.
        drawn += (np.arange(rows) * questions)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * questions)
        yield counts.reshape(rows, questions).astype(np.float64)
