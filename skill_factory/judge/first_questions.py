"""The rows of some questions, read as cheaply as possible.

Questions are read on their own, then only the pieces that ask one of the wanted ones, and of these only the rows that
match: a preview of twenty questions from millions of rows touches a few pieces, and few rows in them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.draws import order_keys
from skill_factory.judge.facts import Ids, text_ids
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources import Piece, RawSource
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import CANONICAL, Batch, Row, gold_of, is_unicode, of_question, question_of

T = TypeVar("T")

Asked: TypeAlias = tuple[Piece, Mapping[int, str]]
"""A piece, and the questions asked in it, by id."""
AT_ONCE = 2
"""Pieces that are looked through side by side."""
SPARE = 25
"""Percent of the wanted questions that are looked for in addition, since some may turn out unusable."""
MORE = 4
"""How many times as many questions are looked for each time that the last ones were too few."""


def first_rows(source: RawSource, recipe: Recipe, questions: int) -> tuple[pa.Table, bool]:
    """
    The canonical rows of the first questions in written order, and whether these are all questions of the source.

    Errors: SourceError.
    """
    found, order = _in_written_order(source, recipe)
    return _rows_in(found, recipe, order[:questions]), questions >= len(order)


def ever_more_rows(source: RawSource, recipe: Recipe, questions: int) -> Iterator[tuple[pa.Table, bool]]:
    """
    What `first_rows` gives, for at least so many questions, then for more and more of them until they are all.

    Reading a piece costs the same for many questions as for one. So at first only those pieces are read that ask one of
    the first questions, or of a few spare ones, but for four times as many questions. Errors: SourceError.
    """
    found, order = _in_written_order(source, recipe)
    first, wanted = set(order[: questions + SPARE * questions // 100].tolist()), order[: questions * MORE]
    soon = [one for one in found if first & one[1].keys()]
    late = [one for one in found if not first & one[1].keys()]
    rows = _rows_in(soon, recipe, wanted)
    # What is shown of a question has to be all of it. Up to the first question that a piece not yet read asks too,
    # everything is there; so that head is offered first, and the other pieces are read only if it was too little.
    whole = next((k for k, one in enumerate(wanted.tolist()) if _is_asked_in(late, one)), len(wanted))
    if whole < len(wanted):
        texts = {asked[one] for one in wanted[:whole].tolist() for _, asked in soon if one in asked}
        yield _with_questions_of(rows, texts), False
        rows = pa.concat_tables([rows, _rows_in(late, recipe, wanted)])
    yield rows, len(wanted) == len(order)
    while len(wanted) < len(order):
        wanted = order[: len(wanted) * MORE]
        yield _rows_in(found, recipe, wanted), len(wanted) == len(order)


def rows_of_questions(source: RawSource, recipe: Recipe, wanted: Iterable[int]) -> pa.Table:
    """The canonical rows (columns.CANONICAL) of some questions, by id. Errors: SourceError."""
    ids = set(wanted)
    return _at_once(
        lambda piece: _rows_of(piece, _asked_in(piece, recipe.columns), recipe, ids), source.pieces()
    )


def different_questions(source: RawSource, columns: Columns) -> Iterator[tuple[Ids, list[str]]]:
    """The different questions of each batch; no other column is read where the format allows."""
    for piece in source.pieces():
        yield from _questions_in(piece, columns)


def golds_of_questions(source: RawSource, columns: Columns, wanted: Set[int]) -> dict[str, Counter[str]]:
    """The gold answers of some questions, by id: how often each stands beside the question's text. Errors: SourceError."""
    # Responses are most of a source's bytes; where the format has columns they aren't even read.
    narrow = of_question(columns, answer=columns.answer)
    golds: dict[str, Counter[str]] = {}
    for piece in source.pieces() if wanted else ():
        for batch in piece.batches(narrow):
            texts = _question_column(batch, narrow)
            asked = {text for one, text in zip(text_ids(texts).tolist(), texts, strict=True) if one in wanted}
            for row in _listed(_with_questions(batch, narrow, asked)) if asked else ():
                answers = golds.setdefault(str(question_of(row, narrow)), Counter())
                if (gold := gold_of(row, narrow)) and gold.strip():
                    answers[gold] += 1
    return golds


def _listed(batch: Batch) -> list[Row]:
    return batch.to_pylist() if isinstance(batch, pa.RecordBatch) else list(batch)


def _questions_in(piece: Piece, columns: Columns) -> Iterator[tuple[Ids, list[str]]]:
    narrow = of_question(columns)
    for batch in piece.batches(narrow):
        texts = _question_column(batch, narrow)
        yield text_ids(texts), texts


def _in_written_order(source: RawSource, recipe: Recipe) -> tuple[Sequence[Asked], Ids]:
    """The pieces of a source with what each asks, and the ids of all questions in written order."""
    found = [(piece, _asked_in(piece, recipe.columns)) for piece in source.pieces()]
    # Sorted before a stable sort: questions with equal keys keep the order of their ids, as in `written_order`.
    every = np.array(sorted({one for _, asked in found for one in asked}), np.uint64)
    return found, every[np.argsort(order_keys(recipe.traces.seed, every), kind="stable")]


def _rows_in(found: Iterable[Asked], recipe: Recipe, wanted: Ids) -> pa.Table:
    """The canonical rows of some questions in some pieces."""
    ids = set(wanted.tolist())
    return _at_once(lambda one: _rows_of(*one, recipe, ids), found)


def _is_asked_in(found: Iterable[Asked], question: int) -> bool:
    return any(question in asked for _, asked in found)


def _asked_in(piece: Piece, columns: Columns) -> dict[int, str]:
    """The questions of a piece by id."""
    asked: dict[int, str] = {}
    for ids, texts in _questions_in(piece, columns):
        asked.update(zip(ids.tolist(), texts, strict=True))
    return asked


def _rows_of(piece: Piece, asked: Mapping[int, str], recipe: Recipe, wanted: Set[int]) -> pa.Table:
    """The rows of a piece that ask one of the wanted questions."""
    tables = [CANONICAL.empty_table()]
    texts = {asked[one] for one in wanted & asked.keys()}
    for batch in piece.batches(recipe.columns) if texts else ():
        # Rows are filtered by their question's text before they are read: reading a row costs far more than a look.
        some = _with_questions(batch, recipe.columns, texts)
        tables.append(canonical(some, recipe.columns).table.cast(CANONICAL))
    return pa.concat_tables(tables)


def _at_once(task: Callable[[T], pa.Table], items: Iterable[T]) -> pa.Table:
    """The rows of each, some made side by side: what reads a source waits for disk and network, or is Arrow's own."""
    # Threads, not processes: what they wait for, or Arrow's own code, runs without the interpreter's lock.
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        return pa.concat_tables([CANONICAL.empty_table(), *pool.map(task, items)])
    finally:
        pool.shutdown(cancel_futures=True)


def _question_column(batch: Batch, columns: Columns) -> list[str]:
    if (column := _as_it_is(batch, columns)) is not None:
        # Arrow finds the different texts without making a string of any other.
        return [text for text in pc.unique(column).to_pylist() if text]
    # A path into a struct, a rule of reading, or rows of JSON: these are looked at one by one.
    rows = batch.to_pylist() if isinstance(batch, pa.RecordBatch) else batch
    texts = (question_of(row, columns) for row in rows)
    return list(dict.fromkeys(text for text in texts if isinstance(text, str) and is_unicode(text) and text))


def _with_questions(batch: Batch, columns: Columns, texts: Set[str]) -> Batch:
    if not isinstance(batch, pa.RecordBatch):
        return [row for row in batch if _asks(row, columns, texts)]
    if (column := _as_it_is(batch, columns)) is not None:
        return batch.filter(pc.is_in(column, value_set=pa.array(sorted(texts), column.type)))
    mask = [_asks(row, columns, texts) for row in batch.to_pylist()]
    return batch.filter(pa.array(mask, pa.bool_()))


def _as_it_is(batch: Batch, columns: Columns) -> pa.Array | None:
    """The column of questions where it holds them as texts, to be read as they are."""
    if (
        not isinstance(batch, pa.RecordBatch)
        or columns.question_rule
        or columns.question_rest
        or columns.only
    ):
        return None
    there = batch.schema.get_field_index(columns.question) >= 0
    return batch.column(columns.question) if there and _plain_text(batch.column(columns.question)) else None


def _with_questions_of(rows: pa.Table, texts: Set[str]) -> pa.Table:
    return rows.filter(pc.is_in(rows["question"], value_set=pa.array(sorted(texts), pa.large_string())))


def _asks(row: Row, columns: Columns, texts: Set[str]) -> bool:
    asked = question_of(row, columns)
    return isinstance(asked, str) and asked in texts


def _plain_text(column: pa.Array) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))
