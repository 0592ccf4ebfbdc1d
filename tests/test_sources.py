"""Files of every kind give the same rows; a damaged or foreign one is refused in a sentence that says where."""

import csv
import gzip
import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.errors import SkillFactoryError, SourceError
from skill_factory.recipe.model import Columns, Source
from skill_factory.sources import RawSource, open_source, source_of_recipe
from skill_factory.sources.canonical import canonical
from skill_factory.sources.files import FileSource
from skill_factory.sources.neighbours import read_together, runs

COLUMNS = Columns(
    question="question", response=("response",), correct=("correct",), reflections=("reflections",)
)
ROWS = [
    {
        "question": f'Q{k}\n, "数"',
        "response": f"text {k}\r\n",
        "correct": bool(k % 2),
        "reflections": [f"r{k}", "[x]"],
    }
    for k in range(5)
]


def rows_of(source: RawSource) -> list[dict[str, Any]]:
    """All canonical rows of a source."""
    batches = [batch for piece in source.pieces() for batch in piece.batches(COLUMNS)]
    return [row for batch in batches for row in canonical(batch, COLUMNS).table.to_pylist()]


def lines(rows: list[dict[str, Any]]) -> bytes:
    """JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=2)


def as_csv(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ROWS[0])
        writer.writeheader()
        writer.writerows([dict(row, reflections=json.dumps(row["reflections"])) for row in ROWS])


def zst(path: Path) -> None:
    with pa.output_stream(str(path), compression="zstd") as stream:
        stream.write(lines(ROWS))


WRITERS: dict[str, Callable[[Path], Any]] = {
    "rows.parquet": parquet,
    "rows.jsonl": lambda path: path.write_bytes(lines(ROWS)),
    "rows.ndjson": lambda path: path.write_bytes(b"\xef\xbb\xbf" + lines(ROWS).replace(b"}\n", b"}\n\n  \n")),
    "rows.json": lambda path: path.write_text(json.dumps(ROWS), encoding="utf-8"),
    "lines.json": lambda path: path.write_bytes(lines(ROWS)),
    "rows.csv": as_csv,
    "ROWS.JSONL": lambda path: path.write_bytes(lines(ROWS)),
    "rows.jsonl.gz": lambda path: path.write_bytes(gzip.compress(lines(ROWS))),
    "rows.jsonl.zst": zst,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    """Parquet, JSON, JSON Lines and CSV, packed or not, with a byte order mark or empty lines: the same responses."""
    WRITERS[name](tmp_path / name)
    found = rows_of(open_source(str(tmp_path / name)))
    assert [(r["question"], r["response"], r["correct"], r["reflections"]) for r in found] == [
        tuple(row.values()) for row in ROWS
    ]


@pytest.mark.parametrize("given_as", ["", "/*.jsonl", "/**/*.jsonl"])
def test_folders_and_globs_are_one_source(given_as: str, tmp_path: Path) -> None:
    """A folder with its sub-folders, or a glob, is all its data files; hidden ones and others are passed over."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.jsonl").write_bytes(lines(ROWS[:2]))
    (tmp_path / "sub" / "b.jsonl").write_bytes(lines(ROWS[2:]))
    (tmp_path / ".hidden.jsonl").write_bytes(b"broken")
    (tmp_path / "README.md").write_text("no data", encoding="utf-8")
    found = rows_of(open_source(f"{tmp_path}{given_as}"))
    assert len(found) == (2 if given_as == "/*.jsonl" else 5)


def test_a_parquet_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    """What is kept of a file from one row group to the next goes when the file changes."""
    path = tmp_path / "raw.parquet"
    for number in range(3):
        rows = [dict(row, response=f"{row['response']} {number}") for row in ROWS]
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=2)
        assert [row["response"] for row in rows_of(open_source(str(path)))] == [
            row["response"] for row in rows
        ]


def test_small_row_groups_are_read_together(tmp_path: Path) -> None:
    """Row groups of two rows, and those of two files, are read together, with the same rows in the same order."""
    for name, rows in (("a", ROWS), ("b", ROWS[::-1])):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"{name}.parquet", row_group_size=2)
    source = open_source(str(tmp_path))
    assert len(source.pieces()) == 2
    (whole,) = read_together(source.pieces())
    assert whole.size == sum(piece.size for piece in source.pieces()) > 0
    read = [
        row["response"]
        for batch in whole.batches(COLUMNS)
        for row in canonical(batch, COLUMNS).table.to_pylist()
    ]
    assert read == [row["response"] for row in [*ROWS, *ROWS[::-1]]]


@given(st.lists(st.integers(0, 100)), st.integers(1, 200))
def test_neighbours_are_read_as_one_and_no_more(sizes: list[int], wanted: int) -> None:
    """Each row group once and in order; a piece is one group or fits; no piece could have taken the next group too."""
    found = list(runs(sizes, wanted))
    assert [group for run in found for group in run] == list(range(len(sizes)))
    for run, after in pairwise(found):
        assert sum(sizes[k] for k in run) + sizes[after.start] > wanted
    for run in found:
        assert len(run) == 1 or sum(sizes[k] for k in run) <= wanted


def test_the_digest_is_of_the_content_alone(tmp_path: Path) -> None:
    """The same files in another folder under the same names have the same digest; one changed byte another."""
    digests = []
    for name, rows in (("one", ROWS), ("two", ROWS), ("three", ROWS[::-1])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows.jsonl").write_bytes(lines(rows))
        digests.append(open_source(str(tmp_path / name)).pinned().digest)
    assert digests[0] == digests[1] != digests[2]


def test_an_existing_path_wins_over_a_hub_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`user/name` is a folder where there is one."""
    (tmp_path / "user" / "name").mkdir(parents=True)
    (tmp_path / "user" / "name" / "rows.jsonl").write_bytes(lines(ROWS))
    monkeypatch.chdir(tmp_path)
    assert open_source("user/name").spec == Source(kind="file", name="name")


@pytest.mark.parametrize(("text", "questions"), [("demo", 500), ("demo:7", 7)])
def test_the_demo_is_a_source(text: str, questions: int) -> None:
    """`demo` and `demo:N`."""
    assert open_source(text).spec == Source(kind="demo", name=str(questions))


@pytest.mark.parametrize("text", ["demo:0", "demo:x", "demo:-1", "demo:²"])
def test_a_demo_of_no_questions_is_refused(text: str) -> None:
    """N is a number from 1."""
    with pytest.raises(SourceError, match="demo:500"):
        open_source(text)


def test_a_recipe_names_what_can_be_opened_again() -> None:
    """The demo and a Hub set can; a file's path is an argument of the run."""
    assert source_of_recipe(Source(kind="demo", name="7")) == "demo:7"
    assert source_of_recipe(Source(kind="hub", name="a/b", revision="c")) == "a/b@c"
    with pytest.raises(SourceError, match=r"'rows\.jsonl'"):
        source_of_recipe(Source(kind="file", name="rows.jsonl"))


# -------------------------------------------------------------------------------------------- bad input


def refused(path: Path | str) -> str:
    """The sentence with which a source is refused while it is opened or read."""
    with pytest.raises(SourceError) as error:
        source = open_source(str(path))
        source.names()
        source.head(200)
        rows_of(source)
    said = str(error.value)
    assert "\n" not in said
    assert said[-1] in ".?"
    said.encode()
    return said


BROKEN: dict[str, tuple[str, bytes, str]] = {
    "invalid JSON": ("a.jsonl", lines(ROWS) + b'{"question": oops}\n', "line 6 is not valid JSON"),
    "after empty lines": ("a.jsonl", b"\n\n" + lines(ROWS[:1]) + b"{", "line 4 is not valid JSON"),
    "a line that is no object": ("a.jsonl", lines(ROWS[:1]) + b"[1]\n", "line 2 isn't a JSON object"),
    "a number of 5,000 digits": ("a.jsonl", lines(ROWS[:1]) + b'{"a": ' + b"1" * 5000 + b"}\n", "line 2"),
    "nested too deep": ("a.jsonl", lines(ROWS[:1]) + b"[" * 200_000, "line 2"),
    "invalid JSON in an array": ("a.json", b'[\n{"question": "Q"},\noops]', "line 3 is not valid JSON"),
    "an array of numbers": ("a.json", b"[1, 2]", "a list of JSON objects"),
    "an array with a long number": ("a.json", b'[{"a": ' + b"1" * 5000 + b"}]", "a.json"),
    "an array nested too deep": ("a.json", b"[" * 200_000, "nested too deep"),
    "not UTF-8": ("a.jsonl", lines(ROWS).replace("数".encode(), b"\xff"), "not UTF-8"),
    "UTF-16 that is cut": ("a.jsonl", lines(ROWS).decode().encode("utf-16")[:-1], "damaged UTF-16"),
    "too many cells": ("a.csv", b"question,response\na,b,c\n", "line 2 has 3 cells for 2 columns"),
    "an open quote": ("a.csv", b'question,response\n"a,b\n', "is not valid CSV"),
    "two columns of one name": ("a.csv", b"question,question\na,b\n", "two columns named 'question'"),
    "a NUL": ("a.csv", b"question,response\na\0,b\n", "NUL"),
    "a truncated gzip": ("a.jsonl.gz", gzip.compress(lines(ROWS * 50))[:-20], "can't be read"),
    "no gzip at all": ("a.jsonl.gz", lines(ROWS), "can't be read"),
    "no zstd at all": ("a.jsonl.zst", lines(ROWS), "can't be read"),
    "text named Parquet": ("a.parquet", lines(ROWS), "can't be read as parquet"),
    "an empty Parquet file": ("a.parquet", b"", "can't be read as parquet"),
    "another ending": ("a.docx", b"x", "its ending is none of"),
    "no spreadsheet at all": ("a.xlsx", b"x", "can't be read as a spreadsheet"),
    "a pointer": ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
    "no ending": ("a", b"x", "its ending is none of"),
    "a packed Parquet file": ("a.parquet.gz", b"x", "its ending is none of"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    """One sentence: the file's name, the line where there is one, what was found and what to do."""
    name, content, said = BROKEN[case]
    (tmp_path / name).write_bytes(content)
    assert said in refused(tmp_path / name)


@pytest.mark.parametrize("keep", [4, 0.3, 0.7, 0.99])
def test_a_truncated_parquet_file_is_refused(keep: float, tmp_path: Path) -> None:
    """Wherever it was cut."""
    parquet(tmp_path / "whole.parquet")
    data = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    assert "cut.parquet can't be read as parquet" in refused(tmp_path / "cut.parquet")


@pytest.fixture(scope="module")
def damaged_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples."""
    return tmp_path_factory.mktemp("damaged")


@given(data=st.data())
def test_no_damaged_parquet_file_crashes_the_reader(data: st.DataObject, damaged_folder: Path) -> None:
    """Any bytes changed anywhere: rows come, or one sentence."""
    folder = damaged_folder
    parquet(folder / "a.parquet")
    content = bytearray((folder / "a.parquet").read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[at] = data.draw(st.integers(0, 255))
    (folder / "a.parquet").write_bytes(content)
    try:
        rows_of(open_source(str(folder / "a.parquet")))
    except SkillFactoryError as error:
        assert "a.parquet" in str(error) or "column" in str(error)


def test_text_in_parquet_that_is_no_utf_8_is_a_row_error(tmp_path: Path) -> None:
    """Arrow does not check texts when it reads; the row with the broken one is refused and the others are read."""
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 2, 4, 6)))
    broken = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"ab\xff\xfecd")])
    table = pa.table(
        {"question": ["Q"] * 3, "response": broken, "correct": [True] * 3, "reflections": [["r"]] * 3}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    source = open_source(str(tmp_path / "a.parquet"))
    assert len(source.head(3)) == 3
    (batch,) = [batch for piece in source.pieces() for batch in piece.batches(COLUMNS)]
    found = canonical(batch, COLUMNS)
    assert found.table["response"].to_pylist() == ["ab", "cd"]
    assert [error.reason.value for error in found.errors] == ["not_text"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no/such/file.parquet", "There is no file"),
        ("./nothing", "There is no file"),
        ("nothing*.jsonl", "There is no file"),
        ("nothing", "No source 'nothing'"),
        ("~nobody-of-this-name/x.jsonl", "There is no file"),
        ("x" * 5000, "No source"),
        ("/" + "x" * 5000, "There is no file"),
        ("", "No source"),
        ("[", "There is no file"),
        ("a\0b", "No source"),
    ],
    ids=lambda text: text[:20].replace("\0", "NUL"),
)
def test_a_source_that_is_not_there_says_what_was_looked_for(text: str, said: str) -> None:
    """A missing file, an empty glob, a name too long: one sentence each."""
    assert said in refused(text)


def test_folders_that_mix_or_lack_data_are_refused(tmp_path: Path) -> None:
    """One kind of file a folder; a folder without data is said to be one."""
    assert "No data file" in refused(tmp_path)
    (tmp_path / "a.jsonl").write_bytes(lines(ROWS))
    as_csv(tmp_path / "b.csv")
    assert "mixes .csv and .jsonl" in refused(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    """No permission is one sentence too."""
    (tmp_path / "a.jsonl").write_bytes(lines(ROWS))
    (tmp_path / "a.jsonl").chmod(0)
    assert "can't be read" in refused(tmp_path / "a.jsonl")


def test_a_file_whose_name_is_no_text_can_be_read(tmp_path: Path) -> None:
    """Names on Linux are bytes; the recipe, which is text, holds one that can be written down."""
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.jsonl")
    with open(path, "wb") as file:
        file.write(lines(ROWS))
    source = FileSource.open(os.fsdecode(path))
    source.spec.name.encode()
    assert len(rows_of(source)) == 5


def test_a_parquet_file_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    """Arrow opens files by names in UTF-8 alone; found in a folder, such a one is a sentence that names it."""
    parquet(tmp_path / "good.parquet")
    os.rename(os.fsencode(tmp_path / "good.parquet"), os.path.join(os.fsencode(tmp_path), b"caf\xe9.parquet"))
    assert "can't be read as parquet" in refused(tmp_path)
