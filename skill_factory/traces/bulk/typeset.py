"""Many plans become text at once: letter for letter what `render` makes of each one, without a Python string.

All texts are in one pool. A trace is a list of places in it, and Arrow puts the texts of many such lists one after the
other. Which text goes where comes from `render`'s own layout, asked once for each outline, with marks for texts.
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
from skill_factory.traces.bulk.text_pool import AttemptColumns, Places, TextPool
from skill_factory.traces.render import phrase_key, trace_digest, trace_id

PLANS = 16_384
"""Plans laid out at a time: more than most partitions have."""
BYTES = 16_000_000
"""Bytes of text put together at a time, so that memory stays flat however long the texts are."""


@dataclass(frozen=True)
class Typeset:
    """Some traces as columns. The first stretch of each is its question, which counts as layout."""

    plans: Sequence[TracePlan]
    right: Sequence[tuple[bool, ...]]
    """Which attempts of each trace are right."""
    attempts: AttemptColumns
    """All attempts, trace after trace."""
    messages: pa.Array
    """Question, trace, question, trace and so on, as strings."""
    ids: Sequence[int]
    digests: Sequence[int]
    stretches: Places
    """The number of stretches of each trace."""
    kinds: Codes
    """The kind of each stretch, as a place in KINDS."""
    lengths: Places
    """The length of each stretch in characters."""

    @property
    def chars(self) -> Places:
        """Characters of question and trace, for each trace."""
        characters: Places = np.add.reduceat(self.lengths, np.cumsum(self.stretches) - self.stretches)
        return characters


def typeset(
    plans: Iterable[TracePlan],
    book: PhraseBook,
    recipe: Recipe,
    reading: Reading | None = None,
    at_once: int = PLANS,
    size: int = BYTES,
) -> Iterator[Typeset]:
    """
    The traces of some plans, in their order: `at_once` plans are laid out together, and about `size` bytes written.

    Responses and reflections of `reading` are known by their places; any other text joins the pool as it comes.
    """
    # Pool and outlines last for the whole partition: most outlines come up in the first batch.
    pool = TextPool(reading)
    outlines = Outlines(pool, book, recipe)
    plans = iter(plans)
    while batch := list(islice(plans, at_once)):
        laid_out = _laid(batch, pool, outlines)
        yield from _put_together(laid_out, *pool.texts(), size)


@dataclass(frozen=True)
class _Laid:
    """Some plans as texts of the pool: which ones, in which order."""

    plans: Sequence[TracePlan]
    right: Sequence[tuple[bool, ...]]
    n_attempts: Places
    attempts: AttemptColumns
    places: Places
    """The place of each stretch in the pool."""
    kinds: Codes
    stretches: Places


def _laid(plans: Sequence[TracePlan], pool: TextPool, outlines: Outlines) -> _Laid:
    """Fill the slots of all plans, then read them in the order of each plan's outline."""
    n = np.array([len(plan.order) for plan in plans], np.int64)
    attempts = pool.attempts_of(plans, n)
    which = outlines.of(
        plans, n, (attempts.right * RIGHT + attempts.shown * SHOWN).astype(np.uint8).tobytes()
    )
    known = outlines.made
    phrases, n_phrases = _phrases(plans, outlines, which)
    # The slots of all plans lie in one array, plan after plan; `first` is where each plan's begin.
    size = 2 + 2 * n + n_phrases
    first = np.cumsum(size) - size
    slots = np.zeros(int(size.sum()), np.int64)
    slots[first] = [pool.place_of(plan.question.text) for plan in plans]
    slots[ranges(first + 1, n)] = attempts.responses
    slots[ranges(first + 1 + n, n)] = attempts.reflections
    slots[ranges(first + 1 + 2 * n, n_phrases)] = phrases
    answering = [known[k].answering for k in which.tolist()]
    slots[first + size - 1] = [
        pool.place_of(plan.order[k].answer) for plan, k in zip(plans, answering, strict=True)
    ]
    codes, stretches = of_each([outline.codes for outline in known], which)
    kinds, _ = of_each([outline.kinds for outline in known], which)
    # A code of 0 or more is a place already; a negative one names a slot of its own plan.
    firsts = np.repeat(first, stretches)
    places = np.where(codes >= 0, codes, slots[firsts + np.maximum(-1 - codes, 0)])
    return _Laid(plans, [known[k].right for k in which.tolist()], n, attempts, places, kinds, stretches)


def _phrases(plans: Sequence[TracePlan], outlines: Outlines, which: Places) -> tuple[Places, Places]:
    """The places of the phrases that `render` would draw for some plans, and the number of phrases of each plan."""
    starts, n = of_each([outline.pool_starts for outline in outlines.made], which)
    sizes, _ = of_each([outline.pool_sizes for outline in outlines.made], which)
    most = int(n.max())
    words = words_of([phrase_key(plan) for plan in plans], most)[np.arange(most) < n[:, None]]
    return np.array(outlines.phrases, np.int64)[starts + all_below(words, sizes)], n


def _put_together(laid: _Laid, texts: pa.Array, chars: Places, size: int) -> Iterator[Typeset]:
    """The traces, about `size` bytes of text at a time."""
    ends, attempt_ends = np.cumsum(laid.stretches), np.cumsum(laid.n_attempts)
    bytes_so_far = np.cumsum(np.diff(_limits(texts))[laid.places])[ends - 1]
    # A new part begins with the trace that steps over a multiple of `size`, so a trace is never split.
    full = np.flatnonzero(np.diff(bytes_so_far // size)) + 1
    for start, end in zip([0, *full.tolist()], [*full.tolist(), len(ends)], strict=True):
        plans, stretches = laid.plans[start:end], laid.stretches[start:end]
        part = slice(int(ends[start] - stretches[0]), int(ends[end - 1]))
        attempts = laid.n_attempts[start:end]
        messages = _messages(texts, laid.places[part], stretches)
        digests = _digests(plans, messages)
        yield Typeset(
            plans,
            laid.right[start:end],
            laid.attempts.part(int(attempt_ends[start] - attempts[0]), int(attempt_ends[end - 1])),
            messages,
            [trace_id(digest, plan) for digest, plan in zip(digests, plans, strict=True)],
            digests,
            stretches,
            laid.kinds[part],
            chars[laid.places[part]],
        )


def _limits(texts: pa.Array) -> Places:
    """Where each text begins in Arrow's buffer, and where the last one ends."""
    return np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]


def _messages(texts: pa.Array, places: Places, stretches: Places) -> pa.Array:
    """The texts at some places one after the other, cut into question, trace, question, trace and so on."""
    # Arrow copies the texts into one buffer. What lies between two cuts is one message, so the buffer is used as it is,
    # only with fewer offsets: those of questions and traces instead of those of stretches.
    joined = texts.take(pa.array(places))
    limits = _limits(joined)
    firsts = np.cumsum(stretches) - stretches
    cuts = np.empty(2 * len(stretches) + 1, np.int32)
    cuts[0:-1:2], cuts[1::2], cuts[-1] = limits[firsts], limits[firsts + 1], limits[-1]
    return pa.StringArray.from_buffers(2 * len(stretches), pa.py_buffer(cuts), joined.buffers()[2])


def _digests(plans: Sequence[TracePlan], messages: pa.Array) -> list[int]:
    _, ends, data = messages.buffers()
    # Hashed in place: a slice of a view copies nothing, a string for each trace would.
    whole, cuts = memoryview(data), np.frombuffer(ends, np.int32).tolist()
    return [
        trace_digest(whole[start:middle], plan.label, whole[middle:end])
        for plan, start, middle, end in zip(plans, cuts[:-1:2], cuts[1::2], cuts[2::2], strict=True)
    ]
