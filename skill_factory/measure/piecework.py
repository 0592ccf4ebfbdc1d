"""What a worker does: a piece of a source becomes rows of the table, by rules that are made once in each process."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from skill_factory.grading import task_named
from skill_factory.judge.reflections import verdict_rule
from skill_factory.judge.responses import last_boxed
from skill_factory.measure.counting import CountTokens, count_outputs, schema
from skill_factory.measure.grades import Grades
from skill_factory.measure.layout import Layout
from skill_factory.measure.parts import Rules, names_of
from skill_factory.measure.row_outputs import outputs_of
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.patterns import compiled
from skill_factory.sources import Piece
from skill_factory.sources.columns import Batch
from skill_factory.traces.lengths import estimating_counter, load_counter

ROWS_AT_ONCE = 500
"""Rows taken apart at a time."""


@dataclass(frozen=True)
class How:
    """How outputs are counted; it travels to workers, which make their rules from it."""

    recipe: Recipe
    task: str = "auto"
    stated: bool = False
    boxed: bool = False
    tokenizer: str = ""
    by: tuple[str, ...] = ()
    # A record of plain values: the rules themselves hold functions, which can't be sent to another process.
    texts: bool = False


Counted = tuple[pa.Table, Counter[str]]
"""Rows of the table, and what could not be read, by reason."""
Work = tuple[Layout, How, Piece]


def count_piece(layout: Layout, how: How, piece: Piece) -> Counted:
    """The rows of the table for a piece of a source."""
    parts = [count_batch(layout, how, batch) for batch in piece.batches(layout.columns())]
    dropped: Counter[str] = Counter()
    for _, reasons in parts:
        dropped.update(reasons)
    return pa.concat_tables(
        [schema(how.by, how.texts).empty_table(), *(table for table, _ in parts)]
    ).unify_dictionaries().combine_chunks(), dropped


def count_batch(layout: Layout, how: How, batch: Batch) -> Counted:
    """The rows of the table for a batch, some hundred at a time: only they are Python objects at once."""
    # Per process, not per batch: what was graded once is remembered for the batches that follow.
    rules, grades = rules_of(how), _grades(how.task)
    count, dropped = counter_of(how.tokenizer)[0], Counter[str]()
    tables = []
    for rows in _slices(batch):
        outputs = (one for row in rows for one in outputs_of(row, layout, dropped))
        tables.append(count_outputs(outputs, rules, grades, count, how.by, how.texts))
    return pa.concat_tables([schema(how.by, how.texts).empty_table(), *tables]).unify_dictionaries(), dropped


def _slices(batch: Batch) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(batch), ROWS_AT_ONCE):
        yield (
            # A batch of a text file is a list of rows already; one of Parquet becomes Python objects slice by slice.
            batch[start : start + ROWS_AT_ONCE]
            if isinstance(batch, list)
            else batch.slice(start, ROWS_AT_ONCE).to_pylist()
        )


# -- rules, made once in each process ------------------------------------------------------------------------------


def rules_of(how: How) -> Rules:
    """The rules of a recipe, made once."""
    recipe = how.recipe
    # By its JSON, since a recipe holds tables and so can't be a key itself.
    return _rules(recipe.model_dump_json(), how.stated, how.boxed)


@lru_cache(maxsize=32)
def _rules(recipe_json: str, stated: bool, boxed: bool) -> Rules:
    recipe = Recipe.model_validate_json(recipe_json)
    verdicts = recipe.verdicts
    # An output has no column of verdicts beside it: its own tags are all there is to read.
    judge = verdict_rule(
        verdicts if verdicts.rule != "column" else verdicts.model_copy(update={"rule": "tag"})
    )
    return Rules(names_of(recipe.tags), lambda text: judge(text, ""), boxed, stated, answer_of(recipe))


def answer_of(recipe: Recipe) -> Callable[[str], str | None]:
    """The recipe's answer rule for a text without answer tags: its box, or its pattern."""
    answers = recipe.answers
    pattern = compiled(answers.pattern) if answers.pattern else None
    known: dict[str, Callable[[str], str | None]] = {
        "boxed": last_boxed,
        "regex": lambda text: pattern.last(text) if pattern else None,
    }
    chosen = [known[rule] for rule in answers.rules if rule in known]

    def find(text: str) -> str | None:
        candidates = (rule(text) for rule in chosen)
        # Rules in the recipe's order; an answer of white space is none, and the next rule is tried.
        return next((answer.strip() for answer in candidates if answer and not answer.isspace()), None)

    return find


@lru_cache(maxsize=4)
def _grades(task: str) -> Grades:
    return Grades(task_named(task))


@lru_cache(maxsize=4)
def counter_of(tokenizer: str) -> tuple[CountTokens, str]:
    """A way to count tokens and its name: the tokenizer given, or the labelled estimate."""
    counter = load_counter(tokenizer) if tokenizer else estimating_counter()
    return counter.count, counter.name
