"""The tasks that grading knows, one record each: what it is for, when `auto` chooses it, and how it decides.

Command line, page, documentation and the exported reward are made from this list. Unit tests of code aren't a task here:
running what a model wrote needs a sandbox.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from skill_factory.grading.answers import accepted_answers
from skill_factory.grading.choices import Choice, read_choice, read_options
from skill_factory.grading.comparing import compare, kind_of
from skill_factory.grading.countdown import is_puzzle, numbers_of_24, read_puzzle, solves_24, unsolved
from skill_factory.grading.decisions import Decision, Finding, Rules, unread
from skill_factory.grading.plain import LONGEST, is_about, is_worked, plain, same_words, says_more, stated
from skill_factory.grading.quantities import Amount
from skill_factory.grading.readings import Named, Unread, Words, read


@dataclass(frozen=True)
class Task:
    """How answers of one kind are compared."""

    name: str
    label: str
    """For a person who chooses."""
    about: str
    """One sentence: what counts as right."""
    fits: Callable[[str, str], str]
    """(gold, question) → why `auto` takes this task, or "" where it doesn't."""
    decide: Callable[[str, str, str, Rules], Finding]
    """(answer, gold, question, rules) → the decision and its reason."""
    examples: tuple[tuple[str, str, bool], ...] = ()
    """(gold, answer, right?) for the documentation; a test grades them."""

    AUTO: ClassVar["Task"]
    EXACT: ClassVar["Task"]
    CHOICE: ClassVar["Task"]
    NUMBER: ClassVar["Task"]
    MATH: ClassVar["Task"]
    COUNTDOWN: ClassVar["Task"]
    GAME24: ClassVar["Task"]

    def __str__(self) -> str:
        return self.name


class Chosen(NamedTuple):
    """The task that `auto` took for one gold answer, and why."""

    task: Task
    why: str


TASKS: dict[str, Task] = {}
"""By name, in the order in which `auto` tries them; `auto` itself first."""


def register(task: Task) -> Task:
    """Add a task; `auto` tries it before those that were there."""
    others = {name: one for name, one in TASKS.items() if name not in ("auto", task.name)}
    auto = {"auto": TASKS["auto"]} if "auto" in TASKS else {}
    TASKS.clear()
    TASKS.update({**auto, task.name: task, **others})
    _chosen_of.cache_clear()
    return task


def task_named(name: "str | Task") -> Task:
    """The task of this name. Errors: ValueError that lists the names."""
    if isinstance(name, Task):
        return name
    if name not in TASKS:
        raise ValueError(f"There is no task {name!r}. Choose one of {', '.join(TASKS)}.")
    return TASKS[name]


def chosen_task(gold: str, question: str = "") -> Chosen:
    """The first task that a gold answer and its question fit, with the reason."""
    return _chosen_of(accepted_answers(gold)[0], question, tuple(TASKS))


@lru_cache(maxsize=64)  # the responses to a question follow each other
def _chosen_of(gold: str, question: str, tasks: tuple[str, ...]) -> Chosen:
    """`tasks` are those that there are now."""
    for task in TASKS.values():
        if task.name != "auto" and (why := task.fits(gold, question)):
            return Chosen(task, why)
    return Chosen(TASKS["exact"], "the gold answer is plain text")


def choose_task(gold: str, question: str = "") -> Task:
    """The task that a gold answer belongs to."""
    return chosen_task(gold, question).task


# -- words, numbers, mathematics --------------------------------------------------------------------------------------


def _same_text(answer: str, gold: str, question: str, rules: Rules) -> Finding:
    long = max(len(answer), len(gold)) > LONGEST
    same = answer.split() == gold.split() or (not long and same_words(answer, gold))
    if not same and not long and says_more(answer, gold):
        return unread("one side says more than the other")
    return Finding(Decision.RIGHT, "the same words") if same else Finding(Decision.WRONG, "the words differ")


def _compared(answer: str, gold: str, question: str, rules: Rules) -> Finding:
    """By what both say; a letter before the answer (`b) 12`) is a label where the gold answer has none."""
    found = compare(answer, gold, rules)
    # Only where the comparison failed: `b) 12` may be what the gold answer says, too.
    labelled = read_choice(answer) if found.decision != Decision.RIGHT else None
    if (
        labelled
        and labelled.text
        and (inner := compare(labelled.text, gold, rules)).decision == Decision.RIGHT
    ):
        return inner
    return found


def _as_number(answer: str, gold: str, question: str, rules: Rules) -> Finding:
    reading = read(gold, rules.asked)
    inner = read(reading.text, rules.asked) if isinstance(reading, Named) else reading
    if not isinstance(inner, Amount):
        return Finding(Decision.UNJUDGED, "the gold answer isn't a number", misfit=True)
    return _compared(answer, gold, question, rules)


def _is_number(gold: str, question: str) -> str:
    reading = read(gold)
    inner = read(reading.text) if isinstance(reading, Named) else reading
    return (
        "the gold answer is a number"
        if isinstance(inner, Amount) and inner.value is not None and not inner.standing
        else ""
    )


def _is_math(gold: str, question: str) -> str:
    reading = read(gold)
    if isinstance(reading, Words) or (
        isinstance(reading, Unread) and not any(sign in plain(gold) for sign in "\\^=<>_")
    ):
        return ""
    return (
        "the gold answer is mathematics that is compared by its form"
        if isinstance(reading, Unread)
        else f"the gold answer is {kind_of(reading)}"
    )


# -- multiple choice --------------------------------------------------------------------------------------------------


def _is_choice(gold: str, question: str) -> str:
    chosen = read_choice(gold)
    if chosen and not (chosen.text and len(plain(gold)) > LONGEST // 2):
        return "the gold answer is a letter of a choice"
    options = read_options(question) if question else {}
    return (
        "the gold answer is one of the options that the question lists" if _letter_of(gold, options) else ""
    )


def _letter_of(text: str, options: dict[str, str]) -> str:
    """The one letter whose option says what the text says; empty for none or several."""
    fit = [letter for letter, option in options.items() if compare(text, option).decision == Decision.RIGHT]
    return fit[0] if len(fit) == 1 else ""


def _chosen(answer: str, gold: str, question: str, rules: Rules) -> Finding:
    options = read_options(question) if question else {}
    theirs = read_choice(gold) or Choice(frozenset(_letter_of(gold, options)), gold)
    if not theirs.letters:
        return Finding(
            Decision.UNJUDGED,
            "the gold answer is neither a letter nor an option of the question",
            misfit=True,
        )
    mine = read_choice(answer)
    option = options.get(next(iter(theirs.letters)), "") if len(theirs.letters) == 1 else ""
    # With “B) 12” as the gold answer and 13 as option B, nobody can say which of the two was meant.
    if theirs.text and option and compare(theirs.text, option).decision != Decision.RIGHT:
        return Finding(
            Decision.UNJUDGED, "the gold answer's letter and its text are not one option", misfit=True
        )
    said = theirs.text or option
    if mine is None:
        return _by_its_text(answer, said, options, rules)
    if mine.letters != theirs.letters:
        if said and not read_choice(gold) and compare(answer, said, rules).decision == Decision.RIGHT:
            return Finding(Decision.RIGHT, "the text of the right option")
        return Finding(Decision.WRONG, "another letter is chosen")
    if mine.text and said and compare(mine.text, said, rules).decision != Decision.RIGHT:
        return Finding(Decision.UNJUDGED, "the letter is right, and its text is another option's or none")
    return Finding(Decision.RIGHT, "the same letter")


def _by_its_text(answer: str, said: str, options: dict[str, str], rules: Rules) -> Finding:
    """An answer without a letter: the text of the right option, of another, or something else."""
    if said and (found := compare(stated(answer), said, rules)).decision == Decision.RIGHT:
        return Finding(Decision.RIGHT, "the text of the right option")
    if said and not _letter_of(answer, options) and found.decision == Decision.UNJUDGED:
        return found
    return Finding(Decision.WRONG, "no letter and not the text of the right option")


# -- puzzles ----------------------------------------------------------------------------------------------------------


def _is_countdown(gold: str, question: str) -> str:
    return "the gold answer and the question are a number puzzle" if is_puzzle(gold, question) else ""


def _by_countdown(answer: str, gold: str, question: str, rules: Rules) -> Finding:
    puzzle = read_puzzle(question, gold)
    if puzzle is None:
        return Finding(
            Decision.UNJUDGED, "neither question nor gold answer gives numbers and a target", misfit=True
        )
    fault = unsolved(answer, puzzle)
    return (
        Finding(Decision.WRONG, fault)
        if fault
        else Finding(Decision.RIGHT, "the expression reaches the target with the given numbers")
    )


def _is_24(gold: str, question: str) -> str:
    if numbers_of_24(question, gold):
        return "question and gold answer are a game of 24"
    named = re.search(r"game of 24|24[- ]game|24点", question, re.IGNORECASE) and gold.strip() == "24"
    return "the question names the game of 24" if named else ""


def _by_24(answer: str, gold: str, question: str, rules: Rules) -> Finding:
    # Here the task was asked for by name, so the question need not say 24.
    numbers = numbers_of_24(question, gold) or numbers_of_24(f"{question}\nMake 24.", gold)
    if numbers is None:
        return Finding(Decision.UNJUDGED, "neither question nor gold answer gives four numbers", misfit=True)
    fault = solves_24(answer, numbers)
    return (
        Finding(Decision.WRONG, fault)
        if fault
        else Finding(Decision.RIGHT, "the expression is worth 24 and uses each number once")
    )


# -- the list ---------------------------------------------------------------------------------------------------------


def _by_the_gold(answer: str, gold: str, question: str, rules: Rules) -> Finding:
    task = chosen_task(gold, question).task
    found = task.decide(answer, gold, question, rules)
    # What no rule reads isn't words: the right answer may be written in another way.
    if is_about(gold) and found.decision == Decision.WRONG:
        return unread("the gold answer is only near the true one")
    if task is Task.EXACT and found.decision == Decision.WRONG and is_worked(gold):
        return unread("the gold answer looks like a number or formula, and no rule reads it")
    return found


def _never(*_: Any) -> str:
    return ""


Task.AUTO = Task(
    "auto", "By each gold answer", "Looks at each gold answer and compares as it needs.", _never, _by_the_gold
)
Task.GAME24 = Task(
    "game24",
    "Game of 24",
    "The expression is worth 24 and uses all four numbers once each; `= 24` may follow.",
    _is_24,
    _by_24,
    (("4 9 10 13", "(10-4)*(13-9) = 24", True), ("4 9 10 13", "(10-4)*4 = 24", False)),
)
Task.COUNTDOWN = Task(
    "countdown",
    "Countdown puzzle",
    "The expression uses the given numbers, each once at most, and reaches the target.",
    _is_countdown,
    _by_countdown,
    (("(79+(17-60))", "17-60+79", True), ("(79+(17-60))", "36", False)),
)
Task.CHOICE = Task(
    "choice",
    "Multiple choice",
    "The same letter, or the text of its option; every letter where several are right.",
    _is_choice,
    _chosen,
    (("B", "(B)", True), ("B", "B) 12", True), ("BD", "D, B", True), ("B", "B or C", False)),
)
Task.NUMBER = Task(
    "number",
    "A number",
    "The same number, however it is written: 1,200 and 1200.00; units may differ in spelling only.",
    _is_number,
    _as_number,
    (("1200", "$1,200.00", True), ("0.5", "1/2", True), ("2", "2 dozen", False), ("5 km", "5 m", False)),
)
Task.MATH = Task(
    "math",
    "Mathematics",
    "Equal in value counts: ½, 0.5 and \\frac{1}{2}; sets, tuples, intervals, formulas; dates and times too.",
    _is_math,
    _compared,
    (("[2,5)", "2 \\le x < 5", True), ("(x-3)(x+3)", "x^2-9", True), ("x=3", "y=3", False)),
)
Task.EXACT = Task(
    "exact",
    "The same words",
    "The same text, but for white space, capitals, an article and closing punctuation.",
    lambda gold, question: "the gold answer is words",
    _same_text,
    (("Paris", "paris.", True), ("Paris", "not Paris", False)),
)
for _task in (Task.AUTO, Task.EXACT, Task.MATH, Task.NUMBER, Task.CHOICE, Task.COUNTDOWN, Task.GAME24):
    register(_task)
