r"""Where words begin and end, for RE2, whose `\b` knows the letters of ASCII alone.

A text that holds others gets marks, three at each edge of a word, as Python sees words. A pattern's `\b` then takes one of
them, and whatever takes a character passes over those before it. Nothing else looks at them, and no match keeps them.
"""

import re

EDGE, INSIDE = "\U0010ffff", "\U0010fffe"
"""Marks for `\\b` and `\\B`; Unicode has given neither to anybody."""
MARKS = r"\x{10fffe}\x{10ffff}"
SKIP = f"[{MARKS}]*"
SEVERAL = 3
"""Marks at one place: a match may end at it, the next begin there, and a pattern ask twice."""
LAST = 0x10FFFD
"""The last character that isn't a mark."""

_EDGES = re.compile(r"(\b)|\B")
_ANY = re.compile(f"[{INSIDE}{EDGE}]")


def marked(text: str, insides: bool) -> str:
    """The text with its marks; those inside of words, and between other characters, only where a pattern asks for them."""
    clean = _ANY.sub("\ufffd", text)
    edge, inside = EDGE * SEVERAL, INSIDE * SEVERAL if insides else ""
    return _EDGES.sub(lambda found: edge if found[1] is not None else inside, clean)


def unmarked(text: str) -> str:
    """The text without them."""
    return _ANY.sub("", text)
