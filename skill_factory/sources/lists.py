"""Lists that were written as text: Python's and NumPy's way, as pandas leaves them in a CSV.

A small reader of its own: what Python would join (`'a' 'b'`) are two items here, nothing is evaluated, and its time is
linear in the text.
"""

import re
from typing import Any

DEEPEST = 8
_TOKEN = re.compile(
    r"""\s*(?:(?P<open>(?:array\()?\[)|(?P<close>\](?:,?\s*dtype=\w+\))?)|(?P<comma>,)|(?P<cut>\.\.\.)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<word>True|False|None|nan|-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?))""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"True": True, "False": False, "None": None, "nan": None}
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "\n": "",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "0": "\0",
}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


class CutShort(Exception):
    """A list that NumPy wrote with `...` in the place of most of its items."""


def read_list(text: str) -> list[Any] | None:
    """The list that a text writes, nested ones as lists; None where it writes none. Errors: CutShort."""
    stack: list[list[Any]] = []
    at, whole = 0, None
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None or whole is not None:
            return None
        at = found.end()
        match found.lastgroup:
            case "open":
                stack.append([])
                if len(stack) > DEEPEST:
                    return None
            case "close":
                if not stack:
                    return None
                done = stack.pop()
                if stack:
                    stack[-1].append(done)
                else:
                    whole = done
            case "cut":
                raise CutShort
            case "text" | "word" if not stack:
                return None
            case "text":
                stack[-1].append(_ESCAPE.sub(_unescaped, found["text"][1:-1]))
            case "word":
                stack[-1].append(_number_or_word(found["word"]))
    return whole


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else match[0]
    return _ESCAPES.get(code, match[0])


def _number_or_word(word: str) -> Any:
    if word in _WORDS:
        return _WORDS[word]
    # Python refuses to read whole numbers of thousands of digits, and takes a square of time for long ones.
    return int(word) if word.lstrip("-").isdecimal() and len(word) < 20 else float(word)
