r"""Patterns of a recipe: written as Python's regular expressions, run by RE2, whose time grows with the text alone.

Python's own parser reads a pattern, so a recipe means what it always meant: `\d`, `\w` and `\s` are Unicode's, and `$` may
match before the end of the last line. What needs backtracking (lookarounds, an earlier group again) RE2 can't do, so it is
refused with a sentence, on every machine. For `\b`, RE2's own knows the letters of ASCII alone: see `boundaries.py`.
"""

import importlib
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from skill_factory.recipe.boundaries import EDGE, INSIDE, LAST, MARKS, SKIP, marked, unmarked

LONGEST = 2_000
"""The most characters of a pattern."""
LARGEST = 100_000
"""The most instructions of a program, as RE2 counts them: each may look at every character."""

_SPACE = r"\t-\r\x{1c}-\x{1f} \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_CLASSES = {
    "CATEGORY_DIGIT": r"\p{Nd}",
    "CATEGORY_NOT_DIGIT": r"\P{Nd}",
    "CATEGORY_WORD": r"\p{L}\p{N}_",
    "CATEGORY_SPACE": _SPACE,
}
_OPPOSITE = {"CATEGORY_NOT_WORD": "CATEGORY_WORD", "CATEGORY_NOT_SPACE": "CATEGORY_SPACE"}
_ASCII = {
    r"\p{Nd}": "0-9",
    r"\P{Nd}": r"\x{0}-/:-\x{10ffff}",
    r"\p{L}\p{N}_": "0-9A-Z_a-z",
    _SPACE: r"\t-\r ",
}
_REFUSED = {
    "ASSERT": "a lookahead or lookbehind, (?=…) or (?<=…)",
    "ASSERT_NOT": "a negative lookahead or lookbehind, (?!…) or (?<!…)",
    "GROUPREF": r"a backreference, \1",
    "GROUPREF_EXISTS": "a condition on an earlier group, (?(1)…)",
    "POSSESSIVE_REPEAT": "a possessive repeat, *+",
    "ATOMIC_GROUP": "an atomic group, (?>…)",
    "FAILURE": "a part that never matches, (?!)",
}


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
    translation = _Translation(tree.state.flags, marks)
    body, end = translation.whole(tree)
    # In a pattern without a group, the whole match counts.
    # So that group 1 always is what counts.
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


class _Translation:
    """Translates what Python's parser gives into the text that RE2 reads."""

    def __init__(self, flags: int, marks: bool) -> None:
        self._flags, self._marks = flags, marks
        self.edges: set[bool] = set()
        """Which edges of words the pattern asks for: those of all letters (True), or of ASCII's."""

    def whole(self, tree: Any) -> tuple[str, str]:
        """The whole pattern, and separately the `$` at its end, which must not become part of the match."""
        parts = list(_in_order(tree))
        end = ""
        if parts and str(parts[-1][0]) == "AT" and str(parts[-1][1]) == "AT_END":
            end = self._at("AT_END")
            parts.pop()
        return self._joined(parts), end

    def _joined(self, parts: Iterable[Any]) -> str:
        return "".join(self._part(str(kind), value) for kind, value in _in_order(parts))

    def _part(self, kind: str, value: Any) -> str:
        match kind:
            case "LITERAL":
                return self._taken(self._letter(value))
            case "NOT_LITERAL":
                return self._taken(f"[^{self._letter(value)}{self._no_marks}]")
            case "ANY":
                return self._taken(self._any())
            case "IN":
                return self._taken(self._one_of(value))
            case "BRANCH":
                return f"(?:{'|'.join(map(self._joined, value[1]))})"
            case "SUBPATTERN":
                return self._group(*value)
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeat(*value) + ("?" if kind == "MIN_REPEAT" else "")
            case "AT":
                return self._at(str(value))
        named = _REFUSED.get(kind, kind.lower().replace("_", " "))
        raise ValueError(
            f"a pattern has {named}. That isn't possible here, since its time may double with each character. "
            "Write the pattern without it: the text in the first brackets is what counts"
        )

    @property
    def _no_marks(self) -> str:
        """What a class that excludes characters excludes as well."""
        return MARKS if self._marks else ""

    def _letter(self, code: int) -> str:
        return _letter(0xFFFD if self._marks and code > LAST else code)  # as marks are taken out of a text

    def _any(self) -> str:
        if self._marks:
            return f"[^{MARKS}]" if self._flags & re.DOTALL else rf"[^\n{MARKS}]"
        return "(?s:.)" if self._flags & re.DOTALL else "."

    def _taken(self, text: str) -> str:
        """What takes one character."""
        text = f"(?i:{text})" if self._flags & re.IGNORECASE else text
        return f"(?:{SKIP}{text})" if self._marks else text

    def _group(self, number: int | None, add: int, remove: int, inside: Any) -> str:
        # Flags such as (?i:…) hold inside their group alone.
        before, self._flags = self._flags, (self._flags | add) & ~remove
        text = self._joined(inside)
        self._flags = before
        return f"(?:{text})" if number is None else f"({text})"

    def _repeat(self, least: int, most: Any, inside: Any) -> str:
        text = f"(?:{self._joined(inside)})"
        many = most is importlib.import_module("re._constants").MAXREPEAT
        # RE2's own bound, said in words before RE2 says it in its own.
        if max(int(least), 0 if many else int(most)) > 1000:
            raise ValueError(
                "a pattern repeats something more than 1,000 times. Use *, + or a smaller number"
            )
        return text + (f"{{{least},}}" if many else f"{{{least},{most}}}")

    def _at(self, where: str) -> str:
        lines, skip = bool(self._flags & re.MULTILINE), SKIP if self._marks else ""
        if "BOUNDARY" in where:
            self.edges.add(not self._flags & re.ASCII)
        known = {
            "AT_BEGINNING": "(?m:^)" if lines else r"\A",
            "AT_BEGINNING_STRING": r"\A",
            "AT_END": f"{skip}(?m:$)" if lines else rf"{skip}(?:\n{skip})?\z",
            "AT_END_STRING": rf"{skip}\z",
            "AT_BOUNDARY": EDGE if self._marks else r"\b",
            "AT_NON_BOUNDARY": INSIDE if self._marks else r"\B",
        }
        return f"(?:{known[where]})"

    def _one_of(self, items: Any) -> str:
        """A class of characters; inside one, RE2 has no `\\W` or `\\S` as Python means them."""
        kinds = [(str(kind), value) for kind, value in items]
        negated = kinds[0][0] == "NEGATE"
        kinds = kinds[1:] if negated else kinds
        turned = _OPPOSITE | ({"CATEGORY_NOT_DIGIT": "CATEGORY_DIGIT"} if self._marks and not negated else {})
        opposite = [str(v) for k, v in kinds if k == "CATEGORY" and str(v) in turned]
        plain = "".join(self._item(k, v) for k, v in kinds if not (k == "CATEGORY" and str(v) in turned))
        if not opposite:
            return f"[^{plain}{self._no_marks}]" if negated else f"[{plain}]"
        if not negated:
            choices = [f"[^{self._category(turned[category])}{self._no_marks}]" for category in opposite]
            return f"(?:{'|'.join([*choices, *([f'[{plain}]'] if plain else [])])})"
        return self._but(
            opposite, [(k, v) for k, v in kinds if not (k == "CATEGORY" and str(v) in _OPPOSITE)]
        )

    def _but(self, opposite: list[str], others: list[Any]) -> str:
        r"""`[^\W\d_]`: the letters of words except some; `[^\S\n]`: white space except some."""
        taken = {chr(value) for kind, value in others if kind == "LITERAL"}
        digits = any(kind == "CATEGORY" and str(value) == "CATEGORY_DIGIT" for kind, value in others)
        simple = all(
            kind == "LITERAL" or (kind == "CATEGORY" and str(value) == "CATEGORY_DIGIT")
            for kind, value in others
        )
        if opposite == ["CATEGORY_NOT_SPACE"] and simple:
            # The last white space of Unicode is U+3000.
            spaces = [space for space in map(chr, range(0x3001)) if space.isspace() and space not in taken]
            if self._flags & re.ASCII:
                spaces = [space for space in spaces if space in " \t\n\r\f\v"]
            return f"[{''.join(_letter(ord(space)) for space in spaces)}]"
        if opposite == ["CATEGORY_NOT_WORD"] and simple and taken <= {"_"} and not self._flags & re.ASCII:
            return rf"[\p{{L}}\p{{Nl}}\p{{No}}{'' if digits else chr(92) + 'p{Nd}'}{'' if '_' in taken else '_'}]"
        raise ValueError(r"a pattern has \W or \S inside [^…]. List the characters that may be there instead")

    def _item(self, kind: str, value: Any) -> str:
        if kind == "LITERAL":
            return self._letter(value)
        if kind == "RANGE":
            first, last = (min(one, LAST) if self._marks else one for one in value)
            return f"{_letter(first)}-{_letter(last)}"
        return self._category(str(value))

    def _category(self, name: str) -> str:
        text = _CLASSES[name]
        return _ASCII[text] if self._flags & re.ASCII else text


def _in_order(parts: Iterable[Any]) -> Iterable[Any]:
    """The parts, of what stands at one place first the beginning of a line or text, then edges of words, then the end."""
    place: list[Any] = []
    for part in parts:
        if str(part[0]) == "AT":
            place.append(part)
            continue
        yield from _sorted(place)
        place.clear()
        yield part
    yield from _sorted(place)


def _sorted(place: list[Any]) -> list[Any]:
    return sorted({str(part[1]): part for part in place}.values(), key=_rank)


def _rank(part: Any) -> int:
    where = str(part[1])
    return 1 if "BOUNDARY" in where else 2 if "END" in where else 0


def _letter(code: int) -> str:
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("a pattern has half a character (a surrogate). Write the whole character")
    return chr(code) if chr(code).isascii() and chr(code).isalnum() else f"\\x{{{code:x}}}"
