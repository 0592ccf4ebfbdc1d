"""Whole batches become canonical rows: by Arrow's kernels where values are of the usual shape, row by row elsewhere.

Both ways give the same rows in the same order; a test holds them together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.reasons import Level
from skill_factory.recipe.fields import MANY, REQUIRED
from skill_factory.recipe.model import Columns
from skill_factory.sources.columns import (
    CANONICAL,
    Batch,
    CanonicalRow,
    RowError,
    mapped,
    read_row,
)
from skill_factory.tally import EXAMPLES, Tally


@dataclass(frozen=True)
class Canonical:
    """A batch read: the table of responses (CANONICAL), the rows it came from and the rows that could not be read."""

    table: pa.Table
    rows: int
    errors: list[RowError]


def canonical(batch: Batch, columns: Columns) -> Canonical:
    """The responses of a batch in its order, its row errors and its number of rows."""
    if not isinstance(batch, pa.RecordBatch):
        return _row_by_row(batch, columns)[0]
    usual = _usual_rows(batch, columns)
    if usual is None:
        return _row_by_row(batch.to_pylist(), columns)[0]
    read, fast = usual
    if read.all():
        return Canonical(fast, batch.num_rows, [])
    odd = np.flatnonzero(~read)
    slow, per_row = _row_by_row(batch.take(pa.array(odd)).to_pylist(), columns)
    rows = np.concatenate([np.flatnonzero(read), np.repeat(odd, per_row)])
    order = pa.array(np.argsort(rows, kind="stable"))
    return Canonical(pa.concat_tables([fast, slow.table]).take(order), batch.num_rows, slow.errors)


def _row_by_row(rows: list[dict[str, Any]], columns: Columns) -> tuple[Canonical, list[int]]:
    """The responses of some rows, and how many each row gave."""
    found: list[CanonicalRow] = []
    errors: list[RowError] = []
    per_row = []
    for row in rows:
        result = read_row(row, columns)
        if isinstance(result, RowError):
            errors.append(result)
            per_row.append(0)
        else:
            found.extend(result)
            per_row.append(len(result))
    arrays = zip(*found, strict=True) if found else [()] * len(CANONICAL)
    data = [pa.array(list(values), field.type) for values, field in zip(arrays, CANONICAL, strict=True)]
    return Canonical(pa.Table.from_arrays(data, schema=CANONICAL), len(rows), errors), per_row


def _usual_rows(batch: pa.RecordBatch, columns: Columns) -> tuple[npt.NDArray[np.bool_], pa.Table] | None:
    """
    Which rows kernels can read, and those as a canonical table; None if the types are unusual.

    Usual is: one response column, texts as strings or lists of strings, labels as booleans or lists of booleans.
    """
    simple = len(columns.response) == 1 and not columns.verdicts
    if not simple or any(batch.schema.get_field_index(path) < 0 for _, path in mapped(columns)):
        return None
    ok = pa.array([True]).take(pa.array([0] * batch.num_rows, pa.int32()))
    parts: dict[str, pa.Array] = {}
    for field, path in mapped(columns):
        column = batch.column(path)
        listed = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
        leaf = column.type.value_type if listed else column.type
        if not (pa.types.is_boolean(leaf) if field == "correct" else _is_string(leaf)):
            return None
        if field == "reflections":
            if not listed:
                return None
            parts[field] = column
            continue
        if listed and field not in MANY:
            return None
        if listed:
            one = pc.fill_null(pc.equal(pc.list_value_length(column), 1), False)
            ok = pc.and_(ok, one)
            column = _only_items(column, one)
        if field in REQUIRED:
            ok = pc.and_(ok, pc.is_valid(column))
        if field == "question":
            ok = pc.and_(ok, pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(column), ""), False))
        parts[field] = column
    if parts.get("reflections") is not None and parts["reflections"].values.null_count:
        return None  # a missing reflection reads as an empty one: the rule for one row knows
    read = np.asarray(ok.to_numpy(zero_copy_only=False), np.bool_)
    chosen = parts if read.all() else {field: column.filter(ok) for field, column in parts.items()}
    return read, _canonical_table(chosen, int(read.sum()))


def _only_items(column: pa.Array, one: pa.Array) -> pa.Array:
    """The item of each list that holds just one, null elsewhere; the items as they lie where all lists hold one."""
    if pc.all(one).as_py():
        return column.flatten()
    return pc.list_element(pc.if_else(one, column, pa.scalar(None, column.type)), 0)


def _canonical_table(parts: Mapping[str, pa.Array], rows: int) -> pa.Table:
    names = {"extracted": "extracted_answer", "variant": "prompt_variant"}
    arrays = []
    for field in CANONICAL:
        column = parts.get(names.get(field.name, field.name))
        if column is None:
            empty = pa.large_list(pa.large_string())
            column = (
                pa.array([[]], empty).take(pa.array([0] * rows, pa.int32())) if field.type == empty else None
            )
            column = pa.nulls(rows, field.type) if column is None else column
        elif field.name == "reflections" and column.null_count:
            column = pc.if_else(pc.is_valid(column), column, pa.scalar([], column.type)).cast(field.type)
        arrays.append(column.cast(field.type))
    return pa.Table.from_arrays(arrays, schema=CANONICAL)


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def tally_rows(batch: Canonical) -> Tally:
    """Rows read and dropped, and what the dropped ones took along."""
    tally = Tally()
    rows = tally.ledger[Level.ROWS]
    rows.read, rows.kept = batch.rows, batch.rows - len(batch.errors)
    for error in batch.errors:
        rows.dropped[error.reason.value] += 1
        shown = f"{error.field}: {error.found}"
        tally.examples[error.reason.value] = sorted({*tally.examples.get(error.reason.value, []), shown})[
            :EXAMPLES
        ]
    for level, taken in (
        (Level.RESPONSES, sum(error.responses for error in batch.errors)),
        (Level.REFLECTIONS, sum(error.reflections for error in batch.errors)),
    ):
        tally.ledger[level].read += taken
        if taken:
            tally.ledger[level].dropped["row_dropped"] += taken
    return tally
