"""Files, folders and globs of Parquet, JSON Lines, JSON and CSV; the text formats also as .gz and .zst."""

import glob
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_factory.errors import SourceError
from skill_factory.recipe.model import Columns, Source
from skill_factory.sources import Piece
from skill_factory.sources.columns import Batch, needed_columns
from skill_factory.sources.parquet import checked_names, group_batches, opened
from skill_factory.sources.text import damaged, text_batches

SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")
PACKED = (".gz", ".zst")
HEAD_CHARS = 64_000_000
"""A head of rows with ten million characters each is a few rows."""
BATCH_ROWS = 2_000


def looks_like_path(text: str) -> bool:
    """Whether a person can only have meant a path."""
    special = text.startswith(("/", "./", "../", "~")) or any(sign in text for sign in "*?[\\")
    return special or Path(text).name.lower().endswith(tuple(s + p for s in SUFFIXES for p in ("", *PACKED)))


@dataclass(frozen=True)
class FileSource:
    """Some files of one format and the same columns."""

    name: str
    paths: tuple[Path, ...]
    suffix: str

    @classmethod
    def open(cls, text: str) -> "FileSource":
        """From a path or glob. Errors: SourceError for a missing file, no data file, or formats that are mixed."""
        # os.path: a user that is not known, or a name too long, is no file, where pathlib raises.
        path = Path(os.path.expanduser(text))
        found = _expand(path, text)
        suffixes = {_suffix(one) for one in found}
        if unknown := [one.name for one in found if not _suffix(one)]:
            raise SourceError(
                f"Can't read {unknown[0]!r}: its ending is none of {', '.join(SUFFIXES)} (also with .gz or .zst)."
            )
        if len(suffixes) > 1:
            raise SourceError(
                f"{text} mixes {' and '.join(sorted(suffixes))} files. Give one kind, e.g. {text}/*{min(suffixes)}."
            )
        name = os.fsencode(path.name or text).decode("utf-8", "replace")
        return cls(name, tuple(found), suffixes.pop())

    @property
    def spec(self) -> Source:
        """Kind and file name."""
        return Source(kind="file", name=self.name)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.paths)

    @property
    def rows(self) -> int:
        """Rows of Parquet files, from their footers."""
        if self.suffix != ".parquet":
            return 0
        return sum(opened(path).metadata.num_rows for path in self.paths)

    def names(self) -> list[str]:
        """Columns of the first file; for text formats those of its first rows. Errors: SourceError."""
        if self.suffix == ".parquet":
            return checked_names(opened(self.paths[0]), self.paths[0])
        return list(dict.fromkeys(name for row in self.head(200) for name in row))

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows, fewer where they are very long. Errors: SourceError."""
        found: list[dict[str, Any]] = []
        read = 0
        for path in self.paths:
            for batch in _batches(path, self.suffix, min(rows, BATCH_ROWS)):
                found.extend(batch if isinstance(batch, list) else batch.to_pylist())
                read += 0 if isinstance(batch, list) else batch.nbytes
                if len(found) >= rows or read >= HEAD_CHARS:
                    return found[:rows]
        return found

    def pieces(self) -> list[Piece]:
        """Row groups of Parquet files, other files whole."""
        if self.suffix != ".parquet":
            return [FilePiece(path, self.suffix) for path in self.paths]
        pieces: list[Piece] = []
        names = self.names()
        for path in self.paths:
            file = opened(path)
            if missing := set(names) - set(checked_names(file, path)):
                raise SourceError(
                    f"{path.name} has no column {min(missing)!r}, which {self.paths[0].name} has. "
                    "Give files with the same columns."
                )
            groups = (file.metadata.row_group(group) for group in range(file.num_row_groups))
            pieces.extend(ParquetPiece(path, k, group.total_byte_size) for k, group in enumerate(groups))
        return pieces

    def pinned(self) -> Source:
        """The spec with the SHA-256 of the content; of several files, over their sorted digests."""
        digests = sorted(_sha256(path) for path in self.paths)
        whole = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
        return self.spec.model_copy(update={"digest": whole})


@dataclass(frozen=True)
class ParquetPiece:
    """A row group of a Parquet file."""

    path: Path
    group: int
    size: int

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """Its rows, mapped columns only."""
        names = needed_columns(columns, opened(self.path).schema_arrow.names)
        yield from group_batches(self.path, self.group, names)


@dataclass(frozen=True)
class FilePiece:
    """A text file."""

    path: Path
    suffix: str

    @property
    def size(self) -> int:
        """Bytes as stored."""
        return self.path.stat().st_size

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """Its rows with all their columns: a text format has to be read whole anyway."""
        yield from text_batches(self.path, self.suffix, BATCH_ROWS)


def _expand(path: Path, text: str) -> list[Path]:
    if os.path.isdir(path):
        found = sorted(one for one in path.rglob("*") if one.is_file() and _suffix(one))
        found = [
            one for one in found if not any(part.startswith(".") for part in one.relative_to(path).parts)
        ]
        if not found:
            raise SourceError(f"No data file in the folder {text}. Looked for {', '.join(SUFFIXES)}.")
        return found
    if os.path.isfile(path):
        return [path]
    found = sorted(Path(one) for one in glob.glob(str(path), recursive=True) if os.path.isfile(one))
    if not found:
        raise SourceError(
            f"There is no file {text}. Check the path; relative paths start at {Path.cwd().name}/."
        )
    return found


def _suffix(path: Path) -> str:
    """The format's suffix, whatever it is packed in; empty where it is none of ours."""
    suffixes = [one.lower() for one in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
        return suffixes[-1] if suffixes and suffixes[-1] in SUFFIXES and suffixes[-1] != ".parquet" else ""
    return suffixes[-1] if suffixes and suffixes[-1] in SUFFIXES else ""


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise damaged(path, error) from None


def _batches(path: Path, suffix: str, rows: int) -> Iterator[Batch]:
    """All columns of a file, so many rows at a time, and no more than a head needs."""
    if suffix != ".parquet":
        yield from text_batches(path, suffix, rows, HEAD_CHARS)
        return
    for group in range(opened(path).num_row_groups):
        yield from group_batches(path, group, None, min(rows, 16))
