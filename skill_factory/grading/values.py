"""What an expression is worth at fixed points: exact while it is rational, else a complex number and its doubt.

The doubt bounds the error that has gathered, so that what cancels or grows beyond the digits of a float is unclear
instead of equal. Functions have their principal values; on a cut, within the doubt, nothing is said.
"""

import cmath
import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from skill_factory.grading.expressions import Term

POINTS = 8
"""Values for the letters of an expression, some negative; each letter has its own signs."""
WHOLE_POINTS = 24
"""Values where letters are whole numbers; more of them, since n choose k asks for n above k."""
ULP = 4e-16
"""Of the error that each step adds: the last digits of a float, and some room."""
MOST_BITS = 400
"""Of an exact number; a longer one goes on as a float."""


class Value(NamedTuple):
    """An exact fraction, or a complex number that is right but for `doubt`."""

    number: Fraction | complex
    doubt: float = 0.0


_NONE, _ONE = Value(Fraction(0)), Value(Fraction(1))


class Unclear(ArithmeticError):
    """No value: an overflow, or what is not linear is applied to more doubt than digits."""


def value_at(term: Term, letters: list[str], point: int, whole: bool = False) -> Value | None:
    """The expression's value at one of the points, or None where it has none that is clear; `whole` numbers if asked."""
    coordinate = _whole_coordinate if whole else _coordinate
    at = {letter: coordinate(place, point) for place, letter in enumerate(letters)}
    try:
        return _valued(term, at)
    except (ArithmeticError, ValueError):
        return None


def quotient(one: Value, other: Value) -> Value | None:
    """Their ratio, or None where it is unclear or one of them is zero."""
    try:
        ratio = _over(one, other)
    except ArithmeticError:
        return None
    return ratio if ratio.number else None


def letters_of(term: Term) -> set[str]:
    """The letters in an expression."""
    if term.parts:
        return set().union(*map(letters_of, term.parts))
    return set() if term.what in ("number", "pi", "e") else {term.what}


@lru_cache(maxsize=256)
def _coordinate(place: int, point: int) -> Value:
    """Between 1/4 and 9/4 or their negatives, without a pattern that two letters or two points could share."""
    drawn = pow(16807, place * POINTS + point + 9, 2**31 - 1)
    return Value((-1 if drawn >> 20 & 1 else 1) * Fraction(1001 + drawn % 8191, 4001))


@lru_cache(maxsize=256)
def _whole_coordinate(place: int, point: int) -> Value:
    """From 1 to 12: what a factorial or a binomial coefficient is asked for."""
    drawn = pow(16807, place * WHOLE_POINTS + point + 9, 2**31 - 1)
    return Value(Fraction(1 + (drawn >> 8) % 12))


def counts_whole_things(term: Term) -> bool:
    """Whether a factorial or a binomial coefficient says that its letters are whole numbers."""
    return term.what in ("!", "binom") or any(map(counts_whole_things, term.parts))


def differ(one: Value, other: Value) -> bool:
    """Are they further apart than their doubt and the last digits of a float? Exact numbers are compared exactly."""
    if type(one.number) is Fraction and type(other.number) is Fraction:
        return one.number != other.number
    left, right = _rounded(one), _rounded(other)
    size = max(abs(left.number), abs(right.number))
    return abs(left.number - right.number) > left.doubt + right.doubt + 1e-14 * size


def clear(one: Value, other: Value) -> bool:
    """Is their doubt small enough to call them equal: twelve digits, or a zero that something cancels to?"""
    if type(one.number) is Fraction and type(other.number) is Fraction:
        return True
    left, right = _rounded(one), _rounded(other)
    size, doubt = max(abs(left.number), abs(right.number)), left.doubt + right.doubt
    return doubt <= 1e-12 * size or size <= doubt <= 1e-13


def _is_zero(value: Value) -> bool:
    return not value.number and not value.doubt


class _Rounded(NamedTuple):
    """A value as a complex number."""

    number: complex
    doubt: float


def _rounded(value: Value) -> _Rounded:
    if type(value.number) is complex:
        return _Rounded(value.number, value.doubt)
    number = complex(value.number)
    return _Rounded(number, abs(number) * ULP)


def _made(number: complex, doubt: float) -> Value:
    # Adding zero leaves no negative zero, which would choose a side of a cut.
    number = complex(number.real + 0.0, number.imag + 0.0)
    if not 1e-150 < abs(number) < 1e150 and not (number == 0 and doubt):
        raise Unclear
    return Value(number, doubt + abs(number) * ULP)


def _exact(number: Fraction) -> Value:
    if number.numerator.bit_length() + number.denominator.bit_length() <= MOST_BITS:
        return Value(number)
    return _made(complex(number), 0.0)


def _valued(term: Term, at: dict[str, Value]) -> Value:
    if term.what == "number":
        return _exact(term.number)
    if not term.parts:
        return at.get(term.what) or Value(complex(_CONSTANTS[term.what]), 4 * ULP)
    parts = [_valued(part, at) for part in term.parts]
    if term.what in _WHOLE:
        return _exact(Fraction(_WHOLE[term.what](*map(_known, parts))))
    if term.what in _COMBINED:
        made = parts[0]
        for part in parts[1:]:
            made = _COMBINED[term.what](made, part)
        return made
    return _FUNCTIONS[term.what](parts[0])


_CONSTANTS = {"pi": math.pi, "e": math.e}
MOST_FACTORIAL = 60


def _known(value: Value) -> Fraction:
    if type(value.number) is not Fraction:
        raise Unclear
    return value.number


def _small(number: Fraction) -> int:
    if number.denominator != 1 or not 0 <= number <= MOST_FACTORIAL:
        raise Unclear
    return int(number)


# What is known of exact numbers alone; elsewhere nothing is said.
_WHOLE: dict[str, Callable[..., int]] = {
    "!": lambda number: math.factorial(_small(number)),
    "binom": lambda upper, lower: math.comb(_small(upper), _small(lower)),
    "floor": math.floor,
    "ceil": math.ceil,
}


def _added(one: Value, other: Value) -> Value:
    if type(one.number) is Fraction and type(other.number) is Fraction:
        return _exact(one.number + other.number)
    left, right = _rounded(one), _rounded(other)
    sizes = abs(left.number), abs(right.number)
    # What is much smaller than the other may still be all that tells two expressions apart, and a float forgets it.
    unseen = left.doubt < sizes[0] < 1e-9 * sizes[1] or right.doubt < sizes[1] < 1e-9 * sizes[0]
    lost = 1e-9 * max(sizes) if unseen else 0.0  # too much for any verdict
    return _made(left.number + right.number, left.doubt + right.doubt + lost)


def _times(one: Value, other: Value) -> Value:
    if type(one.number) is Fraction and type(other.number) is Fraction:
        return _exact(one.number * other.number)
    if _is_zero(one) or _is_zero(other):
        return _NONE
    left, right = _rounded(one), _rounded(other)
    doubt = abs(left.number) * right.doubt + abs(right.number) * left.doubt + left.doubt * right.doubt
    return _made(left.number * right.number, doubt)


def _over(one: Value, other: Value) -> Value:
    if type(one.number) is Fraction and type(other.number) is Fraction:
        return _exact(one.number / other.number)
    left, right = _rounded(one), _rounded(other)
    room = abs(right.number) - right.doubt
    if room < 0.9 * abs(right.number):
        raise Unclear
    if _is_zero(one):
        return one
    ratio = left.number / right.number
    return _made(ratio, (left.doubt + abs(ratio) * right.doubt) / room)


def _raised(base: Value, power: Value) -> Value:
    if type(power.number) is Fraction:
        exactly = _exactly_raised(base.number, power.number)
        if exactly is not None:
            return exactly
        if power.number.denominator == 1 and abs(power.number) < 1000:
            return _whole_power(_rounded(base), int(power.number))
        if power.number == _HALF:
            return _root(base)
    return _exponential(_times(power, _logarithm(base)))


def _exactly_raised(base: Fraction | complex, power: Fraction) -> Value | None:
    if type(base) is not Fraction or power.denominator > 2 or abs(power) > MOST_BITS:
        return None
    if not base:
        if power <= 0:
            raise Unclear
        return Value(base)
    if power.denominator == 2:
        upper, lower = base.as_integer_ratio()
        root = math.isqrt(abs(upper)), math.isqrt(lower)
        if (root[0] ** 2, root[1] ** 2) != (upper, lower):
            return None
        base = Fraction(*root)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    return _exact(base**power.numerator) if bits * abs(power.numerator) <= MOST_BITS else None


def _whole_power(base: _Rounded, power: int) -> Value:
    size = abs(base.number)
    if not power or abs(power) * base.doubt > 1e-3 * size:
        raise Unclear
    made = base.number**power
    return _made(made, abs(made) * abs(power) * (1.1 * base.doubt / size + ULP))


_HALF = Fraction(1, 2)


def _root(value: Value) -> Value:
    number, doubt = _beside_no_cut(value)
    made = cmath.sqrt(number)
    return _made(made, 0.6 * doubt / abs(made))


def _beside_no_cut(value: Value) -> _Rounded:
    """A number that is clearly above, below or on the negative axis, and no zero."""
    number, doubt = _rounded(value)
    beside_cut = number.real < 0 and 0 < abs(number.imag) <= doubt
    if doubt > 1e-3 * abs(number) or beside_cut or not number:
        raise Unclear
    return _Rounded(number, doubt)


def _logarithm(value: Value) -> Value:
    if value == _ONE:
        return _NONE
    number, doubt = _beside_no_cut(value)
    return _made(cmath.log(number), 1.1 * doubt / abs(number))


def _exponential(value: Value) -> Value:
    if _is_zero(value):
        return _ONE
    number, doubt = _rounded(value)
    if doubt > 1e-3:
        raise Unclear
    made = cmath.exp(number)
    return _made(made, abs(made) * (1.1 * doubt + ULP))


def _wave(function: Callable[[complex], complex]) -> Callable[[Value], Value]:
    """Sine or cosine: nowhere steeper than the hyperbolic cosine of the imaginary part."""

    def applied(value: Value) -> Value:
        if _is_zero(value):
            return Value(Fraction(int(function(0).real)))
        number, doubt = _rounded(value)
        if doubt > 1e-3 or abs(number.imag) > 300:
            raise Unclear
        return _made(function(number), math.cosh(number.imag) * (1.1 * doubt + ULP))

    return applied


def _arc(function: Callable[[float], float], within: float) -> Callable[[Value], Value]:
    """An inverse of real numbers; near the end of its range it is steep, and nothing is said."""

    def applied(value: Value) -> Value:
        number, doubt = _rounded(value)
        room = 1 - number.real**2 if within == 1 else 1.0
        at_end = type(value.number) is Fraction and abs(value.number) == within
        if number.imag or doubt > 1e-3 or (room < 1e-4 and not at_end):
            raise Unclear
        made = function(number.real)
        exact_zero = not made and (at_end or _is_zero(value))
        return _NONE if exact_zero else _made(made, ULP if at_end else 1.1 * doubt / math.sqrt(room))

    return applied


def _size(value: Value) -> Value:
    if isinstance(value.number, complex):
        return Value(complex(abs(value.number)), value.doubt)
    return Value(abs(value.number))


_sine, _cosine = _wave(cmath.sin), _wave(cmath.cos)
_COMBINED = {"+": _added, "*": _times, "/": _over, "^": _raised}
_FUNCTIONS: dict[str, Callable[[Value], Value]] = {
    "abs": _size,
    "ln": _logarithm,
    "exp": _exponential,
    "sin": _sine,
    "cos": _cosine,
    "tan": lambda value: _over(_sine(value), _cosine(value)),
    "cot": lambda value: _over(_cosine(value), _sine(value)),
    "sec": lambda value: _over(_ONE, _cosine(value)),
    "csc": lambda value: _over(_ONE, _sine(value)),
    "arcsin": _arc(math.asin, 1),
    "arccos": _arc(math.acos, 1),
    "arctan": _arc(math.atan, math.inf),
}
