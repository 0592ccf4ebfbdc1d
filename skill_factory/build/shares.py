"""How many traces of each source a mixture takes, and which: whole numbers from weights, and the smallest draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from skill_factory.errors import NothingUsable
from skill_factory.recipe.mixture import Mixture
from skill_factory.wording import many

NONE = -1
"""The bound where nothing is taken: no draw is that small."""
STRATA = 4096
"""Stretches of the written order within which traces are drawn."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Chosen:
    """What a mixture takes of each source, in its order."""

    bounds: Sequence[Sequence[int]]
    """For each source the largest draw that is taken, in each stretch of the order."""
    counts: Sequence[int]
    """How many traces are taken."""
    there: Sequence[int]
    """How many the source could give."""


def weights_of(mixture: Mixture) -> list[Fraction]:
    """The weight of each source, exactly as it is written; of counts the counts."""
    # By the decimal digits that were written: the float 0.1 isn't a tenth, and a share could lack a trace.
    return [Fraction(repr(one.weight or one.count or 1)) for one in mixture.sources]


def asked_counts(mixture: Mixture, there: Sequence[int]) -> tuple[list[int], int | None]:
    """The traces that are asked of each source, enough there or not; and the most that weights allow, None for counts."""
    if all(one.count is not None for one in mixture.sources):
        return [one.count or 0 for one in mixture.sources], None
    weights = weights_of(mixture)
    most = largest_total(weights, there) if all(there) else 0
    return apportioned(weights, mixture.traces or most), most


def wanted_counts(mixture: Mixture, there: Sequence[int]) -> list[int]:
    """The traces that each source gives. Errors: NothingUsable that says which source is too small, and by how much."""
    names = [one.name for one in mixture.sources]
    counts, most = asked_counts(mixture, there)
    if most is None:
        _check_enough(names, counts, there, "Ask for fewer, or leave its recipe more to give.")
        return counts
    if mixture.traces:
        _check_enough(names, counts, there, f"The most that these weights allow is traces = {most}.")
        return counts
    if not all(there):
        empty = names[list(there).index(0)]
        raise NothingUsable(
            f"The source {empty!r} gives no trace, so no share of it can be mixed in. Look at it alone "
            "(`inspect`), give it another recipe, or leave it out of the mixture."
        )
    return counts


def _check_enough(names: Sequence[str], counts: Sequence[int], there: Sequence[int], advice: str) -> None:
    short = [
        f"{name!r} gives {many(has, 'trace')}, {count - has:,} fewer than the {count:,} asked for"
        for name, count, has in zip(names, counts, there, strict=True)
        if has < count
    ]
    if short:
        raise NothingUsable(f"No trace is used twice, and the source {'; the source '.join(short)}. {advice}")


def apportioned(weights: Sequence[Fraction], total: int) -> list[int]:
    """Whole numbers with that sum, in the shares of the weights: rounded down, the largest remainders up."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    counts = [int(part) for part in exact]
    # Equal remainders go to the source that is named first.
    by_rest = sorted(range(len(exact)), key=lambda place: (counts[place] - exact[place], place))
    for place in by_rest[: total - sum(counts)]:
        counts[place] += 1
    return counts


def largest_total(weights: Sequence[Fraction], there: Sequence[int]) -> int:
    """The largest sum whose shares the sources can give."""
    whole = sum(weights)
    # By exact shares the smallest source sets the sum; rounding may move it by less than one for each source.
    most = min(int((has + 1) * whole / weight) for weight, has in zip(weights, there, strict=True))
    most = min(most, sum(there))
    while most and any(n > has for n, has in zip(apportioned(weights, most), there, strict=True)):
        most -= 1
    return most


def strata_of(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """The stretch of the written order that each order key falls into."""
    return (keys >> np.uint64(64 - STRATA.bit_length() + 1)).astype(np.int64)


def paces(there: Sequence[Counts], counts: Sequence[int]) -> list[Counts]:
    """
    How many traces each source gives in each stretch of the order, from how many it has there; the sums are `counts`.

    A question gives several traces at once, so shares drawn trace by trace would waver along the order. The source that
    gives the largest part of what it has sets the pace, and the others keep it as far as they have traces to choose from.
    """
    part = [Fraction(count, int(has.sum()) or 1) for count, has in zip(counts, there, strict=True)]
    passed = np.cumsum(there[part.index(max(part))])
    every = max(1, int(passed[-1]))
    return [_paced(has, count, count * passed // every) for has, count in zip(there, counts, strict=True)]


def _paced(has: Counts, count: int, wanted: Counts) -> Counts:
    """
    Of a source with so many traces in each stretch, how many to take there, so that their sum stays near what is wanted.

    Whoever takes what is wanted falls behind where there is too little; whoever takes early enough never to fall behind
    gets ahead. The path in the middle is at most half as far away as either.
    """
    passed = np.cumsum(has)
    gap = wanted - passed
    behind = np.minimum(np.minimum.accumulate(gap), 0)
    ahead = np.maximum.accumulate(gap[::-1])[::-1]
    path = np.minimum(passed + (behind + ahead) // 2, passed)
    # At the end there must be enough left to reach the count.
    path = np.maximum(np.maximum(path, count - (passed[-1] - passed)), 0)
    taken: Counts = np.diff(path, prepend=0)
    return taken


def bounds_of(strata: Counts, draws: npt.NDArray[np.uint64], taken: Counts) -> list[int]:
    """In each stretch the bound up to which exactly so many draws are taken."""
    ordered = draws[np.lexsort((draws, strata))]
    starts = np.searchsorted(np.sort(strata), np.arange(len(taken))).tolist()
    return [
        int(ordered[start + n - 1]) if n else NONE for start, n in zip(starts, taken.tolist(), strict=True)
    ]


def taken_by(
    bounds: Sequence[int], keys: npt.NDArray[np.uint64], draws: npt.NDArray[np.uint64]
) -> npt.NDArray[np.bool_]:
    """Which traces are taken, by the bound of the stretch that each falls into."""
    strata = strata_of(keys)
    some = np.array([bound != NONE for bound in bounds], np.bool_)[strata]
    limits = np.array([max(bound, 0) for bound in bounds], np.uint64)[strata]
    found: npt.NDArray[np.bool_] = some & (draws <= limits)
    return found
