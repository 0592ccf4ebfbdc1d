"""One plain writing for answers that differ in dress alone: dollars, boxes, bold, typographic signs, white space."""

import re
import unicodedata
from functools import lru_cache

LONGEST = 300
"""Characters up to which an answer is looked into; a longer one is compared as it stands."""

_SIGNS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "×": "*",
        "÷": "/",
        "·": "*",
        "⋅": "*",
        "∗": "*",
        "⁄": "/",
        "∕": "/",
        "∞": "\\infty ",
    }
    | {
        "√": "\\sqrt ",
        "π": "\\pi ",
        "≤": "\\le ",
        "≥": "\\ge ",
        "∪": "\\cup ",
        "°": "^\\circ",
        "\0": "\ufffd",
    }
    | {raised: f"^{{{digit}}}" for digit, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)
_WRAPPERS = (
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("\\boxed{", "}"),
    ("\\text{", "}"),
    ("\\mathrm{", "}"),
    ("\\mathbf{", "}"),
    ("**", "**"),
    ("`", "`"),
    ('"', '"'),
    ("“", "”"),
    ("'", "'"),
)


def plain(text: str) -> str:
    r"""The answer without its dress: `½` as `1/2`, full-width digits, thin spaces, a closing full stop, `$…$`, `\boxed{…}`."""
    return _remembered(text) if len(text) <= LONGEST else _undressed(text)


def _undressed(text: str) -> str:
    text = re.sub("([0-9])([¼½¾⅓⅔⅛⅜⅝⅞])", r"\1 \2", text).translate(_SIGNS)
    text = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    text = " ".join(
        _SPACES.sub(lambda found: found[1] or " ", text.replace(",\\!", ",").replace("\\!", "")).split()
    )
    for _ in range(8):
        bare = _unwrapped(text.removesuffix(".").rstrip())
        if bare == text:
            break
        text = bare
    return text


_remembered = lru_cache(maxsize=128)(_undressed)  # the parts of a set are compared each with each


# LaTeX's spaces; `\\\\`, a new row of a matrix, is stepped over so that the comma of `\\\\,` stays.
_SPACES = re.compile(r"(\\\\)|\\(?:[,;: ]|quad(?![a-z]))")


def _unwrapped(text: str) -> str:
    for opening, closing in _WRAPPERS:
        inside = text[len(opening) : len(text) - len(closing)]
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            if closing != "}" and closing not in inside and opening not in inside:
                return inside.strip()
            if closing == "}" and _balanced(inside):
                return inside.strip()
    return text


def _balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            return False
    return depth == 0


def same_words(answer: str, gold: str) -> bool:
    """Equal after `plain`, letter case aside; a choice may wear brackets, as in `(B)` for `B`."""
    one, other = _worded(answer), _worded(gold)
    return bool(one) and one == other


def _worded(text: str) -> str:
    text = plain(text).casefold()
    return text[1:-1] if len(text) == 3 and text[0] == "(" and text[2] == ")" and text[1].isalpha() else text
