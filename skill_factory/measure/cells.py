"""What is counted of each output, as one matrix of numbers: every figure is a ratio of sums of its columns.

Sums by question are all that intervals need, so the matrix is made once and resampled as it is.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from skill_factory.measure.habits import HABITS
from skill_factory.measure.outputs import RIGHT, UNJUDGED, WRONG
from skill_factory.measure.parts import CORRECT, INCORRECT, NONE

MOVES = ("fixed", "broken", "kept_right", "kept_wrong")
SAYS = {"correct": CORRECT, "incorrect": INCORRECT, "none": NONE}
IS = {"right": RIGHT, "wrong": WRONG}
FLAGS = ("cut_off", "malformed", "repeats", "differs")
NAMES = (
    "outputs",
    "attempts",
    "answers",
    "reflections",
    "with_attempts",
    "two_attempts",
    "first",
    "final",
    "any",
    *MOVES,
    "moves_unjudged",
    "again",
    *(f"{true}_{said}" for true in IS for said in SAYS),
    "unjudged",
    "final_unjudged",
    "no_answer",
    *FLAGS,
    "same_text",
    "same_answer",
    "unpaired",
    "said",
    "correct_ends",
    "correct_goes_on",
    "incorrect_ends",
    "incorrect_tries_again",
    "shows_fix",
    "tokens",
    *HABITS,
)
"""Columns of the matrix, by name."""
PLACE = {name: place for place, name in enumerate(NAMES)}

# Some 50 columns of 8 bytes a row: 20 MB at a time.
_ROWS_AT_ONCE = 50_000
"""Rows whose cells are held at a time: a million would take as much memory as their texts."""

Matrix = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """Some outputs as numbers: a row each (or each question), and which question each asks."""

    matrix: Matrix
    questions: npt.NDArray[np.uint64]

    @property
    def sums(self) -> npt.NDArray[np.float64]:
        """Totals of all columns."""
        return np.asarray(self.matrix.sum(axis=0))

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Cells":
        """Some of the rows."""
        return Cells(self.matrix[chosen], self.questions[chosen])


def cells_of(table: pa.Table) -> Cells:
    """The matrix of a table of outputs (`outputs.TABLE`), in its order."""
    rows = table.num_rows
    columns = {name: np.zeros(rows) for name in NAMES}
    # A column of ones: shares of outputs then are ratios of sums like all others.
    columns["outputs"] += 1
    for name in ("answers", "reflections", "unpaired", "said", "tokens", *FLAGS, *HABITS):
        columns[name] = numbers(table, name).astype(np.float64)
    # UNJUDGED is -1, so marks are compared here and never summed.
    columns["no_answer"] = 1.0 - numbers(table, "answered")
    final = numbers(table, "final")
    columns["final"] = (final == RIGHT).astype(np.float64)
    columns["final_unjudged"] = (final == UNJUDGED).astype(np.float64)
    _count_attempts(_Attempts.of(table), columns)
    return Cells(
        np.stack([columns[name] for name in NAMES], axis=1),
        np.asarray(table.column("question_id").to_numpy()),
    )


def question_sums(table: pa.Table) -> Cells:
    """The matrix summed by question, in the order of their ids, whatever the order of the outputs."""
    # Sorted ids, so that two runs can be laid side by side by a search instead of a join.
    ids = np.unique(np.asarray(table.column("question_id").to_numpy()))
    matrix = np.zeros((len(ids), len(NAMES)))
    for start in range(0, table.num_rows, _ROWS_AT_ONCE):
        some = cells_of(table.slice(start, _ROWS_AT_ONCE))
        # `matrix[places] += …` would add only the last of several outputs of a question.
        np.add.at(matrix, np.searchsorted(ids, some.questions), some.matrix)
    return Cells(matrix, ids)


def numbers(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    """A column as numbers, truth values as 0 and 1."""
    column = table.column(name)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.to_numpy())


@dataclass(frozen=True)
class _Attempts:
    """All attempts of a table one after the other, each with the row it belongs to and its place there."""

    rows: int
    row: Ints
    first: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_]
    mark: Ints
    verdict: Ints
    same_text: Ints
    same_answer: Ints
    again: Ints
    final: Ints

    @classmethod
    def of(cls, table: pa.Table) -> "_Attempts":
        column = table.column("attempts").combine_chunks()
        column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        offsets = np.asarray(column.offsets).astype(np.int64)
        # A slice of a table keeps the offsets of the whole, which would point beyond its own attempts.
        offsets -= offsets[0] if len(offsets) else 0
        flat, counts = column.flatten(), np.diff(offsets)
        row = np.repeat(np.arange(table.num_rows), counts)
        first, last = np.zeros(len(row), bool), np.zeros(len(row), bool)
        # Outputs without attempts have no first and no last one; their offsets are their neighbour's.
        some = counts > 0
        first[offsets[:-1][some]], last[offsets[1:][some] - 1] = True, True
        values = {
            name: np.asarray(flat.field(name).cast(pa.int8())).astype(np.int64)
            for name in ("mark", "verdict", "same_text", "same_answer", "again")
        }
        return cls(table.num_rows, row, first, last, **values, final=numbers(table, "final"))

    def per_row(self, chosen: npt.NDArray[np.bool_]) -> Matrix:
        """How many chosen attempts each row has."""
        return np.bincount(self.row[chosen], minlength=self.rows).astype(np.float64)


def _count_attempts(tried: _Attempts, columns: dict[str, Matrix]) -> None:
    everyone = np.ones(len(tried.row), bool)
    columns["attempts"] = tried.per_row(everyone)
    columns["with_attempts"] = (columns["attempts"] > 0).astype(np.float64)
    columns["two_attempts"] = (columns["attempts"] > 1).astype(np.float64)
    columns["unjudged"] = tried.per_row(tried.mark == UNJUDGED)
    columns["same_text"], columns["same_answer"], columns["again"] = (
        tried.per_row(flag == 1) for flag in (tried.same_text, tried.same_answer, tried.again)
    )
    # Without an attempt the final answer is the only try.
    alone = (columns["attempts"] == 0) & (tried.final == RIGHT)
    columns["first"] = tried.per_row(tried.first & (tried.mark == RIGHT)) + alone
    # "Any attempt right" is at most 1 an output, however many of its attempts are right.
    columns["any"] = ((tried.per_row(tried.mark == RIGHT) > 0) | alone).astype(np.float64)
    _count_verdicts(tried, columns)
    _count_moves(tried, columns)


def _count_verdicts(tried: _Attempts, columns: dict[str, Matrix]) -> None:
    for true, mark in IS.items():
        for said, verdict in SAYS.items():
            columns[f"{true}_{said}"] = tried.per_row((tried.mark == mark) & (tried.verdict == verdict))
    for said, goes_on in (("correct", "goes_on"), ("incorrect", "tries_again")):
        # What follows a verdict needs no truth, so unjudged attempts count here too.
        spoken = tried.verdict == SAYS[said]
        columns[f"{said}_ends"] = tried.per_row(spoken & tried.last)
        columns[f"{said}_{goes_on}"] = tried.per_row(spoken & ~tried.last)


def _count_moves(tried: _Attempts, columns: dict[str, Matrix]) -> None:
    after = ~tried.first
    # The mark before the first attempt of an output is its neighbour's; `after` masks it.
    before = np.concatenate([[UNJUDGED], tried.mark[:-1]]) if len(tried.mark) else tried.mark
    # A move between two attempts is told only where both ends are judged; the rest is counted, not guessed.
    judged = after & (tried.mark != UNJUDGED) & (before != UNJUDGED)
    columns["moves_unjudged"] = tried.per_row(after & ~judged)
    for name, was, now in (
        ("fixed", WRONG, RIGHT),
        ("broken", RIGHT, WRONG),
        ("kept_right", RIGHT, RIGHT),
        ("kept_wrong", WRONG, WRONG),
    ):
        columns[name] = tried.per_row(judged & (before == was) & (tried.mark == now))
    some_wrong = tried.per_row(tried.mark == WRONG) > 0
    columns["shows_fix"] = (some_wrong & (tried.final == RIGHT)).astype(np.float64)
