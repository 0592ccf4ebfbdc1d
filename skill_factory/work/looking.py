"""What pages ask of a visitor's data: at home in the server itself, on a shared one in a limited child (`limited.py`).

Each function takes values and gives values that can travel (`wire.py`). A source comes as its address and is opened
once for all requests of a child (`opening.py`); texts, labels and builds stand in `looking_texts.py`.
"""

import time
from itertools import count
from typing import Any

import pyarrow as pa

from skill_factory.build import pipeline
from skill_factory.build.mixture import preview_mixture
from skill_factory.build.pipeline import Preview, build_partition
from skill_factory.build.prepare import SAMPLE_ROWS, check_refused, ready_recipe, settle, settled_columns
from skill_factory.errors import ColumnError, NothingUsable, SourceError
from skill_factory.insight.compare import Pair, pairs, prospects
from skill_factory.insight.estimate import Pace
from skill_factory.insight.expected import Outlook
from skill_factory.insight.fitness import Fitness, fitness
from skill_factory.insight.inspection import Inspection, inspect
from skill_factory.insight.living import question as living
from skill_factory.insight.living.question import Told
from skill_factory.insight.mixed import Offer, offers
from skill_factory.insight.simulated import forecast
from skill_factory.judge import source_facts
from skill_factory.judge.first_questions import MORE, first_rows, rows_of_questions
from skill_factory.judge.judge import Judgement, judge, judge_questions
from skill_factory.judge.lookup import find_questions
from skill_factory.judge.source_facts import Narrow
from skill_factory.judge.trials import all_tried
from skill_factory.model import Trace
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources import RawSource
from skill_factory.sources.columns import CANONICAL
from skill_factory.sources.guessing import guess
from skill_factory.sources.trying import Choice, Rule
from skill_factory.tally import Tally
from skill_factory.work.looking_texts import (
    built_difference,
    built_index,
    built_lint,
    built_search,
    built_shown,
    doubted_labels,
    doubts_file,
    exported,
    graded,
    in_doubt,
    items_file,
    lit,
    push_plan,
    some_broken,
    some_items,
)
from skill_factory.work.opening import (
    Address,
    Described,
    Opened,
    at,
    brief,
    described,
    first_part,
    once,
    opened,
    parts_of,
)

__all__ = [
    "Address",
    "Described",
    "Opened",
    "at",
    "brief",
    "built_difference",
    "built_index",
    "built_lint",
    "built_search",
    "built_shown",
    "described",
    "doubted_labels",
    "doubts_file",
    "exported",
    "first_part",
    "graded",
    "in_doubt",
    "items_file",
    "lit",
    "once",
    "opened",
    "parts_of",
    "push_plan",
    "some_broken",
    "some_items",
]
"""What stands in `opening.py` and `looking_texts.py`: a page finds all of it here."""

_judged: dict[Any, Judgement] = {}


def entered(source: "Address | RawSource", recipe: Recipe) -> tuple[Described, Recipe]:
    """
    What a page shows of a source, and the recipe with its columns where all are there, else with guessed ones.

    Errors: as `described`; SourceError for a known format that can't be used as it is.
    """
    found = at(source)
    told = described(found)
    # A recipe that was made for other data keeps its rules, but its columns would find nothing.
    columns = recipe.columns if _all_there(recipe.columns, found) else Columns()
    settled = settle(found, recipe.model_copy(update={"columns": columns}))
    check_refused(settled)
    return told, settled.recipe


def _all_there(columns: Columns, found: RawSource) -> bool:
    if not columns.response:
        return False
    try:
        return settled_columns(found, columns) == columns
    except ColumnError:
        return False


def guessed(source: "Address | RawSource") -> Columns:
    """The columns as they are guessed. Errors: SourceError."""
    found = at(source)
    return guess(found.names(), found.head(SAMPLE_ROWS))


def remapped(source: "Address | RawSource", recipe: Recipe, changes: dict[str, Any]) -> Columns:
    """The columns with some of them chosen otherwise, and the rules that suit those. Errors: ColumnError, SourceError."""
    return settle(at(source), recipe, changes).columns


def inspected(source: "Address | RawSource", recipe: Recipe, rows: int) -> Inspection | None:
    """What the first rows look like and what is doubtful in their reading; None where a needed column is missing."""
    try:
        return inspect(at(source), recipe, most_rows=rows)
    except (ColumnError, SourceError):
        return None  # the pickers say which column is missing


def without_format(source: "Address | RawSource", recipe: Recipe) -> Recipe:
    """The recipe with columns and rules guessed by name and shape alone. Errors: SourceError."""
    return settle(at(source), recipe.model_copy(update={"columns": Columns(guess="names")})).recipe


def tried(source: "Address | RawSource", recipe: Recipe) -> dict[Rule, list[Choice]]:
    """What each choice of each rule of reading finds in the first rows. Errors: SourceError."""
    return all_tried(recipe, at(source).head(SAMPLE_ROWS))


def settled(source: "Address | RawSource", columns: Columns) -> Columns:
    """`settled_columns` of a source. Errors: ColumnError, SourceError."""
    return settled_columns(at(source), columns)


# -- the narrow table, and what follows from it --------------------------------------------------------------------


def sample(source: "Address | RawSource", recipe: Recipe) -> Narrow:
    """Facts of the first rows. Errors: SourceError."""
    return source_facts.sample_facts(at(source), recipe)


def judged(narrow: Narrow, name: str, recipe: Recipe, most: int | None) -> tuple[Judgement, Outlook]:
    """What the recipe's filters say of a table of that name, and what a build would give; of `most` traces as drawn."""
    facts = narrow.facts
    filters = (name, narrow.whole, recipe.columns, recipe.filters)
    found = once(_judged, filters, lambda: judge(facts, recipe))
    here = judge_questions(facts, found, recipe)
    # A sample's draws are not those of the whole: there the expectation says more.
    return here, forecast(facts, here, recipe, **({} if most is None else {"most": most}))


def offered(recipes: list[Recipe], scales: list[float], *narrows: Narrow) -> list[Offer]:
    """What each source of a mixture could give."""
    return offers(recipes, narrows, scales)


def fit(narrow: Narrow, judgement: Judgement, recipe: Recipe) -> Fitness:
    """The report on the data: lights, the proposed N, what is possible."""
    return fitness(narrow.facts, judgement, narrow.rows, recipe, narrow.whole)


def first_table(source: "Address | RawSource", recipe: Recipe, questions: int) -> tuple[pa.Table, bool]:
    """`first_rows` of a source. Errors: SourceError."""
    return first_rows(at(source), recipe, questions)


def first_bytes(source: "Address | RawSource", columns: Columns, size: int, rows: int = 0) -> pa.Table:
    """Canonical rows of about so many bytes of text, and no more than so many rows. Errors: SourceError."""
    tables = source_facts.first_tables(at(source), columns, size)[0]
    table = pa.concat_tables([CANONICAL.empty_table(), *tables])
    return table.slice(0, rows) if rows else table


def previewed(source: "Address | RawSource", recipe: Recipe, questions: int) -> Preview:
    """`pipeline.preview`, or an empty one where nothing can be used. Errors: SourceError, ColumnError."""
    found = at(source)
    # A page can't wait until all questions are compared: it shows what a person decided, and the build says the rest.
    recipe = recipe.model_copy(update={"clean": recipe.clean.decisions()})
    more = (first_rows(found, recipe, questions * MORE**times) for times in count(1))
    try:
        return pipeline.preview(found, recipe, questions=questions, read_first=lambda *_: more)
    except NothingUsable:
        return Preview([], Tally(), recipe)  # a state that pages speak of, not an error


def previewed_mixture(mixture: Mixture, questions: int, *sources: "Address | RawSource") -> list[Trace]:
    """The first traces that each source of a mixture could give. Errors: SourceError, ColumnError."""
    names = [one.name for one in mixture.sources]
    given = dict(zip(names, map(at, sources), strict=True))
    each = preview_mixture(mixture, given, questions=questions).values()
    return [trace for shown in each for trace in shown.traces]


def made_of(table: pa.Table, recipe: Recipe) -> Tally:
    """The tally of all traces of some canonical rows."""
    part = build_partition(table, recipe)
    for _ in part.rows:
        pass
    return part.tally


def traces_of(table: pa.Table, recipe: Recipe, questions: int = 0) -> list[Trace]:
    """The traces of some canonical rows, of the first so many questions that give any."""
    found: dict[int, list[Trace]] = {}
    for trace in build_partition(table, recipe).traces:
        found.setdefault(trace.plan.question.id, []).append(trace)
        if questions and len(found) > questions:
            break
    kept = list(found.values())[: questions or None]
    return [trace for traces in kept for trace in traces]


def whole_questions(head: pa.Table, rows: int) -> tuple[pa.Table, bool]:
    """
    Of the first rows of a source with so many rows (0: unknown), those of whole questions; and whether that is known.

    It isn't where the rows of a question don't stand together.
    """
    if rows and head.num_rows >= rows:
        return head, True
    grouped, complete = source_facts.complete_questions(head)
    return (complete, True) if grouped else (head, False)


def first_to_show(rows: pa.Table, recipe: Recipe) -> int:
    """`question.first_to_show`: the question among some rows with which a page begins."""
    return living.first_to_show(rows, recipe)


def told(rows: pa.Table, recipe: Recipe, question: int) -> Told:
    """`question.told`: the traces of one question among some rows, or why there are none."""
    return living.told(rows, recipe, question)


def changed_questions(rows: pa.Table, before: Recipe, after: Recipe) -> list[int]:
    """`question.changed_questions`: those among some rows whose traces a change changes."""
    return living.changed_questions(rows, before, after)


def questions_in(rows: pa.Table, recipe: Recipe) -> list[int]:
    """`question.questions_in`: the ids of the questions in some rows."""
    return living.questions_in(rows, recipe)


def compared(rows: pa.Table, left: Recipe, right: Recipe) -> list[Pair]:
    """The same questions under two recipes."""
    return pairs(rows, left, right)


def both(left: Narrow, right: Narrow, mine: Recipe, other: Recipe) -> tuple[Outlook, Outlook]:
    """What two recipes would give."""
    return prospects(left.facts, mine), prospects(right.facts, other)


def questions_with(
    source: "Address | RawSource", recipe: Recipe, words: str, most: int
) -> list[tuple[int, str]]:
    """`lookup.find_questions` of a source. Errors: SourceError."""
    return list(find_questions(at(source), recipe, words, most))


def rows_of(source: "Address | RawSource", recipe: Recipe, questions: list[int]) -> pa.Table:
    """The canonical rows of some questions, by id. Errors: SourceError."""
    return rows_of_questions(at(source), recipe, questions)


def checked(source: "Address | RawSource", recipe: Recipe) -> None:
    """Errors: ColumnError, RecipeError where a recipe can't be used on a source."""
    ready_recipe(at(source), recipe)


def pace(source: "Address | RawSource", recipe: Recipe, size: int) -> Pace:
    """How quickly some first rows become traces."""
    table = first_bytes(source, recipe.columns, size)
    began = time.perf_counter()
    made_of(table, recipe)
    return Pace(table.num_rows, time.perf_counter() - began)
