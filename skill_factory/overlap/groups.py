"""Questions of one source that say nearly the same, joined into groups: whatever is like a member belongs to the group."""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from skill_factory.overlap.evidence import Content
from skill_factory.overlap.matching import Index, matches
from skill_factory.overlap.questions import Blocks, Ids
from skill_factory.overlap.words import Grams, Worded, Wording

BLOCK = 5_000
"""Questions that are held against all others at a time."""


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
    """The groups of some questions, each given once, in any order."""
    ids, worded = _sorted([(ids, wording(texts)) for ids, texts in blocks])
    if not len(ids):
        return Groups()
    index = Index.of(Content.of(worded, common))
    owner = np.arange(len(ids))
    for start in range(0, len(ids), BLOCK):
        some = _part(worded, start, min(start + BLOCK, len(ids)))
        for left, right, _ in matches(index, Content.of(some, common), first=start):
            _join(owner, left, right + start)
    return Groups(ids, ids[[_root(owner, k) for k in range(len(ids))]])


def _sorted(blocks: list[tuple[Ids, Worded]]) -> tuple[Ids, Worded]:
    """All questions by id, so that nothing depends on their order in the source."""
    if not blocks:
        return _none(), Worded(np.zeros(0, np.uint32), np.zeros(1, np.int64))
    ids = np.concatenate([ids for ids, _ in blocks])
    tokens = np.concatenate([worded.tokens for _, worded in blocks])
    lengths = np.concatenate([np.diff(worded.starts) for _, worded in blocks])
    order = np.argsort(ids, kind="stable")
    begins, lengths = (np.cumsum(lengths) - lengths)[order], lengths[order]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.arange(len(tokens)) - np.repeat(starts[:-1], lengths) + np.repeat(begins, lengths)
    return ids[order], Worded(tokens[places], starts)


def _part(worded: Worded, start: int, end: int) -> Worded:
    starts = worded.starts[start : end + 1]
    return Worded(worded.tokens[starts[0] : starts[-1]], starts - starts[0])


def _root(owner: npt.NDArray[np.int64], place: int) -> int:
    while owner[place] != place:
        owner[place] = owner[owner[place]]  # half of the way, for the next who asks
        place = int(owner[place])
    return place


def _join(owner: npt.NDArray[np.int64], left: int, right: int) -> None:
    left, right = _root(owner, left), _root(owner, right)
    owner[max(left, right)] = min(left, right)  # ids are sorted: the smaller place is the smaller id
