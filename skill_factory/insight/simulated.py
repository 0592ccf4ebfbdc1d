"""What a recipe would give, counted on the very draws of the build, if these are few enough to be made at once.

An expectation (`expected.py`) may differ by a point or two from what is then drawn, and a page and the card of the build
would show different numbers. Draws depend only on ids and labels, so here the build's own rules run on the narrow table,
with empty texts, and nothing is rendered. A format whose record has no expectation is always counted this way; if it has
too many questions, on the first of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from skill_factory.formats import FORMATS, chosen_formats, format_of
from skill_factory.formats.chances import scaled
from skill_factory.formats.record import NOTHING, TEACHES, Format, Shows
from skill_factory.insight.expected import Drawn, Outlook, outlook, questions_able
from skill_factory.judge.facts import Facts, Reading
from skill_factory.judge.judge import KEPT, Judgement, written_order
from skill_factory.model import Trace, TracePlan
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.phrases import phrase_book
from skill_factory.tally import Tally
from skill_factory.traces.counting import teaches
from skill_factory.traces.plan import Written, compose_plans

MOST = 10_000
"""Traces that are drawn at once, in about a quarter of a second; for more, the expectation is close enough."""
MOST_RESPONSES = 40_000
"""Responses that can be looked through in the same time, however few traces they give."""
MOST_QUESTIONS = 1_000
"""Questions that a format without an expectation is drawn for; the result is scaled to all."""


def forecast(facts: Facts, judgement: Judgement, recipe: Recipe, most: int = MOST) -> Outlook:
    """What a build of this recipe would give: as drawn, or as expected if drawing would take too long."""
    expected = outlook(judgement, recipe, lambda kind: _simulated(facts, judgement, recipe, kind))
    plans = sum(sum(shows) for shows in expected.by_attempts.values())
    # By what is expected first: to draw a large source only to learn that it was too large would take seconds.
    few = most > 0 and plans <= most and len(facts.response_id) <= MOST_RESPONSES
    return _as_drawn(facts, judgement, recipe, expected) if few and _can_be_drawn(recipe) else expected


def _can_be_drawn(recipe: Recipe) -> bool:
    """Whether the formats can be drawn here: only the package's own, and without reflections only those that show none."""
    codes = recipe.traces.formats
    showing = [code for code in codes if format_of(code).reflects]
    return {*codes} <= {*FORMATS} and bool(recipe.columns.reflections or not showing)


@dataclass
class _Counted:
    """Counts plans as they are drawn."""

    asked: set[int] = field(default_factory=set)
    labels: Counter[str] = field(default_factory=Counter)
    shows: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(lambda: list(NOTHING)))

    def count(self, plans: Iterable[TracePlan]) -> "_Counted":
        for plan in plans:
            self.asked.add(plan.question.id)
            self.labels[plan.label] += 1
            right = plan.right
            self.shows[len(right)][TEACHES.index(teaches(plan.closing, right))] += 1
        return self

    @property
    def by_attempts(self) -> dict[int, Shows]:
        return {n: (a, b, c, d) for n, (a, b, c, d) in sorted(self.shows.items())}


def _drawn(facts: Facts, judgement: Judgement, recipe: Recipe, formats: dict[str, Format]) -> _Counted:
    """What is drawn for all usable questions of a judgement."""
    book = phrase_book(recipe.phrases)
    plans = compose_plans(
        without_texts(facts), judgement, recipe, book, formats, Tally(), Written(), render=without_words
    )
    return _Counted().count(plans)


def _as_drawn(facts: Facts, judgement: Judgement, recipe: Recipe, expected: Outlook) -> Outlook:
    counted = _drawn(facts, judgement, recipe, chosen_formats(recipe.traces.formats))
    # Only its text says whether a trace is too long, or was excluded by hand.
    return replace(
        expected,
        questions=len(counted.asked),
        traces=counted.labels.total(),
        by_label={**dict.fromkeys(expected.by_label, 0), **counted.labels},
        by_attempts=counted.by_attempts,
        exact=not (recipe.cutoff.limits_traces or recipe.balance.exclude),
        drawn=True,
    )


def _simulated(facts: Facts, judgement: Judgement, recipe: Recipe, kind: Format) -> Drawn:
    """What a format gives: drawn for its first questions in written order, and scaled to all that can give it."""
    which = questions_able(judgement, recipe, kind.code)
    order = written_order(facts, recipe.traces.seed)
    first = order[which[order]][:MOST_QUESTIONS]
    every = int(which.sum())
    if not every:
        return Drawn(which, {}, {})
    alone = np.ones_like(judgement.question_code)
    alone[first] = KEPT
    # Any reason will do: it is never shown, and only keeps the other questions out of the draws.
    others = alone[facts.response_question] != KEPT
    narrowed = replace(
        judgement,
        question_code=alone,
        question_kept=np.where(alone == KEPT, judgement.question_kept, 0),
        response_code=np.where(others, np.int8(1), judgement.response_code),
    )
    # Without limits, since these hold for all formats together; `outlook` applies them to the sum.
    bare = recipe.model_copy(update={"balance": type(recipe.balance)()})
    counted = _drawn(facts, narrowed, bare, {kind.code: kind})
    times = every / len(first)
    # Where all were drawn, those that really gave a trace are known.
    if len(first) == every:
        which = np.isin(facts.question_id, np.fromiter(counted.asked, np.uint64, len(counted.asked)))
    labels = {label: n * times for label, n in counted.labels.items()}
    return Drawn(which, labels, {n: scaled(shows, times) for n, shows in counted.by_attempts.items()})


def without_texts(facts: Facts) -> Reading:
    """Facts with empty texts beside them, for rules that look at no text."""
    questions, responses = len(facts.question_id), len(facts.response_id)
    blank = [""] * responses
    return Reading(facts, [""] * questions, [None] * questions, blank, blank, [""] * len(facts.reflection_id))


def without_words(plan: TracePlan, *_: object) -> Trace:
    """A plan as a trace of no words, where a limit asks for one."""
    return Trace(plan, (), (), "", 0, 0)
