r"""Mathematical answers: tuples, intervals, sets and lists part by part; the parts by value, by form, or by `math-verify`.

`math-verify` (an optional extra) is asked without its time-outs, which need the main thread's signals; so what could
run long never reaches it: towers of powers, huge integers, sums, integrals, deep nesting, prose.
"""

import logging
import re
from typing import NamedTuple

from skill_factory.grading.plain import LONGEST, plain, same_words
from skill_factory.grading.quantities import read_quantity, same_quantity


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
    left = list(one.items)
    for item in other.items:
        match = next((mine for mine in left if same_math(mine, item)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def take_apart(text: str) -> Parts:
    """The parts between top-level commas; one part without brackets where the text is no tuple, set or list."""
    text = _BRACKETS.sub(lambda bracket: bracket[0][-1], plain(text).replace("\\{", "{").replace("\\}", "}"))
    text = re.sub(r"(?<=[0-9])(?:\{,\}|,\\!)(?=[0-9]{3})", "", text)
    text = re.sub(r"^[A-Za-z] ?(?:=|\\in) ?(?=[\[({])", "", text)
    if read_quantity(text) is not None:
        return Parts("", (text,))
    wrapped = len(text) > 1 and text[0] in "([{" and text[-1] in ")]}" and _closes_at_end(text)
    inside = text[1:-1] if wrapped else text
    items = tuple(item.strip() for item in _split(re.sub(r",? (?:and|\\text ?\{ ?and ?\}) ", ", ", inside)))
    if wrapped and len(items) > 1:
        return Parts(text[0] + text[-1], items)
    return Parts("", items if len(items) > 1 and all(items) and not wrapped else (text,))


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
    return _verified(answer, gold)


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


def unassigned(text: str) -> str:
    """What follows `x =` or `f(x) =`, or the whole."""
    return re.sub(r"^[A-Za-z](?:_\{?[0-9a-z]\}?)?(?: ?\([a-z]\))? ?= ?", "", text)


_KNOWN = frozenset(
    "frac dfrac tfrac sqrt pi cdot times div pm left right sin cos tan cot sec csc arcsin arccos arctan ln log exp "  # noqa: SIM905
    "infty cup cap in le leq ge geq lt gt ne neq theta alpha beta gamma lambda mu omega phi begin end pmatrix bmatrix "
    "circ mathbb".split()
)
_WORDS = _KNOWN | frozenset({"pmatrix", "bmatrix", "oo"})


def _bounded(text: str) -> bool:
    """Is this short, shallow algebra without towers, big integers, sums or prose?"""
    commands = re.findall(r"\\([A-Za-z]+)", text)
    depth = _depth(text)
    return (
        len(text) <= LONGEST
        and text.isascii()
        and depth <= 6
        and all(command in _KNOWN for command in commands)
        and all(word in _WORDS for word in re.findall(r"[A-Za-z]{3,}", text))
        and not re.search(r"!|[0-9]{16}|\^ ?\{?[^{}]{0,40}\^|\^ ?\{?-?[0-9.]{4}|[_\"';#&]{9}", text)
        and text.count("^") <= 8
        and text.count("(") + text.count("\\") + text.count("/") <= 24
    )


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in text:
        depth += 1 if sign in "([{" else -1 if sign in ")]}" else 0
        deepest = max(deepest, depth)
    return deepest


def _verified(answer: str, gold: str) -> bool:
    answer, gold = plain(answer), plain(gold)
    # The library takes the right side of any equation for its value; only of an assignment that is true.
    answer = answer if "=" in gold else unassigned(answer)
    if not (_bounded(answer) and _bounded(gold)) or ("=" in answer and "=" not in gold):
        return False
    try:
        from math_verify import LatexExtractionConfig, parse, verify
    except ImportError:
        return False
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    options = {
        "extraction_config": (LatexExtractionConfig(),),
        "fallback_mode": "no_fallback",
        "parsing_timeout": None,
    }
    try:
        read, meant = parse(f"${answer}$", **options), parse(f"${gold}$", **options)
        # Twelve digits, so that a rounded root is no root; the library's default would take six.
        return bool(read and meant) and verify(meant, read, float_rounding=12, timeout_seconds=None)
    except Exception:  # the library and its parser raise many kinds; an answer they can't read is not equal
        return False
