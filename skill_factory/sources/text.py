"""Text formats of raw data: JSON Lines, JSON and CSV, plain or packed, as rows; every fault names its line."""

import io
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

from skill_factory.errors import SourceError
from skill_factory.hub.file_patterns import packing
from skill_factory.sources.annotations import flat_tasks
from skill_factory.sources.columns import excerpt
from skill_factory.sources.csv_text import csv_rows, lines_without_nul
from skill_factory.sources.json_text import Row, Rows, json_rows
from skill_factory.sources.packed.streams import unpacking
from skill_factory.sources.unreadable import TORN, why

LONGEST_LINE = 64_000_000
LARGEST_BATCH = 4_000_000
"""Characters of text after which a batch is full, however few its rows."""
LOOKED_AT_BYTES = 64_000
"""Bytes from which the encoding of a CSV is told."""


def text_batches(path: Path, suffix: str, rows: int, most: float = float("inf")) -> Iterator[list[Row]]:
    """The rows of a text file in lists of so many, ending after about `most` characters. Errors: SourceError."""
    reader = _READERS.get(suffix, _jsonl_rows)
    try:
        with _opened(path.open("rb"), path, path.stat().st_size, _encoding(path, suffix)) as file:
            yield from row_batches(reader(file, path), rows, most)
    except UnicodeDecodeError as error:
        raise _not_utf_8(path, error) from None
    except (OSError, *TORN) as error:
        raise damaged(path, error) from None


def row_batches(read: Rows, rows: int, most: float = float("inf")) -> Iterator[list[Row]]:
    """Rows in lists of so many, each ending when it has LARGEST_BATCH characters; the last after about `most`."""
    batch: list[Row] = []
    size = taken = 0
    for length, row in read:
        batch.append(row)
        size, taken = size + length, taken + length
        if len(batch) >= rows or size >= LARGEST_BATCH or taken >= most:
            yield batch
            batch, size = [], 0
            if taken >= most:
                return
    if batch:
        yield batch


def damaged(path: Path, error: Exception) -> SourceError:
    """What a fault of reading means to a person."""
    said = excerpt(why(error).removeprefix("Parquet file ").split(". ")[0], 120)
    return SourceError(
        f"{excerpt(path.name)} can't be read as {path.suffix[1:] or 'data'}: {said}. Is the file complete?"
    )


POINTER = b"version https://git-lfs.github.com/spec/"


PAGES = (b"<!doctype html", b"<html")


def check_pointer(path: Path) -> None:
    """Errors: SourceError for what stands in the place of the data: a pointer of Git LFS, or a web page."""
    with path.open("rb") as file:
        head = file.read(200)
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(PAGES):
            raise SourceError(
                f"{excerpt(path.name)} is a web page, not data: perhaps what a site shows before one signs in. Download the file again."
            )
        if head.startswith(POINTER):
            raise SourceError(
                f"{excerpt(path.name)} is a Git LFS pointer, not the data themselves. Run `git lfs pull` in its folder."
            )


def _encoding(path: Path, suffix: str) -> str:
    """UTF-8, or UTF-16 as the first bytes say; of a CSV also what its letters say, as spreadsheets write it."""
    if packing(path.name):
        return "utf-8-sig"
    with path.open("rb") as file:
        head = file.read(LOOKED_AT_BYTES if suffix in (".csv", ".tsv") else 2)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if suffix not in (".csv", ".tsv"):
        return "utf-8-sig"
    try:
        head.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        # A sign cut by the end of what is looked at isn't a fault: UTF-8 takes four bytes at most.
        if error.start >= len(head) - 4:
            return "utf-8-sig"
        from charset_normalizer import from_bytes

        found = from_bytes(head).best()
        return found.encoding if found is not None else "utf-8-sig"
    return "utf-8-sig"


def stream_batches(raw: Any, name: str, size: int, suffix: str, rows: int) -> Iterator[list[Row]]:
    """The rows of a text that is read from elsewhere: what `text_batches` gives of the same bytes. Errors: SourceError."""
    path, reader = Path(name), _READERS.get(suffix, _jsonl_rows)
    try:
        with _opened(raw, path, size, "utf-8-sig") as file:
            yield from row_batches(reader(file, path), rows)
    except UnicodeDecodeError as error:
        raise _not_utf_8(path, error) from None
    except TORN as error:
        raise damaged(path, error) from None


def _not_utf_8(path: Path, error: UnicodeDecodeError) -> SourceError:
    if error.encoding.startswith("utf-16"):
        return SourceError(f"{path.name} is damaged UTF-16 text. Is the file complete?")
    byte = error.object[error.start]
    return SourceError(f"{path.name} is not UTF-8 text (it holds the byte {byte:#04x}). Save it as UTF-8.")


def _opened(raw: Any, path: Path, size: int, encoding: str) -> IO[str]:
    # Line ends stay as they are: a cell of a CSV may hold some.
    return io.TextIOWrapper(
        unpacking(raw, path.name, size, packing(path.name)), encoding=encoding, newline=""
    )


def _lines(file: IO[str], path: Path, blank: bool = False) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise SourceError(
                f"{path.name}, line {number}: longer than {LONGEST_LINE:,} characters. Split the row."
            )
        if blank or line.strip():
            yield number, line


def _csv_rows(file: IO[str], path: Path) -> Rows:
    return csv_rows(lines_without_nul(_lines(file, path, blank=True), path), path)


def _jsonl_rows(file: IO[str], path: Path) -> Rows:
    """A row a line; a list, or rows over several lines, as what they are."""
    lines = _lines(file, path)
    first = next(lines, None)
    if first is None:
        return
    if _looks_like_json(first[1]) and not isinstance(_value(first[1]), dict):
        yield from flat_tasks(json_rows(_Again(first[1], file), path))
        return
    yield from flat_tasks((len(line), _row_of(line, path, number)) for number, line in chain([first], lines))


def _value(line: str) -> Any:
    """The JSON value of a line; None where it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


class _Again:
    """A text whose first line was read already, read from its beginning: what is packed can't be wound back."""

    def __init__(self, first: str, rest: IO[str]) -> None:
        self._first, self._rest = first, rest

    def read(self, characters: int) -> str:
        """So many characters at most; none at the end."""
        if self._first:
            taken, self._first = self._first[:characters], self._first[characters:]
            return taken
        return self._rest.read(characters)


def _looks_like_json(line: str) -> bool:
    """Whether a line that isn't a row begins a list, or a row written over several lines."""
    return line.lstrip().startswith("[") or line.strip() in ("{", "[")


def _row_of(line: str, path: Path, number: int) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        if number == 1 and _value(line.rstrip().removesuffix(",")) is not None:
            raise SourceError(
                f"{path.name} has a comma behind each line, so it is neither JSON Lines nor JSON. "
                "Delete these commas, or put [ before the first line and ] in the place of the last comma."
            ) from None
        raise SourceError(
            f"{path.name}, line {number} is not valid JSON ({_fault(error)}): {excerpt(line, 60)!r}. "
            "Fix or delete that line."
        ) from None
    if not isinstance(row, dict):
        raise SourceError(
            f"{path.name}, line {number} isn't a JSON object: {excerpt(line, 60)!r}. One object a line."
        )
    return row


def _fault(error: Exception) -> str:
    """What the JSON reader stopped at; Python refuses numbers of more than 4,300 digits."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return "nested too deep" if isinstance(error, RecursionError) else "a number is too long"


def _json_rows(file: IO[str], path: Path) -> Rows:
    return flat_tasks(json_rows(file, path))


_READERS = {".csv": _csv_rows, ".tsv": _csv_rows, ".json": _json_rows}
