"""The label rule: which values mean right and which mean wrong."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from skill_factory.recipe.model import Columns
from skill_factory.recipe.words import word_of
from skill_factory.sources.lists import CutShort, read_list

LabelReader = Callable[[Any], "bool | None"]
"""A value → right, wrong, or None where it says neither."""

_TRUE = {"true", "1", "yes", "1.0"}
_FALSE = {"false", "0", "no", "0.0"}


def yes_or_no(value: Any) -> bool | None:
    """The rule of a recipe that names none: truth values, 1 and 0, yes and no."""
    word = str(value).strip().lower()
    if isinstance(value, bool | int | float | str) and (word in _TRUE or word in _FALSE):
        return word in _TRUE
    return None


def label_reader(columns: Columns) -> LabelReader:
    """The label rule of a mapping."""
    match columns.label_rule:
        case "words":
            return _by_words(columns.right, columns.wrong)
        case "steps":
            return _by_steps(_by_words(columns.right, columns.wrong))
        case "threshold":
            return _by_threshold(columns.threshold)
        case "all_right":
            return lambda value: True
        case _:
            return yes_or_no


def _by_words(right: Sequence[str], wrong: Sequence[str]) -> LabelReader:
    meaning = dict.fromkeys(map(word_of, wrong), False) | dict.fromkeys(map(word_of, right), True)

    def read(value: Any) -> bool | None:
        return meaning.get(word_of(value)) if isinstance(value, bool | int | float | str) else None

    return read


def _by_steps(one: LabelReader) -> LabelReader:
    """A solution is right where all its steps are; one without a label for a step is not judged."""

    def read(value: Any) -> bool | None:
        steps = [one(step) for step in value] if isinstance(value, list) else [one(value)]
        # One wrong step settles it, whatever the unlabelled ones would say.
        if not steps or (None in steps and False not in steps):
            return None
        return False not in steps

    return read


def _by_threshold(threshold: float) -> LabelReader:
    def read(value: Any) -> bool | None:
        number = as_number(value)
        return None if number is None else number >= threshold

    return read


def listed_labels(value: Any) -> Any:
    """Labels that a CSV holds as the text of a list, `[1, 0]`, as the list; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        items = read_list(value.strip())
    except CutShort:
        return value
    return items if items and not any(isinstance(one, list) for one in items) else value


LARGEST_WHOLE = 10**300
"""A whole number below it is a float as well."""


def as_number(value: Any) -> float | None:
    """A value as a number, a decimal comma read as a point, `100%` as 100; None for anything else, and for what isn't finite."""
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("%").replace(",", "."))
        except ValueError:
            return None
    if isinstance(value, int):
        return float(value) if abs(value) < LARGEST_WHOLE else None
    return value if isinstance(value, float) and math.isfinite(value) else None
