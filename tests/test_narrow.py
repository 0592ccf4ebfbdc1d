"""The narrow table of a whole source: a sample first, then all of it, the same as reading it at once."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from skill_factory.build.prepare import settled_columns
from skill_factory.judge.facts import Facts, read
from skill_factory.judge.judge import judge
from skill_factory.judge.source_facts import (
    Narrow,
    all_facts,
    facts_key,
    forget_old,
    load,
    sample_facts,
    save,
)
from skill_factory.reasons import Level
from skill_factory.recipe.model import Columns, Recipe, Source
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import CANONICAL, Batch
from skill_factory.sources.files import FileSource
from skill_factory.work.reading import Request
from tests.make_raw import make_rows, row, write_jsonl, write_parquet

ROWS = list(make_rows(seed=3, questions=60))


def recipe_for(source: FileSource) -> Recipe:
    return Recipe(columns=settled_columns(source, Columns()))


@pytest.fixture
def source(tmp_path: Path) -> FileSource:
    return FileSource.open(str(write_parquet(ROWS, tmp_path / "raw.parquet")))


def differ(one: Facts, other: Facts) -> list[str]:
    """Names of the fields in which two tables differ."""
    return [
        field.name
        for field in fields(Facts)
        if not np.array_equal(np.asarray(getattr(one, field.name)), np.asarray(getattr(other, field.name)))
    ]


class Pieces:
    """A source that comes in pieces of some rows each, and records how many batches were asked for."""

    rows = 0
    size = 0

    def __init__(self, rows: list[dict[str, Any]], of: int) -> None:
        self.all, self.of, self.asked = rows, of, 0
        self.spec = Source(kind="file", name="pieces")

    def names(self) -> list[str]:
        return list(self.all[0])

    def head(self, rows: int) -> list[dict[str, Any]]:
        return self.all[:rows]

    def pieces(self) -> list[Any]:
        return [Piece(self, start) for start in range(0, len(self.all), self.of)]

    def pinned(self) -> Source:
        return self.spec.model_copy(update={"digest": "d" * 64})


class Piece:
    size = 0

    def __init__(self, whole: Pieces, start: int) -> None:
        self.whole, self.start = whole, start

    def batches(self, columns: Columns) -> Iterator[Batch]:
        self.whole.asked += 1
        yield self.whole.all[self.start : self.start + self.whole.of]


PLAIN = Columns(
    question="question", response=("response",), correct=("correct",), reflections=("reflections",)
)


def plain_rows(questions: int, each: int) -> list[dict[str, Any]]:
    return [
        {
            "question": f"q{q}",
            "response": f"r{q} {k} <answer>{k}</answer>",
            "correct": k % 2 == 0,
            "reflections": [],
        }
        for q in range(questions)
        for k in range(each)
    ]


def test_all_of_a_file_is_what_reading_it_at_once_gives(source: FileSource) -> None:
    """Piece by piece or at once: the same judgement of every question."""
    recipe = recipe_for(source)
    whole = all_facts(source, recipe)
    tables = [canonical(b, recipe.columns).table for p in source.pieces() for b in p.batches(recipe.columns)]
    at_once = read(pa.concat_tables(tables).cast(CANONICAL), recipe).facts
    assert whole.whole
    assert np.array_equal(whole.facts.response_id, at_once.response_id)
    counts = [sorted(judge(facts, recipe).question_kept.tolist()) for facts in (whole.facts, at_once)]
    assert counts[0] == counts[1]


def test_a_small_source_needs_no_sample(source: FileSource) -> None:
    """What fits into a sample is all of it, and says so."""
    recipe = recipe_for(source)
    assert sample_facts(source, recipe).whole
    assert differ(sample_facts(source, recipe).facts, all_facts(source, recipe).facts) in (
        [],
        ["question_id", "response_question"],
    )


def test_many_pieces_are_one_table() -> None:
    """A question whose rows stand in two pieces is one question."""
    rows = plain_rows(questions=5, each=4)
    recipe = Recipe(columns=PLAIN)
    seen: list[tuple[int, int]] = []
    whole = all_facts(Pieces(rows, of=3), recipe, told=lambda done, of: seen.append((done, of)))
    assert len(whole.facts.question_id) == 5
    assert len(whole.facts.response_id) == 20
    assert seen == [(k, 7) for k in range(1, 8)]


def test_a_sample_stops_reading() -> None:
    """A sample reads the first pieces only, and is marked as one."""
    source = Pieces(plain_rows(questions=200, each=4), of=40)
    sample = sample_facts(source, Recipe(columns=PLAIN), size=3_000)
    assert not sample.whole
    assert source.asked < 20


def test_a_sample_leaves_out_the_question_that_it_cut() -> None:
    """Every question of a sample has all its responses, where rows of one question stand together."""
    source = Pieces(plain_rows(questions=200, each=4), of=42)
    sample = sample_facts(source, Recipe(columns=PLAIN), size=3_000)
    counts = np.bincount(sample.facts.response_question)
    assert sample.grouped
    assert set(counts.tolist()) == {4}


def test_a_sample_of_scattered_rows_says_so() -> None:
    """Where rows of one question lie far apart, a sample claims nothing about whole questions."""
    rows = sorted(plain_rows(questions=200, each=4), key=lambda one: one["response"].split()[1])
    sample = sample_facts(Pieces(rows, of=40), Recipe(columns=PLAIN), size=3_000)
    assert not sample.whole
    assert not sample.grouped


def test_one_response_of_each_question_claims_nothing() -> None:
    """A sample in which no question has a second row may be the head of a file sorted by variant."""
    sample = sample_facts(Pieces(plain_rows(questions=400, each=1), of=40), Recipe(columns=PLAIN), size=3_000)
    assert not sample.grouped


def test_rows_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    """read = kept + dropped for the rows of a narrow table."""
    rows = [
        *plain_rows(questions=3, each=2),
        {"question": "", "response": "r", "correct": True, "reflections": ["a"]},
    ]
    tally = all_facts(Pieces(rows, of=4), Recipe(columns=PLAIN)).rows
    assert tally.ledger[Level.ROWS].dropped == {"no_question": 1}
    assert (tally.ledger[Level.ROWS].read, tally.ledger[Level.ROWS].kept) == (7, 6)


def test_saved_and_loaded_it_is_the_same(source: FileSource, tmp_path: Path) -> None:
    """An .npz holds the whole table, variants and row tally too."""
    made = all_facts(source, recipe_for(source))
    save(made, tmp_path / "t.npz")
    loaded = load(tmp_path / "t.npz")
    assert loaded is not None
    assert differ(made.facts, loaded.facts) == []
    assert loaded.facts.variants == made.facts.variants
    assert loaded.rows.to_json() == made.rows.to_json()
    assert [path.name for path in tmp_path.glob("t*")] == ["t.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a table"])
def test_a_damaged_table_is_none(tmp_path: Path, content: bytes) -> None:
    """A half-written or foreign file is read as not there."""
    path = tmp_path / "t.npz"
    path.write_bytes(content)
    assert load(path) is None
    assert load(tmp_path / "absent.npz") is None


def test_no_text_is_kept(tmp_path: Path) -> None:
    """The saved table holds hashes and lengths; not a word of question, response or reflection."""
    rows = [
        row(
            "a question of secrets", "a secret response <answer>4</answer>", True, reflections=["secretly so"]
        )
    ]
    source = FileSource.open(str(write_parquet(rows, tmp_path / "raw.parquet")))
    save(all_facts(source, recipe_for(source)), tmp_path / "t.npz")
    assert b"secret" not in (tmp_path / "t.npz").read_bytes()


def test_the_key_follows_what_the_table_depends_on(source: FileSource) -> None:
    """Another ban list or answer rule is another table; another number of attempts is the same one."""
    recipe = recipe_for(source)
    key = facts_key(source, recipe)
    same = ({"traces.attempts": 2}, {"filters.response_chars": (0, 900)}, {"balance.pass_rate": (0.1, 0.9)})
    other = ({"filters.ban": ("idea",)}, {"answers.rules": ("boxed",)}, {"verdicts.correct": ("yes",)})
    assert {facts_key(source, recipe.changed(one)) for one in same} == {key}
    assert len({key, *(facts_key(source, recipe.changed(one)) for one in other)}) == 4


def test_a_changed_file_has_another_key(tmp_path: Path) -> None:
    """Written anew, the same path is other data."""
    path = write_jsonl(ROWS, tmp_path / "raw.jsonl")
    source = FileSource.open(str(path))
    recipe = recipe_for(source)
    before = facts_key(source, recipe)
    write_jsonl(ROWS[:-1], path)
    assert facts_key(FileSource.open(str(path)), recipe) != before


def test_only_the_latest_tables_are_kept(tmp_path: Path) -> None:
    """Old tables go, so that a folder does not grow for ever."""
    import os

    for age in range(6):
        path = tmp_path / f"{age}.npz"
        path.write_bytes(b"x")
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    forget_old(tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.npz", "1.npz"]


def run_process(request: Request) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "skill_factory.work.reading"]
    return subprocess.run(
        command,
        input=request.to_json(),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[1],
    )


def test_the_process_makes_the_table(source: FileSource, tmp_path: Path) -> None:
    """As a process of its own it writes the same table, and leaves no progress behind."""
    recipe = recipe_for(source)
    out = tmp_path / "made" / "t.npz"
    out.parent.mkdir()
    done = run_process(Request(str(source.paths[0]), recipe.to_toml(), str(out)))
    assert done.returncode == 0, done.stderr
    made = load(out)
    assert isinstance(made, Narrow)
    assert differ(made.facts, all_facts(source, recipe).facts) == []
    assert [path.name for path in out.parent.iterdir()] == ["t.npz"]


def test_the_process_leaves_a_sentence_when_it_cannot(tmp_path: Path) -> None:
    """A source that is gone ends the process with code 2 and a sentence to show."""
    out = tmp_path / "t.npz"
    done = run_process(Request(str(tmp_path / "gone.parquet"), Recipe(columns=PLAIN).to_toml(), str(out)))
    assert done.returncode == 2
    assert "gone.parquet" in json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["error"]
    assert not out.exists()
