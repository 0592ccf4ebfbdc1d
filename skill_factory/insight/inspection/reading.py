"""The rows of a first look: all of a small source, the head of a large one, labelled or not, and what was found in them."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.draws import order_keys
from skill_factory.insight.inspection.record import Found
from skill_factory.judge.facts import one_array, question_ids
from skill_factory.judge.texts import Texts
from skill_factory.reasons import Level
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource
from skill_factory.sources.canonical import Canonical, canonical, tally_rows
from skill_factory.sources.columns import CANONICAL
from skill_factory.tally import Tally

SAMPLE_ROWS = 20_000
"""Rows of a larger source that are read, and responses whose texts are looked at for doubts."""
ONE_LOOK = 20_000_000
"""Sources up to this many bytes are read whole."""
ONE_SAMPLE = 30_000_000
"""Bytes of text after which a sample ends, however few its rows."""
ENOUGH_BYTES, ENOUGH_ROWS = 16_000_000, 5_000
"""Text, and rows with it, after which a sample ends too: as much as is looked at for doubts, one batch of Parquet."""
LARGEST_LOOK = 200_000_000
"""Bytes of text after which every look ends: a compressed source may hold a thousand times its size."""
ROW = "source_row"
"""The column with the number of the row that a response came from."""


def first_rows(raw: RawSource, recipe: Recipe, whole: bool, most: int) -> tuple[pa.Table, Tally, bool]:
    """The responses read, labelled or not, each with the number of its row; the tally of rows; whether there is more."""
    tally = Tally()
    empty = CANONICAL.empty_table().append_column(ROW, pa.array([], pa.int64()))
    tables, size = [empty], 0
    for piece in raw.pieces():
        for batch in piece.batches(recipe.columns):
            rows = canonical(batch, recipe.columns, unlabelled=True)
            numbers = rows.row_of + tally.ledger[Level.ROWS].read
            tally.add(_tally(rows, numbers))
            tables.append(rows.table.append_column(ROW, pa.array(numbers)))
            size += rows.table.nbytes
            read = tally.ledger[Level.ROWS].read
            full = read >= most or size >= ONE_SAMPLE or (size >= ENOUGH_BYTES and read >= ENOUGH_ROWS)
            enough = full and not whole
            if enough or size >= LARGEST_LOOK:
                more = not raw.rows or read < raw.rows
                return pa.concat_tables(tables), tally, more
    return pa.concat_tables(tables), tally, False


def _tally(rows: Canonical, numbers: "np.ndarray[Any, Any]") -> Tally:
    """The tally of a batch as a build counts it, where a row that lacks a label is dropped."""
    tally = tally_rows(rows)
    lacking = rows.table["correct"].is_null().to_numpy()
    if not lacking.any():
        return tally
    # All responses of such a row: a build drops rows, not single responses of them.
    gone = np.isin(numbers, np.unique(numbers[lacking]))
    counted = tally.ledger[Level.ROWS]
    dropped = len(np.unique(numbers[gone]))
    counted.kept -= dropped
    counted.dropped["no_label"] += dropped
    for level, taken in (
        (Level.RESPONSES, int(gone.sum())),
        (Level.REFLECTIONS, _texts_of(rows.table.filter(gone))),
    ):
        tally.ledger[level].read += taken
        if taken:
            tally.ledger[level].dropped["row_dropped"] += taken
    return tally


def _texts_of(rows: pa.Table) -> int:
    return int(pc.sum(pc.list_value_length(rows["reflections"])).as_py() or 0)


def texts_looked_at(rows: pa.Table) -> pa.Table:
    """The responses whose texts are looked at for doubts: as many as fit ONE_LOOK."""
    most = SAMPLE_ROWS if rows.nbytes <= ONE_LOOK else rows.num_rows * ONE_LOOK // rows.nbytes
    return rows.slice(0, max(1, most))


def by_label(rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows as a build takes them, and all responses of those rows of the source that lack a label."""
    lacking = pc.unique(rows[ROW].filter(pc.is_null(rows["correct"])))
    dropped = pc.is_in(rows[ROW], value_set=lacking)
    taken, others = rows.filter(pc.invert(dropped)) if len(lacking) else rows, rows.filter(dropped)
    return taken.drop_columns([ROW]).cast(CANONICAL), others


def some_questions(rows: pa.Table, most: int, seed: int) -> pa.Table:
    """
    All responses of some questions, at most so many; every one where there are no more.

    The questions are those that a build would write first, so they stand all over the rows, and are the same every time.
    """
    if rows.num_rows <= most:
        return rows
    places, ids, _ = question_ids(rows["question"])
    order = np.argsort(order_keys(seed, ids), kind="stable")
    together = np.cumsum(np.bincount(places, minlength=len(ids))[order])
    chosen = order[: max(1, int(np.searchsorted(together, most, side="right")))]
    return rows.filter(pa.array(np.isin(places, chosen))).slice(0, most)


def found_in(rows: pa.Table, reflections: int) -> Found:
    """How much of each there is, before any filter; the reflections are counted already."""
    right = int(pc.sum(rows["correct"]).as_py() or 0)
    unlabelled = rows["correct"].null_count
    questions = len(pc.unique(rows["question"]))
    return Found(questions, rows.num_rows, right, rows.num_rows - right - unlabelled, unlabelled, reflections)


def reflections_in(rows: pa.Table) -> int:
    """How many reflections aren't blank."""
    texts = Texts(one_array(rows["reflections"]).flatten())
    return sum(int((~block.empty()).sum()) for block in texts.blocks())
