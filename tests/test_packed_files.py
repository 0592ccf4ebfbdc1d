"""Packed texts and tar archives are read like zip archives: the same rows, within the same bounds, from disk and from the Hub."""

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from skill_factory.errors import SourceError
from skill_factory.insight.inspection import inspect
from skill_factory.sources.files import UPLOADS, FileSource
from skill_factory.sources.packed import bounds, streams, tars
from skill_factory.work import check
from tests.hub import Hub
from tests.make_raw import Row

pytest_plugins = ["tests.hub_fixtures"]

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
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
HALVES = LINES.splitlines(keepends=True)
WHOLE = (3, 6, 3, 3, 0, 6)
"""Questions, responses, right, wrong, unlabelled, critiques."""


def zstandard(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content, asbytes=True))


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".lzma": lambda content: lzma.compress(content, lzma.FORMAT_ALONE),
    ".zst": zstandard,
}


def found(path: Path) -> tuple[int, ...]:
    """(questions, responses, right, wrong, unlabelled, critiques)."""
    return tuple(vars(inspect(str(path)).found).values())


def tar(files: dict[str, bytes], **changes: Any) -> bytes:
    """A tar archive; `changes` are fields of every entry's header."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for field, value in changes.items():
                setattr(entry, field, value)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


FOLDER = {
    "run/a.jsonl": b"".join(HALVES[:3]),
    "run/b.jsonl": b"".join(HALVES[3:]),
    "run/._a.jsonl": b"x",
    "run/README.md": b"#",
}

# ------------------------------------------------------------------------------------------- one packed text


@pytest.mark.parametrize("ending", PACK)
def test_a_packed_text_gives_the_rows_of_the_plain_one(ending: str, tmp_path: Path) -> None:
    """JSON Lines and CSV, whatever they are packed with."""
    path = tmp_path / f"raw.jsonl{ending}"
    path.write_bytes(PACK[ending](LINES))
    assert found(path) == WHOLE
    table = tmp_path / f"raw.csv{ending}"
    table.write_bytes(PACK[ending](b"question,response,correct\nq,a,yes\nq,b,no\n"))
    assert found(table) == (1, 2, 1, 1, 0, 0)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_streams_that_follow_each_other_are_one_text(ending: str, tmp_path: Path) -> None:
    """Parallel packers write several streams into a file; none of them is left out, nor are zeros behind them a fault."""
    path = tmp_path / f"raw.jsonl{ending}"
    path.write_bytes(b"".join(PACK[ending](line) for line in HALVES) + b"\0" * (0 if ending == ".gz" else 8))
    assert found(path) == WHOLE


@pytest.mark.parametrize("ending", PACK)
def test_a_packed_text_that_is_cut_or_damaged_says_so(ending: str, tmp_path: Path) -> None:
    """Half of a file is never taken for all of it."""
    whole = PACK[ending](LINES * 50)
    for name, content in (("cut", whole[: len(whole) // 2]), ("other", b"no such thing at all, nowhere")):
        path = tmp_path / f"{name}.jsonl{ending}"
        path.write_bytes(content)
        with pytest.raises(SourceError, match=rf"{name}\.jsonl.* can't be read.*complete"):
            inspect(str(path))


@pytest.mark.parametrize("ending", [".bz2", ".xz", ".zst"])
def test_a_packed_text_without_end_is_refused(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What unpacks to more than a hundred times its size isn't data."""
    monkeypatch.setattr(streams, "LARGEST_UNPACKED", 100_000)
    path = tmp_path / f"raw.jsonl{ending}"
    path.write_bytes(PACK[ending](b"\n" * 20_000_000))
    with pytest.raises(SourceError, match="unpacks to more than 100 times"):
        inspect(str(path))


def test_an_xz_file_that_asks_for_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    """The header of a few bytes names the memory that unpacking takes; it isn't believed."""
    honest = lzma.compress(LINES, lzma.FORMAT_ALONE)
    path = tmp_path / "raw.jsonl.lzma"
    path.write_bytes(honest[:1] + struct.pack("<I", 0xC0000000) + honest[5:])
    with pytest.raises(SourceError, match="can't be read"):
        inspect(str(path))


# ---------------------------------------------------------------------------------------------------- archives

TARS = {
    "tar": lambda content: content,
    "tar.gz": gzip.compress,
    "tgz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tbz2": bz2.compress,
    "tar.xz": lzma.compress,
    "txz": lzma.compress,
    "tar.lzma": PACK[".lzma"],
    "tar.zst": zstandard,
}  # fmt: skip


@pytest.mark.parametrize("ending", TARS)
def test_a_tar_archive_is_a_folder(ending: str, tmp_path: Path) -> None:
    """However it is packed; a Mac's own rubbish and notes in it are passed over."""
    path = tmp_path / f"run.{ending}"
    path.write_bytes(TARS[ending](tar(FOLDER)))
    assert found(path) == WHOLE
    assert FileSource.open(str(path)).spec.name == f"run.{ending}"
    assert check.needs_check(path) and ending in UPLOADS


def test_packed_texts_in_an_archive_are_read(tmp_path: Path) -> None:
    """An archive of packed texts isn't an archive of archives."""
    path = tmp_path / "run.tar"
    path.write_bytes(tar({"a.jsonl.bz2": bz2.compress(LINES)}))
    assert found(path) == WHOLE


BAD: dict[str, tuple[bytes, str]] = {
    "a bomb": (gzip.compress(tar({"a.jsonl": b" " * 50_000_000})), "would unpack to"),
    "a nested archive": (gzip.compress(tar({"inner.tar.gz": b"x"})), "another archive"),
    "a nested zip": (gzip.compress(tar({"inner.ZIP": b"x"})), "another archive"),
    "a way out": (gzip.compress(tar({"../a.jsonl": b"{}"})), "leads out of it"),
    "a way out in the middle": (gzip.compress(tar({"a/../../a.jsonl": b"{}"})), "leads out of it"),
    "an absolute path": (gzip.compress(tar({"/etc/a.jsonl": b"{}"})), "leads out of it"),
    "a drive": (gzip.compress(tar({"C:/a.jsonl": b"{}"})), "leads out of it"),
    "a link": (gzip.compress(tar({"a.jsonl": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd")), "a link"),
    "a hard link": (gzip.compress(tar({"a.jsonl": b""}, type=tarfile.LNKTYPE, linkname="b")), "a link"),
    "a device": (gzip.compress(tar({"a.jsonl": b""}, type=tarfile.CHRTYPE)), "isn't a file"),
    "a pipe": (gzip.compress(tar({"a.jsonl": b""}, type=tarfile.FIFOTYPE)), "isn't a file"),
    "no archive": (gzip.compress(b"no" * 600), "can't be unpacked"),
    "not packed": (b"no", "can't be unpacked"),
    "cut": (gzip.compress(tar({"a.jsonl": LINES * 9}))[:-40], "can't be unpacked"),
    "a name without end": (
        gzip.compress(tar({"a" * 200: b""}, name="a" * 300_000)),
        "can't be unpacked.*longer than any name",
    ),
    "no data": (gzip.compress(tar({"a.txt": b"x"})), "No data file"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_tar_archive_that_holds_more_than_data_is_refused(case: str, tmp_path: Path) -> None:
    """Bombs, nested archives, links, devices and paths that lead out: one sentence, and nothing is written outside."""
    content, said = BAD[case]
    (tmp_path / "raw.tar.gz").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        FileSource.open(str(tmp_path / "raw.tar.gz"))
    assert [path.name for path in tmp_path.iterdir()] == ["raw.tar.gz"]


def test_a_tar_archive_that_is_damaged_behind_its_first_file_is_refused(tmp_path: Path) -> None:
    """Python's own reader would end there in silence, and half of the data would be missing."""
    content = bytearray(tar({"a.jsonl": b"".join(HALVES[:3]), "b.jsonl": b"".join(HALVES[3:])}))
    second = content.index(b"b.jsonl")
    content[second] = 7
    (tmp_path / "raw.tar").write_bytes(content)
    with pytest.raises(SourceError, match="can't be unpacked"):
        FileSource.open(str(tmp_path / "raw.tar"))


def test_a_tar_archive_has_so_many_entries_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of folders and hidden files, which cost memory and aren't data."""
    monkeypatch.setattr(bounds, "MOST_ENTRIES", 3)
    (tmp_path / "raw.tar").write_bytes(tar({f"{k}.jsonl": b"{}" for k in range(4)}))
    with pytest.raises(SourceError, match="holds more than 3 files"):
        FileSource.open(str(tmp_path / "raw.tar"))
    monkeypatch.setattr(tars, "MOST_HEADERS", 5)
    (tmp_path / "raw.tar").write_bytes(tar({f".{k}": b"" for k in range(6)}))
    with pytest.raises(SourceError, match="entries, so it is hardly data"):
        FileSource.open(str(tmp_path / "raw.tar"))


def test_what_is_packed_in_another_way_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Archives that nothing here unpacks."""
    (tmp_path / "raw.7z").write_bytes(b"7z")
    with pytest.raises(SourceError, match=r"pack it as \.zip"):
        FileSource.open(str(tmp_path / "raw.7z"))


# ------------------------------------------------------------------------------------------------------ the Hub


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


ON_THE_HUB = {
    "alice/zip": {"raw.zip": zipped(FOLDER)},
    "alice/tar": {"raw.tar.gz": gzip.compress(tar(FOLDER))},
    "alice/bz2": {"raw.jsonl.bz2": bz2.compress(LINES)},
    "alice/xz": {"raw.jsonl.xz": lzma.compress(LINES)},
    "alice/zst": {"raw.jsonl.zst": zstandard(LINES)},
    "alice/both": {"train.jsonl": LINES, "code.zip": zipped({"a.jsonl": b"{}"}), "b.zip": b"x"},
}
INSPECT = """
import json
from skill_factory.insight.inspection import inspect
print(json.dumps({{name: list(vars(inspect(name).found).values()) for name in {names}}}))
"""


def test_what_is_packed_is_read_from_the_hub(hub: Hub, in_client: Callable[..., Any]) -> None:
    """A packed text is read as it arrives, an archive is fetched whole; beside tables, an archive is something else."""
    for name, files in ON_THE_HUB.items():
        hub.seed(name, files)
    told = in_client(INSPECT.format(names=list(ON_THE_HUB)))
    assert told == {key: list(WHOLE) for key in ON_THE_HUB}
