"""The game of 24: all four numbers, once each, with the four operations; `= 24` may follow, and nothing else may."""

import re
from collections import Counter
from fractions import Fraction

from skill_factory.grading.countdown import arithmetic, calculate
from skill_factory.grading.plain import LONGEST

TARGET = Fraction(24)
_NUMBERS = re.compile(
    r"[\[({]?\s*([0-9]{1,3})(?:\s*,\s*|\s+)([0-9]{1,3})(?:\s*,\s*|\s+)([0-9]{1,3})(?:\s*,?\s*and\s+|\s*,\s*|\s+)([0-9]{1,3})\s*[\])}]?(?![0-9./*+-])"
)
_ASKED = re.compile(
    r"game of 24|24[- ](?:point )?game|24点|(?:obtain|make|get|reach|equals?|equal to|evaluates? to|results? in|total of|target(?: is| of|:)?|=) ?(?:exactly )?24\b",
    re.IGNORECASE,
)


def numbers_of_24(question: str, gold: str) -> tuple[Fraction, ...] | None:
    """The four numbers of a game of 24, from the gold answer or the question's last list; None where it is no such game."""
    asked, bare = bool(_ASKED.search(question)), _only_numbers(question)
    told = _only_numbers(gold)
    if told and (asked or bare == told or (not question.strip() and "," not in gold)):
        return told
    made = calculate(arithmetic(gold.split("=")[0])) if len(gold) <= LONGEST else None
    if made is None or made.value != TARGET or not (asked or bare):
        return None
    if listed := bare or _last_list(question):
        return listed
    return made.numbers if len(made.numbers) == 4 else None


def _only_numbers(text: str) -> tuple[Fraction, ...] | None:
    """Four numbers and nothing else, `Input:` or `Numbers:` before them aside."""
    found = _NUMBERS.fullmatch(
        re.sub(r"^(?:input|numbers|cards)\s*:\s*", "", text.strip(), flags=re.IGNORECASE)
    )
    return tuple(Fraction(int(number)) for number in found.groups()) if found else None


def _last_list(question: str) -> tuple[Fraction, ...] | None:
    """The last four numbers in a row: a prompt may show solved games before its own."""
    inputs = re.findall(r"input\s*:([^\n]{7,60})", question[-8000:], re.IGNORECASE)
    if inputs and (found := _only_numbers(inputs[-1])):
        return found
    lists = _NUMBERS.findall(question[-8000:])
    return tuple(Fraction(int(number)) for number in lists[-1]) if lists else None


def solves_24(answer: str, numbers: tuple[Fraction, ...]) -> str:
    """Empty where the expression is worth 24 and uses each number once; else what is wrong with it."""
    if len(answer) > LONGEST:
        return "the answer is too long for an expression"
    sides = arithmetic(answer).split("=")
    made = calculate(sides[0])
    if made is None or len(made.numbers) < 2:
        return "the answer is no expression of numbers"
    if len(sides) > 2 or (len(sides) == 2 and sides[1].strip() != "24"):
        return "something else than 24 stands behind the equals sign"
    if made.value != TARGET:
        return "the expression is not worth 24"
    if Counter(made.numbers) != Counter(numbers):
        return "it does not use the four numbers once each"
    return ""
