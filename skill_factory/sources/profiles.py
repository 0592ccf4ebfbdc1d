"""What the columns of a source hold, and what lies inside them: the ground for any guess."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skill_factory.sources.columns import Row, is_nan, record_in, value_at
from skill_factory.sources.labels import listed_labels
from skill_factory.sources.names import bare, known_names
from skill_factory.sources.turns import is_message, turns_of

DEEPEST = 5
MOST_PATHS = 400
_FLAGS = {"true", "false", "yes", "no", "1", "0"}
"""Texts that are a yes or no: all that a CSV has."""


@dataclass(frozen=True)
class Profile:
    """What one column, or one path into it, holds in some rows."""

    path: str
    kind: str
    """What most values are: text, texts, nested, flag, flags, number, numbers, messages, struct, mixed, missing, nothing."""
    values: Sequence[Any]
    """One per row, None where it is missing."""

    @property
    def present(self) -> list[Any]:
        """The values that are there."""
        return [one for one in self.values if one is not None and not is_nan(one)]

    @property
    def texts(self) -> list[str]:
        """All texts, however deep they lie in lists."""
        return [one for value in self.present for one in flat(value) if isinstance(one, str)]

    @property
    def length(self) -> float:
        """Characters of a text on average."""
        texts = self.texts
        return sum(map(len, texts)) / len(texts) if texts else 0.0

    @property
    def different(self) -> int:
        """Number of different texts or values."""
        return len({str(one) for value in self.present for one in flat(value)})


def flat(value: Any) -> Iterator[Any]:
    """The items of a value, however deep its lists."""
    if isinstance(value, list):
        for one in value:
            yield from flat(one)
    else:
        yield value


def profiles(names: Sequence[str], rows: Sequence[Row]) -> dict[str, Profile]:
    """A profile for every column and for what lies inside records, by path, columns first."""
    found: dict[str, Profile] = {}
    waiting = [(name, 0) for name in names]
    # Breadth first, so that a bound on paths cuts what lies deepest, never a column.
    while waiting and len(found) < MOST_PATHS:
        path, depth = waiting.pop(0)
        values = [value_at(row, path) for row in rows]
        found[path] = _profile(path, values)
        if depth < DEEPEST and found[path].kind in ("struct", "structs"):
            keys = _keys(found[path].values)
            waiting += [(f"{path}.{key}", depth + 1) for key in keys if "." not in key and "@" not in key]
    return found


def _profile(path: str, values: Sequence[Any]) -> Profile:
    kind = kind_of_column(values)
    if kind == "text":
        texts = [one for one in values if isinstance(one, str)]
        # What a model wrote stays its own text, but for what its server wraps around it.
        ours = bare(path.rpartition(".")[2]) in _STAYS_TEXT
        if texts and all(_is_record(text, ours) for text in texts):
            return Profile(
                path, "struct", [record_in(one) if isinstance(one, str) else one for one in values]
            )
    return Profile(path, kind, values)


_STAYS_TEXT = {name for name in known_names()["response"] if name != "outputs"}
"""Names of what a model wrote: JSON there is the model's own text."""


def _is_record(text: str, ours: bool) -> bool:
    record = record_in(text)
    return record is not None and (not ours or _is_reply(record))


def _is_reply(record: Mapping[str, Any]) -> bool:
    """Whether a record is what a model's server replies, around the model's own text."""
    return (
        isinstance(record.get("choices") or record.get("candidates"), list)
        or {"role", "content"} <= record.keys()
    )


def _keys(values: Sequence[Any]) -> list[str]:
    records = [one for value in values for one in flat(value) if isinstance(one, Mapping)]
    return list(dict.fromkeys(str(key) for one in records[:50] for key in one))


def kind_of_column(values: Sequence[Any]) -> str:
    """What most values of a column are; one odd row must not hide a column."""
    kinds = Counter(kind_of(value) for value in values)
    del kinds["missing"]
    if len(kinds) > 1:
        del kinds["nothing"]
    if not kinds:
        return "missing"
    kind, number = kinds.most_common(1)[0]
    if number * 2 > kinds.total():
        return kind
    # Half texts and half numbers is one column of answers, written in two ways.
    return "text" if set(kinds) <= {"text", "number", "flag"} else "mixed"


def kind_of(value: Any) -> str:
    """What one value is."""
    if value is None or is_nan(value):
        return "missing"
    if isinstance(value, list):
        return _kind_of_list(value)
    if isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in _FLAGS):
        return "flag"
    if isinstance(value, int | float):
        return "flag" if value in (0, 1) else "number"
    if isinstance(value, str):
        listed = listed_labels(value)
        if isinstance(listed, list) and (kind := kind_of(listed)) in ("flags", "numbers"):
            return kind
        return "messages" if value.startswith("[{") and turns_of(value) else "text"
    if isinstance(value, Mapping):
        return "messages" if is_message(value) else "struct"
    return "mixed"


def _kind_of_list(value: list[Any]) -> str:
    if turns_of(value):
        return "messages"
    inner = {kind_of(one) for one in value} - {"missing"}
    if len(inner) > 1:
        inner -= {"nothing"}  # a response without critiques, beside ones that have some
    names = {
        "text": "texts",
        "flag": "flags",
        "texts": "nested",
        "number": "numbers",
        "struct": "structs",
        "structs": "structs",
        "messages": "dialogues",
        "flags": "nested flags",
        "nothing": "nothing",
    }
    if not inner:
        return "nothing"
    # 0 and 1 among scores are scores.
    if inner == {"flag", "number"}:
        return "numbers"
    # “Yes” among answers is an answer.
    if inner == {"flag", "text"}:
        return "texts"
    return names.get(inner.pop(), "mixed") if len(inner) == 1 else "mixed"
