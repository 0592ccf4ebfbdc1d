r"""Algebra: expressions are equal when their values are, equations and inequalities when one is a multiple of the other.

Values are taken at fixed points, positive and negative: simplifying can't be bounded in time, some values can. The
library `math-verify` is asked where it is installed and floats can't tell; see `constants`.
"""

from fractions import Fraction

from skill_factory.grading.constants import same_to_thirty_digits
from skill_factory.grading.decisions import Decision
from skill_factory.grading.expressions import Statement, Term
from skill_factory.grading.values import (
    POINTS,
    WHOLE_POINTS,
    Value,
    clear,
    counts_whole_things,
    differ,
    letters_of,
    quotient,
    value_at,
)

FEWEST_POINTS = 3
"""Points at which both sides must have a value before they are called equal."""
LONGEST_EXACT = 10**6
"""A root that comes near a longer number or a longer fraction than this doesn't prove that it is that number."""


def same_statements(one: Statement, other: Statement) -> bool:
    """Are two expressions, or two equations, the same? An equation isn't an expression."""
    letters = sorted(letters_of(one.term) | letters_of(other.term))
    (kind, sign), (other_kind, other_sign) = _KINDS[one.relation], _KINDS[other.relation]
    if kind != other_kind:
        return False
    if not kind:
        return values_decide(one.term, other.term) is Decision.RIGHT
    return bool(letters) and _same_ratio(one.term, other.term, letters, sign * other_sign)


def values_decide(one: Term, other: Term) -> Decision:
    """Whether two expressions have the same value; unjudged where too few points give both a value that could differ."""
    letters = sorted(letters_of(one) | letters_of(other))
    if not letters:
        return Decision.RIGHT if same_constant(one, other) else Decision.WRONG
    return _everywhere(one, other, letters)


# What a relation asks of `left - right`; an order that is turned round has its sign turned.
_KINDS = {
    "": ("", 0),
    "=": ("=", 0),
    "\\ne": ("\\ne", 0),
    "<": ("<", 1),
    ">": ("<", -1),
    "\\le": ("\\le", 1),
    "\\ge": ("\\le", -1),
}


def same_constant(one: Term, other: Term) -> bool:
    """Are two constants equal: exactly where they are rational, else to thirty digits?"""
    if one.what == other.what == "number":
        return one.number == other.number
    left, right = value_at(one, [], 0), value_at(other, [], 0)
    if left is None or right is None or differ(left, right):
        return False
    exact = [value.number for value in (left, right) if isinstance(value.number, Fraction)]
    # A root against a fraction: to be near a long fraction proves little, since one lies near any number.
    proven = len(exact) != 1 or max(abs(exact[0].numerator), exact[0].denominator) <= LONGEST_EXACT
    if clear(left, right) and proven:
        return True
    return same_to_thirty_digits(one, other, max(abs(complex(left.number)), abs(complex(right.number))))


def _everywhere(one: Term, other: Term, letters: list[str]) -> Decision:
    # n! and n choose k have values at whole numbers alone.
    whole = counts_whole_things(one) or counts_whole_things(other)
    judged = 0
    for point in range(WHOLE_POINTS if whole else POINTS):
        left, right = value_at(one, letters, point, whole), value_at(other, letters, point, whole)
        if left is not None and right is not None:
            if differ(left, right):
                return Decision.WRONG
            judged += clear(left, right)
    return Decision.RIGHT if judged >= FEWEST_POINTS else Decision.UNJUDGED


def _same_ratio(one: Term, other: Term, letters: list[str], sign: int) -> bool:
    """Is one a multiple of the other, by a number of this sign (0: of any)?"""
    ratios: list[Value] = []
    for point in range(POINTS):
        left, right = value_at(one, letters, point), value_at(other, letters, point)
        ratio = quotient(left, right) if left is not None and right is not None else None
        # At a point where one side is zero there is no ratio, and where doubt has grown it tells nothing.
        if ratio is not None and clear(ratio, ratio):
            if ratios and differ(ratio, ratios[0]):
                return False
            ratios.append(ratio)
    return len(ratios) >= FEWEST_POINTS and (not sign or _has_sign(ratios[0], sign))


def _has_sign(value: Value, sign: int) -> bool:
    number = complex(value.number)
    return abs(number.imag) <= value.doubt < number.real * sign
