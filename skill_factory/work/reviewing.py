"""What the review room asks of a visitor's data, like `looking.py`: values in, values out, at home or in a limited child."""

import pyarrow as pa

from skill_factory.insight.living.question import questions_in, rows_of, told
from skill_factory.insight.review import dropped, listing
from skill_factory.insight.review.dropped import DroppedReflection
from skill_factory.insight.review.listing import Listing
from skill_factory.insight.trace_parts import first_line, visible
from skill_factory.judge.judge import Judgement
from skill_factory.judge.source_facts import Narrow
from skill_factory.model import Trace
from skill_factory.recipe.model import Recipe, Review
from skill_factory.traces.decisions import decision_key

LINE = 90
"""Characters of a question in a list."""


def listed(narrow: Narrow, judgement: Judgement, recipe: Recipe) -> Listing:
    """`listing.listing`: all traces of a recipe, without texts."""
    return listing.listing(narrow.facts, judgement, recipe)


def question_lines(rows: pa.Table, recipe: Recipe) -> dict[int, str]:
    """The first words of each question in some canonical rows, by id."""
    ids = questions_in(rows, recipe)
    return {one: visible(first_line(rows_of(rows, one)["question"][0].as_py(), LINE)) for one in ids}


def trace_of(rows: pa.Table, recipe: Recipe, question: int, key: str) -> Trace | None:
    """The trace of a question with that key in a review, rejected or not; None where a cut-off changed it."""
    bare = recipe.model_copy(update={"review": Review()})
    return next((one for one in told(rows, bare, question).traces if decision_key(one.plan) == key), None)


def dropped_reflections(rows: pa.Table, recipe: Recipe, question: int) -> list[DroppedReflection]:
    """`dropped.dropped_reflections`: what was said of a question's responses and isn't used, with the reason."""
    return dropped.dropped_reflections(rows, recipe, question)
