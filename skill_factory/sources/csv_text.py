"""CSV as spreadsheets write it: commas, semicolons, tabs or bars, Excel's `sep=` line, lists within cells."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any

from skill_factory.errors import SourceError
from skill_factory.sources.columns import excerpt
from skill_factory.sources.json_text import Rows
from skill_factory.sources.lists import CutShort, read_list

LONGEST_CELL = 64_000_000
DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 200
"""Lines from which the delimiter is told."""


RARE_DELIMITERS = ("^", "~", "\x01", "\x1f", "¦", ":")
"""Delimiters that are tried where no usual one makes a table."""
MOST_TITLES = 4
"""Lines of titles that are looked below."""


def csv_rows(lines: Iterable[str], path: Path) -> Rows:
    """The rows of a CSV text, given by line, with the characters of each. Errors: SourceError naming the line."""
    # The default of 128 KiB is less than a long chain of thought.
    csv.field_size_limit(min(sys.maxsize, LONGEST_CELL))
    lines = iter(lines)
    head = list(islice(lines, LOOKED_AT))
    skipped, delimiter = dialect(head)
    _check_title(head[skipped:], delimiter, path)
    reader = csv.reader(chain(head[skipped:], lines), strict=True, delimiter=delimiter)
    try:
        names = _called_by_place(next(reader, []))
        if not names:
            return
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise SourceError(f"{path.name} has two columns named {twice!r}. Rename one of them.")
        for row in reader:
            number = reader.line_num + skipped
            # More cells would be lost without a word, unless they are empty; fewer read as missing.
            if any(cell.strip() for cell in row[len(names) :]):
                raise SourceError(
                    f"{path.name}, line {number} has {len(row)} cells for {len(names)} columns. "
                    f"Put cells that hold {_called(delimiter)} or line breaks in quotes."
                )
            if any(row):  # a line of commas alone is what spreadsheets write below a table
                yield sum(map(len, row)), _row(names, row, path, number)
    except csv.Error as error:
        raise SourceError(
            f"{path.name}, line {reader.line_num + skipped} is not valid CSV: {error}."
        ) from None


def _called_by_place(names: list[str]) -> list[str]:
    """Names of the columns; one without a name, as pandas writes for its row numbers, is called by its place."""
    return [name if name.strip() else f"column {k}" for k, name in enumerate(names, 1)]


def _check_title(head: list[str], delimiter: str, path: Path) -> None:
    """Errors: SourceError for a first line that is a title above the names of the columns."""
    first = next(csv.reader(head[:1], delimiter=delimiter), [])
    rest = [line for line in head[1:] if line.strip(f"{delimiter} \r\n")]
    # There may be several lines of titles, so the table is looked for below each of the first ones.
    below = max(_table_score(rest[k:], one) for one in DELIMITERS for k in range(MOST_TITLES))
    if sum(bool(cell.strip()) for cell in first) <= 1 < below and below == int(below):
        raise SourceError(
            f"{path.name} begins with {excerpt(head[0], 60)!r}, which looks like a title above the table. "
            "Delete what stands above the table: the first line has to name the columns."
        )


def _called(delimiter: str) -> str:
    return {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}.get(delimiter, repr(delimiter))


def _row(names: list[str], row: list[str], path: Path, number: int) -> dict[str, Any]:
    try:
        return {name: cell_value(cell) for name, cell in zip(names, row, strict=False)}
    except CutShort:
        raise SourceError(
            f"{path.name}, line {number} holds a list that NumPy cut short (with “...” in it), so its items are lost. "
            "Write the file again from the source, e.g. as Parquet or JSON Lines."
        ) from None


# -- the dialect ---------------------------------------------------------------------------------------------------


def dialect(head: list[str]) -> tuple[int, str]:
    """How many lines stand before the header, and the delimiter: as a `sep=` line says, else what gives a table."""
    if head and head[0].lower().startswith("sep=") and len(head[0].strip()) >= 5:
        return 1, head[0][4]
    if head and head[0].lower().rstrip("\r\n") in ("sep=\t", '"sep=\t"'):
        return 1, "\t"
    # Of equal ones the more usual delimiter.
    scored = [(_table_score(head, one), -place, one) for place, one in enumerate(DELIMITERS)]
    if max(scored)[0] < 2:  # a sign that prose holds too has to make a table of every line
        rare = [(score, one) for one in RARE_DELIMITERS if (score := _table_score(head, one)) >= 2]
        if rare and max(rare)[0] == int(max(rare)[0]):
            return 0, max(rare)[1]
    return 0, max(scored)[2]


def _table_score(head: list[str], delimiter: str) -> float:
    """How much a delimiter makes a table of some lines: columns of the header, if the rows have as many."""
    rows: list[list[str]] = []
    reader = csv.reader(head, delimiter=delimiter)
    with suppress(csv.Error):  # the last cell may be cut by the end of what is looked at
        rows.extend(row for row in reader if row)
    if not rows or len(rows[0]) < 2:
        return 0.0
    names = rows[0]
    # A first column of row numbers has no name, nor have empty ones behind the table.
    named = " \n".join(names).strip().split(" \n")
    if (
        len(named) < 2
        or any(not name.strip() or len(name) > 80 for name in named)
        or len(set(named)) < len(named)
    ):
        return 0.5
    # The last row may be cut by the end of what is looked at.
    whole = rows[1:-1] or rows[1:]
    fitting = sum(len(row) == len(names) for row in whole)
    return len(names) * (fitting / len(whole) if whole else 1.0)


# -- cells ---------------------------------------------------------------------------------------------------------


def cell_value(cell: str) -> Any:
    """A cell as text; an empty one is missing; a list of texts or truth values is a list, whoever wrote it. Errors: CutShort."""
    if not cell:
        return None
    if cell.startswith("[") and cell.endswith("]"):
        return _as_list(cell)
    return cell


def _as_list(cell: str) -> Any:
    try:
        items = json.loads(cell)
    except (ValueError, RecursionError):
        items = read_list(cell)
    return items if isinstance(items, list) and items and all(map(_is_item, items)) else cell


def _is_item(one: Any) -> bool:
    """Whether a list of such items can be meant as a list: numbers alone may as well be an answer, such as [1, 2]."""
    if isinstance(one, list):
        return all(map(_is_item, one))
    return isinstance(one, str | bool | dict) or one is None


def lines_without_nul(lines: Iterable[tuple[int, str]], path: Path) -> Iterator[str]:
    """The lines. Errors: SourceError for one that holds a NUL character."""
    for number, line in lines:
        if "\0" in line:
            raise SourceError(f"{path.name}, line {number} holds a NUL character, so it isn't CSV text.")
        yield line
