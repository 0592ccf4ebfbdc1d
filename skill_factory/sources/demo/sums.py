"""The world of sums behind the demo: sums, differences and comparisons worked digit by digit, with one slip to make.

It is small enough for a small model to learn, and a wrong attempt is wrong in one step, so a reflection can name it.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import gcd
from typing import NamedTuple

from skill_factory.sources.demo.draw import Draw

PLACES = ("ones", "tens", "hundreds", "thousands")


class Kind(StrEnum):
    """What is asked of two numbers."""

    SUM = "sum"
    DIFFERENCE = "difference"
    LARGER = "larger"


class Step(NamedTuple):
    """One step of a calculation: what is looked at, and what comes out."""

    where: str
    """The place of the digits, or empty."""
    left: str
    """As in `7 + 8`."""
    value: str
    """What `left` comes to, as the step tells it."""
    joint: str = "="

    def __str__(self) -> str:
        return f"{self.left} {self.joint} {self.value}"


class Slip(NamedTuple):
    """A step told with a wrong result: which step, and what it should say."""

    told: Step
    truth: Step


class Work(NamedTuple):
    """A calculation: its steps, what it comes to, and the slip in it, if there is one."""

    steps: list[Step]
    result: int
    slip: Slip | None = None


@dataclass(frozen=True)
class Problem:
    """Two different numbers and what is asked of them; a difference takes the smaller from the larger."""

    kind: Kind
    a: int
    b: int

    @property
    def answer(self) -> int:
        """The right answer."""
        match self.kind:
            case Kind.SUM:
                return self.a + self.b
            case Kind.DIFFERENCE:
                return self.a - self.b
            case Kind.LARGER:
                return max(self.a, self.b)

    def work(self, slips: bool, draw: Draw) -> Work:
        """Worked digit by digit, with one slip in it or none."""
        if self.kind is Kind.LARGER:
            return self._compared(slips)
        # A difference has no steps for places that come to nothing on both sides.
        longest = self.answer if self.kind is Kind.DIFFERENCE else self.a
        digits = max(len(str(self.b)), len(str(longest)))
        return self._by_digits(digits, draw.below(digits) if slips else -1, draw)

    def other_work(self, slips: bool, draw: Draw) -> Work:
        """Worked another way: the second number in two parts, or the difference looked at."""
        if self.kind is Kind.LARGER:
            high, low = max(self.a, self.b), min(self.a, self.b)
            step = Step("", f"{high} - {low}", str(high - low))
            wrong = Step("", f"{high} - {low}", f"-{high - low}")
            slip = Slip(wrong, step) if slips else None
            return Work([wrong if slips else step], low if slips else high, slip)
        sign = 1 if self.kind is Kind.SUM else -1
        ones = self.b % 10
        parts = [part for part in (self.b - ones, ones) if part]
        at = draw.below(len(parts)) if slips else -1
        value, steps, slip = self.a, [], None
        for n, part in enumerate(parts):
            left = f"{value} {'+' if sign > 0 else '-'} {part}"
            value += sign * part
            told = value
            if n == at:
                told = max(0, value + draw.pick((-10, -1, 1, 10)))
                told = told if told != value else value + 1
                slip = Slip(Step("", left, str(told)), Step("", left, str(value)))
            steps.append(Step("", left, str(told)))
            value = told
        return Work(steps, value, slip)

    def _compared(self, slips: bool) -> Work:
        digits = len(str(max(self.a, self.b)))
        steps = []
        for place in reversed(range(digits)):
            x, y = digit(self.a, place), digit(self.b, place)
            if x == y:
                steps.append(Step(name_of(place), str(x), str(y), "equals"))
                continue
            right, wrong = ("is more than", "is less than") if x > y else ("is less than", "is more than")
            true, false = (Step(name_of(place), str(x), str(y), joint) for joint in (right, wrong))
            steps.append(false if slips else true)
            result = min(self.a, self.b) if slips else max(self.a, self.b)
            return Work(steps, result, Slip(false, true) if slips else None)
        raise AssertionError("the numbers of a problem differ")

    def _by_digits(self, digits: int, at: int, draw: Draw) -> Work:
        carry, result, steps, slip = 0, 0, [], None
        for place in range(digits):
            left, value = self._step(place, carry)
            told = value
            if place == at:
                told = _wrong(value, self.kind, place == digits - 1, draw)
                where = name_of(place)
                slip = Slip(Step(where, left, str(told)), Step(where, left, str(value)))
            steps.append(Step(name_of(place), left, str(told)))
            if self.kind is Kind.SUM:
                carry = told // 10
                result += told % 10 * 10**place
            else:
                carry = int(digit(self.a, place) - carry < digit(self.b, place))
                result += told * 10**place
        if self.kind is Kind.SUM:
            result += carry * 10**digits
        return Work(steps, result, slip)

    def _step(self, place: int, carry: int) -> tuple[str, int]:
        """What is calculated at a place, with the carry (or what was borrowed) from the place before."""
        x, y = digit(self.a, place), digit(self.b, place)
        if self.kind is Kind.SUM:
            return f"{x} + {y}" + (" + 1" if carry else ""), x + y + carry
        x -= carry
        x += 10 if x < y else 0
        return f"{x} - {y}", x - y


def _wrong(value: int, kind: Kind, last: bool, draw: Draw) -> int:
    """A value near the right one that the step could have come to."""
    most = 19 if kind is Kind.SUM else 9
    # A first digit of nothing would shorten the answer, which a reader sees at once.
    near = [n for n in (value - 1, value + 1, value - 2, value + 2) if (1 if last else 0) <= n <= most]
    return draw.pick(near[:3])


def digit(number: int, place: int) -> int:
    """The digit at a place, from 0 for the ones."""
    return number // int(10**place) % 10


def name_of(place: int) -> str:
    """What a place is called."""
    return PLACES[place] if place < len(PLACES) else f"place {place + 1}"


def problem_at(seed: int, number: int) -> Problem:
    """The problem with this number: no two are the same, and numbers get a digit more when all shorter pairs are used."""
    kind = tuple(Kind)[number % len(Kind)]
    place, digits = number // len(Kind), 2
    while place >= (pairs := _pairs(digits)):
        place -= pairs
        digits += 1
    step, start = _walk(seed, kind, digits)
    low, span = 10 ** (digits - 1), 9 * 10 ** (digits - 1)
    first, second = divmod((place * step + start) % pairs, span - 1)
    a, b = low + first, low + second + (second >= first)
    # The sum and one part of it ask for the other part, so that each pair makes a difference of its own.
    return Problem(kind, a + b, b) if kind is Kind.DIFFERENCE else Problem(kind, a, b)


def _pairs(digits: int) -> int:
    span = 9 * int(10 ** (digits - 1))
    return span * (span - 1)


@lru_cache(maxsize=64)
def _walk(seed: int, kind: Kind, digits: int) -> tuple[int, int]:
    """A step and a start that visit each pair once."""
    draw, pairs = Draw("sums", "walk", seed, kind, digits), _pairs(digits)
    # A step without a common divisor comes to every place before it comes to one again.
    while gcd(step := draw.below(pairs), pairs) != 1:
        pass
    return step, draw.below(pairs)
