"""Bounds of a recipe: how long its text may be before it is read, and how large its numbers may be for what they mean.

A recipe comes from a file or a link, and so from strangers. At home the bounds are far above what anybody needs; on a
shared server they leave room for others.
"""

import re
from collections.abc import Mapping, Sized
from typing import Any, NamedTuple

from skill_factory.errors import RecipeError
from skill_factory.hosting import hosted

LONGEST = 8_000_000
"""Characters of a recipe's text; everything that may be excluded and corrected by hand (LISTS) fits."""
DEEPEST = 8
"""Tables and lists inside one another; a recipe has three."""
MOST_PARTS = 8
"""Parts of a dotted key; a recipe's keys have two, and reading time grows with the square."""
MOST_DIGITS = 40
"""Digits of a number; a seed has up to twenty."""
MOST_KEYS = 50_000
"""Keys and tables; reading time grows with their square, while lines of a list cost nothing."""

# Text in quotes or after # doesn't count. The repeats are possessive, so that an unclosed quote costs its length only once.
# Patterns are compiled when first used: most commands read no recipe's text.
_QUIET = r'(?s)"""(?:[^"\\]|\\.|"(?!""))*+"""|\'\'\'(?:[^\']|\'(?!\'\'))*+\'\'\'|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\'|#[^\n]*+'
_PARTS = rf"[\w\"-]++(?:[ \t]*+\.[ \t]*+[\w\"-]++){{{MOST_PARTS}}}"
_TABLE = r"(?m)^[ \t]*+\["
_DIGITS = rf"[0-9a-fA-F_]{{{MOST_DIGITS + 1}}}"


def check_text(text: str, name: str) -> None:
    """Refuse a text that no recipe has and that would take long to read. Errors: RecipeError."""
    if len(text) > LONGEST:
        raise RecipeError(
            f"{name} has {len(text):,} characters; a recipe can have at most {LONGEST:,}. Shorten its lists."
        )
    # Brackets and digits inside quotes are somebody's words: long texts are bounded by their length alone.
    loud = re.sub(_QUIET, '""', text)
    if (keys := loud.count("=") + len(re.findall(_TABLE, loud))) > MOST_KEYS:
        raise RecipeError(
            f"{name} has {keys:,} keys and tables; a recipe can have at most {MOST_KEYS:,}. Shorten its tables."
        )
    if (deep := nested_brackets(loud)) > DEEPEST:
        raise RecipeError(
            f"{name} has {deep:,} brackets inside one another; a recipe can have at most {DEEPEST}. Save it again."
        )
    if re.search(_PARTS, loud):
        raise RecipeError(
            f"{name} has a key with more than {MOST_PARTS} parts between dots; a recipe's keys have two. Save it again."
        )
    if re.search(_DIGITS, loud):
        raise RecipeError(f"{name} has a number of more than {MOST_DIGITS} digits. Write a smaller one.")


def nested_brackets(text: str) -> int:
    """Brackets inside one another, at most: parsers take the square of them, so they are counted before."""
    depth = most = 0
    for sign in re.findall(r"[\[\]{}]", text):
        depth += 1 if sign in "[{" else -1
        most = max(most, depth)
    return most


class Most(NamedTuple):
    """The largest value at home, and on a shared server."""

    home: float
    shared: float


NUMBERS = {
    "traces.attempts": Most(1_000, 64),
    "traces.repeats": Most(10_000, 100),
    "traces.seed": Most(10**30, 10**30),
    "balance.per_question": Most(2**53, 2**53),
    "balance.min_wrong": Most(2**53, 2**53),
    "balance.max_traces": Most(2**53, 2**53),
    "cutoff.tokens": Most(2**53, 2**53),
    "cutoff.chars_per_token": Most(1_000, 1_000),
    "filters.response_chars": Most(2**53, 2**53),
    "filters.reflection_chars": Most(2**53, 2**53),
    "balance.label_limits": Most(2**53, 2**53),
    "columns.threshold": Most(2**53, 2**53),
}
"""Bounds of numbers, by field; for pairs and tables, of each number in them."""
LISTS = {
    "balance.exclude": Most(100_000, 20_000),
    "clean.against": Most(200, 20),
    "clean.drop": Most(100_000, 20_000),
    "clean.keep": Most(100_000, 20_000),
    "balance.label_limits": Most(10_000, 1_000),
    "filters.ban": Most(10_000, 1_000),
    "filters.variants": Most(10_000, 1_000),
    "traces.formats": Most(64, 16),
    "verdicts.correct": Most(1_000, 100),
    "verdicts.incorrect": Most(1_000, 100),
    "columns.response": Most(1_000, 200),
    "columns.correct": Most(1_000, 200),
    "columns.extracted_answer": Most(1_000, 200),
    "columns.reflections": Most(1_000, 200),
    "columns.verdicts": Most(1_000, 200),
    "columns.question_rest": Most(1_000, 200),
    "columns.thinking": Most(1_000, 200),
    "columns.correct_else": Most(1_000, 200),
    "columns.right": Most(1_000, 200),
    "columns.wrong": Most(1_000, 200),
    "labels.corrections": Most(40_000, 20_000),
    "review.accepted": Most(40_000, 20_000),
    "review.rejected": Most(20_000, 10_000),
    "review.notes": Most(5_000, 1_000),
}
"""Bounds of lists: the most items, by field."""
PHRASES = Most(20_000, 2_000)
"""The most phrases of one's own, in all pools together."""
LONGEST_WORD = Most(10_000, 2_000)
"""The most characters of any text in a recipe."""


def check_size(flat: Mapping[str, Any]) -> None:
    """Refuse values, by dotted path, that are larger than they may be. Errors: ValueError with the sentence."""
    for path, value in flat.items():
        if (most := NUMBERS.get(path)) is not None:
            # The size counts, whatever the sign: -10**30 is as slow to write out as 10**30.
            largest = max((abs(number) for number in _numbers(value)), default=0)
            _check(path, largest, most, "at most")
        if (most := LISTS.get(path)) is not None and isinstance(value, Sized):
            _check(path, len(value), most, "a list of at most")
        for text in _texts(value):
            _check(path, len(text), LONGEST_WORD, "a text of at most")
    # All pools together, so that six pools can't hold six times as much.
    phrases = [
        phrase
        for path in ("phrases.add", "phrases.replace")
        for pool in flat[path].values()
        for phrase in pool
    ]
    _check("phrases", len(phrases), PHRASES, "a list of at most")


def _check(path: str, number: float, most: Most, words: str) -> None:
    limit = most.shared if hosted() else most.home
    if number <= limit:
        return
    # Said only where it helps: beyond the bound at home there is no room anywhere.
    more = " Run the app on your own computer for more." if hosted() and number <= most.home else ""
    # A number of thirty digits says less than its power of ten.
    shown = f"{number:,.0f}" if number < 1e15 else f"{number:.2g}"
    raise ValueError(
        f"{path!r} can be {words} {limit:,.0f}{' on a shared server' if hosted() else ''}; found {shown}.{more}"
    )


def _numbers(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else [value]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for name, part in value.items() for text in (name, *_texts(part))]
    return [text for part in value for text in _texts(part)] if isinstance(value, list | tuple) else []
