"""Exports of Label Studio: a task with its annotations becomes a flat row, as its own JSON-MIN export writes it."""

from collections.abc import Iterator, Mapping
from typing import Any

from skill_factory.sources.json_text import Row, Rows

_ABOUT = ("id", "inner_id")
_TEXTS = ("choices", "text", "taxonomy")
_DIFFER = " | "
"""Between the labels of annotators who differ: a word that nobody knows, so that it is asked about or left out."""


def flat_tasks(rows: Rows) -> Rows:
    """Rows as they are; of tasks with annotations, what was asked and what was said of it, a column for each control."""
    for size, row in rows:
        yield size, (_flat(row) if is_task(row) else _values(row) if "annotation_id" in row else row)


def is_task(row: Row) -> bool:
    """Whether a row is a task of Label Studio: its data, and the results of its annotations."""
    data, annotations = row.get("data"), row.get("annotations", row.get("completions"))
    if not isinstance(data, Mapping) or not isinstance(annotations, list):
        return False
    return all(isinstance(one, Mapping) and isinstance(one.get("result"), list) for one in annotations)


def _flat(row: Row) -> Row:
    given = [
        one for one in row.get("annotations", row.get("completions")) or () if not one.get("was_cancelled")
    ]
    said: dict[str, list[Any]] = {}
    for annotation in given:
        for control, value in _controls(annotation["result"]):
            said.setdefault(control, []).append(value)
    about = {name: row[name] for name in _ABOUT if name in row}
    last: Mapping[str, Any] = given[-1] if given else {}
    return {
        **about,
        **row["data"],
        **{control: _agreed(values) for control, values in said.items()},
        "annotator": last.get("completed_by"),
        "annotation_id": last.get("id"),
        "lead_time": last.get("lead_time"),
    }


def _values(row: Row) -> Row:
    """A row of the JSON-MIN export, whose several choices and ratings are records."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    one = value[0] if isinstance(value, list) and len(value) == 1 else value
    if (
        isinstance(one, Mapping)
        and len(one) == 1
        and (key := next(iter(one))) in ("choices", "rating", "number")
    ):
        told = one[key]
        return told[0] if isinstance(told, list) and len(told) == 1 else told
    return value


def _controls(result: list[Any]) -> Iterator[tuple[str, Any]]:
    """The name of each control of the form, with what one annotator said there."""
    for one in result:
        value = one.get("value") if isinstance(one, Mapping) else None
        if not isinstance(value, Mapping) or not isinstance(one.get("from_name"), str):
            continue
        told = next((value[key] for key in (*_TEXTS, "rating", "number", "selected") if key in value), None)
        if told is not None and "start" not in value:  # a marked stretch says nothing of the whole
            yield one["from_name"], told[0] if isinstance(told, list) and len(told) == 1 else told


def _agreed(values: list[Any]) -> Any:
    """What all annotators said; where they differ, long texts as a list, and short ones as one that isn't a label."""
    different = list(dict.fromkeys(map(str, values)))
    if len(different) == 1:
        return values[0]
    long = any(isinstance(one, str) and len(one.split()) > _LONGEST_LABEL for one in values)
    return different if long else _DIFFER.join(sorted(different))


_LONGEST_LABEL = 6
"""Words."""
