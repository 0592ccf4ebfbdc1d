"""The head of a source is found without reading all of it, and what is shown of a question is all of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.build.pipeline import build, preview
from skill_factory.judge.first_questions import ever_more_rows, first_rows
from skill_factory.recipe.model import Columns, Recipe, Source
from skill_factory.sources.columns import Batch
from tests import command, make_raw
from tests.make_raw import Row, row
from tests.nasty_rows import recipe
from tests.toy_traces import rows_of


@dataclass
class Shelf:
    """A source in memory that notes which of its pieces were read, beyond their questions."""

    shelved: list[list[Row]]
    read: list[int] = field(default_factory=list)
    size = rows = 0

    @property
    def spec(self) -> Source:
        return Source(kind="file", name="shelf")

    def names(self) -> list[str]:
        return list(self.head(1)[0])

    def head(self, rows: int) -> list[Row]:
        return [one for piece in self.shelved for one in piece][:rows]

    def pieces(self) -> list["Book"]:
        return [Book(self, number) for number in range(len(self.shelved))]

    def pinned(self) -> Source:
        return self.spec


@dataclass
class Book:
    """A piece of a shelf."""

    shelf: Shelf
    number: int
    size = 0

    def batches(self, columns: Columns) -> Iterator[Batch]:
        if columns.response:
            self.shelf.read.append(self.number)
        yield self.shelf.shelved[self.number]


def asked(number: int, text: int) -> Row:
    """A row of a question, with a text of its own."""
    return row(
        f"Q {number}", f"try {text} <answer>42</answer>", True, [make_raw.verdict(True, f"fine {text}")]
    )


SHELVES = st.lists(st.lists(st.integers(0, 30), max_size=8), min_size=1, max_size=9).filter(any)
"""Which questions each piece asks."""


def shelf(numbers: list[list[int]]) -> Shelf:
    """Rows that ask these questions."""
    return Shelf([[asked(one, 100 * k + j) for j, one in enumerate(part)] for k, part in enumerate(numbers)])


def told(rows: pa.Table) -> set[tuple[str, str]]:
    """Question and response of some canonical rows."""
    pairs = list(zip(rows["question"].to_pylist(), rows["response"].to_pylist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    return set(pairs)


@given(SHELVES, st.integers(1, 12))
def test_ever_more_questions_come_whole_and_in_written_order(numbers: list[list[int]], first: int) -> None:
    """Each head holds all rows of so many first questions, no row of others; heads grow, and the last holds all."""
    source = shelf(numbers)
    every = told(first_rows(source, recipe(), 1000)[0])
    before = 0
    for rows, all_of_it in ever_more_rows(source, recipe(), first):
        found = told(rows)
        n = len({question for question, _ in found})
        assert found == told(first_rows(source, recipe(), n)[0])
        assert n > before or all_of_it
        assert n >= first or all_of_it
        assert all_of_it == (found == every)
        before = n
    assert found == every


@given(SHELVES, st.integers(1, 12))
def test_for_a_first_look_no_piece_is_read_twice_nor_without_need(
    numbers: list[list[int]], first: int
) -> None:
    """The first head reads what asks one of the first questions or of the few spare ones; the second one the rest."""
    source = shelf(numbers)
    wanted = first + first // 4
    near = {question for question, _ in told(first_rows(source, recipe(), wanted)[0])}
    source.read.clear()
    pieces = [k for k, part in enumerate(numbers) if near & {f"Q {one}" for one in part}]
    for k, (rows, _) in enumerate(ever_more_rows(source, recipe(), first)):
        if len({question for question, _ in told(rows)}) > first * 4:
            break
        assert k or sorted(source.read) == pieces
        assert len(source.read) == len(set(source.read))


def test_a_preview_of_many_pieces_is_the_head_of_the_build(tmp_path: Path) -> None:
    """Rows of one question may lie in any piece, and some questions are of no use."""
    rows = list(make_raw.make_rows(120, seed=8))
    parts = tmp_path / "raw"
    parts.mkdir()
    for k in range(40):
        make_raw.write_parquet(
            rows[k * len(rows) // 40 : (k + 1) * len(rows) // 40], parts / f"{k:02}.parquet"
        )
    made = Recipe().changed({"traces.attempts": 3})
    build(str(parts), tmp_path / "out", made)
    written = command.traces(tmp_path / "out")
    for questions in (1, 3, 20):
        shown = rows_of(preview(str(parts), made, questions=questions).traces)
        assert shown == written[: len(shown)]
        assert len({one["question_id"] for one in shown}) == questions
