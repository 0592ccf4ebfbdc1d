"""Spreadsheets (.xlsx, .xls, .ods): the first sheet that holds a table, its first row of several cells the names of the columns."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

from skill_factory.errors import SourceError
from skill_factory.sources.columns import excerpt
from skill_factory.sources.csv_text import cell_value
from skill_factory.sources.json_text import Rows
from skill_factory.sources.unreadable import UNREADABLE, why

LARGEST_SHEET = 500_000_000
"""Unpacked bytes of a workbook, which is held in memory."""
MOST_UNPACKED = 200


def sheet_rows(path: Path) -> Rows:
    """The rows of the first sheet with two rows or more, with the characters of each. Errors: SourceError."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        _check_size(path)
        workbook = CalamineWorkbook.from_path(str(path))
        remarks = None
        for name in workbook.sheet_names:
            table = _table(workbook.get_sheet_by_name(name))
            if len(table) > 1 and _filled(table[0]) > 1:
                yield from _rows(table, path)
                return
            remarks = remarks or (table if len(table) > 1 else None)  # a sheet of one column beside others
        yield from _rows(remarks, path) if remarks else ()
    except SourceError:
        raise
    except BaseException as error:
        # What panics in the reader's own language comes as no ordinary exception.
        if not isinstance(error, (CalamineError, *UNREADABLE)) and type(error).__name__ != "PanicException":
            raise
        raise SourceError(
            f"{path.name} can't be read as a spreadsheet: {excerpt(why(error), 120)}. Is the file complete, and without a password?"
        ) from None


MOST_TITLES = 10
"""Rows above a table that may hold titles and remarks."""


def _table(sheet: Any) -> list[list[Any]]:
    """The cells of a sheet, from the names of the columns on: titles above them say nothing of the rows."""
    table: list[list[Any]] = sheet.to_python(skip_empty_area=True)
    # Merged ranges count from the corner of the sheet, `to_python` from its first filled cell.
    first_row, first_column = sheet.start or (0, 0)
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or ():
        # What was merged over several rows belongs to each of them.
        for row in range(top + 1 - first_row, bottom + 1 - first_row):
            if row < len(table):
                table[row][left - first_column] = table[top - first_row][left - first_column]
    names = next((k for k, row in enumerate(table[: MOST_TITLES + 1]) if _filled(row) > 1), 0)
    return table[names:]


def _filled(cells: list[Any]) -> int:
    return sum(cell not in ("", None) for cell in cells)


def _check_size(path: Path) -> None:
    """Errors: SourceError for a workbook that unpacks to far more than it is."""
    if not is_zipfile(path):
        return
    with ZipFile(path) as packed:
        size = sum(one.file_size for one in packed.infolist())
    if size > LARGEST_SHEET or size > max(LARGEST_SHEET // 10, MOST_UNPACKED * path.stat().st_size):
        raise SourceError(
            f"{path.name} unpacks to {size:,} bytes, more than a spreadsheet may have here. Save it as CSV or Parquet."
        )


def _rows(table: list[list[Any]], path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    names = [str(cell).strip() for cell in table[0]]
    filled = [name for name in names if name]
    if len(set(filled)) < len(filled):
        twice = next(name for name in filled if filled.count(name) > 1)
        raise SourceError(f"{path.name} has two columns named {twice!r}. Rename one of them.")
    for cells in table[1:]:
        row = {name: _value(cell) for name, cell in zip(names, cells, strict=False) if name}
        if any(value is not None for value in row.values()):
            yield sum(len(value) for value in row.values() if isinstance(value, str)), row


def _value(cell: Any) -> Any:
    """A cell as JSON would have it: whole numbers without a fraction, which a sheet knows none of."""
    if isinstance(cell, str):
        return cell_value(cell)
    # Above 2^53 a float no longer holds every whole number.
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    return str(cell) if isinstance(cell, date | datetime | time | timedelta) else cell
