"""What a run wants to know: the requests of a source, round by round, and the raw rows that their answers make."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

import pyarrow as pa

from skill_factory import wording
from skill_factory.draws import order_keys, text_id
from skill_factory.errors import ColumnError
from skill_factory.generate.request import Request
from skill_factory.generate.store import AnswerStore
from skill_factory.recipe.model import Columns
from skill_factory.sources import RawSource
from skill_factory.sources.columns import Batch, is_unicode, of_question, question_of, value_at

STAGE = "model_responses__mutated_prompts"
SLICE = 256
"""Rows turned into Python objects at once: more would hold up the answers that arrive meanwhile."""

Question = tuple[str, str | None]
"""Text and gold answer."""


class Work(Protocol):
    """One of the two kinds of work."""

    @property
    def kind(self) -> str:
        """`responses` or `reflections`."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """Of the rows."""
        ...

    @property
    def rounds(self) -> int:
        """How often the source is gone through; later rounds depend on earlier answers."""
        ...

    def requests(self, number: int, store: AnswerStore) -> Iterator[Request]:
        """All requests of a round, answered or not."""
        ...

    def rows(self, store: AnswerStore, counts: Counter[str]) -> Iterator[dict[str, Any]]:
        """The raw rows; what was seen on the way is counted."""
        ...


def slices(batch: Batch) -> Iterator[list[dict[str, Any]]]:
    """The rows of a batch, some at a time."""
    if isinstance(batch, list):
        yield from (batch[start : start + SLICE] for start in range(0, len(batch), SLICE))
        return
    for start in range(0, batch.num_rows, SLICE):
        yield batch.slice(start, SLICE).to_pylist()


def questions(source: RawSource, columns: Columns, counts: Counter[str]) -> Iterator[Question]:
    """The different questions of a source in its order; rows without one are counted. Memory: 8 bytes of id each."""
    narrow = of_question(columns, answer=columns.answer)
    seen: set[int] = set()
    for piece in source.pieces():
        for batch in piece.batches(narrow):
            for row in (row for part in slices(batch) for row in part):
                text = question_of(row, narrow)
                if not isinstance(text, str) or not text.strip() or not is_unicode(text):
                    counts["rows_without_question"] += 1
                    continue
                if (identity := text_id(text)) not in seen:
                    seen.add(identity)
                    yield text, _plain(value_at(row, narrow.answer))


def _plain(value: Any) -> str | None:
    """A gold answer as text: numbers are often stored as such, and lists hold it first."""
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or value != value:
        return None
    text = str(value)
    return text if is_unicode(text) else None


def pilot_questions(source: RawSource, columns: Columns, size: int, seed: int) -> tuple[frozenset[int], int]:
    """The ids of a fair sample of the questions (the smallest keyed hashes), and how many there are in all."""
    import numpy as np

    ids = np.fromiter((text_id(text) for text, _ in questions(source, columns, Counter())), np.uint64)
    order = np.argsort(order_keys(seed, ids), kind="stable")[:size]
    return frozenset(ids[order].tolist()), len(ids)


def check_question(columns: Columns, names: list[str]) -> Columns:
    """Errors: ColumnError where no column holds the questions."""
    if not columns.question:
        raise ColumnError(
            f"No column for question. Found: {wording.found(names)}. Choose one, e.g. --map question={names[0]}."
        )
    return columns
