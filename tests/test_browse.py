"""Browsing: every number of the ledger can be opened, and what opens is exactly that many texts, the right ones."""

import csv
import io
import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from skill_factory.build.pipeline import build_partition
from skill_factory.build.prepare import ready_recipe
from skill_factory.insight.browse import (
    LEVELS,
    Doubt,
    Fate,
    Item,
    Wanted,
    as_csv,
    as_jsonl,
    as_row,
    codes_of,
    doubtful_rows,
    doubts,
    items,
    reasons_of,
)
from skill_factory.judge.counting import tally_judgement
from skill_factory.judge.facts import Facts, text_hash
from skill_factory.judge.first_questions import first_rows, rows_of_questions
from skill_factory.judge.judge import Judgement, judge
from skill_factory.judge.lookup import broken_rows, disputed, find_questions
from skill_factory.judge.source_facts import all_facts, sample_facts
from skill_factory.model import hex_id
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource, open_source
from tests.make_raw import make_rows, row, verdict, write_jsonl, write_parquet


class Known:
    """A source with its facts, and the recipe they were judged by."""

    def __init__(self, source: RawSource, **changes: object) -> None:
        wanted = {"traces.attempts": 2} | {name.replace("__", "."): value for name, value in changes.items()}
        self.source = source
        self.recipe = ready_recipe(source, Recipe().changed(wanted))
        self.narrow = all_facts(source, self.recipe)
        self.facts: Facts = self.narrow.facts
        self.judgement: Judgement = judge(self.facts, self.recipe)

    def items(self, wanted: Wanted) -> list[Item]:
        """All of the wanted things."""
        return list(items(self.source, self.recipe, self.narrow, self.judgement, wanted))


@pytest.fixture(params=["parquet", "jsonl", "demo"])
def known(request: pytest.FixtureRequest, tmp_path: Path) -> Known:
    """The same kind of data from three kinds of source."""
    if request.param == "demo":
        return Known(open_source("demo:60"), filters__ban=["total"])
    write = write_parquet if request.param == "parquet" else write_jsonl
    path = write(make_rows(60, seed=3), tmp_path / f"rows.{request.param}")
    return Known(open_source(str(path)), filters__ban=["divide"])


@pytest.mark.parametrize("level", LEVELS)
def test_what_opens_is_what_the_ledger_counts(known: Known, level: Level) -> None:
    """Kept, dropped and each reason open as many things as the tally says, each with that reason's sentence."""
    ledger = tally_judgement(known.facts, known.judgement, known.recipe).ledger[level]
    assert reasons_of(level, known.judgement) == dict(ledger.dropped)
    assert len(known.items(Wanted(level, Fate.KEPT))) == ledger.kept
    dropped = known.items(Wanted(level, Fate.DROPPED))
    assert len(dropped) == ledger.read - ledger.kept > 0
    for reason, number in ledger.dropped.items():
        found = known.items(Wanted(level, Fate.DROPPED, reason))
        assert found == [one for one in dropped if one.reason == reason]
        assert len(found) == number
        assert {one.why for one in found} == {sentence(level, reason)}


def test_texts_are_those_of_the_things(known: Known) -> None:
    """The id of each thing is the hash of the text beside it, its question's too."""
    for level in (Level.RESPONSES, Level.REFLECTIONS):
        found = known.items(Wanted(level, Fate.ALL))
        assert len(found) == len(codes_of(level, known.judgement))
        assert all(one.id == hex_id(text_hash(one.text)) for one in found)
        assert all(one.question_id == hex_id(text_hash(one.question)) for one in found)
    for one in known.items(Wanted(Level.QUESTIONS, Fate.ALL)):
        assert one.question_id == hex_id(text_hash(one.question))


def test_words_are_searched_in_any_case(known: Known) -> None:
    """A search gives the texts that hold the words, and no others."""
    every = known.items(Wanted(Level.REFLECTIONS, Fate.ALL))
    found = known.items(Wanted(Level.REFLECTIONS, Fate.ALL, words="THE"))
    assert found == [one for one in every if "the" in one.text.lower()]
    assert 0 < len(found) < len(every)


def test_a_sample_is_walked_to_its_end_and_no_further(tmp_path: Path) -> None:
    """With facts of the beginning alone, the things of the beginning are found."""
    path = write_parquet(make_rows(700, seed=5), tmp_path / "rows.parquet")
    whole = Known(open_source(str(path)))
    narrow = sample_facts(whole.source, whole.recipe, size=20_000)
    assert not narrow.whole
    judged = judge(narrow.facts, whole.recipe)
    wanted = Wanted(Level.RESPONSES, Fate.ALL)
    found = list(items(whole.source, whole.recipe, narrow, judged, wanted))
    assert len(found) == len(narrow.facts.response_id) < len(whole.facts.response_id)
    assert all(one.id == hex_id(text_hash(one.text)) for one in found)
    assert {one.id for one in found} < {one.id for one in whole.items(wanted)}


def test_reading_stops_with_the_reader(tmp_path: Path) -> None:
    """The first things of a large source cost no reading of the rest."""
    paths = [write_jsonl(make_rows(20, seed=n), tmp_path / f"part-{n}.jsonl") for n in range(3)]
    known = Known(open_source(str(tmp_path / "*.jsonl")))
    paths[2].write_text("{broken", encoding="utf-8")
    first = items(
        known.source, known.recipe, known.narrow, known.judgement, Wanted(Level.RESPONSES, Fate.KEPT)
    )
    assert len(list(islice(first, 10))) == 10


def test_questions_are_found_by_words_and_by_id(known: Known) -> None:
    """Words in any case, or the beginning of an id; the rows of a question are all of its rows and no others."""
    (one, text), *_ = find_questions(known.source, known.recipe, "")
    assert find_questions(known.source, known.recipe, text.upper()) == [(one, text)]
    assert find_questions(known.source, known.recipe, hex_id(one)[:8]) == [(one, text)]
    assert find_questions(known.source, known.recipe, "no such words") == []
    assert len(find_questions(known.source, known.recipe, "", most=5)) == 5
    rows = rows_of_questions(known.source, known.recipe, [one])
    place = int(np.flatnonzero(known.facts.question_id == one)[0])
    assert rows.num_rows == int((known.facts.response_question == place).sum())
    assert set(rows["question"].to_pylist()) == {text}


def test_a_question_gives_the_traces_that_the_build_writes_of_it(known: Known) -> None:
    """Looked for by its words, a question shows the same traces as at its place in the build."""
    rows, _ = first_rows(known.source, known.recipe, 20)
    built = list(build_partition(rows, known.recipe).traces)
    last = built[-1].plan.question.id
    alone = list(build_partition(rows_of_questions(known.source, known.recipe, [last]), known.recipe).traces)
    assert [one.text for one in alone] == [one.text for one in built if one.plan.question.id == last]


def test_labels_are_in_doubt_when_most_reflections_contradict_them(tmp_path: Path) -> None:
    """Half is not most, a missing verdict does not count, and the most contradicted come first."""
    says = {name: [verdict(name == "yes")] for name in ("yes", "no")}
    rows = [
        row("Q", "a <answer>1</answer>", True, says["no"] * 2 + says["yes"]),
        row("Q", "b <answer>1</answer>", True, says["no"] + says["yes"]),
        row("Q", "c <answer>1</answer>", False, says["yes"] * 2 + ["no verdict at all"]),
        row("Q", "d <answer>1</answer>", False, says["yes"]),
        row("Q", "e <answer>1</answer>", True, says["yes"] * 3),
    ]
    known = Known(open_source(str(write_parquet(rows, tmp_path / "rows.parquet"))), verdicts__rule="tag")
    assert doubts(known.facts) == [Doubt(2, False, 2, 2), Doubt(0, True, 3, 2)]
    assert [one.place for one in doubts(known.facts, least=1)] == [2, 3, 0]
    told = disputed(known.source, known.recipe, known.narrow, [2, 0])[2]
    assert told.response == "c <answer>1</answer>"
    assert [said for said, _ in told.reflections] == ["correct", "correct", "missing"]
    file = list(doubtful_rows(known.source, known.recipe, known.narrow, doubts(known.facts)))
    assert [(one["label"], one["against"], one["response"][0]) for one in file] == [
        ("right", 2, "a"),
        ("wrong", 2, "c"),
    ]


def test_rows_that_cannot_be_read_have_their_number(tmp_path: Path) -> None:
    """The number counts rows of the source from 1, over several files too."""
    good = row("Q", "a <answer>1</answer>", True)
    write_jsonl([good, good | {"question": None}], tmp_path / "a.jsonl")
    write_jsonl([good | {"response": None}, good], tmp_path / "b.jsonl")
    source = open_source(str(tmp_path / "*.jsonl"))
    found = [
        (number, error.reason.value) for number, error in broken_rows(source, ready_recipe(source, Recipe()))
    ]
    assert found == [(2, "no_question"), (3, "no_response")]


def test_downloads_can_be_read_back(known: Known) -> None:
    """JSON Lines and CSV hold every thing with its reason, line breaks and all."""
    wanted = Wanted(Level.REFLECTIONS)
    rows = [as_row(one, wanted.level) for one in known.items(wanted)]
    assert [json.loads(line) for line in as_jsonl(rows).splitlines()] == rows
    again = list(csv.DictReader(io.StringIO(as_csv(rows), newline="")))
    assert [one["text"].lstrip("'") for one in again] == [one["text"].lstrip("'") for one in rows]
    assert [one["reason"] for one in again] == [one["reason"] for one in rows]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    """A spreadsheet shows what a stranger wrote, and runs none of it."""
    (read,) = csv.DictReader(io.StringIO(as_csv([{"text": cell}]), newline=""))
    assert read["text"] == f"'{cell}"


def test_a_download_ends_at_its_limit() -> None:
    """A file grows to its limit and not to the size of the source."""
    rows = ({"text": "x" * 100} for _ in range(10**9))
    assert len(as_jsonl(rows, most=1000)) < 1200
    assert len(as_csv(rows, most=1000)) < 1200
