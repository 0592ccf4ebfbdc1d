"""Mathematical answers: tuples, intervals, unions, sets, lists and matrices part by part; the parts by value or form."""

import re
from typing import NamedTuple

from skill_factory.grading.algebra import same_algebra, unassigned
from skill_factory.grading.plain import plain, same_words
from skill_factory.grading.quantities import read_quantity, same_quantity

MOST_UNORDERED = 6
"""Parts of a set that are compared each with each; a longer one is compared by form alone."""


class Parts(NamedTuple):
    """A tuple, interval, set or list taken apart: its brackets (empty for a bare list) and what they hold."""

    brackets: str
    items: tuple[str, ...]


def same_math(answer: str, gold: str) -> bool:
    """Are two mathematical answers the same? Order counts in brackets, and not in braces or a bare list."""
    one, other = take_apart(answer), take_apart(gold)
    if len(one.items) != len(other.items):
        return False
    if len(other.items) == 1 and not one.brackets and not other.brackets:
        return _same_value(answer, gold)
    if one.brackets != other.brackets and one.brackets and other.brackets:
        return False
    ordered = bool({one.brackets, other.brackets} - {"", "{}"})
    return _same_in_order(one, other) if ordered else _same_in_any_order(one, other)


def _same_in_order(one: Parts, other: Parts) -> bool:
    return all(same_math(left, right) for left, right in zip(one.items, other.items, strict=True))


def _same_in_any_order(one: Parts, other: Parts) -> bool:
    if len(one.items) > MOST_UNORDERED:
        return sorted(map(_form, one.items)) == sorted(map(_form, other.items))
    left = list(one.items)
    for item in other.items:
        match = next((mine for mine in left if same_math(mine, item)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def take_apart(text: str) -> Parts:
    """The parts of a tuple, set, list, union or matrix; one part without brackets where the text is none of them."""
    text = _BRACKETS.sub(lambda bracket: bracket[0][-1], plain(text).replace("\\{", "{").replace("\\}", "}"))
    text = re.sub(r"(?<=[0-9])\{,\}(?=[0-9]{3})", "", text)
    text = re.sub(r"^[A-Za-z] ?(?:=|\\in) ?(?=[\[({])", "", text)
    matrix = re.fullmatch(r"\\begin ?\{([pb]?matrix)\}(.*)\\end ?\{\1\}", text)
    if matrix:
        rows = [row.split("&") for row in matrix[2].removesuffix("\\\\").split("\\\\")]
        return Parts(f"matrix of {len(rows)}", tuple(cell.strip() for row in rows for cell in row))
    union = tuple(part.strip() for part in text.split("\\cup"))
    if len(union) > 1:
        return Parts("{}", union)
    return Parts("", (text,)) if read_quantity(text) is not None else _listed(text)


def _listed(text: str) -> Parts:
    wrapped = len(text) > 1 and text[0] in "([{" and text[-1] in ")]}" and _closes_at_end(text)
    inside = text[1:-1] if wrapped else text
    items = tuple(item.strip() for item in _split(re.sub(r",? (?:and|\\text ?\{ ?and ?\}) ", ", ", inside)))
    if len(items) == 1 or not all(items):
        return Parts("", (text,))
    return Parts(text[0] + text[-1] if wrapped else "", items)


_BRACKETS = re.compile(r"\\(?:left|right|big|Big|bigl|bigr) ?[\[\](){}]")


def _closes_at_end(text: str) -> bool:
    """Does the first bracket close with the last sign? (Half-open intervals pair unlike brackets.)"""
    depth = 0
    for position, sign in enumerate(text):
        depth += 1 if sign in "([{" else -1 if sign in ")]}" else 0
        if depth == 0:
            return position == len(text) - 1
    return False


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, sign in enumerate(text):
        depth += 1 if sign in "([{" else -1 if sign in ")]}" else 0
        if sign == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _same_value(answer: str, gold: str) -> bool:
    mine, theirs = read_quantity(answer), read_quantity(gold)
    if mine is not None and theirs is not None:
        return same_quantity(mine, theirs)
    if same_words(answer, gold) or same_form(answer, gold):
        return True
    return same_algebra(answer, gold)


_DROPPED = re.compile(r"\\(?:left|right|displaystyle)(?![a-zA-Z])|[ ~]")
_TEXT = re.compile(r"\\(?:text|mathrm|mbox|textbf|operatorname) ?\{([^{}]*)\}")


def same_form(answer: str, gold: str) -> bool:
    r"""Equal LaTeX after one spelling for what has several: `\dfrac12`, `\left(`, spaces, `\cdot`, `x = …`."""
    one, other = _form(answer), _form(gold)
    return bool(one) and (one == other or unassigned(one) == other or one == unassigned(other))


def _form(text: str) -> str:
    text = _TEXT.sub(r"\1", plain(text)).replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")
    text = re.sub(r"\\frac ?([0-9a-zA-Z]) ?([0-9a-zA-Z])", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\sqrt ?([0-9a-zA-Z])", r"\\sqrt{\1}", text)
    text = re.sub(r"\^ ?([0-9a-zA-Z])", r"^{\1}", text)
    text = _DROPPED.sub("", text.replace("\\cdot", "").replace("\\times", "*").replace("*", ""))
    return text.replace("\\leq", "\\le").replace("\\geq", "\\ge").replace("\\lt", "<").replace("\\gt", ">")
