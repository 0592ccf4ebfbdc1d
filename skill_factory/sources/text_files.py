"""Text formats of raw data: JSON Lines, JSON and CSV, plain or packed, as rows; every fault names its line."""

import ast
import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from skill_factory.columns import excerpt
from skill_factory.errors import SourceError

LONGEST_LINE = 256_000_000
LARGEST_JSON = 1_000_000_000


def text_batches(path: Path, suffix: str, rows: int) -> Iterator[list[dict[str, Any]]]:
    """The rows of a text file in lists of so many. Errors: SourceError."""
    reader = {".csv": _csv_rows, ".json": _json_rows}.get(suffix, _jsonl_rows)
    try:
        with _opened(path) as file:
            found = reader(file, path)
            while batch := list(islice(found, rows)):
                yield batch
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path.name} is not UTF-8 text (it holds the byte {error.object[error.start]:#04x}). Save it as UTF-8."
        ) from None
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: Exception) -> SourceError:
    """What a fault of reading means to a person."""
    said = excerpt(str(error).removeprefix("Parquet file ").split(". ")[0], 120)
    return SourceError(
        f"{excerpt(path.name)} can't be read as {path.suffix[1:] or 'data'}: {said}. Is the file complete?"
    )


def _opened(path: Path) -> IO[str]:
    last = path.suffix.lower()
    if last == ".gz":
        raw: Any = gzip.open(path, "rb")  # noqa: SIM115 - the text wrapper closes it
    elif last == ".zst":
        raw = io.BufferedReader(_Readable(pa.input_stream(str(path), compression="zstd")))
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
            raise SourceError(
                f"{path.name}, line {number} is not valid JSON ({_fault(error)}): {excerpt(line, 60)!r}. Mend or delete it."
            ) from None
        if not isinstance(row, dict):
            raise SourceError(
                f"{path.name}, line {number} is no JSON object: {excerpt(line, 60)!r}. One object a line."
            )
        yield row


def _fault(error: Exception) -> str:
    """What the JSON reader stopped at; Python refuses numbers of more than 4,300 digits."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return "nested too deep" if isinstance(error, RecursionError) else "a number is too long"


def _json_rows(file: IO[str], path: Path) -> Iterator[dict[str, Any]]:
    """A JSON array of objects, or objects one a line."""
    text = file.read(LARGEST_JSON + 1)
    if len(text) > LARGEST_JSON:
        raise SourceError(
            f"{path.name} is larger than {LARGEST_JSON:,} characters. Save it as JSON Lines (.jsonl)."
        )
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        first = text.lstrip()[:1]
        if first == "{" and "\n" in text.strip():
            yield from _jsonl_rows(io.StringIO(text), path)
            return
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SourceError(f"{path.name}{line} is not valid JSON ({_fault(error)}). Mend it.") from None
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
