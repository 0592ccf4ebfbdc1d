"""What the review room asks of a visitor's data, like `looking.py`: values in, values out, at home or in a limited child."""

import json
import sys

import numpy as np
import pyarrow as pa

from skill_factory.insight.living.question import questions_in, told
from skill_factory.insight.living.question import rows_of as question_rows
from skill_factory.insight.review import dropped, listing
from skill_factory.insight.review.dropped import DroppedReflection
from skill_factory.insight.review.listing import Listing
from skill_factory.insight.trace_parts import first_line, visible
from skill_factory.judge.facts import question_ids
from skill_factory.judge.first_questions import rows_of_questions
from skill_factory.judge.judge import Judgement
from skill_factory.judge.source_facts import Narrow, identity
from skill_factory.model import Trace
from skill_factory.recipe.model import Recipe, Review
from skill_factory.sources import RawSource
from skill_factory.traces.decisions import decision_key
from skill_factory.work.looking import Address, at, first_bytes, once

SMALL = 30_000_000
"""Bytes; of a source of this size all rows are kept, once they were read for some of them."""
LINE = 90
"""Characters of a question in a list."""


def listed(narrow: Narrow, judgement: Judgement, recipe: Recipe) -> Listing:
    """`listing.listing`: all traces of a recipe, without texts."""
    return listing.listing(narrow.facts, judgement, recipe)


_whole: dict[object, pa.Table] = {}


def rows_of(source: "Address | RawSource", recipe: Recipe, questions: list[int]) -> pa.Table:
    """The canonical rows of some questions, by id. Errors: SourceError."""
    found = at(source)
    if found.size > SMALL:
        return rows_of_questions(found, recipe, questions)
    name = json.dumps([identity(found), recipe.columns.model_dump(mode="json")], default=str)
    rows = once(_whole, name, lambda: first_bytes(found, recipe.columns, sys.maxsize))
    places, ids, _ = question_ids(rows["question"])
    return rows.filter(pa.array(np.isin(ids, np.array(questions, np.uint64))[places]))


def question_lines(rows: pa.Table, recipe: Recipe) -> dict[int, str]:
    """The first words of each question in some canonical rows, by id."""
    ids = questions_in(rows, recipe)
    return {one: visible(first_line(question_rows(rows, one)["question"][0].as_py(), LINE)) for one in ids}


def trace_of(rows: pa.Table, recipe: Recipe, question: int, key: str) -> Trace | None:
    """The trace of a question with that key in a review, rejected or not; None where a cut-off changed it."""
    bare = recipe.model_copy(update={"review": Review()})
    return next((one for one in told(rows, bare, question).traces if decision_key(one.plan) == key), None)


def dropped_reflections(rows: pa.Table, recipe: Recipe, question: int) -> list[DroppedReflection]:
    """`dropped.dropped_reflections`: what was said of a question's responses and isn't used, with the reason."""
    return dropped.dropped_reflections(rows, recipe, question)
