"""Constants that a float can't tell apart: the library `math-verify` compares them, where it is installed.

It is given numbers and no text. Its grammar of LaTeX learns as it reads and takes a tenth of a second for four signs
that it first sees, a second for some, and a thread can't be timed out; so the numbers are worked out here, from terms
whose values have all been found to lie below 10^150, with as many digits as can cancel between them.
"""

import logging
import math
from functools import lru_cache
from typing import Any

from skill_factory.grading.expressions import Term
from skill_factory.grading.values import value_at

DIGITS = 30
KEPT_DIGITS = 330
"""Digits that are worked with: two numbers of 10^150 may cancel to one of 10^-150, and thirty are still right."""


def same_to_thirty_digits(one: Term, other: Term, size: float) -> bool:
    """Are two constants of about this size equal? False without the library, and for what is not real."""
    try:
        from math_verify import verify
        from sympy import Integer
    except ImportError:
        return False
    # It warns of the missing time-out at every process.
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    places = DIGITS - math.floor(math.log10(size)) if size else DIGITS
    mine, theirs = _places(one, places), _places(other, places)
    if mine is None or theirs is None:
        return False
    # As whole numbers, since the library takes its time to round others.
    return bool(verify(Integer(theirs), Integer(mine), timeout_seconds=None))


@lru_cache(maxsize=64)  # the parts of a set are compared each with each
def _places(term: Term, places: int) -> int | None:
    """A constant to so many decimal places, without the point; None where it is not real."""
    from mpmath import mp

    context = mp.clone()  # of this call alone: the library's own is shared by all threads
    context.dps = KEPT_DIGITS
    value = context.mpc(_worked_out(term, context)) * context.mpf(10) ** places
    return int(context.nint(value.real)) if abs(value.imag) < 1 else None


def _worked_out(term: Term, context: Any) -> Any:
    if term.what == "number":
        return context.mpf(term.number.numerator) / term.number.denominator
    if not term.parts:
        return +getattr(context, term.what)
    parts = [_worked_out(part, context) for part in term.parts]
    match term.what:
        case "+":
            return context.fsum(parts)
        case "*":
            return context.fprod(parts)
        case "/":
            return parts[0] / parts[1]
        case "^":
            return context.power(*parts)
        case "abs":
            return abs(parts[0])
        case "!" | "binom" | "floor" | "ceil":  # of exact numbers alone, which `value_at` has found
            return context.mpf(int(value_at(term, [], 0).number))  # type: ignore[union-attr, arg-type]
    return getattr(context, term.what.replace("arc", "a"))(*parts)
