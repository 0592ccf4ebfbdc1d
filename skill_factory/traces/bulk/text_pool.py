"""The pool of all texts that traces are made of, and the attempts of plans as places in it.

A place is an index. The pool begins with the responses and reflections of a reading, in the order of its columns, so
that their places follow from the narrow table by adding an offset; phrases, answers and questions come behind them.
"""

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
class AttemptColumns:
    """The attempts of some plans, plan after plan, as columns."""

    responses: Places
    """Places of the responses in the pool."""
    reflections: Places
    """Places of the reflections in the pool; meaningless for an attempt that shows none."""
    shown: Flags
    """Whether a reflection is shown."""
    right: Flags
    """Whether the response is right."""
    variants: pa.Array
    """Prompt variants as strings; null where the data names none."""
    response_ids: Ids
    reflection_ids: Ids

    def part(self, start: int, end: int) -> "AttemptColumns":
        """The attempts from `start` to `end`."""
        return AttemptColumns(*(column[start:end] for column in vars(self).values()))


class TextPool:
    """The texts of a reading, column by column, and behind them the phrases and other texts that come up."""

    def __init__(self, reading: Reading | None) -> None:
        columns = [reading.responses, reading.reflections] if reading else []
        self._reading = reading
        self._chars = [reading.facts.response_chars, reading.facts.reflection_chars] if reading else []
        self._columns = [_column(texts) for texts in columns]
        self._first_extra = sum(map(len, columns))
        self._extras: dict[str, int] = {}
        # The whole pool as one array, made again only when extra texts have come up since.
        self._whole, self._whole_chars = pa.array([], pa.large_string()), np.zeros(0, np.int64)

    def place_of(self, text: str) -> int:
        """The place of a text outside the columns; a new one is added."""
        return self._extras.setdefault(text, self._first_extra + len(self._extras))

    def texts(self) -> tuple[pa.Array, Places]:
        """All texts of the pool, and the length of each in characters."""
        if len(self._whole) < self._first_extra + len(self._extras):
            extras = pa.array(list(self._extras), pa.large_string())
            self._whole = pa.concat_arrays([*self._columns, extras])
            lengths = [len(text) for text in self._extras]
            self._whole_chars = np.concatenate([*self._chars, lengths]).astype(np.int64)
        return self._whole, self._whole_chars

    def attempts_of(self, plans: Sequence[TracePlan], n: Places) -> AttemptColumns:
        """The attempts of some plans, n of each: what `TracePlan.attempts` gives for one plan."""
        order = list(chain.from_iterable([plan.order for plan in plans]))
        # Our own formats show only responses of the reading, whose texts are in the columns. A caller's format may make
        # responses of its own, so identity is checked, at the speed of C, before places are trusted.
        reflections, reading = order[0].critiques, self._reading
        if (
            reading is not None
            and isinstance(reflections, Critiques)
            and _all_are(reflections, [response.critiques for response in order])
            and _all_are(reading.responses, [response.texts for response in order])
        ):
            return self._known(reading, plans, n, order, reflections)
        return self._from_elsewhere(plans)

    def _known(
        self,
        reading: Reading,
        plans: Sequence[TracePlan],
        n: Places,
        order: Sequence[Response],
        critiques: Critiques,
    ) -> AttemptColumns:
        """Attempts whose texts are all in the columns: everything comes from arrays, no text is touched."""
        facts = reading.facts
        # Row k holds attempt k of all plans; its kept reflections are a stretch of the list of all kept ones.
        rows = np.array([response.place for response in order], np.int64)
        starts, ends = critiques.starts[rows], critiques.starts[rows + 1]
        shown = np.repeat(np.array([plan.reflect for plan in plans], np.bool_), n) & (ends > starts)
        # One word of the plan's stream for each attempt, as `TracePlan.attempts` draws, also for attempts without any.
        away = np.array([plan.away for plan in plans], np.int64)
        draws = _draws_from([reflection_key(plan) for plan in plans], away, n)
        shown_reflections = (starts + all_below(draws, (ends - starts).astype(np.uint64)))[shown]
        # Places of reflections come after those of all responses.
        places, ids = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.uint64)
        places[shown] = critiques.places[shown_reflections] + len(reading.responses)
        ids[shown] = critiques.ids[shown_reflections]
        # Variants are codes in the facts; only here, in the rows, do they become names.
        names = pa.array([name or None for name in facts.variants], pa.string())
        return AttemptColumns(
            rows,
            places,
            shown,
            np.array([response.correct for response in order], np.bool_),
            names.take(pa.array(facts.response_variant[rows])),
            facts.response_id[rows],
            ids,
        )

    def _from_elsewhere(self, plans: Sequence[TracePlan]) -> AttemptColumns:
        """Attempts some of whose texts are in no column, as a caller's own format may make them: taken one by one."""
        attempts = [attempt for plan in plans for attempt in plan.attempts]
        reflections = [attempt.reflection for attempt in attempts]
        return AttemptColumns(
            np.array([self.place_of(attempt.response.text) for attempt in attempts], np.int64),
            np.array(
                [0 if attempt is None else self.place_of(attempt.text) for attempt in reflections], np.int64
            ),
            np.array([attempt is not None for attempt in reflections], np.bool_),
            np.array([attempt.response.correct for attempt in attempts], np.bool_),
            pa.array([attempt.response.variant or None for attempt in attempts], pa.string()),
            np.array([attempt.response.id for attempt in attempts], np.uint64),
            np.array([0 if attempt is None else attempt.id for attempt in reflections], np.uint64),
        )


def _all_are(this: object, things: Sequence[object]) -> bool:
    return all(map(is_, things, repeat(this)))


def _draws_from(keys: Sequence[bytes], first: Places, n: Places) -> npt.NDArray[np.uint64]:
    """n words of each key's stream, from the first one wanted on, key after key."""
    # All streams are drawn to the length of the longest, then the wanted stretch of each is cut out by a mask.
    most = int((first + n).max())
    place = np.arange(most)
    return words_of(keys, most)[(place >= first[:, None]) & (place < (first + n)[:, None])]


def _column(texts: Sequence[str]) -> pa.Array:
    # The column as Arrow read it: the pool points into it, so no text is copied to get here.
    return texts.column if isinstance(texts, Texts) else pa.array(texts, pa.large_string())
