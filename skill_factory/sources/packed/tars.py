"""Tar archives, plain or packed as a whole: read once from their beginning, each file checked before it is written."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from skill_factory.errors import SourceError
from skill_factory.hub.file_patterns import packing
from skill_factory.sources.columns import excerpt
from skill_factory.sources.packed.bounds import Bounds, is_rubbish, write
from skill_factory.sources.packed.streams import unpacking

MOST_HEADERS = 100_000
"""Entries of any kind: also a folder and a hidden file cost memory."""
LONGEST_NAME = 100_000
"""Bytes of a header that gives a long name; such headers are read into memory, however large they say that they are."""
_LONG = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_PIECE = 1 << 20


def unpack_tar(path: Path, folder: Path) -> None:
    """Write its files into a folder. Errors: SourceError, those of `tarfile` and of what it is packed with."""
    bounds = Bounds(path)
    with (
        path.open("rb") as raw,
        unpacking(raw, path.name, path.stat().st_size, packing(path.name)) as stream,
        tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive,
    ):
        for number, entry in enumerate(archive):
            if number >= MOST_HEADERS:
                raise SourceError(
                    f"{excerpt(path.name)} holds more than {number:,} entries, so it is hardly data."
                )
            if entry.isdir() or is_rubbish(entry.name):
                continue
            bounds.admit(entry.name, max(0, entry.size), _instead(entry))
            write(_pieces(archive, entry), folder / entry.name, entry.size, path)


def _instead(entry: tarfile.TarInfo) -> str:
    if entry.issym() or entry.islnk():
        return "a link"
    return "" if entry.isreg() and not entry.issparse() else "something that isn't a file"


def _pieces(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Iterator[bytes]:
    file = archive.extractfile(entry)
    while file and (piece := file.read(_PIECE)):
        yield piece


class _Header(tarfile.TarInfo):
    """A header that is refused where it is damaged: `tarfile` takes one behind the first file for the archive's end."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> Self:
        """As `TarInfo.frombuf`. Errors: tarfile.ReadError."""
        try:
            header = super().frombuf(buf, encoding, errors)
        except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from None
        if header.size < 0 or (header.type in _LONG and header.size > LONGEST_NAME):
            raise tarfile.ReadError("a header is longer than any name")
        return header
