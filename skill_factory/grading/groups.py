r"""Lists, tuples, sets, matrices and `\pm` taken apart; order counts in round and square brackets, and not elsewhere."""

import re
from typing import NamedTuple

from skill_factory.grading.numerals import number_head

MOST_UNORDERED = 6
"""Parts of a set that are compared each with each; a longer one is compared in one order, by form."""
MOST_ITEMS = 60


class Group(NamedTuple):
    """What a text lists: its brackets (empty for a bare list, `matrix` with its rows), the items, and the word between them."""

    brackets: str
    items: tuple[str, ...]
    joint: str = ","
    columns: int = 0
    """Of a matrix."""


_CLOSED = {"(": ")", "[": "]", "{": "}"}
_MATRIX = re.compile(
    r"\\begin ?\{([pbvBV]?matrix|array|smallmatrix)\} ?(?:\{[^{}]{0,20}\})?(.*)\\end ?\{\1\}", re.DOTALL
)


def read_group(text: str) -> Group | None:
    """The parts of a plain text that lists something, or None."""
    text = (
        text.replace("\\{", "{").replace("\\}", "}").replace("\\langle", "(").replace("\\rangle", ")").strip()
    )
    if "\\begin" in text:
        return _matrix(text)
    if both := _both_signs(text):
        return Group("", both, "or")
    wrapped = len(text) > 2 and text[0] in _CLOSED and text[-1] in ")]}" and _closes_at_end(text)
    inside, brackets = (text[1:-1].strip(), text[0] + text[-1]) if wrapped else (text, "")
    joint = "or" if not wrapped and re.search(r"[ }](?:or|或)[ \\]", inside) else ","
    if not wrapped:
        inside = re.sub(r",? (?:and|or|&) |,? ?(?:和|或|以及) ?", ", ", inside)
    items = split_at_commas(inside)
    if len(items) > MOST_ITEMS or not all(items):
        return None
    if len(items) > 1 or brackets in ("{}", "[]"):
        return _of_rows(brackets, items) or Group(brackets, items, joint)
    return None


def _closes_at_end(text: str) -> bool:
    """Does the first bracket close with the last sign? (Half-open intervals pair unlike brackets.)"""
    depth = 0
    for position, sign in enumerate(text):
        depth += 1 if sign in "([{" else -1 if sign in ")]}" else 0
        if depth == 0:
            return position == len(text) - 1
    return False


def split_at_commas(text: str) -> tuple[str, ...]:
    """The pieces between commas or semicolons that stand in no bracket; a comma that groups thousands is none."""
    if number_head(text) is not None and re.fullmatch("[^ ]*", text) and number_head(text).rest == "":  # type: ignore[union-attr]
        return (text,)
    # In “1,200, 1,300” commas before a space part the items, and the others group thousands.
    loose = bool(re.search(r"[0-9]{1,3},[0-9]{3}(?![0-9])", text)) and bool(re.search(r"[,;] ", text))
    parts, depth, start = [], 0, 0
    semicolons = ";" in text
    for position, sign in enumerate(text):
        depth += 1 if sign in "([{" else -1 if sign in ")]}" else 0
        between = sign == ";" or (sign == "," and not (loose and text[position + 1 : position + 2] != " "))
        if between and depth == 0 and not (semicolons and sign == ","):
            parts.append(text[start:position].strip())
            start = position + 1
    return (*parts, text[start:].strip())


def _both_signs(text: str) -> tuple[str, str] | None:
    r"""`1 \pm \sqrt 2` as its two values; None where there is no such sign, or brackets and lists beside it."""
    if "\\pm" not in text and "\\mp" not in text and "+/-" not in text:
        return None
    text = text.replace("+/-", "\\pm")
    # Which of several items the sign belongs to would be a guess.
    if any(sign in text for sign in ",;=") or re.search(r" (?:and|or) |[\[\]]", text):
        return None
    upper = re.sub(r"\\pm(?![a-z])", "+", re.sub(r"\\mp(?![a-z])", "-", text))
    lower = re.sub(r"\\pm(?![a-z])", "-", re.sub(r"\\mp(?![a-z])", "+", text))
    if "\\pm" in upper or "\\mp" in upper:
        return None
    return upper.strip().removeprefix("+").strip(), lower.strip().removeprefix("+").strip()


def _matrix(text: str) -> Group | None:
    found = _MATRIX.fullmatch(text)
    if not found:
        return None
    rows = [
        tuple(cell.strip() for cell in row.split("&"))
        for row in re.sub(r"\\hline", "", found[2]).strip().removesuffix("\\\\").split("\\\\")
    ]
    widths = {len(row) for row in rows}
    cells = tuple(cell for row in rows for cell in row)
    if len(widths) != 1 or not all(cells) or len(cells) > MOST_ITEMS:
        return None
    kind = "determinant" if found[1] in ("vmatrix", "Vmatrix") else "matrix"
    return Group(kind, cells, ",", widths.pop())


def _of_rows(brackets: str, items: tuple[str, ...]) -> Group | None:
    """`[[1,2],[3,4]]` as the matrix that it is."""
    if brackets != "[]" or not all(item[:1] == "[" and item[-1:] == "]" for item in items):
        return None
    rows = [split_at_commas(item[1:-1]) for item in items]
    cells = tuple(cell for row in rows for cell in row)
    if len({len(row) for row in rows}) != 1 or not all(cells):
        return None
    return Group("matrix", cells, ",", len(rows[0]))
