"""What all questions of a set share, such as instructions, wrappers and worked examples: it doesn't make two the same."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from skill_factory.overlap.words import NUMBER, Grams, N, Worded

SHARED_BY = 0.05
"""Share of the questions from which on a gram belongs to all of them."""
FEWEST = 10
"""Questions that share a gram before it counts as everybody's: a leak may be there several times."""
SAMPLE = 4_000
"""Questions of a set that are looked at for what all of them share: those with the smallest ids, in whatever order they come."""

Marks = npt.NDArray[np.bool_]


def common_grams(some: Worded) -> Grams:
    """The grams that many of some different questions share, sorted."""
    first = (
        np.unique(np.stack([some.owner.astype(np.uint64), some.grams]), axis=1)[1]
        if len(some.tokens)
        else some.grams
    )
    grams, counts = np.unique(first, return_counts=True)
    common: Grams = grams[(counts >= max(FEWEST, SHARED_BY * len(some))) & (grams != 0)]
    return common


def joined(sets: Iterable[Grams]) -> Grams:
    """All grams of several sets, sorted."""
    return np.unique(np.concatenate([np.zeros(0, np.uint64), *sets]))


def among(values: npt.NDArray[np.uint64], ordered: npt.NDArray[np.uint64]) -> Marks:
    """Which values stand in an ordered array."""
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    marks: Marks = ordered[places] == values
    return marks


@dataclass(frozen=True)
class Content:
    """Some questions without what all share."""

    worded: Worded
    own: Marks
    """The tokens that belong to one question: no common gram goes over them."""
    telling: Marks = field(repr=False)
    """Where a gram begins of which at least one token is a question's own."""
    numbers: npt.NDArray[np.uint64] = field(repr=False)
    """One name for all numbers that are a question's own, whatever their order; 0 with fewer than two."""

    @classmethod
    def of(cls, worded: Worded, common: Grams) -> "Content":
        """The texts, told apart from what is common."""
        shared = covered(among(worded.grams, common))
        own = ~shared
        telling = (worded.grams != 0) & ~among(worded.grams, common)
        return cls(worded, own, telling, _numbers(worded, own))


def covered(begins: Marks) -> Marks:
    """The tokens over which a gram goes that begins at a marked one."""
    over = begins.copy()
    for k in range(1, N):
        over[k:] |= begins[: len(begins) - k]
    return over


def _numbers(worded: Worded, own: Marks) -> npt.NDArray[np.uint64]:
    counted = own & ((worded.tokens & 3) == NUMBER)
    with np.errstate(over="ignore"):
        mixed = (worded.tokens.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed[~counted] = 0
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
        name: npt.NDArray[np.uint64] = sums[worded.starts[1:]] - sums[worded.starts[:-1]]
    many = np.concatenate([[0], np.cumsum(counted)])
    name[many[worded.starts[1:]] - many[worded.starts[:-1]] < 2] = 0
    return name
