r"""Algebra by the library `math-verify` where it is installed: its reading of LaTeX, its comparison of constants.

The library bounds its work with signals, which threads don't have, so it is asked without time-outs and what could run
long never reaches it: towers of powers, huge integers, sums and integrals, deep nesting, prose. Simplifying can't be
bounded at all; expressions with letters are compared by their values at fixed points instead, positive and negative.
"""

import logging
import re
from typing import Any

from skill_factory.grading.plain import LONGEST, plain


def same_algebra(answer: str, gold: str) -> bool:
    """Are two expressions or equations the same? False without the library, or for what is out of bounds."""
    answer, gold = plain(answer), plain(gold)
    answer = answer if "=" in gold else unassigned(answer)
    if ("=" in answer) != ("=" in gold) or not (in_bounds(answer) and in_bounds(gold)):
        return False
    try:
        return _compared(_read(answer), _read(gold))
    except Exception:  # the library and its parser raise many kinds; an answer they can't read is not equal
        return False


def unassigned(text: str) -> str:
    """What follows `x =` or `f(x) =`, or the whole."""
    return re.sub(r"^[A-Za-z](?:_\{?[0-9a-z]\}?)?(?: ?\([a-z]\))? ?= ?", "", text)


_COMMANDS = (
    "frac dfrac tfrac sqrt pi cdot times div pm left right sin cos tan cot sec csc arcsin arccos arctan ln log exp "
    "le leq ge geq lt gt ne neq theta alpha beta gamma lambda mu omega phi circ infty"
)
_KNOWN = frozenset(_COMMANDS.split())
_OUT_OF_BOUNDS = re.compile(r"!|[0-9]{16}|\^ ?\{?-?[0-9.]{3}|\^ ?\(|\^ ?[^{ ] ?\^|[_\"';#&\[]{9}")


def in_bounds(text: str) -> bool:
    """Is this short, shallow algebra without towers, big integers, sums or prose?"""
    known = all(command in _KNOWN for command in re.findall(r"\\([A-Za-z]+)", text))
    words = all(word in _KNOWN for word in re.findall(r"[A-Za-z]{3,}", text))
    small = len(text) <= LONGEST and text.isascii() and _depth(text) <= 6 and not _OUT_OF_BOUNDS.search(text)
    return (
        known
        and words
        and small
        and not _has_tower(text)
        and text.count("^") <= 8
        and sum(map(text.count, "(\\/")) <= 24
    )


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in text:
        depth += 1 if sign in "([{" else -1 if sign in ")]}" else 0
        deepest = max(deepest, depth)
    return deepest


def _has_tower(text: str) -> bool:
    """Does a power stand inside an exponent's braces?"""
    raised: list[bool] = []
    for position, sign in enumerate(text):
        if sign == "{":
            raised.append(text[:position].rstrip().endswith("^"))
        elif sign == "}" and raised:
            raised.pop()
        elif sign == "^" and any(raised):
            return True
    return False


def _read(text: str) -> Any:
    from math_verify import LatexExtractionConfig, parse

    logging.getLogger("math_verify").setLevel(
        logging.ERROR
    )  # it warns of the missing time-out at every process
    config = (LatexExtractionConfig(),)
    read = parse(f"${text}$", extraction_config=config, fallback_mode="no_fallback", parsing_timeout=None)
    return read[0]


def _compared(answer: Any, gold: Any) -> bool:
    from sympy import Eq, Expr
    from sympy.core.relational import Relational

    if isinstance(answer, Relational) and isinstance(gold, Relational):
        one, other = answer.lhs - answer.rhs, gold.lhs - gold.rhs
        if isinstance(answer, Eq) and isinstance(gold, Eq):
            return _same_ratio(one, other)
        return (type(answer) is type(gold) and _same_everywhere(one, other)) or (
            type(answer.reversed) is type(gold) and _same_everywhere(-one, other)
        )
    return isinstance(answer, Expr) and isinstance(gold, Expr) and _same_expression(answer, gold)


def _same_expression(answer: Any, gold: Any) -> bool:
    from math_verify import verify

    if not _same_everywhere(answer, gold):
        return False
    # Twelve digits, so that a rounded root is no root; the library's default would take six.
    constant = not answer.free_symbols and not gold.free_symbols
    return not constant or verify(gold, answer, float_rounding=12, timeout_seconds=None)


_POINTS = (0.7310585786, 1.6180339887, -0.5772156649, 2.5029078751, -1.2020569032)


def _values(expression: Any, symbols: list[Any]) -> list[complex | None]:
    return [
        _value_at(expression, {letter: point + k / 7 for k, letter in enumerate(symbols)})
        for point in _POINTS
    ]


def _value_at(expression: Any, point: dict[Any, float]) -> complex | None:
    try:
        value = complex(expression.evalf(15, subs=point, maxn=60))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return value if value == value and abs(value) < 1e300 else None


def _value_pairs(one: Any, other: Any) -> list[tuple[complex, complex]]:
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    both = zip(_values(one, symbols), _values(other, symbols), strict=True)
    return [(left, right) for left, right in both if left is not None and right is not None]


def _same_everywhere(one: Any, other: Any) -> bool:
    pairs = _value_pairs(one, other)
    return len(pairs) > 2 and all(_close(left, right) for left, right in pairs)


def _same_ratio(one: Any, other: Any) -> bool:
    """Do two equations hold for the same values, one being a multiple of the other?"""
    pairs = _value_pairs(one, other)
    ratios = [left / right for left, right in pairs if abs(right) > 1e-9 and abs(left) > 1e-9]
    return len(ratios) > 2 and all(_close(ratio, ratios[0]) for ratio in ratios)


def _close(left: complex, right: complex) -> bool:
    return abs(left - right) <= 1e-11 * max(abs(left), abs(right))
