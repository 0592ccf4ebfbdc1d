"""Pairs of questions that may be the same: those that share some of their rare grams, or all of their numbers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skill_factory.overlap.agreement import Agreement, Asked, agreement
from skill_factory.overlap.evidence import Content

Places = npt.NDArray[np.int64]

LEAST_SHARED = 0.15
"""Share of the telling grams of the smaller of two questions that both have, for these to be looked at."""
COMMONEST = 50
"""Questions to which a gram leads, those with the smallest ids first: each would have to be looked at."""
MOST_BESIDE = 30
"""Questions that are looked at for each one, those that share most first."""


@dataclass(frozen=True)
class Index:
    """Where each telling gram, and each set of numbers, is found."""

    content: Content
    grams: npt.NDArray[np.uint64]
    owners: Places
    """The question of each gram; grams are sorted."""
    sizes: Places
    """How many different grams each question has here."""
    numbers: npt.NDArray[np.uint64]
    numbered: Places
    """The question of each set of numbers; these are sorted."""

    @classmethod
    def of(cls, content: Content) -> "Index":
        """The index of some questions."""
        grams, owners = telling_pairs(content)
        sizes = np.bincount(owners, minlength=len(content.worded)).astype(np.int64)
        grams, owners = _first_of_each_name(grams, owners)
        numbered = np.argsort(content.numbers, kind="stable").astype(np.int64)
        numbered = numbered[content.numbers[numbered] != 0]
        return cls(content, grams, owners, sizes, *_first_of_each_name(content.numbers[numbered], numbered))


def telling_pairs(content: Content) -> tuple[npt.NDArray[np.uint64], Places]:
    """(gram, question) of all telling grams, each once for a question, sorted by gram."""
    grams, owners = content.worded.grams[content.telling], content.worded.owner[content.telling]
    order = np.lexsort((owners, grams))
    grams, owners = grams[order], owners[order]
    new = np.ones(len(grams), np.bool_)
    new[1:] = (grams[1:] != grams[:-1]) | (owners[1:] != owners[:-1])
    return grams[new], owners[new]


def _first_of_each_name(
    names: npt.NDArray[np.uint64], owners: Places
) -> tuple[npt.NDArray[np.uint64], Places]:
    """The first few owners of each of some sorted names."""
    first = _rank(names) < COMMONEST
    return names[first], owners[first]


def _rank(ordered: npt.NDArray[np.uint64] | Places) -> Places:
    """For each of some sorted values how many equal ones stand before it."""
    starts = (
        np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else _NOWHERE
    )
    ends = np.append(starts[1:], len(ordered))
    rank: Places = np.arange(len(ordered)) - np.repeat(starts, ends - starts)
    return rank


_NOWHERE = np.zeros(0, np.int64)


def candidates(index: Index, content: Content) -> tuple[Places, Places]:
    """(question of the index, question of `content`) of all pairs that are worth a look."""
    grams, owners = telling_pairs(content)
    left, right = _meeting(index.grams, index.owners, grams, owners)
    width = max(1, len(content.worded))
    codes, shared = np.unique(left * width + right, return_counts=True)
    left, right = codes // width, codes % width
    own = np.bincount(owners, minlength=width)
    smaller = np.minimum(index.sizes[left], own[right])
    enough = shared >= np.maximum(1, LEAST_SHARED * smaller)
    left, right = _first_of_each(left[enough], right[enough], (shared / np.maximum(1, smaller))[enough])
    order = np.argsort(content.numbers, kind="stable").astype(np.int64)
    order = order[content.numbers[order] != 0]
    more, same = _meeting(index.numbers, index.numbered, content.numbers[order], order)
    codes = np.unique(np.concatenate([left * width + right, more * width + same]))
    return codes // width, codes % width


def _first_of_each(left: Places, right: Places, share: npt.NDArray[np.float64]) -> tuple[Places, Places]:
    order = np.lexsort((left, -share, right))
    left, right = left[order], right[order]
    near = _rank(right) < MOST_BESIDE
    return left[near], right[near]


def _meeting(
    names: npt.NDArray[np.uint64], owners: Places, others: npt.NDArray[np.uint64], whose: Places
) -> tuple[Places, Places]:
    """All (owner, other owner) with the same name; names are sorted."""
    low, high = np.searchsorted(names, others, "left"), np.searchsorted(names, others, "right")
    many = high - low
    right = np.repeat(whose, many)
    ends = np.cumsum(many)
    places = (
        np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - many, many) + np.repeat(low, many)
    )
    return owners[places], right


def matches(index: Index, content: Content, first: int | None = None) -> Iterator[tuple[int, int, Agreement]]:
    """
    (question of the index, question of `content`, what they agree in) of all pairs that are the same question.

    With `first` both are the same set, of which `content` begins there: each pair comes once, and none with itself.
    """
    left, right = candidates(index, content)
    if first is not None:
        other = left < right + first
        left, right = left[other], right[other]
    asked: dict[int, Asked] = {}
    last, own = -1, None
    # By the questions of `content`, each of which is taken apart once.
    order = np.argsort(right, kind="stable")
    for mine, other in zip(left[order].tolist(), right[order].tolist(), strict=True):
        if mine not in asked:
            asked[mine] = Asked.of(index.content, mine)
        if own is None or other != last:
            last, own = other, Asked.of(content, other)
        if found := agreement(asked[mine], own):
            yield mine, other, found
