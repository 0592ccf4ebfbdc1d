"""The layouts of traces: which text goes where, with slots for the texts that differ.

There is one layout in the package, `render`'s. Here it is asked once for each outline, on a plan whose texts are marks;
where a mark comes back, a slot is. So a change of the layout in `render` changes the fast way too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skill_factory.model import Reflection, Response, SegmentKind, TracePlan
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.phrases import PhraseBook
from skill_factory.traces.bulk.text_pool import Places, TextPool
from skill_factory.traces.render import laid_out, outline, phrase_pools, scaffold

Codes = npt.NDArray[np.uint8]

KINDS = tuple(SegmentKind)
RIGHT, SHOWN = 1, 2
"""Bits of an attempt's byte: it is right, it shows a reflection."""


@dataclass(frozen=True)
class Outline:
    """
    What all traces of a format and closing have in common whose attempts are right and reflected on alike.

    Slots stand for what differs from trace to trace, in this order: question, responses, reflections, phrases, answer.
    """

    codes: Places
    """For each stretch a place in the text pool, or -1 - s for the text in slot s."""
    kinds: Codes
    """For each stretch its kind, as a place in KINDS."""
    right: tuple[bool, ...]
    """For each attempt whether it is right."""
    answering: int
    """The place of the attempt whose answer is the final one."""
    pool_starts: Places
    """For each phrase the beginning of its phrase pool in the list of all phrases."""
    pool_sizes: npt.NDArray[np.uint64]
    """For each phrase the number of phrases in its pool."""


class Outlines:
    """The outlines that come up, each made once."""

    def __init__(self, pool: TextPool, book: PhraseBook, recipe: Recipe) -> None:
        self._pool, self._book, self._scaffold = pool, book, scaffold(recipe)
        self._known: dict[tuple[str, str, bytes], int] = {}
        self.made: list[Outline] = []
        self.phrases: list[int] = []
        """Places of all phrases in the text pool, phrase pool after phrase pool."""
        self._starts: dict[tuple[str, ...], int] = {}

    def of(self, plans: Sequence[TracePlan], n: Places, attempts: bytes) -> Places:
        """For each plan the place of its outline in `made`; `attempts` has a byte for each of its n attempts."""
        places, known, end = [], self._known, 0
        for plan, size in zip(plans, n.tolist(), strict=True):
            start, end = end, end + size
            # Attempts as bytes make a key that hashes fast: this loop runs once for each trace.
            key = (plan.format, plan.closing, attempts[start:end])
            place = known.get(key)
            if place is None:
                place = known[key] = len(self.made)
                self.made.append(self._made(plan, key[2]))
            places.append(place)
        return np.array(places, np.int64)

    def _made(self, plan: TracePlan, attempts: bytes) -> Outline:
        """The outline of a plan with such attempts: `render`'s layout for texts that are marks, numbered by slot."""
        n, pools = len(attempts), [tuple(pool) for pool in phrase_pools(plan, self._book)]
        # A text of the data can't be taken for a mark, since no text of the data is rendered here.
        marks = [f"\x00{slot}" for slot in range(2 + 2 * n + len(pools))]
        reflections = [
            [Reflection(0, 1 + n + k, marks)] if attempt & SHOWN else [] for k, attempt in enumerate(attempts)
        ]
        order = [
            Response(0, 1 + k, bool(attempt & RIGHT), marks[-1], "", marks, [[], *reflections])
            for k, attempt in enumerate(attempts)
        ]
        # The key stays the plan's own, but each attempt has one reflection, so nothing is left to draw.
        marked = plan._replace(order=order, away=0)
        pieces = [marks[0], *laid_out(marked, marks[1 + 2 * n : -1], self._scaffold)]
        slots = {mark: -1 - slot for slot, mark in enumerate(marks)}
        kinds = [SegmentKind.LAYOUT, *outline(marked)]
        return Outline(
            np.array(
                [slots[attempt] if attempt in slots else self._pool.place_of(attempt) for attempt in pieces],
                np.int64,
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
    """The chosen columns one after the other, and the length of each."""
    n = np.array([len(column) for column in columns], np.int64)
    chosen = n[which]
    return np.concatenate(columns)[ranges((np.cumsum(n) - n)[which], chosen)], chosen


def ranges(starts: Places, n: Places) -> Places:
    """start, start + 1, … for each start, n numbers each, without a loop."""
    # Each start is repeated n times, less what came before it; a running count then makes up the difference.
    places: Places = np.repeat(starts - (np.cumsum(n) - n), n) + np.arange(int(n.sum()))
    return places
