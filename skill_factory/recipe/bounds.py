"""Bounds of a recipe: what its text may be before it is read, and how large its numbers may be by what they mean.

A recipe comes from a file or a link, and so from strangers. At home the numbers are far above what anybody needs; a shared
server's are those that leave room for others.
"""

import re
from collections.abc import Mapping, Sized
from typing import Any, NamedTuple

from skill_factory.errors import RecipeError
from skill_factory.hosting import hosted

LONGEST = 5_000_000
"""Characters of a recipe's text: what may be left out and corrected by hand fits (LISTS)."""
DEEPEST = 8
"""Tables and lists inside one another; a recipe has three."""
MOST_PARTS = 8
"""Parts of a dotted key; a recipe's have two, and reading takes the square of them."""
MOST_DIGITS = 40
"""Digits of a number; a seed has up to twenty."""
MOST_KEYS = 50_000
"""Keys and tables, of which reading takes the square; lines of a list cost nothing."""

# What stands in quotes or behind # has no say; possessive, so that an unclosed quote costs its length once.
_QUIET = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"""|\'\'\'(?:[^\']|\'(?!\'\'))*+\'\'\'|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\'|#[^\n]*+',
    re.DOTALL,
)
_PARTS = re.compile(rf"[\w\"-]++(?:[ \t]*+\.[ \t]*+[\w\"-]++){{{MOST_PARTS}}}")
_TABLE = re.compile(r"^[ \t]*+\[", re.MULTILINE)
_DIGITS = re.compile(rf"[0-9a-fA-F_]{{{MOST_DIGITS + 1}}}")


def check_text(text: str, name: str) -> None:
    """Errors: RecipeError for a text that no recipe has and that would take long to read."""
    if len(text) > LONGEST:
        raise RecipeError(
            f"{name} is larger than a recipe can be: {len(text):,} characters, and {LONGEST:,} can be read. Shorten its lists."
        )
    loud = _QUIET.sub('""', text)
    if (keys := loud.count("=") + len(_TABLE.findall(loud))) > MOST_KEYS:
        raise RecipeError(
            f"{name} has {keys:,} keys and tables, and {MOST_KEYS:,} can be read. Shorten its tables."
        )
    if (deep := _depth(loud)) > DEEPEST:
        raise RecipeError(
            f"{name} nests {deep:,} brackets inside one another; a recipe has at most {DEEPEST}. Save it again."
        )
    if _PARTS.search(loud):
        raise RecipeError(
            f"{name} has a key of more than {MOST_PARTS} parts with dots between; a recipe's have two. Save it again."
        )
    if _DIGITS.search(loud):
        raise RecipeError(f"{name} holds a number of more than {MOST_DIGITS} digits. Write a smaller one.")


def _depth(text: str) -> int:
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
"""Numbers of a recipe, and of the pairs and tables in it."""
LISTS = {
    "balance.exclude": Most(100_000, 20_000),
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
}
"""Lists, by how many things stand in them."""
PHRASES = Most(20_000, 2_000)
"""Phrases of all own pools together."""
LONGEST_WORD = Most(10_000, 2_000)
"""Characters of any text in a recipe."""


def check_size(flat: Mapping[str, Any]) -> None:
    """Errors: ValueError for a value (under its dotted path) that is larger than it may be, as a sentence."""
    for path, value in flat.items():
        if (most := NUMBERS.get(path)) is not None:
            found = max((abs(one) for one in _numbers(value)), default=0)
            _check(path, found, most, "at most")
        if (most := LISTS.get(path)) is not None and isinstance(value, Sized):
            _check(path, len(value), most, "a list of at most")
        for text in _texts(value):
            _check(path, len(text), LONGEST_WORD, "a text of at most")
    phrases = [
        one for path in ("phrases.add", "phrases.replace") for pool in flat[path].values() for one in pool
    ]
    _check("phrases", len(phrases), PHRASES, "a list of at most")


def _check(path: str, found: float, most: Most, words: str) -> None:
    limit = most.shared if hosted() else most.home
    if found <= limit:
        return
    more = " Run the app on your own computer for more." if hosted() and found <= most.home else ""
    shown = f"{found:,.0f}" if found < 1e15 else f"{found:.2g}"
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
        return [text for name, one in value.items() for text in (name, *_texts(one))]
    return [text for one in value for text in _texts(one)] if isinstance(value, list | tuple) else []
