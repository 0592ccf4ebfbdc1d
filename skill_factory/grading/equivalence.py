"""Is an answer equivalent to the gold answer? Right, wrong, or unjudged, with the reason."""

import re
from typing import NamedTuple

from skill_factory.grading.answers import MOST_ACCEPTED, accepted_answers
from skill_factory.grading.choices import read_choice
from skill_factory.grading.comparing import kind_of
from skill_factory.grading.decisions import Decision, Finding, Rules, unread
from skill_factory.grading.nouns import words_of
from skill_factory.grading.plain import LONGEST
from skill_factory.grading.quantities import Amount
from skill_factory.grading.readings import Named, Reading, Unread, read
from skill_factory.grading.tasks import Chosen, Task, chosen_task, task_named

NO_GOLD = re.compile(
    r"none|null|nan|n/a|\[\]|<na>|not ?found|tbd|todo|\?+|-+|–|—|\.{2,}|…|omitted|proof(?: omitted)?|unspecified|略|无|証明略|证明略|"
    r"(?:(?:please )?(?:see|refer to)|siehe|voir|ver|vedi|см\.?|参见|见|詳見|参照) ?(?:the |die |la |le |el )?"
    r"(?:text|solution|above|below|explanation|answer|proof|figure|diagram|graph|image|picture|attached|attachment|key|work|"
    r"lösung|text|abbildung|solution|figure|solución|figura|soluzione|решение|рисунок|解析|答案|解答|图|図)s?|"
    r"answers? (?:may |will |can )?var(?:y|ies)|(?:answer )?not (?:given|provided|available|specified|applicable)|to be determined",
    re.IGNORECASE,
)
"""What programs and people write where there is no gold answer; it is one only for an answer that says the very same."""


def _is_no_gold(gold: str) -> bool:
    return len(gold) < LONGEST and NO_GOLD.fullmatch(gold.strip().removesuffix(".").strip("()")) is not None


def judge(
    answer: str | None, gold: str, task: str | Task = "auto", question: str = "", convert: bool = False
) -> Decision:
    """Right, wrong, or unjudged; no answer is wrong. Linear in the texts; never raises on what a model wrote."""
    return find(answer, gold, task, question, convert).decision


def can_be_judged(gold: str, task: str | Task = "auto", question: str = "") -> bool:
    """Does the gold answer fit the task, so that answers can be told right from wrong?"""
    return bool(gold.strip()) and not find(None, gold, task, question).misfit


def find(
    answer: str | None, gold: str, task: str | Task = "auto", question: str = "", convert: bool = False
) -> Finding:
    """The decision with its reason. `convert`: 180 minutes answer 3 hours."""
    if not gold.strip() or (_is_no_gold(gold) and (answer or "").split() != gold.split()):
        return Finding(Decision.UNJUDGED, "there is no gold answer")
    if (several := accepted_answers(gold)) != (gold,):
        return _one_of(answer, several, task, question, convert)
    chosen = task_named(task)
    rules = Rules(words_of(question) if question else frozenset(), convert)
    if not answer or not answer.strip():
        # Any answer shows whether the gold answer fits its task; only then is a missing answer wrong.
        found = chosen.decide("?", gold, question, rules)
        return found if found.misfit else Finding(Decision.WRONG, "there is no answer")
    if len(answer) > LONGEST:
        return _too_long(answer, gold, chosen)
    return chosen.decide(answer, gold, question, rules)


def _one_of(
    answer: str | None, golds: tuple[str, ...], task: str | Task, question: str, convert: bool
) -> Finding:
    """Right where one of several gold answers says it is; wrong where all say that it is wrong."""
    found = [find(answer, gold, task, question, convert) for gold in golds[:MOST_ACCEPTED]]
    # One that can't be read may be the one that fits, so it goes before wrong.
    for decision in (Decision.RIGHT, Decision.UNJUDGED):
        if first := next((one for one in found if one.decision == decision), None):
            return first
    return found[0] if len(golds) <= MOST_ACCEPTED else unread("there are too many gold answers")


def _too_long(answer: str, gold: str, task: Task) -> Finding:
    """Nobody looks into a text of more than `LONGEST` characters; it is right as the gold answer's own copy alone."""
    # White space may make a copy longer than its original.
    if len(answer) < 4 * len(gold) and answer.split() == gold.split():
        return Finding(Decision.RIGHT, "both are written the same")
    if task == Task.EXACT:
        return Finding(Decision.WRONG, "the words differ")
    return Finding(Decision.UNJUDGED, f"the answer is longer than {LONGEST} characters")


def equivalent(answer: str | None, gold: str, task: str | Task = "auto", question: str = "") -> bool:
    """Does the answer say what the gold answer says? `question` matters to puzzles, choices and what is counted."""
    return judge(answer, gold, task, question) == Decision.RIGHT


class Explained(NamedTuple):
    """How one answer was graded: the task, how each side was read, and why they are the same or not."""

    task: str
    why_task: str
    answer: str
    gold: str
    decision: Decision
    why: str


def explain(
    answer: str, gold: str, task: str | Task = "auto", question: str = "", convert: bool = False
) -> Explained:
    """How the two sides were read and why they differ, for a person."""
    asked = task_named(task)
    chosen = chosen_task(gold, question) if asked == Task.AUTO else Chosen(asked, "it was asked for")
    found = find(answer, gold, asked, question, convert)
    words = words_of(question) if question else frozenset()
    golds = accepted_answers(gold)
    sides = [
        _described(answer, chosen.task, words),
        " or ".join(_described(one, chosen.task, words) for one in golds[:5]),
    ]
    return Explained(chosen.task.name, chosen.why, sides[0], sides[1], found.decision, found.why)


def _described(text: str, task: Task, words: frozenset[str]) -> str:
    if task == Task.CHOICE and (choice := read_choice(text)):
        beside = f", beside it {choice.text!r}" if choice.text else ""
        return f"the letter {' and '.join(sorted(choice.letters))}{beside}"
    if task in (Task.COUNTDOWN, Task.GAME24):
        return "an expression for the puzzle"
    reading = read(text, words)
    if isinstance(reading, Named):
        return f"{reading.name}, which is {_said(read(reading.text, words))}"
    return _said(reading)


def _said(reading: Reading) -> str:
    """What a reading holds, in words."""
    if isinstance(reading, Unread):
        return f"not read: {reading.why}"
    if isinstance(reading, Amount):
        value = reading.value
        shown = (
            "a constant"
            if value is None
            else f"the number {value}"
            if len(str(value)) < 60
            else "a long number"
        )
        standing = ", not worked out" if reading.standing else ""
        return f"{shown}{f' with the unit {reading.unit}' if reading.unit else ', no unit'}{standing}"
    text = getattr(reading, "text", "")
    items = getattr(reading, "items", ())
    beside = f": {text}" if text else f" of {len(items)}" if items else ""
    return f"{kind_of(reading)}{beside}"
