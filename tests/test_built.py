"""The traces of a finished build, page by page: the narrow table agrees with the rows, whatever is asked for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import preview
from skill_factory.insight import built
from skill_factory.insight.built import Index, Order, Wanted
from skill_factory.insight.trace_parts import story
from skill_factory.recipe.model import Tags, new_recipe
from tests import command

FORMATS = ("*C_full", "*C*IC", "random", "no_reflection")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of several formats."""
    out = tmp_path_factory.mktemp("built") / "traces"
    command.build("demo:40", out, *(word for code in FORMATS for word in ("--format", code)))
    return out


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[dict[str, Any]]:
    return command.traces(folder)


@pytest.fixture(scope="module")
def table(folder: Path) -> Index:
    return built.index(folder)


def test_the_table_is_that_of_the_rows(table: Index, rows: list[dict[str, Any]]) -> None:
    """Type, length, attempts and corrected mistakes of every trace are those that its row has."""
    assert table.traces == len(rows)
    for place, row in enumerate(rows):
        right = [attempt["correct"] for attempt in row["attempts"]]
        back = any(span["kind"] == "sample_again" for span in row["spans"])
        assert table.labels[table.label[place]] == row["sft_template_type_idx"]
        assert table.chars[place] == sum(len(turn["content"]) for turn in row["conversations"])
        assert table.attempts[place] == len(right)
        assert bool(table.fixed[place]) == (not all(right) and (right[-1] or back))


def test_as_many_correct_a_mistake_as_the_report_counts(table: Index, folder: Path) -> None:
    """The table and the tally of the build agree."""
    counted = json.loads((folder / "report.json").read_text(encoding="utf-8"))["teaches"]
    assert int(table.fixed.sum()) == sum(n for key, n in counted.items() if key.endswith("wrong_to_right"))


def test_a_trace_read_back_is_the_trace_that_was_made(folder: Path) -> None:
    """Every part of a trace that a person reads is the same from its row as from the preview that made it."""
    made = preview("demo:40", new_recipe().changed({"traces.formats": FORMATS}), questions=5).traces
    read = built.shown(folder, range(len(made)), Tags())
    by_text = {one.text: one.story for one in read}
    assert made
    for trace in made:
        assert by_text[trace.text] == story(trace)


def test_doubt_is_that_of_its_attempts(folder: Path, rows: list[dict[str, Any]]) -> None:
    """A trace is in doubt for each attempt whose response is."""
    doubtful = rows[3]["attempts"][0]["response_id"]
    table = built.index(folder, [doubtful])
    for place, row in enumerate(rows):
        assert table.doubt[place] == sum(attempt["response_id"] == doubtful for attempt in row["attempts"])
    assert 3 in built.places(table, Wanted(doubtful=True))


WANTED = st.builds(
    Wanted,
    st.sampled_from(["", "1C", "2C", "nothing"]),
    st.sampled_from(["", "fixed", "rest"]),
    st.integers(0, 4000),
    st.integers(0, 6000),
    st.booleans(),
    st.sampled_from(list(Order)),
)


@given(WANTED)
@settings(max_examples=60, deadline=None)
def test_what_is_shown_is_what_was_asked_for(table: Index, wanted: Wanted) -> None:
    """Every place fits every filter, none that fits is missing, and the order is the one that was asked for."""
    found = built.places(table, wanted)
    for place in range(table.traces):
        fits = (
            (not wanted.label or table.labels[table.label[place]] == wanted.label)
            and (not wanted.shows or bool(table.fixed[place]) == (wanted.shows == "fixed"))
            and table.chars[place] >= wanted.at_least
            and (not wanted.at_most or table.chars[place] <= wanted.at_most)
            and (not wanted.doubtful or table.doubt[place] > 0)
        )
        assert (place in found) == fits
    chars = table.chars[found].tolist()
    if wanted.order is Order.LONGEST:
        assert chars == sorted(chars, reverse=True)
    if wanted.order is Order.WRITTEN:
        assert found.tolist() == sorted(found.tolist())


def test_a_search_finds_words_in_any_case(folder: Path, table: Index, rows: list[dict[str, Any]]) -> None:
    """Question and trace are searched; signs of patterns are only signs."""
    hits = built.search(folder, "i'LL MAKE")
    texts = ["\n".join(turn["content"] for turn in row["conversations"]).lower() for row in rows]
    assert hits.tolist() == [place for place, text in enumerate(texts) if "i'll make" in text]
    assert built.search(folder, ".*").tolist() == [place for place, text in enumerate(texts) if ".*" in text]
    both = built.places(table, Wanted(shows="fixed"), hits)
    assert set(both.tolist()) == set(hits.tolist()) & set(np.flatnonzero(table.fixed).tolist())


def test_a_build_without_lineage_is_browsed_too(tmp_path: Path) -> None:
    """Types and lengths are known, attempts aren't; the text is shown as it is."""
    command.build("demo:20", tmp_path / "bare", "--set", "output.lineage=false")
    table = built.index(tmp_path / "bare")
    rows = command.traces(tmp_path / "bare")
    assert not table.lineage and table.traces == len(rows)
    assert table.chars.tolist() == [
        sum(len(turn["content"]) for turn in row["conversations"]) for row in rows
    ]
    (one,) = built.shown(tmp_path / "bare", [2], Tags())
    assert one.story is None and one.text == rows[2]["conversations"][1]["content"]


def test_the_linter_looks_at_the_first_traces(folder: Path) -> None:
    """Our own traces are clean."""
    assert built.linted(folder, 30, Tags()) == (30, ())
