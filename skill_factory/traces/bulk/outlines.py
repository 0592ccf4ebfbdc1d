"""The layouts of traces, each asked of `render` once: which text stands where, with slots for the texts that differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skill_factory.model import Reflection, Response, SegmentKind, TracePlan
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.phrases import PhraseBook
from skill_factory.traces.bulk.text_pool import Places, Pool
from skill_factory.traces.render import laid_out, outline, phrase_pools, scaffold

Codes = npt.NDArray[np.uint8]

KINDS = tuple(SegmentKind)
RIGHT, SHOWN = 1, 2
"""An attempt's byte is the sum of what is true of it: it is right, a reflection is shown."""


@dataclass(frozen=True)
class Outline:
    """
    What is the same in all traces of a format and closing whose attempts are right and reflected on alike.

    A trace has slots for what differs: its question, its responses, its reflections, its phrases and its answer.
    """

    codes: Places
    """Of each stretch: a place in the pool, or -1 - s for what stands in slot s."""
    kinds: Codes
    """Of each stretch, by its place in KINDS."""
    right: tuple[bool, ...]
    """Of each attempt."""
    answering: int
    """Place of the attempt whose answer is the final one."""
    pool_starts: Places
    """Of each phrase: where its phrase pool begins in the list of all phrases."""
    pool_sizes: npt.NDArray[np.uint64]


class Outlines:
    """The outlines that come up, each made once."""

    def __init__(self, pool: Pool, book: PhraseBook, recipe: Recipe) -> None:
        self._pool, self._book, self._scaffold = pool, book, scaffold(recipe)
        self._known: dict[tuple[str, str, bytes], int] = {}
        self.made: list[Outline] = []
        self.phrases: list[int] = []
        """Places of the phrases of all phrase pools."""
        self._starts: dict[tuple[str, ...], int] = {}

    def of(self, plans: Sequence[TracePlan], n: Places, attempts: bytes) -> Places:
        """For each plan the place of its outline in `made`; a byte for each of its n attempts."""
        found, known, end = [], self._known, 0
        for plan, size in zip(plans, n.tolist(), strict=True):
            start, end = end, end + size
            key = (plan.format, plan.closing, attempts[start:end])
            place = known.get(key)
            if place is None:
                place = known[key] = len(self.made)
                self.made.append(self._made(plan, key[2]))
            found.append(place)
        return np.array(found, np.int64)

    def _made(self, plan: TracePlan, attempts: bytes) -> Outline:
        """What `render` says of a plan with such attempts, whose texts are marks that number the slots."""
        n, pools = len(attempts), [tuple(pool) for pool in phrase_pools(plan, self._book)]
        marks = [f"\x00{slot}" for slot in range(2 + 2 * n + len(pools))]
        said = [[Reflection(0, 1 + n + k, marks)] if one & SHOWN else [] for k, one in enumerate(attempts)]
        order = [
            Response(0, 1 + k, bool(one & RIGHT), marks[-1], "", marks, [[], *said])
            for k, one in enumerate(attempts)
        ]
        marked = plan._replace(order=order, away=0)
        stretches = [marks[0], *laid_out(marked, marks[1 + 2 * n : -1], self._scaffold)]
        slots = {mark: -1 - slot for slot, mark in enumerate(marks)}
        kinds = [SegmentKind.LAYOUT, *outline(marked)]
        return Outline(
            np.array(
                [slots[one] if one in slots else self._pool.place_of(one) for one in stretches], np.int64
            ),
            np.array([KINDS.index(kind) for kind in kinds], np.uint8),
            marked.right,
            marked.answering,
            np.array([self._start_of(pool) for pool in pools], np.int64),
            np.array([len(pool) for pool in pools], np.uint64),
        )

    def _start_of(self, phrases: tuple[str, ...]) -> int:
        start = self._starts.get(phrases)
        if start is None:
            start = self._starts[phrases] = len(self.phrases)
            self.phrases += [self._pool.place_of(phrase) for phrase in phrases]
        return start


def of_each(columns: Sequence[npt.NDArray[Any]], which: Places) -> tuple[npt.NDArray[Any], Places]:
    """The columns at some places one after the other, and the length of each."""
    n = np.array([len(one) for one in columns], np.int64)
    chosen = n[which]
    return np.concatenate(columns)[ranges((np.cumsum(n) - n)[which], chosen)], chosen


def ranges(starts: Places, n: Places) -> Places:
    """start, start + 1, … for each start, n of each."""
    found: Places = np.repeat(starts - (np.cumsum(n) - n), n) + np.arange(int(n.sum()))
    return found
