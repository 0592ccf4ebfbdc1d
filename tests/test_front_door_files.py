"""Files as people have them: spreadsheets, archives within bounds, logs, lists as text, small row groups."""

import csv
import gzip
import json
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.errors import SourceError
from skill_factory.insight.inspection import inspect
from skill_factory.sources.files import FileSource
from skill_factory.sources.lists import CutShort, read_list
from skill_factory.sources.packed import bounds, zips
from tests.make_raw import Row

ROWS: list[Row] = [
    {
        "question": f"What is {q} + {k % 2}?",
        "answer": str(q),
        "response": f"It is {q + k}. <answer>{q + k}</answer>",
        "correct": k == 0,
        "reflections": [f"I add again. <verdict>{'Correct' if k == 0 else 'Incorrect'}</verdict>"],
    }
    for q in range(3)
    for k in (0, 2)
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def found(path: Path) -> tuple[int, ...]:
    """(questions, responses, right, wrong, unlabelled, critiques)."""
    return tuple(vars(inspect(str(path)).found).values())


WHOLE = (3, 6, 3, 3, 0, 6)

# --------------------------------------------------------------------------------------------------- archives


def zipped(path: Path, **files: bytes) -> Path:
    """An archive of some files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def test_unpacked_bytes_count_on_a_shared_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a visitor's archive unpacks to is bounded there like what is uploaded; at home it isn't."""
    path = zipped(tmp_path / "raw.zip", **{"a.jsonl": LINES.encode()})
    monkeypatch.setattr(bounds, "A_VISITORS", len(LINES) - 1)
    assert found(path) == WHOLE
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    with pytest.raises(SourceError, match="kept on this shared server"):
        FileSource.open(str(path))


def zipped_with_zstandard(path: Path, files: dict[str, bytes]) -> Path:
    """An archive as Inspect packs its logs today, written by hand: Python's own module knows the method from 3.14 on."""
    body, directory = b"", b""
    for name, content in files.items():
        packed, label = pa.compress(content, codec="zstd", asbytes=True), name.encode()
        told = struct.pack("<HHHIIIHH", zips.ZSTANDARD, 0, 0x21, zlib.crc32(content), len(packed), len(content), len(label), 0)  # fmt: skip
        directory += (
            struct.pack("<4sHHH", b"PK\1\2", 63, 63, 0) + told + struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        )
        directory += label
        body += struct.pack("<4sHH", b"PK\3\4", 63, 0) + told + label + packed
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(files), len(files), len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path


SAMPLE = {
    "id": "a", "epoch": 1, "input": "What is 1 + 1?", "target": "2",
    "output": {"completion": "ANSWER: 2"}, "scores": {"match": {"value": "C", "answer": "2"}},
}  # fmt: skip


def test_archives_packed_with_zstandard_are_read(tmp_path: Path) -> None:
    """As an archive of data and as an Inspect log; an entry that was damaged is said."""
    log = {"header.json": b"{}", "samples/a_epoch_1.json": json.dumps(SAMPLE).encode()}
    assert found(zipped_with_zstandard(tmp_path / "run.eval", log)) == (1, 1, 1, 0, 0, 0)
    assert found(zipped_with_zstandard(tmp_path / "raw.zip", {"rows.jsonl": LINES.encode()})) == WHOLE
    damaged = bytearray((tmp_path / "run.eval").read_bytes())
    damaged[damaged.index(b"samples/") + 40] ^= 0xFF
    (tmp_path / "run.eval").write_bytes(damaged)
    with pytest.raises(SourceError, match=r"can't be read as an Inspect log.*damaged"):
        inspect(str(tmp_path / "run.eval"))


def test_a_zip_is_a_folder(tmp_path: Path) -> None:
    """The data of an archive are one source; a Mac's own rubbish in it is passed over."""
    halves = LINES.splitlines(keepends=True)
    files = {
        "data/a.jsonl": "".join(halves[:3]),
        "data/b.jsonl": "".join(halves[3:]),
        "__MACOSX/a.jsonl": "x",
        "README.md": "#",
    }
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    assert found(tmp_path / "raw.zip") == WHOLE
    assert FileSource.open(str(tmp_path / "raw.zip")).spec.name == "raw.zip"


def linked(path: Path) -> Path:
    """An archive whose entry is a symbolic link."""
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("a.jsonl")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return path


BAD: dict[str, tuple[Any, str]] = {
    "a bomb": (lambda path: zipped(path, **{"a.jsonl": b" " * 50_000_000}), "would unpack to"),
    "a nested archive": (lambda path: zipped(path, **{"inner.zip": b"PK"}), "another archive"),
    "a way out": (lambda path: zipped(path, **{"..__a.jsonl": b"{}"}), "leads out of it"),
    "an absolute path": (lambda path: zipped(path, **{"__etc__a.jsonl": b"{}"}), "leads out of it"),
    "a drive": (lambda path: zipped(path, **{"C:__a.jsonl": b"{}"}), "leads out of it"),
    "a link": (linked, "holds a link"),
    "no archive": (lambda path: path.write_bytes(b"no"), "can't be unpacked"),
    "no data": (lambda path: zipped(path, **{"a.txt": b"x"}), "No data file"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_archive_that_holds_more_than_data_is_refused(case: str, tmp_path: Path) -> None:
    """Bombs, nested archives, links and paths that lead out: one sentence, and nothing is written outside."""
    make, said = BAD[case]
    make(tmp_path / "raw.zip")
    with pytest.raises(SourceError, match=said):
        FileSource.open(str(tmp_path / "raw.zip"))
    assert [path.name for path in tmp_path.iterdir()] == ["raw.zip"]


def test_an_archive_has_so_many_files_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of very many files is refused before any is written."""
    monkeypatch.setattr(bounds, "MOST_ENTRIES", 3)
    zipped(tmp_path / "raw.zip", **{f"{k}.jsonl": b"{}" for k in range(4)})
    with pytest.raises(SourceError, match="holds more than 3 files"):
        FileSource.open(str(tmp_path / "raw.zip"))


# ------------------------------------------------------------------------------------------------ spreadsheets


def sheet(path: Path, rows: list[list[Any]], merged: str = "") -> Path:
    """A minimal workbook, as Excel writes it: an archive of XML."""

    def cell(value: Any) -> str:
        if isinstance(value, bool):
            return f'<c t="b"><v>{int(value)}</v></c>'
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        text = str(value).replace("&", "&amp;").replace("<", "&lt;")
        return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData>{merged}</worksheet>',
        )
    return path


def test_titles_and_merged_cells_of_a_spreadsheet_are_read(tmp_path: Path) -> None:
    """What stands above the names of the columns is passed over; a question merged over its rows is that of each."""
    names = ["question", "response", "correct"]
    rows: list[list[Any]] = [["Results of run 7"], [], names]
    for question in ("What is 1 + 1?", "What is 2 + 2?"):
        rows += [[question if k == 0 else "", f"It is {k} of {question}", k == 0] for k in range(3)]
    merged = '<mergeCells count="2"><mergeCell ref="A4:A6"/><mergeCell ref="A7:A9"/></mergeCells>'
    seen = inspect(str(sheet(tmp_path / "raw.xlsx", rows, merged)))
    assert (seen.found.questions, seen.found.responses, seen.found.right) == (2, 6, 2)


def test_a_spreadsheet_is_a_table(tmp_path: Path) -> None:
    """An .xlsx file reads as the same rows in JSON Lines: whole numbers without a fraction, truth values as such."""
    names = ["question", "answer", "response", "correct", "reflections"]
    rows = [
        names,
        *(
            [row["question"], int(row["answer"]), row["response"], row["correct"], row["reflections"][0]]
            for row in ROWS
        ),
    ]
    assert found(sheet(tmp_path / "raw.xlsx", rows)) == WHOLE
    (batch,) = (
        FileSource.open(str(tmp_path / "raw.xlsx"))
        .pieces()[0]
        .batches(inspect(str(tmp_path / "raw.xlsx")).recipe.columns)
    )
    assert [row["answer"] for row in batch] == [0, 0, 1, 1, 2, 2]


# --------------------------------------------------------------------------------------------- folders of logs


def test_an_hour_of_verl_dumps_is_one_set(tmp_path: Path) -> None:
    """A folder of `{step}.jsonl` is one source; the step is kept as prompt variant."""
    for step in (1, 2, 3):
        rows = [
            {
                "input": f"user\n{q}+1?\nassistant\n",
                "output": f"{step}. <answer>{q + 1 + k}</answer>",
                "gts": str(q + 1),
                "score": float(k == 0),
                "step": step,
            }
            for q in range(3)
            for k in range(2)
        ]
        (tmp_path / f"{step}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )
    seen = inspect(str(tmp_path))
    assert (seen.preset, tuple(vars(seen.found).values())) == ("verl rollout log", (3, 18, 9, 9, 0, 0))
    assert seen.recipe.columns.prompt_variant == "step"
    assert seen.recipe.columns.question_rule == "chat"


def test_a_filter_of_lm_eval_is_read_once(tmp_path: Path) -> None:
    """A log with a row per filter gives each response once."""
    rows = [
        {
            "doc_id": q,
            "doc": {"question": f"{q}+1?"},
            "target": str(q + 1),
            "resps": [[f"#### {q + 1}", f"#### {q}"]],
            "filtered_resps": ["x"],
            "filter": name,
            "exact_match": 1.0,
        }
        for name in ("strict-match", "flexible-extract")
        for q in range(4)
    ]
    path = tmp_path / "samples_gsm8k.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "results_1.json").write_text("{}", encoding="utf-8")
    for given_as in (path, tmp_path):
        assert found(given_as) == (4, 8, 0, 0, 8, 0)


def test_batch_results_are_joined_with_their_requests(tmp_path: Path) -> None:
    """A folder of requests and results, in any order, is one set: the question from the one, the response from the other."""
    asked = [
        {
            "custom_id": f"q{k}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "m", "messages": [{"role": "user", "content": f"{k}+1?"}]},
        }
        for k in range(4)
    ]
    said = [
        {
            "id": "b",
            "custom_id": f"q{k}",
            "response": {
                "status_code": 200,
                "body": {
                    "choices": [
                        {"index": i, "message": {"role": "assistant", "content": f"So {k + i}."}}
                        for i in range(2)
                    ]
                },
            },
            "error": None,
        }
        for k in range(3, -1, -1)
    ]
    (tmp_path / "requests.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8"
    )
    results = tmp_path / "results.jsonl"
    results.write_text("".join(json.dumps(row) + "\n" for row in said), encoding="utf-8")
    seen = inspect(str(tmp_path))
    assert (seen.preset, seen.found.questions, seen.found.responses) == (
        "Batch results with their requests",
        4,
        8,
    )
    with pytest.raises(SourceError, match="without their requests"):
        inspect(str(results))


# --------------------------------------------------------------------------------------- lists written as text


@given(st.lists(st.one_of(st.text(), st.booleans(), st.none(), st.integers(-(10**12), 10**12)), max_size=6))
def test_a_list_that_python_wrote_is_read_back(items: list[Any]) -> None:
    """What `str(list)` writes is read as that list, whatever stands in its texts."""
    text = str(items)
    assert read_list(text) == items


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",))), min_size=1, max_size=5))
def test_neighbours_without_a_comma_are_two(items: list[str]) -> None:
    """NumPy's way of writing has no commas; Python would join the texts."""
    assert read_list(f"[{' '.join(map(repr, items))}]") == items


@given(st.text("[]'\",.ab\\ 0-1TrueNone\n", max_size=40))
def test_no_text_crashes_the_reader_of_lists(text: str) -> None:
    """Any text is a list, none, or cut short."""
    try:
        assert isinstance(read_list(text), list | None)
    except CutShort:
        assert "..." in text


def test_a_list_that_numpy_cut_is_refused(tmp_path: Path) -> None:
    """Where NumPy wrote dots in the place of items, the sentence says that they are lost."""
    with (tmp_path / "raw.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [["question", "responses", "correct"], ["Q?", "['a' 'b' ... 'z']", "[1, 0]"]]
        )
    with pytest.raises(SourceError, match="NumPy cut short"):
        inspect(str(tmp_path / "raw.csv"))


# ---------------------------------------------------------------------------------------------- odds and ends


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_a_csv_is_read_in_the_encoding_it_has(encoding: str, tmp_path: Path) -> None:
    """What a spreadsheet of a German office writes, umlauts and all."""
    rows = [
        ["Frage", "Antwort", "richtig"],
        *(
            [f"Wie groß ist {q} für uns?", f"Ungefähr {k}, wäre schön.", "ja" if k else "nein"]
            for q in range(9)
            for k in range(3)
        ),
    ]
    text = "\r\n".join(";".join(row) for row in rows)
    (tmp_path / "raw.csv").write_bytes(text.encode(encoding))
    seen = inspect(str(tmp_path / "raw.csv"))
    assert seen.found.questions == 9
    assert "groß" in dict(seen.columns)["Frage"]


@pytest.mark.parametrize(
    "text",
    [json.dumps(ROWS), json.dumps(ROWS, indent=1), "\n".join(json.dumps(row, indent=2) for row in ROWS)],
)
def test_packed_json_lines_that_are_none_are_read(text: str, tmp_path: Path) -> None:
    """A list, or rows over several lines, in a packed file, which can't be wound back."""
    with gzip.open(tmp_path / "raw.jsonl.gz", "wb") as file:
        file.write(text.encode())
    assert found(tmp_path / "raw.jsonl.gz") == WHOLE


def test_small_row_groups_give_the_rows_of_one(tmp_path: Path) -> None:
    """Row groups of one row read as the same rows, in a few pieces."""
    rows = [{**row, "question": f"{row['question']} ({k})"} for k in range(100) for row in ROWS]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "one.parquet")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "many.parquet", row_group_size=1)
    assert found(tmp_path / "one.parquet") == found(tmp_path / "many.parquet")
    assert len(FileSource.open(str(tmp_path / "many.parquet")).pieces()) == 1


def test_a_saved_dictionary_of_splits_is_its_train_split(tmp_path: Path) -> None:
    """`DatasetDict.save_to_disk`: the split `train`, or the sentence names the splits."""
    table = pa.Table.from_pylist(ROWS)
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        with pa.ipc.new_stream(str(tmp_path / split / "data-00000-of-00001.arrow"), table.schema) as writer:
            writer.write_table(table if split == "train" else table.slice(0, 2))
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}', encoding="utf-8")
    assert found(tmp_path) == WHOLE
