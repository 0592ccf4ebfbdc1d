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
"""The bound of a source of which nothing is taken: no draw is that small."""


@dataclass(frozen=True)
class Chosen:
    """What a mixture takes of each source, in its order."""

    bounds: Sequence[int]
    """The largest draw that is taken."""
    counts: Sequence[int]
    """How many traces are taken."""
    there: Sequence[int]
    """How many the source could give."""


def wanted_counts(mixture: Mixture, there: Sequence[int]) -> list[int]:
    """The traces that each source gives. Errors: NothingUsable that says which source is too small, and by how much."""
    names = [one.name for one in mixture.sources]
    if all(one.count is not None for one in mixture.sources):
        counts = [one.count or 0 for one in mixture.sources]
        _check_enough(names, counts, there, "Ask for fewer, or leave its recipe more to give.")
        return counts
    weights = [Fraction(repr(one.weight)) for one in mixture.sources]
    most = largest_total(weights, there)
    if mixture.traces:
        counts = apportioned(weights, mixture.traces)
        _check_enough(names, counts, there, f"The most that these weights allow is traces = {most}.")
        return counts
    if not all(there):
        empty = names[list(there).index(0)]
        raise NothingUsable(
            f"The source {empty!r} gives no trace, so no share of it can be mixed in. Look at it alone "
            "(`inspect`), give it another recipe, or leave it out of the mixture."
        )
    return apportioned(weights, most)


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


def chosen_draws(draws: npt.NDArray[np.uint64], count: int) -> int:
    """The bound up to which exactly `count` draws are taken."""
    if not count:
        return NONE
    return int(np.partition(draws, count - 1)[count - 1])
