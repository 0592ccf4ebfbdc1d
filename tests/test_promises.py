"""What can be relied on: same key, same trace; the preview is the build; nothing vanishes; partitions don't show."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import build, build_partition, preview
from skill_factory.errors import SkillFactoryError
from skill_factory.formats import FORMATS
from skill_factory.model import Trace
from skill_factory.reasons import Level
from skill_factory.recipe.model import Columns, Recipe, Source
from skill_factory.recipe.phrases import phrase_book
from skill_factory.sources.canonical import canonical
from skill_factory.sources.columns import Batch
from skill_factory.tally import Tally
from skill_factory.traces.render import parse
from tests import command, drive, make_raw
from tests.make_raw import Row
from tests.nasty_rows import ANY_ROW, COLUMNS, GOOD_ROW, recipe, table
from tests.toy_traces import rows_of

ALL = tuple(FORMATS)
FEWER = settings(max_examples=50)  # each example is a build

# ------------------------------------------------------------------------------------------ real builds

QUESTIONS = 60


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw data set of some hundred responses."""
    return make_raw.write_parquet(
        make_raw.make_rows(QUESTIONS, seed=3), tmp_path_factory.mktemp("raw") / "raw.parquet"
    )


OPTIONS = [word for code in ALL for word in ("--format", code)] + [
    "--attempts",
    "3",
    "--repeats",
    "2",
    *command.EVERY_TRACE,
]


@pytest.fixture(scope="module")
def built(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its build of all formats, by one process, in many partitions."""
    out = tmp_path_factory.mktemp("built") / "one"
    done = drive.run("build", raw, "--out", out, *OPTIONS, "--workers", 1)
    assert done.exit == 0, done.err
    assert len(command.shards(out)) > 4, "partitions are to be small here"
    return out


def test_two_workers_write_the_same_bytes(raw: Path, built: Path, tmp_path: Path) -> None:
    """Every file of the folder is the same, byte for byte, whoever did the work."""
    done = drive.run("build", raw, "--out", tmp_path / "two", *OPTIONS, "--workers", 2)
    assert done.exit == 0, done.err
    assert command.digest(tmp_path / "two") == command.digest(built)


def test_partitions_do_not_show_in_the_rows(raw: Path, built: Path, tmp_path: Path) -> None:
    """A build in one partition holds the same rows in the same order; the digest over them says so."""
    command.build(raw, tmp_path / "whole", *OPTIONS)
    assert len(command.shards(tmp_path / "whole")) == 1
    assert command.traces(tmp_path / "whole") == command.traces(built)
    assert command.report(tmp_path / "whole")["rows_digest"] == command.report(built)["rows_digest"]


@pytest.mark.parametrize("pieces", [1, 3])
def test_shuffled_rows_and_several_files_write_the_same_shards(
    pieces: int, built: Path, tmp_path: Path
) -> None:
    """Neither the order of rows nor the layout of files changes a byte of a shard, or a number of the report."""
    rows = list(make_raw.make_rows(QUESTIONS, seed=3))
    random.Random(pieces).shuffle(rows)
    (tmp_path / "raw").mkdir()
    for k in range(pieces):
        make_raw.write_parquet(rows[k::pieces], tmp_path / "raw" / f"part{k}.parquet")
    done = drive.run("build", tmp_path / "raw", "--out", tmp_path / "out", *OPTIONS, "--workers", 2)
    assert done.exit == 0, done.err
    shards = {name: d for name, d in command.digest(built).items() if name.startswith("sft_train")}
    found = command.digest(tmp_path / "out")
    assert {name: d for name, d in found.items() if name.startswith("sft_train")} == shards
    here, there = command.report(tmp_path / "out"), command.report(built)
    assert {k: v for k, v in here.items() if k not in ("fingerprint", "source")} == {
        k: v for k, v in there.items() if k not in ("fingerprint", "source")
    }


@pytest.mark.parametrize("code", ALL)
def test_adding_a_format_changes_no_other_trace(code: str, raw: Path, built: Path) -> None:
    """What a format writes alone is what it writes beside all others: text, label, ids, reflections and order."""
    one = Recipe().changed({"traces.formats": [code], "traces.attempts": 3, "traces.repeats": 2})
    alone = rows_of(preview(str(raw), one, questions=10**6).traces)
    assert alone == [row for row in command.traces(built) if row["format"] == code]


RECIPES: dict[str, dict[str, Any]] = {
    "the default": {},
    "every format": {"traces.formats": list(ALL)},
    "another seed": {"traces.seed": 99},
    "Algorithm 1": {"traces.formats": ["algorithm1"], "traces.repeats": 3},
    "few questions can": {"traces.formats": ["*CC"], "traces.attempts": 6},
    "a limit of traces": {"balance.max_traces": 17},
    "limits for labels": {"balance.label_limits": {"1C": 3, "2C": 0}, "balance.per_question": 2},
    "wrong attempts": {"balance.min_wrong": 2},
    "a cut-off": {"cutoff.tokens": 160, "cutoff.action": "fewer_attempts"},
    "variants differ": {
        "traces.distinct_variants": True,
        "traces.sample_attempts": True,
        "traces.formats": ["*C"],
    },
    "a window": {"balance.pass_rate": [0.3, 0.7], "filters.ban": ["so"]},
    "two columns": {"output.lineage": False},
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_preview_is_the_head_of_the_build(name: str, raw: Path, tmp_path: Path) -> None:
    """What the preview shows is what the build writes first, trace for trace, under any recipe."""
    asked = Recipe().changed({"traces.attempts": 3, **RECIPES[name]})
    build(str(raw), tmp_path / "out", asked)
    written = command.traces(tmp_path / "out")
    for questions in (1, 4, 25):
        shown = rows_of(preview(str(raw), asked, questions=questions).traces, asked.output.lineage)
        assert shown
        assert shown == written[: len(shown)]
        if asked.output.lineage and len(shown) < len(written):
            assert len({row["question_id"] for row in shown}) == questions


def test_limits_count_from_the_head_whatever_the_partitions(raw: Path, tmp_path: Path) -> None:
    """The first traces in written order are kept, made by one process in one partition or by workers in many."""
    options = ["--attempts", 3, "--max-traces", 31, "--set", 'balance.label_limits={"2C" = 9}']
    command.build(raw, tmp_path / "whole", *options)
    done = drive.run("build", raw, "--out", tmp_path / "parts", *options, "--workers", 2)
    assert done.exit == 0, done.err
    assert command.traces(tmp_path / "parts") == command.traces(tmp_path / "whole")
    rows = command.traces(tmp_path / "whole")
    assert len(rows) == 31
    assert sum(row["sft_template_type_idx"] == "2C" for row in rows) == 9


def test_written_questions_are_a_fair_sample_of_the_source(tmp_path: Path) -> None:
    """The order is that of a hash: the first half of the questions has no place in the source it favours."""
    rows = [make_raw.row(f"Q {k:04d}", "a <answer>1</answer>", True) for k in range(2000)]
    raw = make_raw.write_parquet(rows, tmp_path / "raw.parquet")
    shown = preview(str(raw), Recipe().changed({"traces.attempts": 1}), questions=1000).traces
    places = [int(trace.plan.question.text[2:]) for trace in shown]
    assert abs(sum(places) / len(places) - 999.5) < 4 * 577 / 1000**0.5
    assert places != sorted(places)


# --------------------------------------------------------------------------------------- by hypothesis


ASKED = st.builds(
    lambda formats, attempts, repeats, distinct, escape, limits: recipe(
        traces={"formats": formats, "attempts": attempts, "repeats": repeats, "distinct_variants": distinct},
        filters={"block_tags": escape, "ban": ["fast"]},
        balance=limits,
    ),
    st.lists(st.sampled_from(ALL), min_size=1, unique=True),
    st.integers(1, 3),
    st.integers(1, 2),
    st.booleans(),
    st.sampled_from(["drop", "escape"]),
    st.sampled_from(
        [{}, {"max_traces": 3}, {"per_question": 1}, {"min_wrong": 1}, {"label_limits": {"1C": 1}}]
    ),
)


def made(rows: list[Row], asked: Recipe) -> tuple[list[Trace], Tally]:
    """The traces of some raw rows, and their tally."""
    part = build_partition(table(rows), asked)
    return list(part.traces), part.tally


@FEWER
@given(st.lists(GOOD_ROW, max_size=16), ASKED, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], asked: Recipe, rng: Any) -> None:
    """Shuffled rows give the same traces in the same order, and the same tally."""
    shuffled = [
        dict(row, reflections=rng.sample(row["reflections"], len(row["reflections"]))) for row in rows
    ]
    rng.shuffle(shuffled)
    one, two = made(rows, asked), made(shuffled, asked)
    assert rows_of(one[0]) == rows_of(two[0])
    assert one[1].to_json() == two[1].to_json()


@FEWER
@given(st.lists(GOOD_ROW, max_size=16), ASKED)
def test_every_trace_reads_back_and_says_where_it_came_from(rows: list[Row], asked: Recipe) -> None:
    """parse gives each trace's segments; every attempt and reflection is a text of the source, as it stood there."""
    book = phrase_book(asked.phrases)
    sources = {row["response"] for row in rows} | {text for row in rows for text in row["reflections"]}
    for trace in made(rows, asked)[0]:
        assert parse(trace.text, book, asked) == trace.segments
        for attempt in trace.plan.attempts:
            assert attempt.response.text.replace("&lt;", "<") in sources
            assert attempt.reflection is None or attempt.reflection.text.replace("&lt;", "<") in sources


@FEWER
@given(st.lists(GOOD_ROW, max_size=16), st.sampled_from(ALL), st.integers(1, 3))
def test_a_format_alone_writes_what_it_writes_beside_others(
    rows: list[Row], code: str, attempts: int
) -> None:
    """By its traces, ids and places, on any data."""
    every = recipe(traces={"formats": ALL, "attempts": attempts})
    alone = recipe(traces={"formats": [code], "attempts": attempts})
    beside = [row for row in rows_of(made(rows, every)[0]) if row["format"] == code]
    assert rows_of(made(rows, alone)[0]) == beside


@dataclass(frozen=True)
class Given:
    """A source of some rows in several pieces, for hypothesis."""

    rows: list[Row]
    pieces_: int = 1

    @property
    def spec(self) -> Source:
        return Source(kind="file", name="given")

    size = rows_known = 0

    def names(self) -> list[str]:
        return list(self.rows[0])

    def head(self, rows: int) -> list[Row]:
        return self.rows[:rows]

    def pieces(self) -> list[Any]:
        return [Piece(self.rows[k :: self.pieces_]) for k in range(self.pieces_)]

    def pinned(self) -> Source:
        return self.spec


@dataclass(frozen=True)
class Piece:
    """Some of the rows."""

    rows: list[Row]
    size = 0

    def batches(self, columns: Columns) -> Iterator[Batch]:
        yield self.rows


@FEWER
@given(rows=st.lists(ANY_ROW, min_size=1, max_size=16), asked=ASKED, pieces=st.integers(1, 3))
def test_the_ledger_adds_up_for_any_rows(
    rows: list[Row], asked: Recipe, pieces: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """At each level read = kept + dropped; what was read is what stood in the source; a build ends or says why not."""
    out = tmp_path_factory.mktemp("out") / "build"
    found = canonical(rows, COLUMNS)
    try:
        report = build(Given(rows, pieces), out, asked, workers=1).report
    except SkillFactoryError as error:
        assert str(error)
        assert not out.exists()
        return
    ledger = report["ledger"]
    for level in Level:
        assert ledger[level]["read"] == ledger[level]["kept"] + sum(ledger[level]["dropped"].values()), level
        assert all(number > 0 for number in ledger[level]["dropped"].values())
    assert ledger["rows"]["read"] == len(rows)
    assert ledger["rows"]["kept"] == len(rows) - len(found.errors)
    assert ledger["responses"]["read"] == found.table.num_rows + sum(e.responses for e in found.errors)
    lists = found.table["reflections"].to_pylist()
    assert ledger["reflections"]["read"] == sum(map(len, lists)) + sum(e.reflections for e in found.errors)
    assert ledger["questions"]["read"] == len(set(found.table["question"].to_pylist()))
    assert ledger["traces"]["kept"] == len(command.traces(out)) == report["traces"]
    assert (
        sum(report["traces_by_label"].values())
        == sum(report["traces_by_format"].values())
        == report["traces"]
    )
    json.dumps(report)


@FEWER
@given(st.lists(GOOD_ROW, max_size=16), ASKED, st.integers(1, 6))
def test_partitions_of_questions_add_up_to_the_whole(rows: list[Row], asked: Recipe, parts: int) -> None:
    """Questions built in groups, in written order, give the traces and the tally of all at once."""
    from skill_factory.draws import order_keys
    from skill_factory.judge.facts import question_ids
    from skill_factory.tally import total
    from skill_factory.traces.plan import Written

    whole = table(rows)
    places, ids, _ = question_ids(whole["question"])
    group = (order_keys(asked.traces.seed, ids) >> 32).astype("int64") * parts >> 32
    written, traces, tallies = Written(), [], []
    for p in range(parts):
        part = build_partition(whole.filter(pa.array(group[places] == p, pa.bool_())), asked, None, written)
        traces += list(part.traces)
        tallies.append(part.tally)
    everything, tally = made(rows, asked)
    assert rows_of(traces) == rows_of(everything)
    assert total(tallies).to_json() == tally.to_json()
