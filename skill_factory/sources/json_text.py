"""JSON as people have it: lists of rows, rows one after the other, rows under a key, by id or by column."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, Protocol

from skill_factory.errors import SourceError
from skill_factory.sources.names import place_of

Row = dict[str, Any]
Rows = Iterator[tuple[int, Row]]
"""Rows, each with the characters that it took."""


class Readable(Protocol):
    """What a text is read from, some characters at a time."""

    def read(self, characters: int, /) -> str:
        """So many characters at most; none at the end."""
        ...


LONGEST_ROW = 64_000_000
LONGEST_WHOLE = 512_000_000
"""Characters that the one object of a file may have which holds all rows."""
_CHUNK = 1_000_000
_NO_SPACE = re.compile(r"[^ \t\n\r]")
ROW_KEYS = (
    "data",
    "rows",
    "samples",
    "examples",
    "items",
    "records",
    "results",
    "instances",
    "train",
    "test",
    "outputs",
    "request_states",
)
"""Keys under which the rows of a file stand."""
ID, GROUP = "id", "group"


def json_rows(file: Readable, path: Path) -> Rows:
    """
    A JSON array of objects, or objects one after the other; one object is held at a time.

    One object alone may hold all rows: in a list under a key, by id, or by column. Errors: SourceError.
    """
    text = _Text(file, path)
    if text.next_sign() == "{":
        length, first = text.take_object()
        if text.next_sign():
            yield length, first
        else:
            size = max(1, length // max(1, len(first)))
            yield from ((size, row) for row in rows_within(first))
            return
    listed = text.next_sign() == "["
    if listed:
        text.skip(1)
    names: list[str] = []
    while (sign := text.next_sign()) and not (listed and sign == "]"):
        if sign == "[" and listed:
            length, cells = text.take_list()
            if not names and _are_names(cells):
                names = cells
            elif row := _row_of_list(cells, names):
                yield length, row
            else:
                text.refuse_kind()
        elif sign != "{":
            text.refuse_value()
        else:
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

    def __init__(self, file: Readable, path: Path) -> None:
        self._file, self._path = file, path
        self._text, self._at, self._ended = "", 0, False
        self._lines = 1
        self._first, self._usual = True, 0
        self._decoder = json.JSONDecoder()

    def next_sign(self) -> str:
        """The next character that isn't white space; empty at the end."""
        while True:
            found = _NO_SPACE.search(self._text, self._at)
            if found:
                self.skip(found.start() - self._at)
                return found[0]
            self.skip(len(self._text) - self._at)
            if not self._more(_CHUNK):
                return ""

    def skip(self, characters: int) -> None:
        self._lines += self._text.count("\n", self._at, self._at + characters)
        self._at += characters

    def take_list(self) -> tuple[int, list[Any]]:
        """The list that begins here, with its length. Errors: SourceError."""
        return self._take()

    def take_object(self) -> tuple[int, Row]:
        """The object that begins here, with its length. Errors: SourceError."""
        return self._take()

    def _take(self) -> tuple[int, Any]:
        wanted = _CHUNK
        if len(self._text) - self._at < self._usual:  # rows are alike: what is too short need not be tried
            self._more(self._usual)
        while True:
            try:
                row, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                self.refuse("nested too deep")
            except json.JSONDecodeError as error:
                if not _cut_short(error, len(self._text)) or not self._more(wanted):
                    self._lines += self._text.count("\n", self._at, error.pos)
                    self.refuse(error.msg)
                # Twice as much each time: in steps of one size a long object would be tried again and again, a square
                # of its length.
                wanted *= 2
            except ValueError:
                self.refuse("a number is too long")
            else:
                length = end - self._at
                self.skip(length)
                self._first, self._usual = False, length
                return length, row

    def refuse(self, why: str) -> NoReturn:
        raise SourceError(f"{self._path.name}, line {self._lines} is not valid JSON ({why}). Fix that line.")

    def refuse_value(self) -> NoReturn:
        """Say what stands where an object should: no JSON at all, or a value of another kind."""
        self._more(_CHUNK)
        try:
            self._decoder.raw_decode(self._text, self._at)
        except RecursionError:
            self.refuse("nested too deep")
        except json.JSONDecodeError as error:
            if not _cut_short(error, len(self._text)) or not self._more(1):
                self.refuse(error.msg)
        except ValueError:
            self.refuse("a number is too long")
        self.refuse_kind()

    def refuse_kind(self) -> NoReturn:
        """Say that the file isn't a list of rows."""
        raise SourceError(
            f"{self._path.name} isn't a list of JSON objects. Give a list of rows, or JSON Lines (.jsonl)."
        )

    def _more(self, characters: int) -> bool:
        """Read on; whether there was more. What was taken is let go."""
        if self._ended:
            return False
        held = self._text[self._at :]
        if len(held) > (LONGEST_WHOLE if self._first else LONGEST_ROW):
            raise SourceError(
                f"{self._path.name}, line {self._lines}: a row longer than {LONGEST_ROW:,} characters. Split it."
            )
        read = self._file.read(characters)
        self._ended = not read
        self._text, self._at = held + read, 0
        return bool(read)


def _are_names(cells: list[Any]) -> bool:
    """Whether a list names the columns of those that follow: short texts, one of them a usual name."""
    texts = all(isinstance(one, str) and 0 < len(one) <= _LONGEST_NAME for one in cells)
    usual = any(
        place_of(field, one) is not None for field in ("question", "response") for one in map(str, cells)
    )
    return texts and usual and 1 < len(cells) == len(set(cells))


_LONGEST_NAME = 60


def _row_of_list(cells: list[Any], names: list[str]) -> Row | None:
    """A list as a row: its cells below the names of the columns, or without names the turns of a conversation."""
    if names:
        return dict(zip(names, cells, strict=True)) if len(cells) == len(names) else None
    return {"messages": cells} if _is_talk(cells) else None


def _is_talk(value: Any) -> bool:
    """Whether a list holds the turns of a conversation."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, Mapping) and ("role" in one or "from" in one) for one in value)
    )


def _cut_short(error: json.JSONDecodeError, length: int) -> bool:
    """Whether the fault can be that the text has not been read far enough yet."""
    # Near the end the fault may be half a number, word or escape; the longest of these has fewer than 16 characters.
    return error.msg.startswith(("Unterminated string", "Invalid \\u")) or error.pos >= length - 16


# -- one object that holds all rows --------------------------------------------------------------------------------


def rows_within(whole: Row) -> list[Row]:
    """The rows of an object that is all of a file: under a key, by id, by column, or itself the only one."""
    # From what says its shape by a name to what is told by its values alone; the first that fits wins.
    for shape in (_under_a_key, _split, _by_question, _by_group, _by_column, _by_id, _numbered, _further_in):
        rows = shape(whole)
        if rows is not None:
            return _without_wrappers(rows)
    return [whole]


def _without_wrappers(rows: list[Row]) -> list[Row]:
    """Runs that hold their rows in a list become these rows, with what is said of the run beside each."""
    found: list[Row] = []
    for row in rows:
        held = [key for key in ROW_KEYS if _are_rows(row.get(key))]
        if len(held) != 1 or _is_a_row(row) or not any(_is_a_row(one) for one in row[held[0]][:20]):
            return rows
        said = {key: value for key, value in row.items() if not isinstance(value, list | Mapping)}
        found += [said | dict(one) for one in row[held[0]]]
    return found


def _under_a_key(whole: Row) -> list[Row] | None:
    """`{"data": [rows]}`, with what else stands beside the list given to each row where the row has no such field."""
    keys = [key for key in ROW_KEYS if _are_rows(whole.get(key))]
    lists = [key for key, value in whole.items() if _are_rows(value)]
    others = [value for key, value in whole.items() if key not in lists]
    if not keys and len(lists) == 1 and not any(isinstance(one, Mapping) for one in others):
        keys = lists
    if not keys or _is_a_row(whole):
        return None
    return [dict(row) for row in whole[keys[0]]]


def _is_a_row(whole: Row) -> bool:
    """Whether an object with a list of records is one row: it asks something itself."""
    return any(
        isinstance(whole.get(key), str) for key in ("question", "problem", "prompt", "query", "instruction")
    )


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value[:20])


def _split(whole: Row) -> list[Row] | None:
    """pandas' `orient="split"`: names, and lists of values."""
    names, data = whole.get("columns"), whole.get("data")
    lists = isinstance(names, list) and isinstance(data, list) and all(isinstance(one, list) for one in data)
    return (
        [dict(zip(map(str, names), one, strict=False)) for one in data] if lists and names and data else None
    )


def _by_group(whole: Row) -> list[Row] | None:
    """`{"model a": [rows], "model b": [rows]}`: all of them, each with the name of its list as `group`."""
    if len(whole) < 2 or not all(map(_are_rows, whole.values())):
        return None
    if not all(_is_a_row(rows[0]) for rows in whole.values()):
        return None
    return [{GROUP: key, **row} for key, rows in whole.items() for row in rows]


def _by_question(whole: Row) -> list[Row] | None:
    """`{"What is …?": [responses], …}`: keys that are questions, with the texts or records that answer each."""
    if len(whole) < 2 or 2 * sum(_asks(key) for key in whole) <= len(whole):
        return None
    if all(map(_are_rows, whole.values())):
        return [{"question": key, **row} for key, rows in whole.items() for row in rows]
    if all(isinstance(one, Mapping) for one in whole.values()):
        return [{"question": key, **row} for key, row in whole.items()]
    if all(isinstance(one, str) for value in whole.values() for one in _listed(value)):
        return [{"question": key, "responses": _listed(value)} for key, value in whole.items()]
    return None


def _asks(key: str) -> bool:
    return len(key) >= _QUESTION and " " in key.strip() and key.rstrip().endswith(("?", ".", "？", "。", ":"))


_QUESTION = 12
"""Characters from which a key with an end of a sentence can be a question."""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _by_column(whole: Row) -> list[Row] | None:
    """`{"question": {"0": …}, …}` or `{"question": […], …}`: every column with as many values."""
    values = list(whole.values())
    if len(values) < 2:
        return None
    if all(isinstance(one, Mapping) and one for one in values) and len({tuple(one) for one in values}) == 1:
        keys = list(values[0])
        # Rows by id share their keys too; row numbers within, and none outside, tell columns.
        if not _are_places(keys) or _are_places(list(whole)):
            return None
        return [{name: column[key] for name, column in whole.items()} for key in keys]
    if (
        all(isinstance(one, list) for one in values)
        and len({len(one) for one in values}) == 1
        and len(values[0]) > 1
    ):
        return [dict(zip(whole, one, strict=True)) for one in zip(*values, strict=True)]
    return None


def _numbered(whole: Row) -> list[Row] | None:
    """`{"type": …, "0": row, "1": row}`: rows by their numbers, with a word about them beside."""
    rows = {key: row for key, row in whole.items() if key.isdecimal() and isinstance(row, Mapping)}
    beside = [value for key, value in whole.items() if key not in rows]
    if len(rows) < 2 or any(isinstance(one, list | Mapping) for one in beside):
        return None
    return [row if ID in row else {ID: key, **row} for key, row in ((k, dict(v)) for k, v in rows.items())]


def _further_in(whole: Row) -> list[Row] | None:
    """`{"results": {"results": [rows], …}, …}`: the rows of an object that stands under a key for rows."""
    if _is_a_row(whole):
        return None
    for key in (*ROW_KEYS, "details", "predictions"):
        inner = whole.get(key)
        if isinstance(inner, Mapping) and (rows := _under_a_key(dict(inner)) or _numbered(dict(inner))):
            return rows
        if isinstance(inner, Mapping) and (tasks := _by_task(inner)):
            return tasks
    return None


def _by_task(tasks: Mapping[str, Any]) -> list[Row]:
    """`{"AIME24": {"examples": [rows], …}, …}`: the rows of every task, each with its name as `group`."""
    found = [(name, _under_a_key(dict(task))) for name, task in tasks.items() if isinstance(task, Mapping)]
    return [{GROUP: name, **row} for name, rows in found for row in rows or ()]


def _are_places(keys: list[str]) -> bool:
    """Whether keys are row numbers, as pandas writes them; records share their keys too."""
    return all(key.lstrip("-").isdecimal() for key in keys)


def _by_id(whole: Row) -> list[Row] | None:
    """`{id: row, …}`, the id kept as a column."""
    values = list(whole.values())
    if len(values) < 2 or not all(isinstance(one, Mapping) and one for one in values):
        return None
    common = set(values[0]).intersection(*values[1:50])
    if not common:
        return None
    return [row if ID in row else {ID: key, **row} for key, row in ((k, dict(v)) for k, v in whole.items())]
