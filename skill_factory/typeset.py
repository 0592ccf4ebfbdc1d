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

PLANS = 8192
"""Plans laid out at a time: as many as most partitions have."""
BYTES = 16_000_000
"""Bytes of text put together at a time, so that memory stays flat however long the texts are."""
KINDS = tuple(SegmentKind)
_QUESTION = KINDS.index(SegmentKind.LAYOUT)


@dataclass(frozen=True)
class Typeset:
    """Some traces, column by column. The first stretch of each is its question."""

    plans: Sequence[TracePlan]
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


@dataclass(frozen=True)
class _Outline:
    """What is the same in all traces of a format whose attempts are right and are reflected on alike."""

    codes: Places
    """Of each stretch: a place in the pool, or -1 - s for what stands in slot s of the trace."""
    kinds: Codes
    reflected: npt.NDArray[np.bool_]
    """Of each attempt."""
    pool_starts: Places
    """Of each phrase: where its phrase pool begins in the list of all phrases."""
    pool_sizes: npt.NDArray[np.uint64]


class Typesetter:
    """Lays out plans whose responses and reflections are those of a reading; other texts it takes in one by one."""

    def __init__(self, reading: Reading | None, book: PhraseBook, recipe: Recipe) -> None:
        self._book, self._scaffold = book, scaffold(recipe)
        facts = reading and reading.facts
        columns = (
            [(reading.responses, facts.response_chars), (reading.reflections, facts.reflection_chars)]
            if reading and facts
            else []
        )
        self._columns = [_column(texts) for texts, _ in columns]
        self._column_chars = [chars for _, chars in columns]
        ends = np.cumsum([0, *map(len, self._columns)]).tolist()
        self._starts = {id(texts): start for (texts, _), start in zip(columns, ends, strict=False)}
        self._first_word = ends[-1]
        self._words: dict[str, int] = {}
        self._pool, self._chars = pa.array([], pa.large_string()), np.zeros(0, np.int64)
        self._outlines: dict[tuple[object, ...], _Outline] = {}
        self._phrases: list[int] = []
        self._phrase_pools: dict[tuple[str, ...], int] = {}

    def typeset(
        self, plans: Iterable[TracePlan], at_once: int = PLANS, size: int = BYTES
    ) -> Iterator[Typeset]:
        """The traces of some plans in their order: so many are laid out at once, and about `size` bytes put together."""
        plans = iter(plans)
        while some := list(islice(plans, at_once)):
            yield from self._put_together(some, size)

    def _put_together(self, plans: list[TracePlan], size: int) -> Iterator[Typeset]:
        outlines = [self._outline(plan) for plan in plans]
        places = self._places(plans, outlines)
        kinds = np.concatenate([one.kinds for one in outlines])
        stretches = np.array([len(one.codes) for one in outlines], np.int64)
        pool, chars = self._texts()
        ends = np.cumsum(stretches)
        sizes = np.cumsum(np.diff(_limits(pool))[places])[ends - 1]
        full = np.flatnonzero(np.diff(sizes // size)) + 1
        for start, end in zip([0, *full.tolist()], [*full.tolist(), len(plans)], strict=True):
            part = slice(int(ends[start] - stretches[start]), int(ends[end - 1]))
            messages = _messages(pool, places[part], stretches[start:end])
            digests = _digests(plans[start:end], messages)
            ids = [trace_id(digest, plan) for digest, plan in zip(digests, plans[start:end], strict=True)]
            yield Typeset(
                plans[start:end],
                messages,
                ids,
                digests,
                stretches[start:end],
                kinds[part],
                chars[places[part]],
            )

    # -- which text stands where ------------------------------------------------------------------------------------

    def _places(self, plans: Sequence[TracePlan], outlines: Sequence[_Outline]) -> Places:
        """
        Places in the pool of all stretches of some traces.

        Each trace has slots: its question, its responses, its reflections, its phrases and its answer.
        """
        attempts = list(chain.from_iterable([plan.attempts for plan in plans]))
        n = np.array([len(plan.attempts) for plan in plans], np.int64)
        phrases = np.array([len(one.pool_sizes) for one in outlines], np.int64)
        size = 2 + 2 * n + phrases
        start = np.cumsum(size) - size
        slots = np.zeros(int(size.sum()), np.int64)
        slots[start] = [self._place_of(plan.question.text) for plan in plans]
        tried = _ranges(start + 1, n)
        slots[tried] = self._places_of([one.response for one in attempts])
        reflected = np.concatenate([one.reflected for one in outlines])
        slots[(tried + np.repeat(n, n))[reflected]] = self._places_of(
            [one.reflection for one in attempts if one.reflection is not None]
        )
        slots[_ranges(start + 1 + 2 * n, phrases)] = self._drawn_phrases(plans, outlines, phrases)
        slots[start + size - 1] = [
            self._place_of(plan.attempts[plan.answering].response.answer) for plan in plans
        ]
        codes = np.concatenate([one.codes for one in outlines])
        starts = np.repeat(start, [len(one.codes) for one in outlines])
        found: Places = np.where(codes >= 0, codes, slots[starts + np.maximum(-1 - codes, 0)])
        return found

    def _drawn_phrases(self, plans: Sequence[TracePlan], outlines: Sequence[_Outline], n: Places) -> Places:
        most = int(n.max())
        words = words_of([phrase_key(plan) for plan in plans], most)[np.arange(most) < n[:, None]]
        starts = np.concatenate([one.pool_starts for one in outlines])
        sizes = np.concatenate([one.pool_sizes for one in outlines])
        chosen: Places = np.array(self._phrases, np.int64)[starts + all_below(words, sizes)]
        return chosen

    def _places_of(self, named: Sequence[Response] | Sequence[Reflection]) -> Places:
        homes = {id(one.texts) for one in named}
        if len(homes) == 1 and (start := self._starts.get(*homes)) is not None:
            places: Places = np.array([one.place for one in named], np.int64) + start
            return places
        return np.array([self._place_of(one.text) for one in named], np.int64)

    def _place_of(self, text: str) -> int:
        return self._words.setdefault(text, self._first_word + len(self._words))

    def _texts(self) -> tuple[pa.Array, Places]:
        """The pool, and the characters of each of its texts."""
        if len(self._pool) < self._first_word + len(self._words):
            words = pa.array(list(self._words), pa.large_string())
            self._pool = pa.concat_arrays([*self._columns, words])
            self._chars = np.concatenate([*self._column_chars, [len(word) for word in self._words]]).astype(
                np.int64
            )
        return self._pool, self._chars

    # -- outlines ---------------------------------------------------------------------------------------------------

    def _outline(self, plan: TracePlan) -> _Outline:
        right = tuple([one.response.correct for one in plan.attempts])
        reflected = tuple([one.reflection is not None for one in plan.attempts])
        key = (plan.format, plan.closing, right, reflected)
        found = self._outlines.get(key)
        if found is None:
            found = self._outlines[key] = self._new_outline(plan, reflected)
        return found

    def _new_outline(self, plan: TracePlan, reflected: tuple[bool, ...]) -> _Outline:
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
        pieces = [marks[0], *laid_out(marked, marks[1 + 2 * n : -1], self._scaffold)]
        slots = {mark: -1 - slot for slot, mark in enumerate(marks)}
        return _Outline(
            np.array([slots[one] if one in slots else self._place_of(one) for one in pieces], np.int64),
            np.array([_QUESTION, *(KINDS.index(kind) for kind in outline(plan))], np.uint8),
            np.array(reflected, np.bool_),
            np.array([self._start_of(pool) for pool in pools], np.int64),
            np.array([len(pool) for pool in pools], np.uint64),
        )

    def _start_of(self, pool: tuple[str, ...]) -> int:
        start = self._phrase_pools.get(pool)
        if start is None:
            start = self._phrase_pools[pool] = len(self._phrases)
            self._phrases += [self._place_of(phrase) for phrase in pool]
        return start


def _ranges(starts: Places, n: Places) -> Places:
    """start, start + 1, … for each start, n of each."""
    found: Places = np.repeat(starts - (np.cumsum(n) - n), n) + np.arange(int(n.sum()))
    return found


def _column(texts: Sequence[str]) -> pa.Array:
    return texts.column if isinstance(texts, Texts) else pa.array(texts, pa.large_string())


def _limits(texts: pa.Array) -> Places:
    """Where each text begins in its buffer, and the last one ends."""
    return np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]


def _messages(pool: pa.Array, places: Places, stretches: Places) -> pa.Array:
    """The texts at some places one after the other, cut into question, trace, question, trace …"""
    joined = pool.take(pa.array(places))
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
        for plan, start, middle, end in zip(plans, cuts[0::2], cuts[1::2], cuts[2::2], strict=False)
    ]
