"""What a recipe would give, counted on the very draws of the build, where these are few enough to be made at once.

The expectation of `outlook.py` may differ from what is then drawn by a point or two, so a page and the card of the build
would not show the same number. Draws depend on ids and labels alone: here the build's own rules run on the narrow table,
with empty texts, and nothing is rendered.
"""

from collections import Counter, defaultdict
from dataclasses import replace

from skill_factory.insight.expected import NOTHING, TEACHES, Outlook, Shows, outlook
from skill_factory.judge.facts import Facts, Reading
from skill_factory.judge.judge import Judgement
from skill_factory.model import Trace, TraceFormat, TracePlan
from skill_factory.recipe.model import Phrases, Recipe
from skill_factory.recipe.phrases import phrase_book
from skill_factory.tally import Tally
from skill_factory.traces.counting import teaches
from skill_factory.traces.formats import FORMATS, chosen_formats
from skill_factory.traces.plan import Written, compose

MOST = 10_000
"""Traces that are drawn at once, in about a quarter of a second; of more, the expectation is near enough."""
MOST_RESPONSES = 40_000
"""Responses that are looked through for them in the same time, however few traces they give."""


def foreseen(facts: Facts, judgement: Judgement, recipe: Recipe, most: int = MOST) -> Outlook:
    """What a build of this recipe would come to: as drawn, or as expected where that would take too long."""
    expected = outlook(judgement, recipe)
    plans = sum(sum(shows) for shows in expected.by_attempts.values())
    few = plans <= most and len(facts.response_id) <= MOST_RESPONSES
    return _as_drawn(facts, judgement, recipe, expected) if few and _can_be_drawn(recipe) else expected


def _can_be_drawn(recipe: Recipe) -> bool:
    """Own formats are the build's to know, and without critiques only one format can be made."""
    needs = {code for code in recipe.traces.formats if code != TraceFormat.NO_REFLECTION}
    return needs <= {*FORMATS} and bool(recipe.columns.reflections or not needs)


def _as_drawn(facts: Facts, judgement: Judgement, recipe: Recipe, expected: Outlook) -> Outlook:
    asked: set[int] = set()
    labels: Counter[str] = Counter()
    shows: defaultdict[int, list[float]] = defaultdict(lambda: list(NOTHING))
    formats = chosen_formats(recipe.traces.formats)
    for plan in compose(
        _without_texts(facts),
        judgement,
        recipe,
        phrase_book(Phrases()),
        formats,
        Tally(),
        Written(),
        render=_unworded,
    ):
        asked.add(plan.question.id)
        labels[plan.label] += 1
        right = plan.right
        shows[len(right)][TEACHES.index(teaches(plan.closing, right))] += 1
    by_attempts: dict[int, Shows] = {n: (a, b, c, d) for n, (a, b, c, d) in sorted(shows.items())}
    # Whether a text is too long, or is one that was left out by hand, only its text tells.
    cut = recipe.cutoff.tokens and recipe.cutoff.action != "keep"
    return replace(
        expected,
        questions=len(asked),
        traces=sum(labels.values()),
        by_label={**dict.fromkeys(expected.by_label, 0), **labels},
        by_attempts=by_attempts,
        exact=not (cut or recipe.balance.exclude),
        drawn=True,
    )


def _without_texts(facts: Facts) -> Reading:
    questions, responses = len(facts.question_id), len(facts.response_id)
    blank = [""] * responses
    return Reading(facts, [""] * questions, [None] * questions, blank, blank, [""] * len(facts.reflection_id))


def _unworded(plan: TracePlan, *_: object) -> Trace:
    return Trace(plan, (), (), "", 0, 0)
