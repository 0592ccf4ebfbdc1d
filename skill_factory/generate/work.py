"""What a run needs from each kind of work: the requests of a source, round by round, and the rows their answers make."""

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
    """A kind of work: responses, reflections, or outputs to be measured."""

    @property
    def kind(self) -> str:
        """The name of the kind, as reports write it."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """The schema of the rows."""
        ...

    @property
    def rounds(self) -> int:
        """How often the source is read; later rounds depend on the answers of earlier ones."""
        ...

    def requests(self, number: int, store: AnswerStore) -> Iterator[Request]:
        """All requests of a round, answered or not."""
        ...

    def rows(self, store: AnswerStore, counts: Counter[str]) -> Iterator[dict[str, Any]]:
        """The raw rows from the answers in the store; what they show is counted on the way."""
        ...


def slices(batch: Batch) -> Iterator[list[dict[str, Any]]]:
    """The rows of a batch, a few hundred at a time."""
    if isinstance(batch, list):
        yield from (batch[start : start + SLICE] for start in range(0, len(batch), SLICE))
        return
    for start in range(0, batch.num_rows, SLICE):
        yield batch.slice(start, SLICE).to_pylist()


def questions(source: RawSource, columns: Columns, counts: Counter[str]) -> Iterator[Question]:
    """The distinct questions of a source in its order; rows without one are counted. Memory: an id of 8 bytes each."""
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
    """A gold answer as text, which may be stored as a number, or first in a list."""
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or value != value:  # NaN is how pandas stores a missing value
        return None
    text = str(value)
    return text if is_unicode(text) else None


def pilot_questions(source: RawSource, columns: Columns, size: int, seed: int) -> tuple[frozenset[int], int]:
    """The ids of a random sample of the questions, and how many questions there are in all."""
    import numpy as np

    # The questions with the smallest keyed hashes, in which a build writes them: a larger pilot holds a smaller one.
    ids = np.fromiter((text_id(text) for text, _ in questions(source, columns, Counter())), np.uint64)
    order = np.argsort(order_keys(seed, ids), kind="stable")[:size]
    return frozenset(ids[order].tolist()), len(ids)


def check_question(columns: Columns, names: list[str]) -> Columns:
    """The columns themselves. Errors: ColumnError where none holds the questions."""
    if not columns.question:
        raise ColumnError(
            f"No column for question. Found: {wording.found(names)}. Choose one, e.g. --map question={names[0]}."
        )
    return columns
