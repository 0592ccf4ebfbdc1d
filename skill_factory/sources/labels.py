"""The label rule: which values mean right and which mean wrong."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

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


_NUMBER = r"[+-]?\d+(?:[.,]\d+)?"
_OUT_OF = r"(?:/|out\s+of|of|von|sur|de|su|av|af|van|из|点中|分之)"
_STARRED = re.compile(r"([★⭐🌟]+)(½?)[☆✩✰\ufe0f\s]*|[☆✩✰]+")
_RATED = re.compile(
    rf"(?:\w+\s*[:=]\s*)?({_NUMBER})\s*(?:{_OUT_OF}\s*({_NUMBER}))?\s*"
    r"(?:%|points?|pts?\.?|punkte?|stars?|stern[e]?|étoiles?|estrellas?|estrelas?|stelle|sterren|звёзд\w*|звезд\w*|"
    r"[★⭐🌟]|星级?|つ星|点|分|점|별점?)?",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"({_NUMBER})\s*[-–—:.)=(]\s*[^\d]{{1,60}}")
"""A step of a scale with its name: "4 - Good", "5 (very good)"."""
_LONGEST_RATING = 80


class Rating(NamedTuple):
    """A place on a scale."""

    number: float
    out_of: float | None = None
    """The end of the scale, where the value says it: "4/5 stars"."""


def rating(value: str) -> Rating | None:
    """A rating in words or signs: "5 stars", "4/5", "★★★★☆", "3 out of 5", "4 - Good"; None for any other text."""
    text = value.strip().replace("\ufe0f", "")
    if not text or len(text) > _LONGEST_RATING:
        return None
    if starred := _STARRED.fullmatch(text):
        return Rating(float(len(starred[1] or "")) + (0.5 if starred[2] else 0.0))
    if rated := _RATED.fullmatch(text):
        return Rating(_decimal(rated[1]), _decimal(rated[2]) if rated[2] else None)
    named = _NAMED.fullmatch(text)
    return Rating(_decimal(named[1])) if named else None


def _decimal(text: str) -> float:
    return float(text.replace(",", "."))


def as_number(value: Any) -> float | None:
    """
    A value as a number, a decimal comma read as a point, `100%` as 100, a rating as its place on its scale.

    None for anything else, and for what isn't finite.
    """
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("%").replace(",", "."))
        except ValueError:
            rated = rating(value)
            return rated.number if rated else None
    if isinstance(value, int):
        return float(value) if abs(value) < LARGEST_WHOLE else None
    return value if isinstance(value, float) and math.isfinite(value) else None


def on_one_scale(values: Iterable[Any]) -> bool:
    """Whether no two of some ratings name different ends of their scale: 4/5 and 8/10 can't be compared as 4 and 8."""
    rated = (rating(value) for value in values if isinstance(value, str))
    return len({one.out_of for one in rated if one and one.out_of is not None}) <= 1
