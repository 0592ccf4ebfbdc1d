"""Many plans become text at once: letter for letter what `render` makes of each, and a string of none of them.

All texts stand in one pool. A trace is a list of places in it, and Arrow puts the texts of many such lists one after the
other. Which text stands where is asked of `render`'s own layout, once for each outline, with marks in place of texts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from skill_factory.draws import all_below, words_of
from skill_factory.facts import Reading
from skill_factory.model import Attempt, Reflection, Response, SegmentKind, TracePlan
from skill_factory.phrases import PhraseBook
from skill_factory.recipe import Recipe
from skill_factory.render import laid_out, outline, phrase_key, phrase_pools, scaffold, trace_digest, trace_id
from skill_factory.texts import Texts

Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]

PLANS = 16_384
"""Plans laid out at a time: as many as most partitions have."""
BYTES = 16_000_000
"""Bytes of text put together at a time, so that memory stays flat however long the texts are."""
KINDS = tuple(SegmentKind)


@dataclass(frozen=True)
class Typeset:
    """Some traces, column by column. The first stretch of each is its question, which counts as layout."""

    plans: Sequence[TracePlan]
    right: Sequence[tuple[bool, ...]]
    """Which attempts of each are."""
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
    pool = _Pool(reading)
    outlines = _Outlines(pool, book, recipe)
    plans = iter(plans)
    while some := list(islice(plans, at_once)):
        yield from _put_together(some, pool, outlines, size)


def _put_together(
    plans: list[TracePlan], pool: "_Pool", outlines: "_Outlines", size: int
) -> Iterator[Typeset]:
    shapes = [outlines.of(plan) for plan in plans]
    places = _places(plans, shapes, pool, np.array(outlines.phrases, np.int64))
    kinds = np.concatenate([one.kinds for one in shapes])
    stretches = np.array([len(one.codes) for one in shapes], np.int64)
    texts, chars = pool.texts()
    ends = np.cumsum(stretches)
    read = np.cumsum(np.diff(_limits(texts))[places])[ends - 1]
    full = np.flatnonzero(np.diff(read // size)) + 1
    for start, end in zip([0, *full.tolist()], [*full.tolist(), len(plans)], strict=True):
        part, some = slice(int(ends[start] - stretches[start]), int(ends[end - 1])), plans[start:end]
        messages = _messages(texts, places[part], stretches[start:end])
        digests = _digests(some, messages)
        ids = [trace_id(digest, plan) for digest, plan in zip(digests, some, strict=True)]
        right = [one.right for one in shapes[start:end]]
        yield Typeset(
            some, right, messages, ids, digests, stretches[start:end], kinds[part], chars[places[part]]
        )


# -- the pool ------------------------------------------------------------------------------------------------------


class _Pool:
    """All texts that traces are put together from: the columns of a reading, and behind them words that come up."""

    def __init__(self, reading: Reading | None) -> None:
        columns = [reading.responses, reading.reflections] if reading else []
        self._chars = [reading.facts.response_chars, reading.facts.reflection_chars] if reading else []
        self._columns = [_column(texts) for texts in columns]
        *starts, self._first_word = np.cumsum([0, *map(len, columns)]).tolist()
        self._starts = dict(zip(map(id, columns), starts, strict=True))
        self._words: dict[str, int] = {}
        self._whole, self._whole_chars = pa.array([], pa.large_string()), np.zeros(0, np.int64)

    def place_of(self, text: str) -> int:
        """The place of a word; it is taken in if it is not there."""
        return self._words.setdefault(text, self._first_word + len(self._words))

    def places_of(self, named: Sequence[Response] | Sequence[Reflection]) -> Places:
        """The places of the texts of some responses or reflections."""
        homes = {id(one.texts) for one in named}
        if len(homes) == 1 and (start := self._starts.get(*homes)) is not None:
            places: Places = np.array([one.place for one in named], np.int64) + start
            return places
        return np.array([self.place_of(one.text) for one in named], np.int64)

    def texts(self) -> tuple[pa.Array, Places]:
        """All texts, and the characters of each."""
        if len(self._whole) < self._first_word + len(self._words):
            self._whole = pa.concat_arrays([*self._columns, pa.array(list(self._words), pa.large_string())])
            words = [len(word) for word in self._words]
            self._whole_chars = np.concatenate([*self._chars, words]).astype(np.int64)
        return self._whole, self._whole_chars


def _column(texts: Sequence[str]) -> pa.Array:
    return texts.column if isinstance(texts, Texts) else pa.array(texts, pa.large_string())


def _limits(texts: pa.Array) -> Places:
    """Where each text begins in its buffer, and the last one ends."""
    return np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]


# -- outlines ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Outline:
    """
    What is the same in all traces of a format and closing whose attempts are right and reflected on alike.

    A trace has slots for what differs: its question, its responses, its reflections, its phrases and its answer.
    """

    codes: Places
    """Of each stretch: a place in the pool, or -1 - s for what stands in slot s."""
    kinds: Codes
    right: tuple[bool, ...]
    """Of each attempt."""
    reflected: npt.NDArray[np.bool_]
    """Of each attempt."""
    answering: int
    """Place of the attempt whose answer is the final one."""
    pool_starts: Places
    """Of each phrase: where its phrase pool begins in the list of all phrases."""
    pool_sizes: npt.NDArray[np.uint64]


class _Outlines:
    """The outlines that come up, each made once."""

    def __init__(self, pool: _Pool, book: PhraseBook, recipe: Recipe) -> None:
        self._pool, self._book, self._scaffold = pool, book, scaffold(recipe)
        self._known: dict[tuple[object, ...], _Outline] = {}
        self.phrases: list[int] = []
        """Places of the phrases of all phrase pools."""
        self._starts: dict[tuple[str, ...], int] = {}

    def of(self, plan: TracePlan) -> _Outline:
        """The outline of a plan."""
        right = tuple([one.response.correct for one in plan.attempts])
        reflected = tuple([one.reflection is not None for one in plan.attempts])
        key = (plan.format, plan.closing, right, reflected)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._made(plan, right, reflected)
        return found

    def _made(self, plan: TracePlan, right: tuple[bool, ...], reflected: tuple[bool, ...]) -> _Outline:
        """What `render` says of a plan with the same attempts, whose texts are marks that number the slots."""
        n, pools = len(plan.attempts), [tuple(pool) for pool in phrase_pools(plan, self._book)]
        marks = [f"\x00{slot}" for slot in range(2 + 2 * n + len(pools))]
        attempts = [
            Attempt(
                Response(0, 1 + k, one.response.correct, marks[-1], "", (), marks),
                Reflection(0, 1 + n + k, marks) if reflected[k] else None,
            )
            for k, one in enumerate(plan.attempts)
        ]
        marked = plan._replace(attempts=attempts)
        stretches = [marks[0], *laid_out(marked, marks[1 + 2 * n : -1], self._scaffold)]
        slots = {mark: -1 - slot for slot, mark in enumerate(marks)}
        kinds = [SegmentKind.LAYOUT, *outline(plan)]
        return _Outline(
            np.array(
                [slots[one] if one in slots else self._pool.place_of(one) for one in stretches], np.int64
            ),
            np.array([KINDS.index(kind) for kind in kinds], np.uint8),
            right,
            np.array(reflected, np.bool_),
            plan.answering,
            np.array([self._start_of(pool) for pool in pools], np.int64),
            np.array([len(pool) for pool in pools], np.uint64),
        )

    def _start_of(self, phrases: tuple[str, ...]) -> int:
        start = self._starts.get(phrases)
        if start is None:
            start = self._starts[phrases] = len(self.phrases)
            self.phrases += [self._pool.place_of(phrase) for phrase in phrases]
        return start


# -- which text stands where ---------------------------------------------------------------------------------------


def _places(plans: Sequence[TracePlan], outlines: Sequence[_Outline], pool: _Pool, phrases: Places) -> Places:
    """Places in the pool of all stretches of some traces: each slot is filled, then read where an outline names it."""
    attempts = list(chain.from_iterable([plan.attempts for plan in plans]))
    n = np.array([len(plan.attempts) for plan in plans], np.int64)
    said = np.array([len(one.pool_sizes) for one in outlines], np.int64)
    size = 2 + 2 * n + said
    first = np.cumsum(size) - size
    slots = np.zeros(int(size.sum()), np.int64)
    slots[first] = [pool.place_of(plan.question.text) for plan in plans]
    tried = _ranges(first + 1, n)
    slots[tried] = pool.places_of([one.response for one in attempts])
    reflected = np.concatenate([one.reflected for one in outlines])
    slots[(tried + np.repeat(n, n))[reflected]] = pool.places_of(
        [one.reflection for one in attempts if one.reflection is not None]
    )
    slots[_ranges(first + 1 + 2 * n, said)] = phrases[_drawn(plans, outlines, said)]
    slots[first + size - 1] = [
        pool.place_of(plan.attempts[one.answering].response.answer)
        for plan, one in zip(plans, outlines, strict=True)
    ]
    codes = np.concatenate([one.codes for one in outlines])
    firsts = np.repeat(first, [len(one.codes) for one in outlines])
    found: Places = np.where(codes >= 0, codes, slots[firsts + np.maximum(-1 - codes, 0)])
    return found


def _drawn(plans: Sequence[TracePlan], outlines: Sequence[_Outline], n: Places) -> Places:
    """Places in the list of phrases of those that `render` would draw, n for each plan."""
    most = int(n.max())
    words = words_of([phrase_key(plan) for plan in plans], most)[np.arange(most) < n[:, None]]
    starts = np.concatenate([one.pool_starts for one in outlines])
    drawn: Places = starts + all_below(words, np.concatenate([one.pool_sizes for one in outlines]))
    return drawn


def _ranges(starts: Places, n: Places) -> Places:
    """start, start + 1, … for each start, n of each."""
    found: Places = np.repeat(starts - (np.cumsum(n) - n), n) + np.arange(int(n.sum()))
    return found


# -- texts ---------------------------------------------------------------------------------------------------------


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
