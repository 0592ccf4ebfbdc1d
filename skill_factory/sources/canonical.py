"""Whole batches become canonical rows: by Arrow's kernels where values are of the usual shape, row by row elsewhere.

Both ways give the same rows in the same order; a test holds them together.
"""

import re
from collections import Counter
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
    rules_of,
)
from skill_factory.sources.thinking import MARKS, ThinkRule, think_rule, think_rule_of_reflections
from skill_factory.tally import EXAMPLES, Tally


@dataclass(frozen=True)
class Canonical:
    """A batch read: the table of responses (CANONICAL), the rows it came from and the rows that could not be read."""

    table: pa.Table
    rows: int
    errors: list[RowError]
    row_of: npt.NDArray[np.int64]
    """For each response the place of its row in the batch."""


def canonical(batch: Batch, columns: Columns, unlabelled: bool = False) -> Canonical:
    """
    The responses of a batch in its order, its row errors and its number of rows.

    With `unlabelled` a response that has no label is read too, with `correct` null.
    """
    if not isinstance(batch, pa.RecordBatch):
        return _row_by_row(batch, columns, unlabelled)
    usual = _usual_rows(batch, columns, unlabelled)
    if usual is None:
        return _row_by_row(batch.to_pylist(), columns, unlabelled)
    read, fast = usual
    if read.all():
        return Canonical(fast, batch.num_rows, [], np.arange(batch.num_rows))
    # A few odd rows (a missing label, a list of two) must not cost the speed of all others.
    odd = np.flatnonzero(~read)
    slow = _row_by_row(batch.take(pa.array(odd)).to_pylist(), columns, unlabelled)
    rows = np.concatenate([np.flatnonzero(read), odd[slow.row_of]])
    # Stable, so the responses of one row keep their order, which decides which place each has.
    order = np.argsort(rows, kind="stable")
    table = pa.concat_tables([fast, slow.table]).take(pa.array(order))
    return Canonical(table, batch.num_rows, slow.errors, rows[order])


def _row_by_row(rows: list[dict[str, Any]], columns: Columns, unlabelled: bool) -> Canonical:
    found: list[CanonicalRow] = []
    errors: list[RowError] = []
    per_row = []
    for row in rows:
        result = read_row(row, columns, unlabelled)
        if isinstance(result, RowError):
            errors.append(result)
            per_row.append(0)
        else:
            found.extend(result)
            per_row.append(len(result))
    arrays = zip(*found, strict=True) if found else [()] * len(CANONICAL)
    data = [pa.array(list(values), field.type) for values, field in zip(arrays, CANONICAL, strict=True)]
    row_of = np.repeat(np.arange(len(rows), dtype=np.int64), per_row)
    return Canonical(pa.Table.from_arrays(data, schema=CANONICAL), len(rows), errors, row_of)


def _usual_rows(
    batch: pa.RecordBatch, columns: Columns, unlabelled: bool
) -> tuple[npt.NDArray[np.bool_], pa.Table] | None:
    """
    Which rows kernels can read, and those as a canonical table; None if the types are unusual.

    Usual is: one response column, texts as strings or lists of strings, labels as booleans or lists of booleans, or as
    words or numbers that stand alone. Questions and labels are read once for each that is different.
    """
    # A path into a record is a field of no batch, so it goes to the rule for one row.
    if not _is_simple(columns, unlabelled) or any(
        batch.schema.get_field_index(path) < 0 for _, path in mapped(columns)
    ):
        return None
    ok = pa.array([True]).take(pa.array([0] * batch.num_rows, pa.int32()))
    parts: dict[str, pa.Array] = {}
    for field, path in mapped(columns):
        column = batch.column(path)
        if field == "correct" and columns.label_rule in ("words", "threshold"):
            column = _labels_read(column, columns)
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
            # Lists of one item, as the published script writes them, are the usual shape.
            one = pc.fill_null(pc.equal(pc.list_value_length(column), 1), False)
            ok = pc.and_(ok, one)
            column = _only_items(column, one)
        if field == "question" and columns.question_rule:
            column = _questions_read(column, columns)
        if field in REQUIRED and not (unlabelled and field == "correct"):
            ok = pc.and_(ok, pc.is_valid(column))
        if field == "question":
            ok = pc.and_(ok, pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(column), ""), False))
        parts[field] = column
    if parts.get("reflections") is not None and parts["reflections"].values.null_count:
        return None  # a missing reflection reads as an empty one: the rule for one row knows
    read = np.asarray(ok.to_numpy(zero_copy_only=False), np.bool_)
    chosen = parts if read.all() else {field: column.filter(ok) for field, column in parts.items()}
    if columns.think:
        _take_thinking_off(chosen, columns.think)
    return read, _canonical_table(chosen, int(read.sum()))


def _is_simple(columns: Columns, unlabelled: bool) -> bool:
    """Whether the mapping asks for nothing that only the rule for one row knows."""
    if not columns.correct and not unlabelled:
        return False
    plain = not (
        columns.verdicts or columns.question_rest or columns.thinking or columns.correct_else or columns.only
    )
    plain = plain and len(columns.response) == 1 and not columns.response_rule
    plain = plain and columns.question_rule != "conversation"
    return plain and columns.label_rule in ("", "words", "threshold")


def _labels_read(column: pa.Array, columns: Columns) -> pa.Array:
    """A column of words or numbers as truth values, null where the label rule knows none; others as they are."""
    if pa.types.is_nested(column.type):
        return column
    read = rules_of(columns).label
    different = column.dictionary_encode()
    values = pa.array([read(value) for value in different.dictionary.to_pylist()], pa.bool_())
    return values.take(different.indices)


def _questions_read(column: pa.Array, columns: Columns) -> pa.Array:
    """A column of texts, each read by the question rule."""
    read = rules_of(columns).question
    different = column.dictionary_encode()
    texts = [read({columns.question: text}) for text in different.dictionary.to_pylist()]
    return pa.array(texts, pa.large_string()).take(different.indices)


_SHOWS_THINKING = "|".join(re.escape(mark) for pair in MARKS for mark in pair)


def _take_thinking_off(parts: dict[str, pa.Array], rule: str) -> None:
    """Apply the think rule to responses and reflections, in place; most texts show no thinking and are not looked at."""
    texts, left_out = _without_thinking(parts["response"], think_rule(rule))
    parts["response"], parts["left_out"] = texts, left_out
    lists = parts.get("reflections")
    if lists is not None:
        texts, _ = _without_thinking(lists.values, think_rule_of_reflections(rule))
        made = pa.LargeListArray if pa.types.is_large_list(lists.type) else pa.ListArray
        valid = None if not lists.null_count else pc.invert(pc.is_valid(lists))
        parts["reflections"] = made.from_arrays(lists.offsets, texts, mask=valid)


def _without_thinking(column: pa.Array, think: ThinkRule) -> tuple[pa.Array, pa.Array]:
    """A column of texts after the think rule, and the characters that were left out of each."""
    shows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(column, _SHOWS_THINKING), False))
    left_out = np.zeros(len(column), np.int64)
    if not len(shows):
        return column, pa.array(left_out)
    read = [think(text) for text in column.take(pa.array(shows)).to_pylist()]
    left_out[shows] = [left for _, left in read]
    mask = np.zeros(len(column), np.bool_)
    mask[shows] = True
    wide = column.cast(pa.large_string())
    return pc.replace_with_mask(
        wide, pa.array(mask), pa.array([text for text, _ in read], pa.large_string())
    ), pa.array(left_out)


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
            if column is None and field.name == "left_out":
                column = pa.array(np.zeros(rows, np.int64))
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
        # The smallest examples, not the first: a tally is the same whichever batch came first.
        shown = f"{error.field}: {error.found}"
        tally.examples[error.reason.value] = sorted({*tally.examples.get(error.reason.value, []), shown})[
            :EXAMPLES
        ]
    if left_out := int(pc.sum(batch.table["left_out"]).as_py() or 0):
        responses = int(pc.sum(pc.greater(batch.table["left_out"], 0)).as_py())
        tally.counts["thinking"] = Counter({"responses": responses, "characters": left_out})
    for level, taken in (
        (Level.RESPONSES, sum(error.responses for error in batch.errors)),
        (Level.REFLECTIONS, sum(error.reflections for error in batch.errors)),
    ):
        tally.ledger[level].read += taken
        if taken:
            tally.ledger[level].dropped["row_dropped"] += taken
    return tally
