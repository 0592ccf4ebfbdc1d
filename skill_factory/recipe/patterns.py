r"""Patterns of a recipe: written as Python's regular expressions, run by RE2, whose time grows with the text alone.

Python's own parser reads a pattern, so a recipe means what it always meant: `\d`, `\w` and `\s` are Unicode's, and `$` may
match before the end of the last line. What needs backtracking (lookarounds, an earlier group again) RE2 can't do, so it is
refused with a sentence, on every machine. For `\b`, RE2's own knows the letters of ASCII alone: see `boundaries.py`.
"""

import importlib
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from skill_factory.recipe.boundaries import EDGE, INSIDE, marked, unmarked
from skill_factory.recipe.pattern_translation import Translation

LONGEST = 2_000
"""The most characters of a pattern."""
LARGEST = 100_000
"""The most instructions of a program, as RE2 counts them: each may look at every character."""


@dataclass(frozen=True)
class _Programs:
    """A pattern for RE2: one search for the first match, one for the last."""

    first: Any
    last: Any
    may_be_empty: bool


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern that finds the first and the last of its matches."""

    _plain: _Programs
    _marked: _Programs | None
    """For texts with letters beyond ASCII, where the pattern asks for the edges of words."""
    _insides: bool

    def first(self, text: str) -> str | None:
        """The first match: its first group that matched, or all of it if the pattern has no groups."""
        known, data = self._ready(text)
        match = known.first.search(data)
        groups = match.groups() if match is not None else ()
        return next((self._text(group) for group in groups if group is not None), None)

    def last(self, text: str) -> str | None:
        """The last match: its group 1 if the pattern has one, otherwise all of it."""
        known, data = self._ready(text)
        # A pattern that may be empty matches once more at the very end, and that is its last match.
        if known.may_be_empty and (at_end := known.first.match(data, _end(data))) is not None:
            return self._said(at_end)
        if (rounds := known.last.search(data)) is None:
            return None
        # Groups keep what they matched in earlier rounds, so the last round is matched again on its own.
        return self._said(known.first.match(data, rounds.start(1)))

    def _ready(self, text: str) -> tuple[_Programs, bytes]:
        if self._marked is None or text.isascii():
            return self._plain, text.encode("utf-8", "surrogatepass")
        return self._marked, marked(text, self._insides).encode("utf-8", "surrogatepass")

    def _said(self, match: Any) -> str | None:
        group = None if match is None else match.group(1)
        return None if group is None else self._text(group)

    def _text(self, content: bytes) -> str:
        text = content.decode("utf-8", "surrogatepass")
        return text if self._marked is None else unmarked(text)


def _end(data: bytes) -> int:
    """Where the text ends; marks may stand there."""
    end = len(data)
    while data[end - 4 : end] in _MARKS:
        end -= 4
    return end


_MARKS = (EDGE.encode(), INSIDE.encode())


@lru_cache(maxsize=64)
def compiled(pattern: str) -> Pattern:
    """The compiled pattern. Errors: ValueError with a sentence that says why it can't be used."""
    if len(pattern) > LONGEST:
        raise ValueError(f"a pattern has at most {LONGEST:,} characters; found {len(pattern):,}")
    try:
        with warnings.catch_warnings():
            # Python warns where a later version may read a pattern differently; a user can't act on that.
            warnings.simplefilter("ignore")
            # By name, since the module is private and type checkers don't know it.
            tree = importlib.import_module("re._parser").parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a valid regular expression: {error}") from None
    try:
        plain, edges = _programs(tree, False)
        if edges == {False, True}:
            raise ValueError(r"a pattern asks for \b in letters of ASCII and in all letters. Leave (?a) out")
        found = _programs(tree, True)[0] if edges == {True} else None
    except RecursionError:
        raise ValueError("not a valid regular expression: its groups are nested too deeply") from None
    return Pattern(plain, found, r"\B" in pattern)


def _programs(tree: Any, marks: bool) -> tuple[_Programs, set[bool]]:
    """The programs, and whether edges of words were asked for: in letters of ASCII (False), in all letters (True)."""
    translation = Translation(tree.state.flags, marks)
    body, end = translation.whole(tree)
    # In a pattern without a group, the whole match counts: group 1 always is what counts.
    body = body if tree.state.groups > 1 else f"({body})"
    once = f"(?:{body}){end}"
    # One search for all matches: each round skips as little as it can and then matches, until there are no more.
    every = _program(rf"\A(?:(?s:.)*?({once}))+")
    return _Programs(_program(once), every, tree.getwidth()[0] == 0), translation.edges


def _program(text: str) -> Any:
    options = re2.Options()
    # RE2 would write to standard error; the sentence below says the same to the person who gave the pattern.
    options.log_errors = False
    try:
        program = re2.compile(text.encode(), options=options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
        raise ValueError(f"a pattern that can't be used: {reason}") from None
    if program.programsize > LARGEST:
        raise ValueError(
            f"a pattern that repeats too much: it takes {program.programsize:,} steps for each character, and at most "
            f"{LARGEST:,} are possible. Use smaller numbers in {{…}}"
        )
    return program
