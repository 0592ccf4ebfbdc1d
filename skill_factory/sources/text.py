"""Text formats of raw data: JSON Lines, JSON and CSV, plain or packed, as rows; every fault names its line."""

import ast
import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

import pyarrow as pa

from skill_factory.errors import SourceError
from skill_factory.sources.columns import excerpt

LONGEST_LINE = 64_000_000
_JSON_CHUNK = 1_000_000
_NO_SPACE = re.compile(r"[^ \t\n\r]")
LARGEST_BATCH = 16_000_000
"""Characters of text after which a batch is full, however few its rows."""
LARGEST_UNPACKED = 1_000_000_000
MOST_UNPACKED = 100
"""Above LARGEST_UNPACKED a packed file may be so many times as large as it is stored; texts pack to a tenth at best."""

Row = dict[str, Any]
Rows = Iterator[tuple[int, Row]]
"""Rows, each with the characters that it took."""


def text_batches(path: Path, suffix: str, rows: int, most: float = float("inf")) -> Iterator[list[Row]]:
    """The rows of a text file in lists of so many, ending after about `most` characters. Errors: SourceError."""
    reader = {".csv": _csv_rows, ".json": _json_rows}.get(suffix, _jsonl_rows)
    batch: list[Row] = []
    size = read = 0
    try:
        with _opened(path) as file:
            for length, row in reader(file, path):
                batch.append(row)
                size, read = size + length, read + length
                if len(batch) >= rows or size >= LARGEST_BATCH or read >= most:
                    yield batch
                    batch, size = [], 0
                    if read >= most:
                        return
            if batch:
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
        raw: Any = io.BufferedReader(_Readable(gzip.open(path, "rb"), path), 1 << 18)  # noqa: SIM115 - the wrapper closes it
    elif last == ".zst":
        raw = io.BufferedReader(_Readable(pa.input_stream(str(path), compression="zstd"), path), 1 << 18)
    else:
        raw = path.open("rb")
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


class _Readable(io.RawIOBase):
    """A stream that unpacks, as a raw stream of Python's. Errors: SourceError for a file that unpacks without end."""

    def __init__(self, stream: Any, path: Path) -> None:
        self._stream, self._path = stream, path
        self._most = max(LARGEST_UNPACKED, MOST_UNPACKED * path.stat().st_size)
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._read += len(data)
        if self._read > self._most:
            raise SourceError(
                f"{self._path.name} unpacks to more than {MOST_UNPACKED} times its size, so it is hardly data. "
                "If it is, give it unpacked."
            )
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


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


def _jsonl_rows(file: IO[str], path: Path) -> Rows:
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
        yield len(line), row


def _fault(error: Exception) -> str:
    """What the JSON reader stopped at; Python refuses numbers of more than 4,300 digits."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return "nested too deep" if isinstance(error, RecursionError) else "a number is too long"


def _json_rows(file: IO[str], path: Path) -> Rows:
    """A JSON array of objects, or objects one after the other; one object is held at a time."""
    text = _Text(file, path)
    listed = text.next_sign() == "["
    if listed:
        text.skip(1)
    while (sign := text.next_sign()) and not (listed and sign == "]"):
        if sign != "{":
            text.refuse_value()
        yield text.take_object()
        if listed and text.next_sign() == ",":
            text.skip(1)
            if text.next_sign() == "]":
                text.refuse("a comma before the end")
        elif listed and text.next_sign() != "]":
            text.refuse("the list has no end" if not text.next_sign() else "a comma is missing")
    if listed and not sign:
        text.refuse("the list has no end")
    if listed:
        text.skip(1)
        if text.next_sign():
            text.refuse("more stands behind its end")


class _Text:
    """A JSON text that is read as far as the next object needs."""

    def __init__(self, file: IO[str], path: Path) -> None:
        self._file, self._path = file, path
        self._text, self._at, self._ended = "", 0, False
        self._lines = 1
        self._decoder = json.JSONDecoder()

    def next_sign(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            found = _NO_SPACE.search(self._text, self._at)
            if found:
                self.skip(found.start() - self._at)
                return found[0]
            self.skip(len(self._text) - self._at)
            if not self._more(_JSON_CHUNK):
                return ""

    def skip(self, characters: int) -> None:
        self._lines += self._text.count("\n", self._at, self._at + characters)
        self._at += characters

    def take_object(self) -> tuple[int, Row]:
        """The object that begins here, with its length. Errors: SourceError."""
        wanted = _JSON_CHUNK
        while True:
            try:
                row, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                self.refuse("nested too deep")
            except json.JSONDecodeError as error:
                if not _cut_short(error, len(self._text)) or not self._more(wanted):
                    self._lines += self._text.count("\n", self._at, error.pos)
                    self.refuse(error.msg)
                wanted *= 2
            except ValueError:
                self.refuse("a number is too long")
            else:
                length = end - self._at
                self.skip(length)
                return length, row

    def refuse(self, why: str) -> NoReturn:
        raise SourceError(f"{self._path.name}, line {self._lines} is not valid JSON ({why}). Mend it.")

    def refuse_value(self) -> NoReturn:
        """Say what stands where an object should: no JSON at all, or a value of another kind."""
        self._more(_JSON_CHUNK)
        try:
            self._decoder.raw_decode(self._text, self._at)
        except RecursionError:
            self.refuse("nested too deep")
        except json.JSONDecodeError as error:
            if not _cut_short(error, len(self._text)) or not self._more(1):
                self.refuse(error.msg)
        except ValueError:
            self.refuse("a number is too long")
        raise SourceError(
            f"{self._path.name} is no list of JSON objects. Give a list of rows, or JSON Lines (.jsonl)."
        )

    def _more(self, characters: int) -> bool:
        """Read on; whether there was more. What was taken is let go."""
        if self._ended:
            return False
        held = self._text[self._at :]
        if len(held) > LONGEST_LINE:
            raise SourceError(
                f"{self._path.name}, line {self._lines}: a row longer than {LONGEST_LINE:,} characters. Split it."
            )
        read = self._file.read(characters)
        self._ended = not read
        self._text, self._at = held + read, 0
        return bool(read)


def _cut_short(error: json.JSONDecodeError, length: int) -> bool:
    """Whether the fault can be that the text has not been read far enough yet."""
    return error.msg.startswith(("Unterminated string", "Invalid \\u")) or error.pos >= length - 16


def _csv_rows(file: IO[str], path: Path) -> Rows:
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
                yield sum(map(len, row)), {name: _cell(c) for name, c in zip(names, row, strict=False)}
    except csv.Error as error:
        raise SourceError(f"{path.name}, line {reader.line_num} is not valid CSV: {error}.") from None


def _without_nul(file: IO[str], path: Path) -> Iterator[str]:
    for number, line in _lines(file, path, blank=True):
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
