"""The Countdown world behind the demo: puzzles with a solver that reaches every value, and honest mistakes to make."""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from skill_factory.sources.demo.draw import Draw

TIGHT, LOOSE = ("*", "/"), ("+", "-")
SIGNS = {"+": "+", "-": "-", "*": "×", "/": "÷"}
OPERATE: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
}


class Expr(NamedTuple):
    """An expression over whole numbers: a number (no `args`), or an operation on two expressions."""

    value: int
    op: str = ""
    args: tuple["Expr", ...] = ()

    def numbers(self) -> list[int]:
        """The numbers the expression is built from, left to right."""
        return [n for arg in self.args for n in arg.numbers()] if self.args else [self.value]

    def __str__(self) -> str:
        """As a grader evaluates it, with brackets where the order of the steps needs them: `(25 - 7) * 3 + 12`."""
        if not self.args:
            return str(self.value)
        left, right = self.args
        tight = self.op in TIGHT
        left_text = f"({left})" if tight and left.op in LOOSE else str(left)
        right_text = f"({right})" if right.op in LOOSE or (tight and right.op) else str(right)
        return f"{left_text} {self.op} {right_text}"


class Slip(NamedTuple):
    """A step told with a wrong result."""

    at: Expr
    told: int

    def claim(self) -> str:
        """The step as the attempt states it."""
        return f"{_question(self.at)} = {self.told}"

    def truth(self) -> str:
        """The step as it should be."""
        return f"{_question(self.at)} = {self.at.value}"


def _question(expr: Expr) -> str:
    left, right = expr.args
    return f"{left.value} {SIGNS[expr.op]} {right.value}"


def steps_of(expr: Expr, slip: Slip | None = None) -> list[str]:
    """Each operation with its result, inner ones first; after a slip, what follows goes on from the wrong result."""
    steps: list[str] = []

    def told(part: Expr) -> int:
        if not part.args:
            return part.value
        left, right = map(told, part.args)
        value = slip.told if slip and part is slip.at else OPERATE[part.op](left, right)
        steps.append(f"{left} {SIGNS[part.op]} {right} = {value}")
        return value

    told(expr)
    return steps


def pretty(expr: Expr) -> str:
    """The expression as people write it: `(25 - 7) × 3 + 12`."""
    return str(expr).replace("*", "×").replace("/", "÷")


class Fault(StrEnum):
    """What is wrong with an expression that isn't a solution."""

    NEAR = "near"
    """Every number used once, another total, and the attempt says so."""
    SLIP = "slip"
    """Every number used once, another total, but a step is miscalculated so that it seems to fit."""
    TWICE = "twice"
    """The target is met with a number used twice."""
    STRANGER = "stranger"
    """The target is met with a number that was not given."""
    LEFT_OUT = "left_out"
    """The target is met, but a number is not used."""


@dataclass(frozen=True)
class Puzzle:
    """Numbers to be used once each, the target, and what can be said about reaching it."""

    numbers: tuple[int, ...]
    target: int
    solutions: list[Expr]
    near: list[Expr]
    """Expressions that use every number once and miss the target, nearest first."""
    faulty: dict[Fault, list[Expr]]
    """Only faults that this puzzle allows; never an empty list."""


Reach = dict[int, dict[int, list[Expr]]]
"""For each subset of the numbers (as a bit mask): every positive whole value it reaches, with expressions."""


def make_puzzle(draw: Draw) -> Puzzle:
    """A puzzle of three or four different numbers that has a solution."""
    while True:
        count = 3 if draw.chance(0.55) else 4
        numbers = tuple(draw.sample(range(2, 26 if count == 3 else 51), count))
        reach = solve(numbers)
        everything = reach[(1 << count) - 1]
        targets = sorted(value for value in everything if 10 <= value <= 99 and value not in numbers)
        # Numbers that reach no target of two digits make no puzzle, and others are drawn.
        if targets:
            target = draw.pick(targets)
            near = list(_near(everything, target))
            return Puzzle(numbers, target, everything[target], near, _faulty(reach, numbers, target, near))


def solve(numbers: Sequence[int], per_value: int = 3) -> Reach:
    """Every value that can be reached from every subset of the numbers, dividing only without remainder."""
    reach: Reach = {1 << i: {n: [Expr(n)]} for i, n in enumerate(numbers)}
    for mask in range(3, 1 << len(numbers)):
        if mask not in reach:
            reach[mask] = _combined(reach, mask, per_value)
    return reach


def _combined(reach: Reach, mask: int, per_value: int) -> dict[int, list[Expr]]:
    found: dict[int, list[Expr]] = {}
    part = (mask - 1) & mask
    while part > mask ^ part:  # each way of splitting the subset in two is met once
        for first in reach[part].values():
            for second in reach[mask ^ part].values():
                for value, op, args in _results(first[0], second[0]):
                    bucket = found.setdefault(value, [])
                    if len(bucket) < per_value:
                        bucket.append(Expr(value, op, args))
        part = (part - 1) & mask
    return found


def _results(a: Expr, b: Expr) -> Iterator[tuple[int, str, tuple[Expr, Expr]]]:
    high, low = (a, b) if a.value >= b.value else (b, a)
    x, y = high.value, low.value
    yield x + y, "+", (high, low)
    if x > y:
        yield x - y, "-", (high, low)
    if y > 1:  # times one and divided by one only pass a number through: one of the two is enough
        yield x * y, "*", (high, low)
        if x % y == 0:
            yield x // y, "/", (high, low)
    else:
        yield x, "*", (high, low)


def _near(everything: dict[int, list[Expr]], target: int, enough: int = 14) -> Iterator[Expr]:
    for gap in range(1, 400):
        for value in (target - gap, target + gap):
            if value in everything:
                yield everything[value][0]
                enough -= 1
        if enough <= 0:
            return


def _faulty(reach: Reach, numbers: tuple[int, ...], target: int, near: list[Expr]) -> dict[Fault, list[Expr]]:
    full = (1 << len(numbers)) - 1
    parts = [mask for mask in reach if mask & (mask - 1)]
    strangers = [n for n in range(1, 13) if n not in numbers]
    faulty = {
        Fault.NEAR: near[:2],
        Fault.SLIP: [expr for expr in near if abs(expr.value - target) <= 10],
        Fault.TWICE: [
            expr
            for mask in parts
            for i, n in enumerate(numbers)
            if mask >> i & 1
            for expr in _closing_with(reach[mask], n, target, "+-*/")
        ],
        Fault.STRANGER: [expr for n in strangers for expr in _closing_with(reach[full], n, target, "+-")],
        Fault.LEFT_OUT: [expr for mask in parts if mask != full for expr in reach[mask].get(target, ())],
    }
    return {fault: found for fault, found in faulty.items() if found}


def _closing_with(found: dict[int, list[Expr]], n: int, target: int, ops: str) -> Iterator[Expr]:
    """Expressions that reach the target by one last operation with n."""
    needed = {"+": target - n, "-": target + n, "*": target // n if target % n == 0 else 0, "/": target * n}
    for op in ops:
        if needed[op] in found:
            yield Expr(target, op, (found[needed[op]][0], Expr(n)))
