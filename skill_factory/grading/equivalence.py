"""Is an answer equivalent to the gold answer? One rule per task, and a third verdict for what can't be judged."""

import re
from enum import StrEnum

from skill_factory.grading.countdown import arithmetic, calculate, read_puzzle, solves
from skill_factory.grading.latex import same_form, same_math, take_apart
from skill_factory.grading.plain import LONGEST, same_words
from skill_factory.grading.quantities import read_quantity, same_quantity


class Task(StrEnum):
    """How answers are compared; `AUTO` chooses by the gold answer and the question."""

    AUTO = "auto"
    EXACT = "exact"
    NUMBER = "number"
    MATH = "math"
    COUNTDOWN = "countdown"


class Decision(StrEnum):
    """What grading says of an answer; `UNJUDGED` when the gold answer does not fit the task."""

    RIGHT = "right"
    WRONG = "wrong"
    UNJUDGED = "unjudged"


def choose_task(gold: str, question: str = "") -> Task:
    """The task that a gold answer belongs to: an expression for a puzzle, a number, mathematics, or plain words."""
    if _is_puzzle(gold, question):
        return Task.COUNTDOWN
    if len(gold) > LONGEST:
        return Task.EXACT
    if read_quantity(gold) is not None:
        return Task.NUMBER
    signs = "\\^=+<>*√π" + ("-/()" if any(sign.isdecimal() for sign in gold) else "")
    mathematical = any(sign in gold for sign in signs) or len(take_apart(gold).items) > 1
    return Task.MATH if mathematical else Task.EXACT


def _is_puzzle(gold: str, question: str) -> bool:
    """Is the gold answer an expression made of the question's numbers, or the target that they should reach?"""
    if gold.lstrip().startswith("{"):
        return read_puzzle("", gold) is not None
    made = calculate(arithmetic(gold.split("=")[0])) if len(gold) <= LONGEST else None
    if made is None:
        return False
    puzzle = read_puzzle(question, gold) if "number" in question.lower() else None
    if len(made.numbers) == 1:
        asks = "expression" in question.lower() or "equation" in question.lower()
        return asks and puzzle is not None and read_puzzle(question, "") == puzzle
    asked = puzzle is not None and set(made.numbers) <= set(puzzle.numbers)
    return asked if question else len(made.numbers) > 2


def judge(answer: str | None, gold: str, task: str = Task.AUTO, question: str = "") -> Decision:
    """Right, wrong, or unjudged; no answer is wrong. Linear in the texts; never raises on what a model wrote."""
    task = choose_task(gold, question) if task == Task.AUTO else Task(task)
    if not gold.strip():
        return Decision.UNJUDGED
    puzzle = read_puzzle(question, gold) if task == Task.COUNTDOWN else None
    if task == Task.COUNTDOWN and puzzle is None:
        return Decision.UNJUDGED
    if task == Task.NUMBER and read_quantity(gold) is None:
        return Decision.UNJUDGED
    if not answer:
        return Decision.WRONG
    same = solves(answer, puzzle) if puzzle else _same(answer, gold, task)
    return Decision.RIGHT if same else Decision.WRONG


def _same(answer: str, gold: str, task: Task) -> bool:
    if max(len(answer), len(gold)) > LONGEST:
        return answer.split() == gold.split()
    if task == Task.EXACT:
        return same_words(answer, gold)
    if task == Task.MATH:
        return same_math(answer, gold)
    mine, theirs = read_quantity(answer), read_quantity(gold)
    if mine is not None and theirs is not None:
        return same_quantity(mine, theirs)
    if theirs is None or theirs.unit or _SUM.search(answer):
        return same_form(answer, gold)
    # A number may be written as a root, `\sqrt{16}` for `4`; a sum that is left standing repeats the question.
    return same_form(answer, gold) or same_math(answer, gold)


_SUM = re.compile(r"[0-9a-zA-Z)}] ?[-+*/−×÷·]|\\(?:times|cdot|div)")


def equivalent(answer: str | None, gold: str, task: str = Task.AUTO, question: str = "") -> bool:
    """Does the answer say what the gold answer says? `question` matters to Countdown, for its numbers and target."""
    return judge(answer, gold, task, question) == Decision.RIGHT
