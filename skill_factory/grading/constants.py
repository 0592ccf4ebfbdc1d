"""Constants that a float can't tell apart: the library `math-verify` compares them, where it is installed.

It is given numbers and no text. Its grammar of LaTeX learns as it reads and takes a tenth of a second for four signs
that it first sees, a second for some, and a thread can't be timed out; so the numbers are worked out here, from terms
whose values have all been found to lie below 10^150, with as many digits as can cancel between them.
"""

import logging
import math
from typing import Any

from skill_factory.grading.expressions import Term

DIGITS = 30
KEPT_DIGITS = 330
"""Digits that are worked with: two numbers of 10^150 may cancel to one of 10^-150, and thirty are still right."""


def same_to_thirty_digits(one: Term, other: Term, size: float) -> bool:
    """Are two constants of about this size equal? False without the library, and for what is not real."""
    try:
        from math_verify import verify
        from mpmath import mp
        from sympy import Float
    except ImportError:
        return False
    # It warns of the missing time-out at every process.
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    context = mp.clone()  # of this call alone: the library's own is shared by all threads
    context.dps = KEPT_DIGITS
    unit = context.mpf(10) ** math.floor(math.log10(size)) if size else 1
    mine, theirs = (context.mpc(_worked_out(term, context)) / unit for term in (one, other))
    if max(abs(mine.imag), abs(theirs.imag)) > context.mpf(10) ** -DIGITS:
        return False
    numbers = [Float(context.nstr(number.real, 2 * DIGITS), 2 * DIGITS) for number in (theirs, mine)]
    return bool(verify(*numbers, float_rounding=DIGITS, timeout_seconds=None))


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
    return getattr(context, term.what.replace("arc", "a"))(*parts)
