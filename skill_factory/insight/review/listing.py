"""
All traces of a recipe as a narrow list: which responses and reflections each shows, how long it is, what is risky in it.

It comes from the narrow table alone, by the build's own draws, so that a hundred thousand traces are listed in seconds
and no text is read but those of the traces on the screen.
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from skill_factory.formats import chosen_formats
from skill_factory.insight.review.risks import Responses, Risk, found_in
from skill_factory.insight.simulated import without_texts, without_words
from skill_factory.judge.facts import Facts, Flags, Ids, Places
from skill_factory.judge.judge import Judgement
from skill_factory.model import TracePlan
from skill_factory.recipe.model import Recipe, Review
from skill_factory.recipe.phrases import phrase_book
from skill_factory.tally import Tally
from skill_factory.traces.bulk.text_pool import AttemptColumns, TextPool
from skill_factory.traces.decisions import Decision, key_of, questions_of
from skill_factory.traces.plan import Written, compose_plans

MOST = 200_000
"""Traces in a list, the first in written order; of more, the rest can't be reviewed here."""


@dataclass(frozen=True)
class Listing:
    """
    One entry for each trace, in written order; its attempts are those from `starts` on, `sizes` of them.

    Responses and reflections are places in the narrow table; a reflection is -1 where none is shown.
    """

    question: Ids
    kind: Places
    """A place in `kinds`."""
    kinds: tuple[tuple[str, str, int, str], ...]
    """Format, trace type, repeat and closing."""
    starts: npt.NDArray[np.int64]
    sizes: Places
    responses: npt.NDArray[np.int64]
    reflections: npt.NDArray[np.int64]
    right: Flags
    """For each attempt whether it is right."""
    response_ids: Ids
    reflection_ids: Ids
    """0 where none is shown."""
    chars: npt.NDArray[np.int64]
    """The responses and reflections together."""
    risks: npt.NDArray[np.uint8]
    """The bits of `Risk`."""
    whole: bool
    """Whether these are all traces."""

    def __len__(self) -> int:
        return len(self.question)

    def key(self, place: int) -> str:
        """The key of a trace in a recipe's review."""
        part = slice(int(self.starts[place]), int(self.starts[place] + self.sizes[place]))
        kind = self.kinds[int(self.kind[place])]
        responses, reflections = self.response_ids[part].tolist(), self.reflection_ids[part].tolist()
        return key_of(int(self.question[place]), kind, responses, reflections)

    def truths(self, place: int) -> tuple[bool, ...]:
        """Which of a trace's attempts are right."""
        start = int(self.starts[place])
        return tuple(self.right[start : start + int(self.sizes[place])].tolist())

    def corrects(self) -> Flags:
        """Which traces end right after a wrong attempt, or go back from a wrong one."""
        if not len(self):
            return np.zeros(0, np.bool_)
        last = self.right[self.starts + self.sizes - 1]
        every = np.logical_and.reduceat(self.right, self.starts)
        back = np.array([kind[3] == "backtrack" for kind in self.kinds], np.bool_)[self.kind]
        corrected: Flags = back | (last & ~every)
        return corrected


def listing(facts: Facts, judgement: Judgement, recipe: Recipe, most: int = MOST) -> Listing:
    """The traces that a recipe makes of some facts; those that were rejected are in the list, too."""
    bare = recipe.model_copy(update={"review": Review()})
    reading, book = without_texts(facts), phrase_book(recipe.phrases)
    plans = list(
        islice(
            compose_plans(
                reading,
                judgement,
                bare,
                book,
                chosen_formats(recipe.traces.formats),
                Tally(),
                Written(),
                without_words,
            ),
            # One more than is shown tells whether there are more.
            most + 1,
        )
    )
    shown = plans[:most]
    sizes = np.array([len(plan.order) for plan in shown], np.int32)
    if not shown:
        return _empty()
    pool = TextPool(reading)
    return _listed(facts, shown, sizes, pool.attempts_of(shown, sizes.astype(np.int64)), len(plans) <= most)


def _listed(
    facts: Facts, plans: list[TracePlan], sizes: Places, columns: AttemptColumns, whole: bool
) -> Listing:
    starts = np.cumsum(sizes, dtype=np.int64) - sizes
    # Places of reflections come behind those of all responses in the pool.
    reflections = np.where(columns.shown, columns.reflections - len(facts.response_id), -1)
    chars = facts.response_chars[columns.responses].astype(np.int64)
    chars[columns.shown] += facts.reflection_chars[reflections[columns.shown]]
    names = [(plan.format, plan.label, plan.repeat, plan.closing.value) for plan in plans]
    kinds = {name: place for place, name in enumerate(dict.fromkeys(names))}
    totals = np.add.reduceat(chars, starts)
    attempts = Responses(starts, columns.responses, reflections, columns.right)
    return Listing(
        np.array([plan.question.id for plan in plans], np.uint64),
        np.array([kinds[name] for name in names], np.int32),
        tuple(kinds),
        starts,
        sizes,
        columns.responses,
        reflections,
        columns.right,
        columns.response_ids,
        np.where(columns.shown, columns.reflection_ids, np.uint64(0)),
        totals,
        found_in(facts, attempts, totals),
        whole,
    )


def _empty() -> Listing:
    none, ids = np.zeros(0, np.int64), np.zeros(0, np.uint64)
    small = np.zeros(0, np.int32)
    flags = np.zeros(0, np.bool_)
    return Listing(
        ids, small, (), none, small, none, none, flags, ids, ids, none, np.zeros(0, np.uint8), True
    )


# -- orders and filters --------------------------------------------------------------------------------------------

ORDERS = {
    "risk": "Riskiest first",
    "written": "As written",
    "longest": "Longest first",
    "shortest": "Shortest first",
}


@dataclass(frozen=True)
class Asked:
    """Which traces to list, and in which order."""

    order: str = "risk"
    decision: Decision | None = None
    """Only traces with this decision; None for any."""
    noted: bool = False
    """Only traces with a note."""
    label: str = ""
    """Only traces of this trace type."""
    corrects: bool = False
    """Only traces that show a mistake corrected."""
    risk: Risk | None = None
    """Only traces with this risk."""
    questions: frozenset[int] | None = None
    """Only traces of these questions."""


def decisions_in(listed: Listing, review: Review) -> npt.NDArray[np.int8]:
    """For each trace 0, 1 if it was accepted, 2 if it was rejected."""
    found = np.zeros(len(listed), np.int8)
    codes = dict.fromkeys(review.accepted, 1) | dict.fromkeys(review.rejected, 2)
    # Keys are slow to make, and each begins with its question: only traces of reviewed questions get one.
    for place in _of_questions(listed, questions_of(codes)).tolist():
        found[place] = codes.get(listed.key(place), 0)
    return found


def _of_questions(listed: Listing, questions: set[int] | frozenset[int]) -> npt.NDArray[np.int64]:
    return np.flatnonzero(np.isin(listed.question, np.array(sorted(questions), np.uint64)))


def arranged(listed: Listing, asked: Asked, review: Review) -> npt.NDArray[np.int64]:
    """The places of the traces that are asked for, in their order."""
    keep = np.ones(len(listed), np.bool_)
    if asked.decision is not None:
        code = {Decision.NONE: 0, Decision.ACCEPTED: 1, Decision.REJECTED: 2}[asked.decision]
        keep &= decisions_in(listed, review) == code
    if asked.noted:
        noted = _of_questions(listed, questions_of(review.notes)).tolist()
        there = [place for place in noted if listed.key(place) in review.notes]
        keep &= np.isin(np.arange(len(listed)), np.array(there, np.int64))
    if asked.label:
        # Without traces there are no kinds, and an empty table can't be indexed.
        keep &= np.array([kind[1] == asked.label for kind in listed.kinds] or [False], np.bool_)[listed.kind]
    if asked.corrects:
        keep &= listed.corrects()
    if asked.risk is not None:
        keep &= (listed.risks & asked.risk.bit) > 0
    if asked.questions is not None:
        keep[np.setdiff1d(np.arange(len(listed)), _of_questions(listed, asked.questions))] = False
    places = np.flatnonzero(keep)
    return places[_order(listed, places, asked.order)]


def _order(listed: Listing, places: npt.NDArray[np.int64], order: str) -> npt.NDArray[np.intp]:
    chars = listed.chars[places]
    if order == "longest":
        return np.lexsort((places, -chars))
    if order == "shortest":
        return np.lexsort((places, chars))
    if order == "risk":
        return np.lexsort((places, -chars, -Risk.weights(listed.risks[places])))
    return np.arange(len(places))
