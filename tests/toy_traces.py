"""Traces of a few rows for tests of what shows and checks them; every text can be chosen."""

from pathlib import Path
from typing import Any

from skill_factory.model import Trace, TraceFormat
from skill_factory.pipeline import preview
from skill_factory.recipe import Recipe
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
