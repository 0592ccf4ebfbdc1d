"""Traces of a few rows for tests of what shows and checks them; every text can be chosen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from skill_factory.build.pipeline import preview
from skill_factory.model import Reflection, Response, Trace, TraceFormat, hex_id
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.phrases import phrase_book
from skill_factory.traces.bulk.typeset import typeset
from skill_factory.traces.rows import schema, to_table
from tests.make_raw import Row, row, verdict, write_parquet

QUESTION = "Make 42 from 6 and 7."


def responses(right: int = 3, wrong: int = 2, question: str = QUESTION, extra: str = "") -> list[Row]:
    """Rows of one question; each text names its place, and `extra` stands in all of them and in their critiques."""
    truths = [True] * right + [False] * wrong
    return [
        row(
            question,
            f"Try {place}: 6 x 7. {extra}\n<answer>{42 if correct else place}</answer>",
            correct,
            [verdict(correct, f"Looked at {place}. {extra}")],
            variant="original" if place % 2 else "plan_and_execute",
        )
        for place, correct in enumerate(truths)
    ]


def traces(folder: Path, rows: list[Row], **changes: Any) -> list[Trace]:
    """The traces of some rows under a recipe with N = 3, changed by `traces__attempts=2` and the like."""
    wanted = {"traces.attempts": 3} | {name.replace("__", "."): value for name, value in changes.items()}
    source = write_parquet(rows, folder / "rows.parquet")
    return preview(str(source), Recipe().changed(wanted)).traces


def every_format(folder: Path, rows: list[Row], **changes: Any) -> list[Trace]:
    """The traces of some rows in every format."""
    return traces(folder, rows, traces__formats=[code.value for code in TraceFormat], **changes)


def response(
    number: int,
    text: str,
    correct: bool,
    answer: str,
    variant: str = "",
    reflections: Sequence[Reflection] = (),
) -> Response:
    """A response made by hand, with a text and reflections of its own."""
    return Response(number, 0, correct, answer, variant, [text], [reflections])


def reflection(number: int, text: str) -> Reflection:
    """A reflection made by hand, with a text of its own."""
    return Reflection(number, 0, [text])


def rows_of(traces: Sequence[Trace], lineage: bool = True, recipe: Recipe | None = None) -> list[Row]:
    """Traces as rows of a data set, as a build writes them; their texts and ids are those of the traces."""
    recipe = (recipe or Recipe()).changed({"output.lineage": lineage})
    made = typeset([trace.plan for trace in traces], phrase_book(recipe.phrases), recipe)
    tables = [schema(recipe).empty_table(), *(to_table(some, recipe) for some in made)]
    rows: list[Row] = pa.concat_tables(tables).to_pylist()
    for found, trace in zip(rows, traces, strict=True):
        assert found["conversations"][1]["content"] == trace.text
        assert not lineage or found["trace_id"] == hex_id(trace.id)
    return rows
