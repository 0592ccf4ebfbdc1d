"""Read an uploaded file once from end to end, in a limited child, before a shared server takes it as somebody's data."""

from pathlib import Path

from skill_factory.hub.file_patterns import is_archive, packing
from skill_factory.recipe.model import Columns
from skill_factory.sources.files import TEXTS, FileSource

SECONDS = 60.0
"""Of the processor; the largest upload takes a few."""


def needs_check(path: Path) -> bool:
    """Whether damage may lie anywhere in it: in formats of bytes, not in texts, which are read from their beginning."""
    return is_archive(path.name) or not (packing(path.name) or path.suffix.lower() in TEXTS)


def read_through(path: Path) -> int:
    """
    Read all of the file and forget it; the bytes that an archive unpacks to whenever it is read, else 0.

    Errors: SourceError, saying why it can't be read.
    """
    source = FileSource.open(str(path))
    names = source.names()
    for piece in source.pieces():
        for _ in piece.batches(Columns(question_rest=tuple(names))):
            pass
    return source.unpacked
