"""Many plans become text at once: letter for letter what `render` makes of each, and a string of none of them.

All texts stand in one pool. A trace is a list of places in it, and Arrow puts the texts of many such lists one after the
other. Which text stands where is asked of `render`'s own layout, once for each outline, with marks in place of texts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa

from skill_factory.draws import all_below, words_of
from skill_factory.judge.facts import Reading
from skill_factory.model import TracePlan
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.phrases import PhraseBook
from skill_factory.traces.bulk.outlines import RIGHT, SHOWN, Codes, Outlines, of_each, ranges
from skill_factory.traces.bulk.text_pool import Places, Pool, Tried
from skill_factory.traces.render import phrase_key, trace_digest, trace_id

PLANS = 16_384
"""Plans laid out at a time: as many as most partitions have."""
BYTES = 16_000_000
"""Bytes of text put together at a time, so that memory stays flat however long the texts are."""


@dataclass(frozen=True)
class Typeset:
    """Some traces, column by column. The first stretch of each is its question, which counts as layout."""

    plans: Sequence[TracePlan]
    right: Sequence[tuple[bool, ...]]
    """Which attempts of each are."""
    tried: Tried
    """All attempts, trace after trace."""
    messages: pa.Array
    """Question, trace, question, trace …, as strings."""
    ids: Sequence[int]
    digests: Sequence[int]
    stretches: Places
    """How many each trace has."""
    kinds: Codes
    """Of all stretches, by their places in KINDS."""
    lengths: Places
    """Of all stretches, in characters."""

    @property
    def chars(self) -> Places:
        """Characters of each question and trace."""
        found: Places = np.add.reduceat(self.lengths, np.cumsum(self.stretches) - self.stretches)
        return found


def typeset(
    plans: Iterable[TracePlan],
    book: PhraseBook,
    recipe: Recipe,
    reading: Reading | None = None,
    at_once: int = PLANS,
    size: int = BYTES,
) -> Iterator[Typeset]:
    """
    The traces of some plans in their order: so many are laid out at once, and about `size` bytes put together.

    Responses and reflections of `reading` are known by their places; any other text is taken in as it comes.
    """
    pool = Pool(reading)
    outlines = Outlines(pool, book, recipe)
    plans = iter(plans)
    while some := list(islice(plans, at_once)):
        laid = _laid(some, pool, outlines)
        yield from _put_together(laid, *pool.texts(), size)


@dataclass(frozen=True)
class _Laid:
    """Some plans, and which texts of the pool they are."""

    plans: Sequence[TracePlan]
    right: Sequence[tuple[bool, ...]]
    attempts: Places
    tried: Tried
    places: Places
    """Of all stretches, in the pool."""
    kinds: Codes
    stretches: Places


def _laid(plans: Sequence[TracePlan], pool: Pool, outlines: Outlines) -> _Laid:
    """Each slot of each plan is filled, then read where its outline names it."""
    n = np.array([len(plan.order) for plan in plans], np.int64)
    tried = pool.tried(plans, n)
    which = outlines.of(plans, n, (tried.right * RIGHT + tried.shown * SHOWN).astype(np.uint8).tobytes())
    made = outlines.made
    phrases, said = _phrases(plans, outlines, which)
    size = 2 + 2 * n + said
    first = np.cumsum(size) - size
    slots = np.zeros(int(size.sum()), np.int64)
    slots[first] = [pool.place_of(plan.question.text) for plan in plans]
    slots[ranges(first + 1, n)] = tried.responses
    slots[ranges(first + 1 + n, n)] = tried.reflections
    slots[ranges(first + 1 + 2 * n, said)] = phrases
    answering = [made[k].answering for k in which.tolist()]
    slots[first + size - 1] = [
        pool.place_of(plan.order[k].answer) for plan, k in zip(plans, answering, strict=True)
    ]
    codes, stretches = of_each([one.codes for one in made], which)
    kinds, _ = of_each([one.kinds for one in made], which)
    firsts = np.repeat(first, stretches)
    places = np.where(codes >= 0, codes, slots[firsts + np.maximum(-1 - codes, 0)])
    return _Laid(plans, [made[k].right for k in which.tolist()], n, tried, places, kinds, stretches)


def _phrases(plans: Sequence[TracePlan], outlines: Outlines, which: Places) -> tuple[Places, Places]:
    """Places in the pool of the phrases that `render` would draw for some plans, and how many each has."""
    starts, n = of_each([one.pool_starts for one in outlines.made], which)
    sizes, _ = of_each([one.pool_sizes for one in outlines.made], which)
    most = int(n.max())
    words = words_of([phrase_key(plan) for plan in plans], most)[np.arange(most) < n[:, None]]
    return np.array(outlines.phrases, np.int64)[starts + all_below(words, sizes)], n


def _put_together(laid: _Laid, texts: pa.Array, chars: Places, size: int) -> Iterator[Typeset]:
    """The traces, about `size` bytes at a time."""
    ends, tries = np.cumsum(laid.stretches), np.cumsum(laid.attempts)
    read = np.cumsum(np.diff(_limits(texts))[laid.places])[ends - 1]
    full = np.flatnonzero(np.diff(read // size)) + 1
    for start, end in zip([0, *full.tolist()], [*full.tolist(), len(ends)], strict=True):
        plans, stretches = laid.plans[start:end], laid.stretches[start:end]
        part = slice(int(ends[start] - stretches[0]), int(ends[end - 1]))
        attempts = laid.attempts[start:end]
        messages = _messages(texts, laid.places[part], stretches)
        digests = _digests(plans, messages)
        yield Typeset(
            plans,
            laid.right[start:end],
            laid.tried.part(int(tries[start] - attempts[0]), int(tries[end - 1])),
            messages,
            [trace_id(digest, plan) for digest, plan in zip(digests, plans, strict=True)],
            digests,
            stretches,
            laid.kinds[part],
            chars[laid.places[part]],
        )


def _limits(texts: pa.Array) -> Places:
    """Where each text begins in its buffer, and the last one ends."""
    return np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]


def _messages(texts: pa.Array, places: Places, stretches: Places) -> pa.Array:
    """The texts at some places one after the other, cut into question, trace, question, trace …"""
    joined = texts.take(pa.array(places))
    limits = _limits(joined)
    firsts = np.cumsum(stretches) - stretches
    cuts = np.empty(2 * len(stretches) + 1, np.int32)
    cuts[0:-1:2], cuts[1::2], cuts[-1] = limits[firsts], limits[firsts + 1], limits[-1]
    return pa.StringArray.from_buffers(2 * len(stretches), pa.py_buffer(cuts), joined.buffers()[2])


def _digests(plans: Sequence[TracePlan], messages: pa.Array) -> list[int]:
    _, ends, data = messages.buffers()
    whole, cuts = memoryview(data), np.frombuffer(ends, np.int32).tolist()
    return [
        trace_digest(whole[start:middle], plan.label, whole[middle:end])
        for plan, start, middle, end in zip(plans, cuts[:-1:2], cuts[1::2], cuts[2::2], strict=True)
    ]
