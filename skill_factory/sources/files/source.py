"""A source of files: what its columns are, its first rows, and its pieces."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from skill_factory import wording
from skill_factory.errors import SourceError
from skill_factory.hub.file_patterns import is_archive
from skill_factory.recipe.model import Columns, Source
from skill_factory.sources import Piece
from skill_factory.sources.arrow_files import arrow_batches, arrow_names
from skill_factory.sources.batch_requests import joined_batches, requests_among
from skill_factory.sources.columns import Batch, mapped_tops
from skill_factory.sources.files.found import ARROWS, SHEETS, TEXTS, files_at, format_of_file, unknown_ending
from skill_factory.sources.packed.archives import unpacked
from skill_factory.sources.packed.eval_logs import eval_rows, is_eval_log
from skill_factory.sources.parquet import (
    checked_names,
    group_batches,
    groups_together,
    many_group_batches,
    opened,
)
from skill_factory.sources.sheets import sheet_rows
from skill_factory.sources.text import check_pointer, damaged, row_batches, text_batches

HEAD_ROWS = 200
HEAD_CHARS = 8_000_000
"""A head of rows with ten million characters each is a few rows."""
BATCH_ROWS = 2_000
FILES_LOOKED_AT = 50
"""Text files of a folder whose first rows are asked for their columns."""


_SPLITS = ("train", "test", "validation", "valid", "val", "dev", "eval")


@dataclass(frozen=True)
class FileSource:
    """Some files of one format; where their columns differ, those of all."""

    name: str
    paths: tuple[Path, ...]
    suffix: str
    requests: tuple[Path, ...] = ()
    """Files of a batch endpoint's requests, joined to its results by `custom_id`."""
    _folder: Any = field(default=None, repr=False, compare=False)
    """Where an archive lies unpacked; it goes with the source."""

    @classmethod
    def open(cls, text: str) -> "FileSource":
        """From a path or glob. Errors: SourceError for a missing file, no data file, or formats that are mixed."""
        # os.path: a user that is not known, or a name too long, isn't a file here, where pathlib raises.
        path = Path(os.path.expanduser(text))
        name = os.fsencode(path.name or text).decode("utf-8", "replace")
        if is_archive(path.name) and os.path.isfile(path) and not is_eval_log(path):
            folder = unpacked(path)
            found = cls._of(name, files_at(Path(folder.name), name), name)
            return cls(found.name, found.paths, found.suffix, found.requests, folder)
        return cls._of(name, files_at(path, text), text)

    @classmethod
    def _of(cls, name: str, found: list[Path], text: str) -> "FileSource":
        suffixes = {format_of_file(one) for one in found}
        if "" in suffixes:
            raise SourceError(unknown_ending(next(one for one in found if not format_of_file(one))))
        if len(suffixes) > 1:
            sizes = {
                s: sum(one.stat().st_size for one in found if format_of_file(one) == s) for s in suffixes
            }
            largest = max(sorted(sizes), key=lambda one: sizes[one])
            raise SourceError(
                f"{text} mixes {wording.listed(sorted(suffixes))} files. Give one kind, e.g. {text}/**/*{largest}."
            )
        for one in found:
            if os.access(one, os.R_OK):
                check_pointer(one)
        suffix = suffixes.pop()
        requests = requests_among(found) if suffix in (".jsonl", ".ndjson") and len(found) > 1 else ()
        return cls(name, tuple(one for one in found if one not in requests), suffix, tuple(requests))

    @property
    def spec(self) -> Source:
        """Kind and file name."""
        return Source(kind="file", name=self.name)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.paths)

    @property
    def unpacked(self) -> int:
        """Bytes that an archive has put on the disk; 0 for what isn't one."""
        folder = Path(self._folder.name) if self._folder else None
        return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) if folder else 0

    @property
    def rows(self) -> int:
        """Rows of Parquet files, from their footers."""
        if self.suffix != ".parquet":
            return 0
        return sum(opened(path).metadata.num_rows for path in self.paths)

    def names(self) -> list[str]:
        """Columns of all files; for text formats those of their first rows. Errors: SourceError."""
        own = [name for _, names in self._columns for name in names]
        return list(
            dict.fromkeys(own + [name for row in self._first_rows for name in row] if self._is_text else own)
        )

    def notes(self) -> list[str]:
        """What a person should know of the files: which columns some have and others lack."""
        lacking = self._differ()
        if not lacking:
            return self._splits()
        path, missing = lacking[0]
        more = f", and {len(lacking) - 1:,} more files lack some" if len(lacking) > 1 else ""
        return [
            f"{path.name} has no column {wording.listed(missing[:5])}, which other files have{more}; its rows are read without."
        ]

    def _differ(self) -> list[tuple[Path, list[str]]]:
        """The files that lack columns of others, and which."""
        every = {name for _, names in self._columns for name in names}
        return [
            (path, sorted(every - set(names)))
            for path, names in self._columns
            if names and every - set(names)
        ]

    def _splits(self) -> list[str]:
        """A sentence where files of one folder are named as splits: reading them mixes what is kept apart."""
        stems = {path.stem.lower().partition(".")[0].partition("-")[0]: path.name for path in self.paths}
        splits = sorted(name for stem, name in stems.items() if stem in _SPLITS)
        if len(splits) < 2 or len(splits) != len(self.paths):
            return []
        return [f"{wording.listed(splits)} are read together, though their names say that they are splits."]

    @property
    def _is_text(self) -> bool:
        return self.suffix in (*TEXTS, *SHEETS, ".eval")

    @cached_property
    def _columns(self) -> list[tuple[Path, list[str]]]:
        """The columns of each file, as far as they are told without reading all."""
        if self.suffix == ".parquet":
            return [(path, checked_names(opened(path), path)) for path in self.paths]
        if self.suffix in ARROWS:
            return [(path, arrow_names(path)) for path in self.paths]
        if len(self.paths) == 1:
            return []
        return [(path, self._names_in(path)) for path in self.paths[:FILES_LOOKED_AT]]

    def _names_in(self, path: Path) -> list[str]:
        some = (row for batch in self._batches(path, 20) for row in batch)
        rows = [row for _, row in zip(range(20), some, strict=False) if isinstance(row, dict)]
        return list(dict.fromkeys(name for row in rows for name in row))

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows, fewer where they are very long; of files with different columns some of each. Errors: SourceError."""
        return self._first_rows[:rows] if rows <= HEAD_ROWS else self._head(rows)

    @cached_property
    def _first_rows(self) -> list[dict[str, Any]]:
        return self._head(HEAD_ROWS)

    def _head(self, rows: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        read = 0
        # Of files that differ some rows each: a column that only later files have would not be seen otherwise.
        share = max(1, rows // min(len(self.paths), 8)) if self._differ() else rows
        for path in self.paths:
            taken = 0
            for batch in self._batches(path, min(share, BATCH_ROWS)):
                own = (batch if isinstance(batch, list) else batch.to_pylist())[: share - taken]
                found.extend(own)
                taken += len(own)
                read += 0 if isinstance(batch, list) else batch.nbytes
                if taken >= share or read >= HEAD_CHARS:
                    break
            if len(found) >= rows or read >= HEAD_CHARS:
                return found[:rows]
        return found

    def _batches(self, path: Path, rows: int) -> Iterator[Batch]:
        batches = _batches(path, self.suffix, rows)
        return joined_batches(batches, self.requests) if self.requests else batches

    def pieces(self) -> list[Piece]:
        """Row groups of Parquet files, small ones together; other files whole."""
        if self.suffix != ".parquet":
            return [FilePiece(path, self.suffix, self.requests) for path in self.paths]
        return [
            ParquetPiece(path, tuple(groups), size)
            for path in self.paths
            for groups, size in groups_together(opened(path).metadata)
        ]

    def pinned(self) -> Source:
        """The spec with the SHA-256 of the content; of several files, over their sorted digests."""
        # Sorted, so that files given in another order, or moved, are the same source.
        digests = sorted(_sha256(path) for path in (*self.paths, *self.requests))
        whole = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
        return self.spec.model_copy(update={"digest": whole})


@dataclass(frozen=True)
class ParquetPiece:
    """A row group of a Parquet file, or some small ones that follow each other."""

    path: Path
    groups: tuple[int, ...]
    size: int

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """Its rows, mapped columns only, as far as this file has them."""
        names = mapped_tops(columns, opened(self.path).schema_arrow.names)
        if len(self.groups) == 1:
            yield from group_batches(self.path, self.groups[0], names)
        else:
            yield from many_group_batches(self.path, self.groups, names)


@dataclass(frozen=True)
class FilePiece:
    """A file of another format."""

    path: Path
    suffix: str
    requests: tuple[Path, ...] = ()

    @property
    def size(self) -> int:
        """Bytes as stored."""
        return self.path.stat().st_size

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """Its rows, with all their columns where the format has to be read whole anyway."""
        if self.suffix in ARROWS:
            yield from arrow_batches(self.path, mapped_tops(columns, arrow_names(self.path)))
            return
        batches = _batches(self.path, self.suffix, BATCH_ROWS, float("inf"))
        yield from joined_batches(batches, self.requests) if self.requests else batches


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise damaged(path, error) from None


def _batches(path: Path, suffix: str, rows: int, most: float = HEAD_CHARS) -> Iterator[Batch]:
    """All columns of a file, so many rows at a time, and no more than `most` characters of a text."""
    if suffix == ".parquet":
        for group in range(opened(path).num_row_groups):
            # In small batches: a guess needs two hundred rows, and one row may have megabytes.
            yield from group_batches(path, group, None, min(rows, 16))
    elif suffix in ARROWS:
        yield from arrow_batches(path, None, rows)
    elif suffix == ".eval":
        yield from row_batches(eval_rows(path), rows, most)
    elif suffix in SHEETS:
        yield from row_batches(sheet_rows(path), rows, most)
    else:
        yield from text_batches(path, suffix, rows, most)
