"""The pool of all texts that traces are put together from, and the attempts of plans by their places in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import is_

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from skill_factory.draws import all_below, words_of
from skill_factory.judge.facts import Flags, Ids, Reading
from skill_factory.judge.kept_reflections import Critiques
from skill_factory.judge.texts import Texts
from skill_factory.model import Response, TracePlan, reflection_key

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tried:
    """The attempts of some plans one after the other, column by column."""

    responses: Places
    """In the pool."""
    reflections: Places
    """In the pool; those of attempts that show none mean nothing."""
    shown: Flags
    """Whether a reflection is."""
    right: Flags
    variants: pa.Array
    """Prompt variants as strings; null where the data do not say."""
    response_ids: Ids
    reflection_ids: Ids

    def part(self, start: int, end: int) -> "Tried":
        """Some of them."""
        return Tried(*(column[start:end] for column in vars(self).values()))


class Pool:
    """The texts of a reading by column, and behind them words that come up."""

    def __init__(self, reading: Reading | None) -> None:
        columns = [reading.responses, reading.reflections] if reading else []
        self._reading = reading
        self._chars = [reading.facts.response_chars, reading.facts.reflection_chars] if reading else []
        self._columns = [_column(texts) for texts in columns]
        self._first_word = sum(map(len, columns))
        self._words: dict[str, int] = {}
        self._whole, self._whole_chars = pa.array([], pa.large_string()), np.zeros(0, np.int64)

    def place_of(self, text: str) -> int:
        """The place of a word; it is taken in if it is not there."""
        return self._words.setdefault(text, self._first_word + len(self._words))

    def texts(self) -> tuple[pa.Array, Places]:
        """All texts, and the characters of each."""
        if len(self._whole) < self._first_word + len(self._words):
            self._whole = pa.concat_arrays([*self._columns, pa.array(list(self._words), pa.large_string())])
            words = [len(word) for word in self._words]
            self._whole_chars = np.concatenate([*self._chars, words]).astype(np.int64)
        return self._whole, self._whole_chars

    def tried(self, plans: Sequence[TracePlan], n: Places) -> Tried:
        """The attempts of some plans, n of each: what `TracePlan.attempts` says one by one."""
        order = list(chain.from_iterable([plan.order for plan in plans]))
        said, reading = order[0].critiques, self._reading
        if (
            reading is not None
            and isinstance(said, Critiques)
            and _all_are(said, [one.critiques for one in order])
            and _all_are(reading.responses, [one.texts for one in order])
        ):
            return self._known(reading, plans, n, order, said)
        return self._strange(plans)

    def _known(
        self,
        reading: Reading,
        plans: Sequence[TracePlan],
        n: Places,
        order: Sequence[Response],
        critiques: Critiques,
    ) -> Tried:
        """Attempts whose texts all stand in the columns."""
        facts = reading.facts
        rows = np.array([one.place for one in order], np.int64)
        starts, ends = critiques.starts[rows], critiques.starts[rows + 1]
        shown = np.repeat(np.array([plan.reflect for plan in plans], np.bool_), n) & (ends > starts)
        away = np.array([plan.away for plan in plans], np.int64)
        words = _words([reflection_key(plan) for plan in plans], away, n)
        drawn = (starts + all_below(words, (ends - starts).astype(np.uint64)))[shown]
        places, ids = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.uint64)
        places[shown] = critiques.places[drawn] + len(reading.responses)
        ids[shown] = critiques.ids[drawn]
        names = pa.array([name or None for name in facts.variants], pa.string())
        return Tried(
            rows,
            places,
            shown,
            np.array([one.correct for one in order], np.bool_),
            names.take(pa.array(facts.response_variant[rows])),
            facts.response_id[rows],
            ids,
        )

    def _strange(self, plans: Sequence[TracePlan]) -> Tried:
        """Attempts of which some stand in no column, as own formats may make them."""
        attempts = [attempt for plan in plans for attempt in plan.attempts]
        said = [one.reflection for one in attempts]
        return Tried(
            np.array([self.place_of(one.response.text) for one in attempts], np.int64),
            np.array([0 if one is None else self.place_of(one.text) for one in said], np.int64),
            np.array([one is not None for one in said], np.bool_),
            np.array([one.response.correct for one in attempts], np.bool_),
            pa.array([one.response.variant or None for one in attempts], pa.string()),
            np.array([one.response.id for one in attempts], np.uint64),
            np.array([0 if one is None else one.id for one in said], np.uint64),
        )


def _all_are(this: object, things: Sequence[object]) -> bool:
    return all(map(is_, things, repeat(this)))


def _words(keys: Sequence[bytes], first: Places, n: Places) -> npt.NDArray[np.uint64]:
    """Of the stream of each key the words from the first one wanted, n of each."""
    most = int((first + n).max())
    place = np.arange(most)
    return words_of(keys, most)[(place >= first[:, None]) & (place < (first + n)[:, None])]


def _column(texts: Sequence[str]) -> pa.Array:
    return texts.column if isinstance(texts, Texts) else pa.array(texts, pa.large_string())
