"""What Python's parser reads in a pattern, written as text for RE2, and what RE2 can't do, refused with a sentence."""

import importlib
import re
from collections.abc import Iterable
from typing import Any

from skill_factory.recipe.boundaries import EDGE, INSIDE, LAST, MARKS, SKIP

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


class Translation:
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
