"""Questions of one source that say nearly the same, joined into groups: whatever is like a member belongs to the group."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from tempfile import TemporaryFile

import numpy as np
import numpy.typing as npt

from skill_factory.overlap.evidence import Content
from skill_factory.overlap.matching import Index, matches
from skill_factory.overlap.questions import Blocks, Ids
from skill_factory.overlap.words import Grams, Offsets, Tokens, Worded, Wording

BLOCK = 5_000
"""Questions that are held against others at a time."""
TOKENS = 4_000_000
"""Words, numbers and signs that are indexed at a time; they take about 1.5 GB at most."""


def _none() -> Ids:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True)
class Groups:
    """All questions of a source, and the group of each."""

    ids: Ids = field(default_factory=_none)
    """All ids, sorted."""
    firsts: Ids = field(default_factory=_none)
    """For each the smallest id of its group: its own where nothing is like it."""
    stays: Ids | None = None
    """For each the one of its group that stays; the first where nothing else is said."""

    @property
    def kept(self) -> Ids:
        """For each the one of its group that stays."""
        return self.firsts if self.stays is None else self.stays

    def others(self) -> list[int]:
        """Every question but the one of its group that stays."""
        others: list[int] = self.ids[self.ids != self.kept].tolist()
        return others

    def named(self) -> list[int]:
        """The one that stays of each group with more than one question, once for each of the others."""
        named: list[int] = self.kept[self.ids != self.kept].tolist()
        return named

    def led_by(self, places: npt.NDArray[np.int64]) -> "Groups":
        """The same groups, of which the question with the smallest of these numbers stays."""
        _, group = np.unique(self.firsts, return_inverse=True)
        order = np.lexsort((self.ids, places, group))
        new = np.ones(len(order), np.bool_)
        new[1:] = np.diff(group[order]) != 0
        return replace(self, stays=self.ids[order[new]][group])

    def shown(self, most: int) -> list[tuple[int, int]]:
        """(question, the one of its group that stays) for some of the others."""
        there = self.ids != self.kept
        return list(zip(self.ids[there].tolist(), self.kept[there].tolist(), strict=True))[:most]


def grouped(blocks: Blocks, wording: Wording, common: Grams) -> Groups:
    """
    The groups of some questions, each given once, in any order.

    Memory is bounded: TOKENS are indexed at a time, and every question is held against each index. Beyond that a question
    takes some dozens of bytes.
    """
    with _sorted(blocks, wording) as every:
        ids = every.ids
        owner = np.arange(len(ids))
        cuts = every.cuts(len(ids), TOKENS)
        for first, last in pairwise(cuts):
            index = Index.of(Content.of(every.part(first, last), common))
            for start, end in pairwise(every.cuts(BLOCK, TOKENS, first)):
                content = Content.of(every.part(start, end), common)
                for left, right, _ in matches(index, content, first=start - first):
                    _join(owner, left + first, right + start)
    return Groups(ids, ids[[_root(owner, k) for k in range(len(ids))]]) if len(ids) else Groups()


@dataclass(frozen=True)
class _Sorted:
    """All questions by id, so that nothing depends on their order in the source. Their tokens stay in a file."""

    ids: Ids
    lengths: Offsets
    begins: Offsets
    """Where the tokens of each begin in the file."""
    tokens: Tokens

    def cuts(self, questions: int, tokens: int, start: int = 0) -> list[int]:
        """Bounds of parts with so many questions, and so many tokens, at most; a longer question is a part of its own."""
        cuts, held = [start], 0
        for k in range(start, len(self.ids)):
            held += int(self.lengths[k])
            if k > cuts[-1] and (k - cuts[-1] >= questions or held > tokens):
                cuts.append(k)
                held = int(self.lengths[k])
        return [*cuts, len(self.ids)] if len(self.ids) > start else [start]

    def part(self, first: int, last: int) -> Worded:
        """The tokens of some questions."""
        lengths = self.lengths[first:last]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.arange(starts[-1]) + np.repeat(self.begins[first:last] - starts[:-1], lengths)
        return Worded(np.asarray(self.tokens[places]), starts)


@contextmanager
def _sorted(blocks: Blocks, wording: Wording) -> Iterator[_Sorted]:
    ids, lengths = [_none()], [np.zeros(0, np.int64)]
    with TemporaryFile() as file:
        for some, texts in blocks:
            worded = wording(texts)
            file.write(worded.tokens.tobytes())
            ids.append(some)
            lengths.append(np.diff(worded.starts))
        file.flush()
        every, long = np.concatenate(ids), np.concatenate(lengths)
        order = np.argsort(every, kind="stable")
        begins = np.cumsum(long) - long
        # An empty file can't be mapped.
        tokens = np.memmap(file, np.uint32, "r") if long.sum() else np.zeros(0, np.uint32)
        yield _Sorted(every[order], long[order], begins[order], tokens)


def _root(owner: npt.NDArray[np.int64], place: int) -> int:
    while owner[place] != place:
        owner[place] = owner[owner[place]]  # half of the way, for the next who asks
        place = int(owner[place])
    return place


def _join(owner: npt.NDArray[np.int64], left: int, right: int) -> None:
    left, right = _root(owner, left), _root(owner, right)
    owner[max(left, right)] = min(left, right)  # ids are sorted: the smaller place is the smaller id
