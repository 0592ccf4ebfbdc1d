"""Files, folders and globs of Parquet, JSON Lines, JSON and CSV; the text formats also as .gz and .zst."""

import ast
import csv
import glob
import gzip
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.columns import Batch, excerpt, needed_columns
from skill_factory.errors import SourceError
from skill_factory.recipe import Columns, Source
from skill_factory.sources import Piece

SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")
PACKED = (".gz", ".zst")
BATCH_BYTES = 16_000_000
BATCH_ROWS = 2_000
LONGEST_LINE = 256_000_000
LARGEST_JSON = 1_000_000_000


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
        path = Path(text).expanduser()
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
        return cls(path.name or text, tuple(found), suffixes.pop())

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
        return sum(_parquet(path).metadata.num_rows for path in self.paths)

    def names(self) -> list[str]:
        """Columns of the first file; for text formats those of its first rows. Errors: SourceError."""
        if self.suffix == ".parquet":
            return _checked_names(_parquet(self.paths[0]), self.paths[0])
        return list(dict.fromkeys(name for row in self.head(200) for name in row))

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows. Errors: SourceError."""
        found: list[dict[str, Any]] = []
        for path in self.paths:
            for batch in _batches(path, self.suffix, None, min(rows, BATCH_ROWS)):
                found.extend(batch if isinstance(batch, list) else batch.to_pylist())
                if len(found) >= rows:
                    return found[:rows]
        return found

    def pieces(self) -> list[Piece]:
        """Row groups of Parquet files, other files whole."""
        if self.suffix != ".parquet":
            return [FilePiece(path, self.suffix) for path in self.paths]
        pieces: list[Piece] = []
        names = self.names()
        for path in self.paths:
            file = _parquet(path)
            if missing := set(names) - set(_checked_names(file, path)):
                raise SourceError(
                    f"{path.name} has no column {min(missing)!r}, which {self.paths[0].name} has. "
                    "Give files with the same columns."
                )
            pieces.extend(ParquetPiece(path, group) for group in range(file.num_row_groups))
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

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """Its rows, mapped columns only."""
        file = _parquet(self.path)
        names = needed_columns(columns, file.schema_arrow.names)
        group = file.metadata.row_group(self.group)
        per_row = max(1, group.total_byte_size // max(1, group.num_rows))
        size = max(16, min(65_536, BATCH_BYTES // per_row))
        try:
            yield from file.iter_batches(size, row_groups=[self.group], columns=names, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.path, error) from None


@dataclass(frozen=True)
class FilePiece:
    """A text file."""

    path: Path
    suffix: str

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """Its rows with all their columns: a text format has to be read whole anyway."""
        yield from _batches(self.path, self.suffix, columns, BATCH_ROWS)


def _expand(path: Path, text: str) -> list[Path]:
    if path.is_dir():
        found = sorted(one for one in path.rglob("*") if one.is_file() and _suffix(one))
        found = [
            one for one in found if not any(part.startswith(".") for part in one.relative_to(path).parts)
        ]
        if not found:
            raise SourceError(f"No data file in the folder {text}. Looked for {', '.join(SUFFIXES)}.")
        return found
    if path.is_file():
        return [path]
    found = sorted(Path(one) for one in glob.glob(str(path), recursive=True) if Path(one).is_file())
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
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _checked_names(file: pq.ParquetFile, path: Path) -> list[str]:
    names: list[str] = file.schema_arrow.names
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError(f"{path.name} has two columns named {twice!r}. Rename one of them.")
    return names


def _damaged(path: Path, error: Exception) -> SourceError:
    said = excerpt(str(error).removeprefix("Parquet file ").split(". ")[0], 120)
    return SourceError(
        f"{path.name} can't be read as {path.suffix[1:] or 'data'}: {said}. Is the file complete?"
    )


# -- text formats --------------------------------------------------------------------------------------------------


def _batches(path: Path, suffix: str, columns: Columns | None, rows: int) -> Iterator[Batch]:
    if suffix == ".parquet":
        yield from _parquet_head(path, rows)
        return
    reader = {".csv": _csv_rows, ".json": _json_rows}.get(suffix, _jsonl_rows)
    try:
        with _opened(path) as file:
            found = reader(file, path)
            while batch := list(islice(found, rows)):
                yield batch
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path.name} is not UTF-8 text (byte {error.object[error.start]:#04x} at {error.start}). Save it as UTF-8."
        ) from None
    except (OSError, EOFError, pa.ArrowException) as error:
        raise _damaged(path, error) from None


def _parquet_head(path: Path, rows: int) -> Iterator[Batch]:
    try:
        yield from _parquet(path).iter_batches(rows, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _opened(path: Path) -> IO[str]:
    last = path.suffix.lower()
    if last == ".gz":
        raw: Any = gzip.open(path, "rb")  # noqa: SIM115 - the text wrapper closes it
    elif last == ".zst":
        raw = io.BufferedReader(_Readable(pa.input_stream(str(path), compression="zstd")))  # type: ignore[arg-type]
    else:
        raw = path.open("rb")
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


class _Readable(io.RawIOBase):
    """An Arrow stream as a raw stream of Python's."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _lines(file: IO[str], path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise SourceError(
                f"{path.name}, line {number}: longer than {LONGEST_LINE:,} characters. Split the row."
            )
        if line.strip():
            yield number, line


def _jsonl_rows(file: IO[str], path: Path) -> Iterator[dict[str, Any]]:
    for number, line in _lines(file, path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
            raise SourceError(
                f"{path.name}, line {number} is not valid JSON ({said}): {excerpt(line, 60)!r}. Mend or delete it."
            ) from None
        if not isinstance(row, dict):
            raise SourceError(
                f"{path.name}, line {number} is no JSON object: {excerpt(line, 60)!r}. One object a line."
            )
        yield row


def _json_rows(file: IO[str], path: Path) -> Iterator[dict[str, Any]]:
    """A JSON array of objects, or objects one a line."""
    text = file.read(LARGEST_JSON + 1)
    if len(text) > LARGEST_JSON:
        raise SourceError(
            f"{path.name} is larger than {LARGEST_JSON:,} characters. Save it as JSON Lines (.jsonl)."
        )
    try:
        tree = json.loads(text)
    except RecursionError:
        raise SourceError(
            f"{path.name} is nested too deep to be read. Save it as JSON Lines (.jsonl)."
        ) from None
    except json.JSONDecodeError as error:
        first = text.lstrip()[:1]
        if first == "{" and "\n" in text.strip():
            yield from _jsonl_rows(io.StringIO(text), path)
            return
        raise SourceError(
            f"{path.name}, line {error.lineno} is not valid JSON ({error.msg}). Mend it."
        ) from None
    rows = [tree] if isinstance(tree, dict) else tree
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceError(
            f"{path.name} is no list of JSON objects. Give a list of rows, or JSON Lines (.jsonl)."
        )
    yield from rows


def _csv_rows(file: IO[str], path: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(min(sys.maxsize, LONGEST_LINE))
    reader = csv.reader(_without_nul(file, path), strict=True)
    try:
        names = next(reader, None)
        if not names:
            return
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise SourceError(f"{path.name} has two columns named {twice!r}. Rename one of them.")
        for row in reader:
            if len(row) > len(names):
                raise SourceError(
                    f"{path.name}, line {reader.line_num} has {len(row)} cells for {len(names)} columns. "
                    "Put cells that hold commas or line breaks in quotes."
                )
            if row:
                yield {name: _cell(cell) for name, cell in zip(names, row, strict=False)}
    except csv.Error as error:
        raise SourceError(f"{path.name}, line {reader.line_num} is not valid CSV: {error}.") from None


def _without_nul(file: IO[str], path: Path) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise SourceError(f"{path.name}, line {number} holds a NUL character, so it is no CSV text.")
        yield line


def _cell(cell: str) -> Any:
    """A cell as text; an empty one is missing; a list of texts or truth values, as JSON or as pandas writes it, is a list."""
    if not cell:
        return None
    if cell.startswith("[") and cell.endswith("]"):
        for read in (json.loads, ast.literal_eval):
            try:
                items = read(cell)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            if isinstance(items, list) and items and all(isinstance(one, str | bool) for one in items):
                return items
    return cell
