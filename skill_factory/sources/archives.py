"""Zip archives: a folder of data in one file, unpacked within bounds; and Inspect's logs, which are archives of samples."""

import json
import os
import re
import shutil
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory, gettempdir
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import pyarrow as pa

from skill_factory.errors import SourceError
from skill_factory.hosting import hosted
from skill_factory.sources.columns import excerpt
from skill_factory.sources.json_text import Rows
from skill_factory.sources.unreadable import UNREADABLE, why
from skill_factory.wording import file_size

MOST_ENTRIES = 10_000
LARGEST_UNPACKED = 2_000_000_000
A_VISITORS = 500_000_000
"""Bytes on a shared server that the archive of one visitor may unpack to: they lie on its disk like any upload."""
MOST_UNPACKED = 100
"""An archive may be so many times as large unpacked as it is; texts pack to a tenth at best."""
SMALL = 10_000_000
"""Unpacked bytes that no ratio is asked of."""
NESTED = (".zip", ".tar", ".tgz", ".7z", ".rar", ".bz2", ".xz")
MOST_SAMPLES = 1_000_000
_PIECE = 1 << 20
ZSTANDARD = 93
"""How zip archives number Zstandard, with which Inspect packs its logs."""
_NAME_LENGTHS = 26
"""Where an entry's own header says how long its name and its extra field are."""


def unpacked(path: Path) -> TemporaryDirectory[str]:
    """The data of an archive in a folder of its own, which goes when nobody holds it. Errors: SourceError."""
    folder = TemporaryDirectory(prefix="skill-factory-")
    try:
        with ZipFile(path) as archive:
            entries = [
                one for one in archive.infolist() if not one.is_dir() and not _is_rubbish(one.filename)
            ]
            _check(path, entries)
            # The sizes in the headers were checked, but headers can lie: what comes out is counted as well.
            room = LARGEST_UNPACKED
            for entry in entries:
                room -= _write(archive, entry, Path(folder.name), room, path)
    except UNREADABLE as error:
        folder.cleanup()
        raise SourceError(
            f"{excerpt(path.name)} can't be unpacked: {excerpt(why(error), 120)}. Is the archive complete, and without a password?"
        ) from None
    except SourceError:
        folder.cleanup()
        raise
    return folder


def _is_rubbish(name: str) -> bool:
    return any(
        part.startswith(".") or part == "__MACOSX" for part in name.split("/") if part not in ("..", ".")
    )


def _check(path: Path, entries: list[ZipInfo]) -> None:
    """Errors: SourceError for what no archive of data holds: too many files, links, ways out, archives within."""
    said = None
    size = sum(one.file_size for one in entries)
    if len(entries) > MOST_ENTRIES:
        said = f"holds {len(entries):,} files, and at most {MOST_ENTRIES:,} are read"
    elif hosted() and size > A_VISITORS:
        said = f"would unpack to {file_size(size)}, and at most {file_size(A_VISITORS)} are kept on this shared server"
        raise SourceError(
            f"{excerpt(path.name)} {said}. Upload less, publish it as a private Hub dataset, or run the app on your own computer."
        )
    elif size > LARGEST_UNPACKED or size > max(SMALL, MOST_UNPACKED * path.stat().st_size):
        said = f"would unpack to {size:,} bytes, so it is hardly data"
    elif (free := shutil.disk_usage(gettempdir()).free) < size:
        raise SourceError(
            f"{excerpt(path.name)} would unpack to {file_size(size)}, and {file_size(free)} of disk are free. Make room there."
        )
    for one in entries:
        name = excerpt(one.filename, 60)
        # Windows packs names with backslashes, which lead out of the folder there.
        parts = PurePosixPath(one.filename.replace("\\", "/")).parts
        # The upper half of this field holds the Unix mode where the archive was packed on Unix.
        if stat.S_ISLNK(one.external_attr >> 16):
            said = f"holds a link ({name})"
        elif ".." in parts or one.filename.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", one.filename):
            said = f"holds a path that leads out of it ({name})"
        elif one.filename.lower().endswith(NESTED):
            said = f"holds another archive ({name})"
    if said:
        raise SourceError(
            f"{excerpt(path.name)} {said}. Unpack it yourself and give the folder with the data."
        )


def _write(archive: ZipFile, entry: ZipInfo, folder: Path, room: int, path: Path) -> int:
    """Write one entry, and count what comes out of it, whatever its header says."""
    target = folder / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with target.open("wb") as file:
        for piece in _pieces(archive, entry, path):
            written += len(piece)
            if written > min(room, entry.file_size):
                raise SourceError(
                    f"{excerpt(path.name)} unpacks to more than it says. Unpack it yourself and give the folder."
                )
            file.write(piece)
        shutil.copymode(path, target)
    target.chmod(0o600)
    return written


def _pieces(archive: ZipFile, entry: ZipInfo, path: Path) -> Iterator[bytes]:
    """What an entry holds, piece by piece; also where it is packed with Zstandard, which Python reads from 3.14 on."""
    try:
        packed: Any = archive.open(entry)
    except NotImplementedError:
        if entry.compress_type != ZSTANDARD:
            raise
        yield from _zstandard(entry, path)
        return
    with packed:
        while piece := packed.read(_PIECE):
            yield piece


def _zstandard(entry: ZipInfo, path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(entry.header_offset + _NAME_LENGTHS)
        # The lengths in an entry's own header may differ from those in the directory at the end of the archive.
        name, extra = struct.unpack("<HH", file.read(4))
        file.seek(name + extra, os.SEEK_CUR)
        held = pa.BufferReader(file.read(entry.compress_size))
    check = 0
    try:
        with pa.CompressedInputStream(held, "zstd") as packed:
            while piece := packed.read(_PIECE):
                check = zlib.crc32(piece, check)
                yield piece
    except (pa.ArrowInvalid, OSError) as error:
        raise BadZipFile(f"{excerpt(entry.filename, 60)} is damaged ({excerpt(str(error), 60)})") from None
    # Python checks its own packings; for this one it is up to us.
    if check != entry.CRC:
        raise BadZipFile(f"{excerpt(entry.filename, 60)} is damaged")


# -- Inspect's logs ------------------------------------------------------------------------------------------------

_SAMPLE = re.compile(r"samples/.+\.json")
_KEPT = ("id", "epoch", "input", "target", "choices", "messages", "output", "scores", "metadata")
"""Fields of a sample that say what was asked and answered; its events are many times as long."""


def eval_rows(path: Path) -> Rows:
    """The samples of an `.eval` log, one row each, with the characters of each. Errors: SourceError."""
    try:
        with ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if _SAMPLE.fullmatch(one.filename)]
            # An archive lists its samples in the order in which they ended, which isn't the same twice.
            entries.sort(key=lambda one: _natural(one.filename))
            size = sum(one.file_size for one in entries)
            if len(entries) > MOST_SAMPLES or size > max(
                LARGEST_UNPACKED, MOST_UNPACKED * path.stat().st_size
            ):
                raise SourceError(
                    f"{excerpt(path.name)} would unpack to {size:,} bytes, so it is hardly a log."
                )
            for entry in entries:
                yield entry.file_size, _sample(archive, entry, path)
    except NotImplementedError:
        raise SourceError(
            f"{excerpt(path.name)} is packed in a way that can't be read here. "
            "Write it as JSON (`inspect log convert --to json`) and give that file."
        ) from None
    except UNREADABLE as error:
        raise SourceError(
            f"{excerpt(path.name)} can't be read as an Inspect log: {excerpt(why(error), 120)}. Is the file complete?"
        ) from None


def _sample(archive: ZipFile, entry: ZipInfo, path: Path) -> dict[str, Any]:
    text = bytearray()
    for piece in _pieces(archive, entry, path):
        text += piece
        if len(text) > entry.file_size:
            raise SourceError(f"{excerpt(path.name)} unpacks to more than it says, so it is hardly a log.")
    try:
        sample = json.loads(text)
    except (ValueError, RecursionError):
        raise SourceError(
            f"{excerpt(path.name)}: {excerpt(entry.filename)} isn't valid JSON. Is the log complete?"
        ) from None
    return {name: sample[name] for name in _KEPT if name in sample} if isinstance(sample, dict) else {}


def _natural(name: str) -> list[tuple[int, str]]:
    """Sample 10 after sample 9."""
    parts = ((one.lstrip("0"), one) for one in re.split(r"(\d+)", name))
    return [(len(number), number) if whole.isdecimal() else (-1, whole) for number, whole in parts]


def is_eval_log(path: Path) -> bool:
    """Whether an archive is a log of Inspect, whatever it is called."""
    try:
        with ZipFile(path) as archive:
            names = set(archive.namelist())
    except UNREADABLE:
        return False
    return bool(names & {"header.json", "_journal/start.json"}) and any(map(_SAMPLE.fullmatch, names))
