"""Zip archives."""

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import pyarrow as pa

from skill_factory.sources.columns import excerpt
from skill_factory.sources.packed.bounds import Bounds, is_rubbish, write

ZSTANDARD = 93
"""How zip archives number Zstandard, with which Inspect packs its logs."""
_NAME_LENGTHS = 26
"""Where an entry's own header says how long its name and its extra field are."""
_PIECE = 1 << 20


def unpack_zip(path: Path, folder: Path) -> None:
    """Write its files into a folder, after a look at the names and sizes of all. Errors: SourceError, zipfile's."""
    bounds = Bounds(path)
    with ZipFile(path) as archive:
        entries = [one for one in archive.infolist() if not one.is_dir() and not is_rubbish(one.filename)]
        for entry in entries:
            # The upper half of this field holds the Unix mode where the archive was packed on Unix.
            link = stat.S_ISLNK(entry.external_attr >> 16)
            bounds.admit(entry.filename, entry.file_size, "a link" if link else "")
        for entry in entries:
            write(pieces(archive, entry, path), folder / entry.filename, entry.file_size, path)


def pieces(archive: ZipFile, entry: ZipInfo, path: Path) -> Iterator[bytes]:
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
        # The lengths in an entry's own header may differ from those in the directory at the end of the archive.
        file.seek(entry.header_offset + _NAME_LENGTHS)
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
