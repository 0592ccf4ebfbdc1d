"""A row of a source becomes canonical rows: one per response, checked, with texts exactly as they were.

`read_row` is the rule for one row; `canonical.py` applies it to whole batches, `guessing.py` proposes a mapping.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa

from skill_factory import wording
from skill_factory.errors import ColumnError
from skill_factory.reasons import RowReason
from skill_factory.recipe.fields import NAMES
from skill_factory.recipe.model import Columns
from skill_factory.sources.chats.context import Unasked
from skill_factory.sources.labels import listed_labels
from skill_factory.sources.reading import Rules, rules_for
from skill_factory.sources.turns import turns_of

Row = Mapping[str, Any]
Batch: TypeAlias = pa.RecordBatch | list[dict[str, Any]]
"""What a source gives: an Arrow batch, or rows as dictionaries where a format has no types of its own."""

CANONICAL = pa.schema(
    [
        ("question", pa.large_string()),
        ("answer", pa.large_string()),
        ("response", pa.large_string()),
        ("correct", pa.bool_()),
        ("extracted", pa.large_string()),
        ("reflections", pa.large_list(pa.large_string())),
        ("verdicts", pa.large_list(pa.large_string())),
        ("variant", pa.large_string()),
        ("left_out", pa.int64()),
    ]
)
"""
One row per response. `answer` is the gold answer, `extracted` what a grader took from the response, `left_out` the
characters of its thinking that the think rule left out.
"""


class CanonicalRow(NamedTuple):
    """One response as the rest of the package knows it."""

    question: str
    answer: str | None
    response: str
    correct: bool
    extracted: str | None
    reflections: list[str]
    verdicts: list[str]
    variant: str | None
    left_out: int = 0


class RowError(NamedTuple):
    """A row that can't be read: why, in which field, what was found there, and how much it takes along."""

    reason: RowReason
    field: str
    found: str
    responses: int
    reflections: int


class _Unreadable(Exception):
    def __init__(self, reason: RowReason, field: str, found: object) -> None:
        super().__init__(reason)
        self.reason, self.field, self.found = reason, field, excerpt(found)


def excerpt(value: object, limit: int = 80) -> str:
    """What a value looks like, on one line and not too long."""
    shown = value[: limit * 4] if isinstance(value, str) else repr(value)[: limit * 4]
    line = " ".join(shown.encode("utf-8", "replace").decode("utf-8", "replace").split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


# -- the rule for one row ------------------------------------------------------------------------------------------


def read_row(row: Row, columns: Columns, unlabelled: bool = False) -> list[CanonicalRow] | RowError:
    """
    The responses of one row, or why it can't be read.

    With `unlabelled` a response without a label is read too: its `correct` is false, and its place in `labels` None.
    """
    try:
        return _responses(row, columns, unlabelled)
    except _Unreadable as error:
        return RowError(error.reason, error.field, error.found, *_carried(row, columns))


def value_at(row: Row, path: str) -> Any:
    """
    The value of a column.

    Dots lead into structs, also ones written as JSON, and through lists of them, a column whose own name has dots wins, `*` takes the first field
    of a struct, and `choices@gold` is the item of `choices` whose number stands in `gold`.
    """
    if not path:  # nothing is mapped; a column without a name, as JSON may have, isn't meant
        return None
    # A column's own name first: names with dots are common, and JSON Lines may have both.
    if path in row:
        return row[path]
    if "@" in path:
        listed, _, place = path.partition("@")
        return _item(value_at(row, listed), value_at(row, place))
    return _inside(row, path)


def _inside(value: Any, path: str) -> Any:
    if not path:
        return value
    if isinstance(value, list):
        return [_inside(one, path) for one in value]
    if isinstance(value, str):
        value = record_in(value)
    if not isinstance(value, Mapping):
        return None
    if path in value:
        return value[path]
    head, _, rest = path.partition(".")
    if head == "*" and value:
        return _inside(next(iter(value.values())), rest)
    return _inside(value.get(head), rest)


@lru_cache(maxsize=64)  # the fields of one row lie in the same few texts
def record_in(text: str) -> Mapping[str, Any] | None:
    """The record that a text holds as JSON, as tracing services export them; None for any other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value else None


def _item(values: Any, place: Any) -> Any:
    place = _first(place)
    known = isinstance(values, list) and isinstance(place, int) and not isinstance(place, bool)
    return values[place] if known and -len(values) <= place < len(values) else None


def _responses(row: Row, columns: Columns, unlabelled: bool) -> list[CanonicalRow]:
    if columns.only and str(found := value_at(row, columns.only[0])) != columns.only[1]:
        raise _Unreadable(RowReason.LEFT_OUT, columns.only[0], found)
    rules = rules_of(columns)
    question = _question(row, rules)
    if question is None or not question.strip():
        raise _Unreadable(RowReason.NO_QUESTION, "question", question)
    answer = _gold_text(value_at(row, columns.answer), columns.answer)
    variant = _loose_text(_first(value_at(row, columns.prompt_variant)), "prompt_variant")
    wide = len(columns.response) > 1
    found = [
        one._replace(question=question, answer=answer, variant=_wide_name(path) if wide else variant)
        for place, path in enumerate(columns.response)
        for one in _responses_of_column(row, columns, place, wide, unlabelled)
    ]
    if not found:
        raise _Unreadable(RowReason.NO_RESPONSE, "response", None)
    return found


def _question(row: Row, rules: Rules) -> str | None:
    try:
        return _text(rules.question(row), "question")
    except Unasked as error:
        raise _Unreadable(error.reason, "question", error.found) from None


def _responses_of_column(
    row: Row, columns: Columns, place: int, skip_missing: bool, unlabelled: bool
) -> Iterator[CanonicalRow]:
    def value(paths: Sequence[str]) -> Any:
        # A field may be mapped once for all response columns of a wide row.
        return value_at(row, paths[place] if place < len(paths) else paths[-1]) if paths else None

    rules = rules_of(columns)
    responses = rules.responses(value(columns.response), value(columns.thinking))
    if not responses and skip_missing:
        return
    if not responses:
        raise _Unreadable(RowReason.NO_RESPONSE, "response", None)
    n = len(responses)
    labels = _labels(row, columns, value(columns.correct), place, n)
    extracted = _as_list(value(columns.extracted_answer)) or [None] * n
    reflections = _per_response(_paired(columns, "reflections", value, place), n, "reflections")
    verdicts = _per_response(_paired(columns, "verdicts", value, place), n, "verdicts")
    if len(extracted) != n:
        raise _Unreadable(RowReason.LENGTHS_DIFFER, "extracted_answer", f"{len(extracted)} for {n} responses")
    for i, response in enumerate(responses):
        text, left_out = rules.think(_text(response, "response") or "")
        own = [rules.think_of_critique(_text(one, "reflections") or "")[0] for one in reflections[i]]
        said = [_loose_text(one, "verdicts") or "" for one in verdicts[i]]
        if columns.verdicts and len(said) != len(own):
            raise _Unreadable(RowReason.LENGTHS_DIFFER, "verdicts", f"{len(said)} for {len(own)} reflections")
        label, stood = labels[i]
        if label is None and not unlabelled:
            raise _Unreadable(RowReason.NO_LABEL, "correct", stood)
        took = _loose_text(extracted[i], "extracted_answer")
        yield CanonicalRow("", None, text, label, took, own, said, None, left_out)


def _paired(columns: Columns, field: str, value: Callable[[Sequence[str]], Any], place: int) -> Any:
    """The value of a field, a list each where its texts stand in the very records that hold the responses."""
    paths: Sequence[str] = getattr(columns, field)
    found = value(paths)
    if not paths or not isinstance(found, list) or any(isinstance(one, list) for one in found):
        return found
    # `choices.text` beside `choices.critique`: what lies in one record belongs together, so lists go item by item.
    record = columns.response[place].rpartition(".")[0]
    own = (paths[place] if place < len(paths) else paths[-1]).rpartition(".")[0]
    return [[] if one is None else [one] for one in found] if record and own == record else found


def _labels(row: Row, columns: Columns, value: Any, place: int, n: int) -> list[tuple[Any, Any]]:
    """For each response whether it is right (None where nothing says so) and what stood there."""
    rules = rules_of(columns)
    if columns.label_rule == "first":
        return [(place == 0, None)] * n
    if columns.label_rule == "all_right":
        return [(True, None)] * n
    sources = map(listed_labels, [value, *(value_at(row, path) for path in columns.correct_else)])
    columns_of_labels: list[list[Any]] = []
    for one in sources:
        # Labels of steps are one label of the whole solution.
        items = [one] if columns.label_rule == "steps" else _as_list(one)
        # A list that is empty or missing says nothing; one of another length says something that can't be matched.
        if items and len(items) != n:
            raise _Unreadable(RowReason.LENGTHS_DIFFER, "correct", f"{len(items)} for {n} responses")
        columns_of_labels.append(items or [None] * n)
    found: list[tuple[Any, Any]] = []
    for each in zip(*columns_of_labels, strict=True):
        read = ((rules.label(one), one) for one in each)
        found.append(next((pair for pair in read if pair[0] is not None), (None, each[0])))
    return found


@lru_cache(maxsize=64)
def rules_of(columns: Columns) -> Rules:
    """The rules of reading of a mapping; a mapping is read by the row, so they are made once."""
    return rules_for(columns, value_at)


def question_of(row: Row, columns: Columns) -> Any:
    """What a row asks: its question as the rules read it, or what stood there; None for a row that is left out."""
    if columns.only and str(value_at(row, columns.only[0])) != columns.only[1]:
        return None
    try:
        return rules_of(columns).question(row)
    except Unasked:
        return None


def gold_of(row: Row, columns: Columns) -> str | None:
    """The gold answer in a row, as text; None where there is none that can be read."""
    try:
        return _gold_text(value_at(row, columns.answer), columns.answer)
    except _Unreadable:
        return None


def of_question(columns: Columns, **more: Any) -> Columns:
    """The mapping of the question alone, with its rules: no other column has to be read for it."""
    names = ("question", "question_rest", "question_rule", "question_marks", "system", "tools", "only")
    return Columns(**{name: getattr(columns, name) for name in names}, **more)


def _per_response(value: Any, n: int, field: str) -> list[list[Any]]:
    """The reflections (or verdicts) of each of n responses: a list each, of as many as responses one each, of one all."""
    if value is None or is_nan(value):
        return [[] for _ in range(n)]
    items = value if isinstance(value, list) else [value]
    nested = [one for one in items if isinstance(one, list)]
    # A flat list beside one response is all its reflections; beside several, one each.
    if n == 1 and not nested:
        return [items]
    if n > 1 and not nested and len(items) == n:
        return [[] if one is None else [one] for one in items]
    if len(nested) != len(items) and not all(one is None or isinstance(one, list) for one in items):
        raise _Unreadable(RowReason.LENGTHS_DIFFER, field, f"one list for {n} responses")
    if len(items) != n:
        raise _Unreadable(RowReason.LENGTHS_DIFFER, field, f"{len(items)} for {n} responses")
    return [one or [] for one in items]


def _text(value: Any, field: str) -> str | None:
    if value is None or is_nan(value):
        return None
    if not isinstance(value, str) or not is_unicode(value):
        raise _Unreadable(RowReason.NOT_TEXT, field, value)
    return value


def _loose_text(value: Any, field: str) -> str | None:
    """Text, or a number or truth value as text: answers and variants are often stored so."""
    if isinstance(value, bool) or (isinstance(value, int | float) and not is_nan(value)):
        return str(value)
    return _text(value, field)


_OTHER_NAMES = re.compile(r"golden|gold_answers|alias|accept|possible|candidate|target", re.IGNORECASE)
_WORD = re.compile(r"(?<![\\A-Za-z])[^\W\d_]{2}")


def _gold_text(value: Any, path: str) -> str | None:
    """The gold answer; of a list all numbers are asked for, and words are other names, kept as JSON."""
    listed = [_loose_text(one, "answer") for one in value] if isinstance(value, list) else []
    texts = list(dict.fromkeys(text for text in listed if text and text.strip()))
    if len(texts) < 2:
        return texts[0] if texts else _loose_text(_first(value), "answer")
    # Several words name one thing in several ways, several numbers are several roots (docs/decisions.md).
    if _OTHER_NAMES.search(path) or any(map(_WORD.search, texts)) or _is_one_number(texts):
        return json.dumps(texts, ensure_ascii=False)
    return ", ".join(texts)


def _is_one_number(texts: list[str]) -> bool:
    """Whether all texts write the same number, as `10` and `10.0` do."""
    try:
        return len({float(text.replace(",", "")) for text in texts}) == 1
    except ValueError:
        return False


def _as_list(value: Any) -> list[Any]:
    if value is None or is_nan(value):
        return []
    return value if isinstance(value, list) else [value]


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def is_nan(value: Any) -> bool:
    """Whether a value is missing in pandas' way."""
    # pandas writes a missing text as NaN, and many sets on the Hub went through pandas.
    return isinstance(value, float) and math.isnan(value)


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate: no UTF-8 file can hold it
        return False
    return True


def _carried(row: Row, columns: Columns) -> tuple[int, int]:
    """How many responses and reflections a row that can't be read takes along."""
    values = [value_at(row, path) for path in columns.response]
    talks = columns.response_rule == "last_turn"
    # A conversation is one response, however many messages it has.
    responses = sum(1 if talks and turns_of(value) else len(_as_list(value)) for value in values)
    return responses, sum(_count_leaves(value_at(row, path)) for path in columns.reflections)


def _count_leaves(value: Any) -> int:
    if isinstance(value, list):
        return sum(_count_leaves(one) for one in value)
    return 0 if value is None or is_nan(value) else 1


def _wide_name(path: str) -> str:
    return path.partition(".")[0]


# -- a mapping -----------------------------------------------------------------------------------------------------


def needed_columns(columns: Columns, names: Iterable[str]) -> list[str]:
    """The top-level columns that a mapping reads, in the source's order. Errors: ColumnError for a path not there."""
    names = list(names)
    wanted = set()
    for field, path in mapped(columns):
        tops = [path] if path in names else [one.partition(".")[0] for one in path.split("@")]
        if not all(top in names for top in tops):
            raise ColumnError(
                f"The column {path!r} mapped to {field} is not in the source. Found: {wording.found(names)}. "
                f"Choose one of them, e.g. --map {field}={names[0] if names else 'COLUMN'}."
            )
        wanted.update(tops)
    return [name for name in names if name in wanted]


def mapped_tops(columns: Columns, names: Iterable[str]) -> list[str]:
    """The top-level columns that a mapping reads, as far as they are there, in the source's order."""
    paths = [path for _, path in mapped(columns)]
    wanted = {top for path in paths for top in (path, *(one.partition(".")[0] for one in path.split("@")))}
    return [name for name in names if name in wanted]


def mapped(columns: Columns) -> list[tuple[str, str]]:
    """Every (field, column) of a mapping."""
    tree = {field: getattr(columns, field) for field in Columns.model_fields if field in NAMES} | {
        "only": columns.only[:1]
    }
    pairs = [(f, p) for f, v in tree.items() for p in (v if isinstance(v, tuple | list) else [v])]
    return [(field, path) for field, path in pairs if path]
