"""Columns of a source become canonical rows: one row per response, checked, with texts exactly as they were.

`guess` proposes which column holds what; `read_row` is the rule for one row; `canonical` applies it to a batch, by
Arrow's own kernels where every value is of the usual shape and row by row where it is not.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.errors import ColumnError
from skill_factory.reasons import RowReason
from skill_factory.recipe import Columns

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
    ]
)
"""One row per response. `answer` is the gold answer, `extracted` what a grader took from the response."""

REQUIRED = ("question", "response", "correct")
MANY = ("response", "correct", "extracted_answer", "reflections", "verdicts")
_TRUE = {"true", "1", "yes", "1.0"}
_FALSE = {"false", "0", "no", "0.0"}


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


class RowError(NamedTuple):
    """A row that can't be read: why, in which field, what was found there, and how much it takes along."""

    reason: RowReason
    field: str
    found: str
    responses: int
    reflections: int


@dataclass(frozen=True)
class Canonical:
    """A batch read: the table of responses (CANONICAL), the rows it came from and the rows that could not be read."""

    table: pa.Table
    rows: int
    errors: list[RowError]


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


def read_row(row: Row, columns: Columns) -> list[CanonicalRow] | RowError:
    """The responses of one row, or why it can't be read."""
    try:
        return _responses(row, columns)
    except _Unreadable as error:
        return RowError(error.reason, error.field, error.found, *_carried(row, columns))


def value_at(row: Row, path: str) -> Any:
    """The value of a column; dots lead into structs, and a column whose own name has dots wins."""
    if not path or path in row:
        return row.get(path)
    head, _, rest = path.partition(".")
    inner = row.get(head)
    while rest and isinstance(inner, Mapping):
        if rest in inner:
            return inner[rest]
        head, _, rest = rest.partition(".")
        inner = inner.get(head)
    return None if rest else inner


def _responses(row: Row, columns: Columns) -> list[CanonicalRow]:
    question = _text(value_at(row, columns.question), "question")
    if question is None or not question.strip():
        raise _Unreadable(RowReason.NO_QUESTION, "question", question)
    answer = _loose_text(_first(value_at(row, columns.answer)), "answer")
    variant = _loose_text(_first(value_at(row, columns.prompt_variant)), "prompt_variant")
    wide = len(columns.response) > 1
    found = [
        one._replace(question=question, answer=answer, variant=_wide_name(path) if wide else variant)
        for place, path in enumerate(columns.response)
        for one in _responses_of_column(row, columns, place, skip_missing=wide)
    ]
    if not found:
        raise _Unreadable(RowReason.NO_RESPONSE, "response", None)
    return found


def _responses_of_column(
    row: Row, columns: Columns, place: int, skip_missing: bool
) -> Iterator[CanonicalRow]:
    def value(paths: Sequence[str]) -> Any:
        # A field may be mapped once for all response columns of a wide row.
        return value_at(row, paths[place] if place < len(paths) else paths[-1]) if paths else None

    responses = _as_list(value(columns.response))
    if not responses and skip_missing:
        return
    if not responses:
        raise _Unreadable(RowReason.NO_RESPONSE, "response", None)
    n = len(responses)
    labels = _as_list(value(columns.correct)) or [None] * n
    extracted = _as_list(value(columns.extracted_answer)) or [None] * n
    reflections = _per_response(value(columns.reflections), n, "reflections")
    verdicts = _per_response(value(columns.verdicts), n, "verdicts")
    for field, found in (("correct", labels), ("extracted_answer", extracted)):
        if len(found) != n:
            raise _Unreadable(RowReason.LENGTHS_DIFFER, field, f"{len(found)} for {n} responses")
    for i, response in enumerate(responses):
        text = _text(response, "response")
        own = [_text(one, "reflections") or "" for one in reflections[i]]
        said = [_loose_text(one, "verdicts") or "" for one in verdicts[i]]
        if columns.verdicts and len(said) != len(own):
            raise _Unreadable(RowReason.LENGTHS_DIFFER, "verdicts", f"{len(said)} for {len(own)} reflections")
        label = _label(labels[i])
        took = _loose_text(extracted[i], "extracted_answer")
        yield CanonicalRow("", None, text or "", label, took, own, said, None)


def _per_response(value: Any, n: int, field: str) -> list[list[Any]]:
    """The reflections (or verdicts) of each of n responses; for one response a flat list or a text will do."""
    if value is None or _is_nan(value):
        return [[] for _ in range(n)]
    items = value if isinstance(value, list) else [value]
    nested = [one for one in items if isinstance(one, list)]
    if n == 1 and not nested:
        return [items]
    if len(nested) != len(items) and not all(one is None or isinstance(one, list) for one in items):
        raise _Unreadable(RowReason.LENGTHS_DIFFER, field, f"one list for {n} responses")
    if len(items) != n:
        raise _Unreadable(RowReason.LENGTHS_DIFFER, field, f"{len(items)} for {n} responses")
    return [one or [] for one in items]


def _text(value: Any, field: str) -> str | None:
    if value is None or _is_nan(value):
        return None
    if not isinstance(value, str) or not is_unicode(value):
        raise _Unreadable(RowReason.NOT_TEXT, field, value)
    return value


def _loose_text(value: Any, field: str) -> str | None:
    """Text, or a number or truth value as text: answers and variants are often stored so."""
    if isinstance(value, bool) or (isinstance(value, int | float) and not _is_nan(value)):
        return str(value)
    return _text(value, field)


def _label(value: Any) -> bool:
    word = str(value).strip().lower()
    if isinstance(value, bool | int | float | str) and (word in _TRUE or word in _FALSE):
        return word in _TRUE
    raise _Unreadable(RowReason.NO_LABEL, "correct", value)


def _as_list(value: Any) -> list[Any]:
    if value is None or _is_nan(value):
        return []
    return value if isinstance(value, list) else [value]


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def _is_nan(value: Any) -> bool:
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
    responses = sum(len(_as_list(value_at(row, path))) for path in columns.response)
    return responses, sum(_count_leaves(value_at(row, path)) for path in columns.reflections)


def _count_leaves(value: Any) -> int:
    if isinstance(value, list):
        return sum(_count_leaves(one) for one in value)
    return 0 if value is None or _is_nan(value) else 1


def _wide_name(path: str) -> str:
    return path.partition(".")[0]


# -- a batch -------------------------------------------------------------------------------------------------------


def canonical(batch: Batch, columns: Columns) -> Canonical:
    """The responses of a batch, its row errors and its number of rows."""
    if isinstance(batch, pa.RecordBatch):
        usual = _usual_shape(batch, columns)
        if usual is not None:
            fast, rest = usual
            slow = _row_by_row(rest.to_pylist(), columns)
            table = pa.concat_tables([fast, slow.table]) if rest.num_rows else fast
            return Canonical(table, batch.num_rows, slow.errors)
        return _row_by_row(batch.to_pylist(), columns)
    return _row_by_row(batch, columns)


def needed_columns(columns: Columns, names: Iterable[str]) -> list[str]:
    """The top-level columns that a mapping reads, in the source's order. Errors: ColumnError for a path not there."""
    names = list(names)
    wanted = set()
    for field, path in mapped(columns):
        top = path if path in names else path.partition(".")[0]
        if top not in names:
            raise ColumnError(
                f"The column {path!r} mapped to {field} is not in the source. Found: {', '.join(names)}. "
                f"Choose one of them, e.g. --map {field}={names[0] if names else 'COLUMN'}."
            )
        wanted.add(top)
    return [name for name in names if name in wanted]


def mapped(columns: Columns) -> list[tuple[str, str]]:
    """Every (field, column) of a mapping."""
    tree = columns.model_dump()
    pairs = [(f, p) for f, v in tree.items() for p in (v if isinstance(v, tuple | list) else [v])]
    return [(field, path) for field, path in pairs if path]


def _row_by_row(rows: list[dict[str, Any]], columns: Columns) -> Canonical:
    found: list[CanonicalRow] = []
    errors: list[RowError] = []
    for row in rows:
        result = read_row(row, columns)
        if isinstance(result, RowError):
            errors.append(result)
        else:
            found.extend(result)
    arrays = zip(*found, strict=True) if found else [()] * len(CANONICAL)
    data = [pa.array(list(values), field.type) for values, field in zip(arrays, CANONICAL, strict=True)]
    return Canonical(pa.Table.from_arrays(data, schema=CANONICAL), len(rows), errors)


def _usual_shape(batch: pa.RecordBatch, columns: Columns) -> tuple[pa.Table, pa.RecordBatch] | None:
    """
    The rows that kernels can read, as a canonical table, and the batch of all others; None if types are unusual.

    Usual is: one response column, texts as strings or lists of strings, labels as booleans or lists of booleans.
    """
    simple = len(columns.response) == 1 and not columns.verdicts
    if not simple or any(batch.schema.get_field_index(path) < 0 for _, path in mapped(columns)):
        return None
    many = dict(mapped(columns))
    ok = pa.array([True]).take(pa.array([0] * batch.num_rows, pa.int32()))
    parts: dict[str, pa.Array] = {}
    for field, path in many.items():
        column = batch.column(path)
        listed = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
        leaf = column.type.value_type if listed else column.type
        if not (pa.types.is_boolean(leaf) if field == "correct" else _is_string(leaf)):
            return None
        if field == "reflections":
            if not listed:
                return None
            parts[field] = column
            continue
        if listed and field not in MANY:
            return None
        if listed:
            one = pc.fill_null(pc.equal(pc.list_value_length(column), 1), False)
            ok = pc.and_(ok, one)
            column = pc.list_element(pc.if_else(one, column, pa.scalar(None, column.type)), 0)
        if field in REQUIRED:
            ok = pc.and_(ok, pc.is_valid(column))
        if field == "question":
            ok = pc.and_(ok, pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(column), ""), False))
        parts[field] = column
    if parts.get("reflections") is not None and parts["reflections"].values.null_count:
        return None  # a missing reflection reads as an empty one: the rule for one row knows
    everything = pc.all(ok).as_py() is not False
    rest = batch.slice(0, 0) if everything else batch.filter(pc.invert(ok))
    chosen = parts if everything else {field: column.filter(ok) for field, column in parts.items()}
    return _canonical_table(chosen, batch.num_rows - rest.num_rows), rest


def _canonical_table(parts: Mapping[str, pa.Array], rows: int) -> pa.Table:
    names = {"extracted": "extracted_answer", "variant": "prompt_variant"}
    arrays = []
    for field in CANONICAL:
        column = parts.get(names.get(field.name, field.name))
        if column is None:
            empty = pa.large_list(pa.large_string())
            column = (
                pa.array([[]], empty).take(pa.array([0] * rows, pa.int32())) if field.type == empty else None
            )
            column = pa.nulls(rows, field.type) if column is None else column
        elif field.name == "reflections":
            column = pc.if_else(pc.is_valid(column), column, pa.scalar([], column.type)).cast(field.type)
        arrays.append(column.cast(field.type))
    return pa.Table.from_arrays(arrays, schema=CANONICAL)


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


# -- guessing ------------------------------------------------------------------------------------------------------

_SYNONYMS = {
    "question": ("question", "problem", "query", "instruction", "prompt", "input"),
    "answer": ("answer", "gold_answer", "gold", "ground_truth", "reference_answer", "target", "expected_answer"),
    "response": ("response", "responses", "model_response", "model_responses", "generation", "generations",
                 "completion", "completions", "output", "outputs", "solution", "model_output", "prediction"),
    "correct": ("correct", "is_correct", "correctness", "is_solved", "passed", "label", "labels", "verified"),
    "extracted_answer": ("extracted_answer", "extracted_answers", "extracted", "predicted_answer", "pred"),
    "reflections": ("reflections", "reflection", "critiques", "critique", "feedback", "self_reflections"),
    "prompt_variant": ("prompt_variant", "prompt_type", "variant", "prompt_name"),
}  # fmt: skip
_STAGES = ("mutated_prompts", "example_annotation")


def guess(names: Sequence[str], rows: Sequence[Row]) -> Columns:
    """A mapping from names and the types of some rows; fields that nothing fits stay empty."""
    kinds = {name: _kind([row.get(name) for row in rows]) for name in names}
    found: dict[str, Any] = {}
    for field, words in _SYNONYMS.items():
        allowed = _ALLOWED[field]
        for word in words:
            match = next((n for n in names if n.lower() == word and kinds[n] in allowed), "")
            if match and match not in found.values():
                found[field] = match
                break
    found |= _guess_stage(names, kinds)
    if "response" not in found or "correct" not in found:
        found |= _guess_wide(names, kinds, rows)
    return Columns(**found)


def _guess_stage(names: Sequence[str], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The published script's scheme: a stage name runs through all columns."""
    stages = [m[1] for name in names if (m := re.fullmatch(r"model_responses__(.+)__eval_is_correct", name))]
    stages += [
        m[1] for name in names
        if (m := re.fullmatch(r"model_responses__((?:(?!__).)+?)", name)) and not name.endswith("_reflection")
    ]  # fmt: skip
    present = [s for s in dict.fromkeys(stages) if kinds.get(f"model_responses__{s}") in _ALLOWED["response"]]
    present.sort(key=lambda s: (_STAGES.index(s) if s in _STAGES else len(_STAGES), s))
    if not present:
        return {}
    base = f"model_responses__{present[0]}"
    pattern = {
        "response": base,
        "correct": f"{base}__eval_is_correct",
        "extracted_answer": f"{base}__eval_extracted_answers",
        "reflections": f"{base}_reflection",
    }
    return {field: name for field, name in pattern.items() if name in names}


def _guess_wide(names: Sequence[str], kinds: Mapping[str, str], rows: Sequence[Row]) -> dict[str, Any]:
    """Several struct columns of one shape, each with a text and a truth value: one response each."""
    shapes: dict[tuple[str, str], list[str]] = {}
    for name in names:
        structs = [row[name] for row in rows if isinstance(row.get(name), Mapping)]
        if kinds[name] != "struct" or not structs:
            continue
        inner = {key: _kind([one.get(key) for one in structs]) for key in structs[0]}
        texts = [key for key, kind in inner.items() if kind == "text"]
        flags = [key for key, kind in inner.items() if kind == "flag"]
        if len(texts) == 1 and len(flags) == 1:
            shapes.setdefault((texts[0], flags[0]), []).append(name)
    best = max(shapes.items(), key=lambda item: len(item[1]), default=None)
    if best is None:
        return {}
    (text, flag), columns = best
    return {"response": [f"{c}.{text}" for c in columns], "correct": [f"{c}.{flag}" for c in columns]}


_ALLOWED = {
    "question": ("text",),
    "answer": ("text", "number", "flag", "texts"),
    "response": ("text", "texts"),
    "correct": ("flag", "flags"),
    "extracted_answer": ("text", "texts", "number", "missing", "nothing"),
    "reflections": ("text", "texts", "nested", "nothing"),
    "prompt_variant": ("text",),
}


def _kind(values: Sequence[Any]) -> str:
    """What most values of a column are; one odd row must not hide a column."""
    kinds = Counter(_kind_of(value) for value in values)
    del kinds["missing"]
    if len(kinds) > 1:
        del kinds["nothing"]
    if not kinds:
        return "missing"
    kind, number = kinds.most_common(1)[0]
    return kind if number * 2 > kinds.total() else "mixed"


def _kind_of(value: Any) -> str:
    if value is None or _is_nan(value):
        return "missing"
    if isinstance(value, list):
        inner = {_kind_of(one) for one in value} - {"missing"}
        names = {"text": "texts", "flag": "flags", "texts": "nested", "number": "numbers"}
        return "nothing" if not inner else names.get(inner.pop(), "mixed") if len(inner) == 1 else "mixed"
    if isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in {"true", "false"}):
        return "flag"
    if isinstance(value, int | float):
        return "flag" if value in (0, 1) else "number"
    return {str: "text"}.get(type(value), "struct" if isinstance(value, Mapping) else "mixed")
