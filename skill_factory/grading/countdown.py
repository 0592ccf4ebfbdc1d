"""Countdown and the game of 24: is an expression made of the given numbers, and does it reach the target?

An expression is read by Python's own parser and then walked with a whitelist (whole numbers, `+ - * /`, brackets, a
sign): nothing is ever evaluated as code, there is no power, and 300 characters bound the work. Values are fractions,
so `8/(3-8/3)` is exactly 24.
"""

import ast
import json
import re
from collections import Counter
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from skill_factory.grading.plain import LONGEST, plain


class Puzzle(NamedTuple):
    """The given numbers, the target, and what the question asks of an expression."""

    numbers: tuple[Fraction, ...]
    target: Fraction
    use_all: bool = False
    """Every number must be used; else each at most once."""
    plain_signs: bool = False
    """“Only use +, -, *, /”: then `÷`, `\\times` and a closing `= 24` aren't part of the answer."""


class Sum(NamedTuple):
    """An expression's value and the numbers that stand in it."""

    value: Fraction
    numbers: tuple[Fraction, ...]


def calculate(expression: str) -> Sum | None:
    """The expression's exact value and its numbers, or None for anything but plain arithmetic."""
    if len(expression) > LONGEST or not re.fullmatch(r"[0-9.+\-*/() ]*[0-9][0-9.+\-*/() ]*", expression):
        return None
    return _calculated(expression)


@lru_cache(maxsize=1_024)  # the gold answer stands beside every response to its question
def _calculated(expression: str) -> Sum | None:
    try:
        return _walk(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, MemoryError, RecursionError):
        return None


def _walk(node: ast.expr) -> Sum:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        number = Fraction(str(node.value))  # through its decimal writing: 0.1 is a tenth
        return Sum(number, (number,))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _walk(node.operand)
        return inner._replace(value=-inner.value) if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        left, right = _walk(node.left), _walk(node.right)
        return Sum(_combined(node.op, left.value, right.value), left.numbers + right.numbers)
    raise ValueError("not plain arithmetic")


def _combined(operator: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
    raise ValueError("an operator that the game does not have")


def arithmetic(text: str) -> str:
    r"""The expression in plain signs: `\times`, `\div`, `\left(`, and `x` between numbers."""
    text = plain(text)
    for latex, sign in (("\\times", "*"), ("\\cdot", "*"), ("\\div", "/"), ("\\left", ""), ("\\right", "")):
        text = text.replace(latex, sign)
    return re.sub(r"(?<=[0-9)]) ?[xX] ?(?=[0-9(])", "*", text).strip()


def unsolved(answer: str, puzzle: Puzzle) -> str:
    """Empty where the expression reaches the target with the given numbers; else what is wrong with it.

    `expression = target` is read as the expression, `target = expression` too.
    """
    if len(answer) > LONGEST:
        return "the answer is too long for an expression"
    sides = [answer.strip()] if puzzle.plain_signs else arithmetic(answer).split("=")
    made = [found for side in sides if (found := calculate(side))]
    if len(made) != len(sides) or len(made) > 2:
        return "the answer isn't an expression of numbers"
    # `42 = 7 * 6` is the same sum, written from the other end.
    if len(made) == 2 and len(made[0].numbers) == 1:
        made.reverse()
    if any(side.value != puzzle.target for side in made):
        return "the expression is not worth the target"
    # Of `7 * 6 = 42` one side is the expression and the other must be the bare target.
    if len(made) == 2 and len(made[1].numbers) != 1:
        return "both sides of the equals sign are expressions"
    used, given = Counter(made[0].numbers), Counter(puzzle.numbers)
    fits = used == given if puzzle.use_all else used <= given
    return "" if fits else "it does not use the given numbers as asked"


def solves(answer: str, puzzle: Puzzle) -> bool:
    """Does the expression reach the target with the given numbers?"""
    return not unsolved(answer, puzzle)


def is_puzzle(gold: str, question: str) -> bool:
    """Is the gold answer an expression made of the question's numbers, or the target that they should reach?"""
    if gold.lstrip().startswith("{"):
        return read_puzzle("", gold) is not None
    made = calculate(arithmetic(gold.split("=")[0])) if len(gold) <= LONGEST else None
    if made is None:
        return False
    puzzle = read_puzzle(question, gold) if "number" in question.lower() else None
    if len(made.numbers) == 1:
        # A bare number is the target only where the question asks for an expression, and gives numbers.
        asks = "expression" in question.lower() or "equation" in question.lower()
        return asks and puzzle is not None and read_puzzle(question, "") == puzzle
    asked = puzzle is not None and set(made.numbers) <= set(puzzle.numbers)
    # Without a question, `2021-10-12` and `12/24/2001` aren't puzzles.
    return asked if question else len(made.numbers) > 2 and any(sign in gold for sign in "+*(×")


def read_puzzle(question: str, gold: str) -> Puzzle | None:
    """The puzzle that question and gold answer state together, or None.

    The gold answer may be an expression (its value is the target), `{"numbers": […], "target": …}`, or the target
    alone. The question's list of numbers goes before the gold expression's, which need not use them all.
    """
    stated = _stated(gold)
    if stated is not None:
        return stated
    made = calculate(arithmetic(gold.split("=")[0])) if len(gold) <= LONGEST else None
    numbers = _listed_numbers(question)
    target = made.value if made else _asked_target(question)
    if not numbers and made and len(made.numbers) > 1:
        numbers = made.numbers
    if len(numbers) < 2 or target is None:
        return None
    return Puzzle(numbers, target, bool(_USE_ALL.search(question)), bool(_PLAIN_SIGNS.search(question)))


_PLAIN_SIGNS = re.compile(r"\bonly (?:use )?(?:the )?(?:operat\w{1,10} )?\(?\+,? ?-,? ?\*", re.IGNORECASE)


_USE_ALL = re.compile(
    r"(?:each|every) (?:given )?number (?:must be |is |has to be )?(?:used )?(?:exactly |just |only )?once"
    r"|exactly once|every (?:given )?number|all (?:of )?(?:the |these )?(?:\w{1,10} )?numbers|leav\w{1,3} (?:none|no number)",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"(?:equals?|equal to|target|reach(?:es)?|obtain|makes?|gets?|gives?|results? in|total of)\b[^0-9\-]{0,24}(-?[0-9]{1,12})\b",
    re.IGNORECASE,
)
_NEXT_NUMBER = re.compile(r"[\s,;:\[(]{0,9}(?:and\s{1,3})?(-?[0-9]{1,12})\b")


def _stated(gold: str) -> Puzzle | None:
    if not gold.lstrip().startswith("{") or len(gold) > 2000:
        return None
    try:
        told = json.loads(gold)
        numbers = told.get("numbers") or told["nums"]
        if not all(type(number) is int for number in numbers):
            return None
        target = Fraction(told["target"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Puzzle(tuple(Fraction(number) for number in numbers), target, told.get("use_all", False) is True)


def _listed_numbers(question: str) -> tuple[Fraction, ...]:
    """The first run of two or more numbers after the word “number(s)”, or in square brackets."""
    for start in re.finditer(r"numbers?\b|\[|\bdigits?\b", question, re.IGNORECASE):
        run, at = [], start.end()
        while number := _NEXT_NUMBER.match(question, at):
            run.append(Fraction(int(number[1])))
            at = number.end()
        if len(run) > 1:
            return tuple(run)
    return ()


def _asked_target(question: str) -> Fraction | None:
    found = _TARGET.search(question)
    return Fraction(int(found[1])) if found else None


# -- the game of 24: all four numbers, once each; `= 24` may follow, and nothing else may ------------------------------

TWENTY_FOUR = Fraction(24)
_FOUR_NUMBERS = re.compile(
    r"[\[({]?\s*([0-9]{1,3})(?:\s*,\s*|\s+)([0-9]{1,3})(?:\s*,\s*|\s+)([0-9]{1,3})(?:\s*,?\s*and\s+|\s*,\s*|\s+)([0-9]{1,3})\s*[\])}]?(?![0-9./*+-])"
)
_ASKED_FOR_24 = re.compile(
    r"game of 24|24[- ](?:point )?game|24点|(?:obtain|make|get|reach|equals?|equal to|evaluates? to|results? in|total of|target(?: is| of|:)?|=) ?(?:exactly )?24\b",
    re.IGNORECASE,
)


def numbers_of_24(question: str, gold: str) -> tuple[Fraction, ...] | None:
    """The four numbers of a game of 24, from the gold answer or the question's last list; None if it isn't such a game."""
    asked, bare = bool(_ASKED_FOR_24.search(question)), _only_numbers(question)
    told = _only_numbers(gold)
    if told and (asked or bare == told or (not question.strip() and "," not in gold)):
        return told
    made = calculate(arithmetic(gold.split("=")[0])) if len(gold) <= LONGEST else None
    if made is None or made.value != TWENTY_FOUR or not (asked or bare):
        return None
    if listed := bare or _last_list(question):
        return listed
    return made.numbers if len(made.numbers) == 4 else None


def _only_numbers(text: str) -> tuple[Fraction, ...] | None:
    """Four numbers and nothing else, `Input:` or `Numbers:` before them aside."""
    found = _FOUR_NUMBERS.fullmatch(
        re.sub(r"^(?:input|numbers|cards)\s*:\s*", "", text.strip(), flags=re.IGNORECASE)
    )
    return tuple(Fraction(int(number)) for number in found.groups()) if found else None


def _last_list(question: str) -> tuple[Fraction, ...] | None:
    """The last four numbers in a row: a prompt may show solved games before its own."""
    inputs = re.findall(r"input\s*:([^\n]{7,60})", question[-8000:], re.IGNORECASE)
    if inputs and (found := _only_numbers(inputs[-1])):
        return found
    lists = _FOUR_NUMBERS.findall(question[-8000:])
    return tuple(Fraction(int(number)) for number in lists[-1]) if lists else None


def solves_24(answer: str, numbers: tuple[Fraction, ...]) -> str:
    """Empty where the expression is worth 24 and uses each number once; else what is wrong with it."""
    if len(answer) > LONGEST:
        return "the answer is too long for an expression"
    sides = arithmetic(answer).split("=")
    made = calculate(sides[0])
    if made is None or len(made.numbers) < 2:
        return "the answer isn't an expression of numbers"
    if len(sides) > 2 or (len(sides) == 2 and sides[1].strip() != "24"):
        return "something else than 24 stands behind the equals sign"
    if made.value != TWENTY_FOUR:
        return "the expression is not worth 24"
    if Counter(made.numbers) != Counter(numbers):
        return "it does not use the four numbers once each"
    return ""
