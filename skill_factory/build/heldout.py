"""The questions that are held out: a config of their own beside the traces, with their gold answers, for evaluation."""

from collections import Counter
from collections.abc import Sequence
from shutil import copyfileobj

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.asked import asked
from skill_factory.build.folder import BuildFolder
from skill_factory.build.owned import HELD_OUT
from skill_factory.build.storage import written_whole
from skill_factory.draws import text_id
from skill_factory.errors import ColumnError
from skill_factory.judge.first_questions import golds_of_questions
from skill_factory.model import hex_id
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource

SHARD = "test-00000-of-00001.parquet"
ROWS = pa.schema([("question_id", pa.string()), ("question", pa.string()), ("answer", pa.string())])


def check_golds(recipe: Recipe, holdout: bool) -> None:
    """Refuse to hold out questions that nobody could grade. Errors: ColumnError."""
    if holdout and not recipe.columns.answer:
        raise ColumnError(
            "Questions that are held out need gold answers, and no column is mapped to them. Use --map answer=COLUMN, or "
            "leave out --holdout."
        )


def write_held_out(folder: BuildFolder, parts: Sequence[tuple[RawSource, Recipe]]) -> int:
    """
    Write the questions that the recipes of these sources hold out and that have a gold answer, in order of their ids; how many.

    A question that several sources have gets the gold answer of the first. Errors: SourceError.
    """
    place = folder.path / HELD_OUT / SHARD
    golds: dict[str, Counter[str]] = {}
    for source, recipe in parts:
        held = set(np.frombuffer(recipe.clean.ruled[2], "<u8").tolist())
        found = golds_of_questions(source, recipe.columns, held - {text_id(one) for one in golds})
        golds |= {question: answers for question, answers in found.items() if answers}
    rows = [
        {
            "question_id": hex_id(text_id(question)),
            "question": asked(question).cell,
            "answer": _settled(answers),
        }
        for question, answers in sorted(golds.items(), key=lambda item: hex_id(text_id(item[0])))
    ]
    if rows:
        place.parent.mkdir(exist_ok=True)
        with written_whole(place) as file:
            pq.write_table(pa.Table.from_pylist(rows, schema=ROWS), file, store_schema=False)
    return len(rows)


def copy_held_out(source: BuildFolder, target: BuildFolder) -> None:
    """The same held-out questions in another folder, where `source` has any."""
    written = source.path / HELD_OUT / SHARD
    if written.is_file():
        place = target.path / HELD_OUT / SHARD
        place.parent.mkdir(exist_ok=True)
        with written.open("rb") as read, written_whole(place) as file:
            copyfileobj(read, file)


def _settled(answers: Counter[str]) -> str:
    # The most frequent; the alphabet decides a tie, so that the order of rows doesn't.
    return min(answers, key=lambda answer: (-answers[answer], answer))
