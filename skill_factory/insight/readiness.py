"""The four lights of the report on raw data: several answers, labels, final answers and reflections.

Each says what was counted, what it means and, where it isn't green, what to do next.
"""

from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement
from skill_factory.reasons import Level, ResponseReason
from skill_factory.recipe.model import Recipe
from skill_factory.tally import Tally
from skill_factory.wording import inflect, many, percent

ENOUGH = 2 / 3
"""A light is green if at least this share of the questions, responses or reflections can be used."""
MANY_LOST = 0.05
"""From this share of unlabelled or twice-labelled things on, the light says so."""
MANY_UNANSWERED = 0.2
"""From this share of responses without a final answer on, the light isn't green: fewer are what cut-off answers leave."""


class Light(StrEnum):
    """How something stands."""

    GOOD = "good"
    CARE = "care"
    """Usable, with losses that are named."""
    MISSING = "missing"


class Step(StrEnum):
    """The next thing to do; the app shows a button or a field for it where it has one."""

    NONE = ""
    MORE_ANSWERS = "more_answers"
    GRADE = "grade"
    ANSWER_RULE = "answer_rule"
    REFLECT = "reflect"
    VERDICT_RULE = "verdict_rule"
    THINK_RULE = "think_rule"
    LABEL_RULE = "label_rule"
    QUESTION_RULE = "question_rule"


class Finding(NamedTuple):
    """One light of the report."""

    topic: str
    light: Light
    headline: str
    numbers: tuple[tuple[str, str], ...]
    """(what, how many) in words."""
    meaning: str
    todo: str = ""
    step: Step = Step.NONE


GROUPS, LABELS, ANSWERS, REFLECTIONS = "Several answers", "Labels", "Final answers", "Reflections"
"""What the lights are about, in the order in which a trace needs it."""


def _light(share: float) -> Light:
    return Light.GOOD if share >= ENOUGH else Light.CARE if share > 0 else Light.MISSING


def groups(facts: Facts) -> Finding:
    """Whether questions have several different answers."""
    questions = len(facts.question_id)
    # The same text twice is one answer.
    pairs = np.unique(np.stack([facts.response_question.astype(np.uint64), facts.response_id]), axis=1)
    different = np.bincount(pairs[0].astype(np.int64), minlength=questions)
    several = int((different >= 2).sum())
    variants = sum(bool(name) for name in facts.variants)
    numbers = (
        ("questions", f"{questions:,}"),
        ("responses", f"{len(facts.response_id):,}"),
        ("different answers per question (median)", f"{np.median(different) if questions else 0:g}"),
        ("prompt variants", f"{variants:,}" if variants else "not given"),
    )
    headline = (
        f"{several:,} of {many(questions, 'question')} {inflect(several, 'has', 'have')} several answers"
    )
    headline = headline if several else "No question has several answers"
    light = _light(several / questions if questions else 0.0)
    if light is Light.GOOD:
        return Finding(GROUPS, light, headline, numbers, "A trace can show one attempt after another.")
    todo = "Get several answers to each question: 4 to 16 is usual."
    if light is Light.CARE:
        meaning = "A question with a single answer can't show a retry, so longer traces leave it out."
        return Finding(GROUPS, light, headline, numbers, meaning, todo, Step.MORE_ANSWERS)
    meaning = "With one answer per question, a trace can't show a retry, only a single right answer."
    return Finding(GROUPS, light, headline, numbers, meaning, todo, Step.MORE_ANSWERS)


def labels(facts: Facts, judgement: Judgement, rows: Tally) -> Finding:
    """Whether it is known which responses are right, and both kinds occur."""
    unlabelled = rows.ledger[Level.ROWS].dropped["no_label"]
    right, n = int(facts.response_correct.sum()), len(facts.response_id)
    questions = len(facts.question_id)
    some_right = np.bincount(facts.response_question[facts.response_correct], minlength=questions) > 0
    some_wrong = np.bincount(facts.response_question[~facts.response_correct], minlength=questions) > 0
    both, solved = int((some_right & some_wrong).sum()), int(some_right.sum())
    codes = list(ResponseReason)
    disputed = int((judgement.response_code == codes.index(ResponseReason.LABEL_CONFLICT) + 1).sum())
    numbers = (
        ("right responses", f"{right:,} of {n:,} ({percent(right, n)})"),
        ("questions with right and wrong answers", f"{both:,}"),
        ("questions that are never answered right, by all their responses", f"{questions - solved:,}"),
        ("rows without a label", f"{unlabelled:,}"),
        ("responses labelled both right and wrong", f"{disputed:,}"),
    )
    headline = f"{percent(right, n)} of the responses are right"
    if not n:
        return Finding(
            LABELS,
            Light.MISSING,
            "No response has a label",
            numbers,
            "Unless responses are labelled right or wrong, no trace can be made.",
            "Grade the responses.",
            Step.GRADE,
        )
    if not right:
        return Finding(
            LABELS,
            Light.MISSING,
            "No response is labelled right",
            numbers,
            "Every trace ends with a right answer, and there isn't one.",
            "Check which column says right or wrong, or grade the responses again.",
            Step.GRADE,
        )
    if not both:
        return Finding(
            LABELS,
            Light.CARE,
            headline,
            numbers,
            "No question has both right and wrong answers, so no trace can show a mistake corrected.",
            "Add answers from a weaker model, or at a higher temperature.",
            Step.MORE_ANSWERS,
        )
    if unlabelled > MANY_LOST * rows.ledger[Level.ROWS].read or disputed > MANY_LOST * n:
        meaning = _unusable(unlabelled, disputed)
        return Finding(
            LABELS, Light.CARE, headline, numbers, meaning, "Grade the responses again.", Step.GRADE
        )
    meaning = f"{many(both, 'question')} can show a mistake corrected."
    return Finding(LABELS, Light.GOOD, headline, numbers, meaning)


def _unusable(unlabelled: int, disputed: int) -> str:
    sentences = [f"{many(unlabelled, 'row')} without a label can't be used."] if unlabelled else []
    if disputed:
        are = inflect(disputed, "is", "are")
        sentences.append(f"{many(disputed, 'response')} {are} labelled both right and wrong.")
    return " ".join(sentences)


def answers(facts: Facts) -> Finding:
    """Whether final answers are found."""
    n = len(facts.response_id)
    without = int((facts.response_answer == 0).sum())
    numbers = (
        ("responses with a final answer", f"{n - without:,} of {n:,}"),
        ("responses without one", f"{without:,}"),
        ("empty responses", f"{int(facts.response_empty.sum()):,}"),
    )
    if n and not without:
        return Finding(
            ANSWERS,
            Light.GOOD,
            "Every response has a final answer",
            numbers,
            "A trace ends with the answer of its last attempt.",
        )
    have = inflect(without, "has", "have")
    headline = f"{without:,} of {many(n, 'response')} {have} no final answer"
    headline = headline if without < n else "No response has a final answer"
    meaning = "They can't be used, because a trace ends with the answer of its last attempt."
    todo = "Pick an answer rule that finds it (a box, a pattern, the gold answer)"
    todo += ", or continue without them." if without < n else "."
    light = _light((n - without) / n if n else 0.0)
    if light is Light.GOOD and without > MANY_UNANSWERED * n:
        light = Light.CARE
    if light is Light.GOOD:
        headline = f"{n - without:,} of {many(n, 'response')} have a final answer"
        meaning = (
            f"The other {without:,} can't be used, because a trace ends with the answer of its last attempt."
        )
    return Finding(ANSWERS, light, headline, numbers, meaning, todo, Step.ANSWER_RULE)


def reflections(facts: Facts, recipe: Recipe) -> Finding:
    """Whether there are reflections, and whether their verdicts are correct."""
    n, responses = len(facts.reflection_id), len(facts.response_id)
    if not recipe.columns.reflections or not n:
        return _no_reflections(bool(recipe.columns.reflections), responses)
    verdict, owner = facts.reflection_verdict, facts.reflection_response
    agree = verdict == facts.response_correct[owner].view(np.int8)
    with_agreeing = len(np.unique(owner[agree]))
    silent = int((verdict < 0).sum())
    numbers = (
        ("reflections", f"{n:,}, {n / responses:.1f} per response"),
        ("with the correct verdict", f"{int(agree.sum()):,} ({percent(int(agree.sum()), n)})"),
        *_by_truth(facts, agree),
        ("without a verdict", f"{silent:,}"),
        ("responses with at least one correct verdict", f"{with_agreeing:,} of {responses:,}"),
    )
    headline = f"{percent(int(agree.sum()), n)} of the reflections have the correct verdict"
    if silent > (1 - ENOUGH) * n:
        return Finding(
            REFLECTIONS,
            Light.CARE if silent < n else Light.MISSING,
            f"{silent:,} of {many(n, 'reflection')} give no verdict",
            numbers,
            "A reflection is used only if its verdict agrees with the label of its response.",
            "Say where the verdict is: in a tag, a column or a pattern.",
            Step.VERDICT_RULE,
        )
    light = _light(with_agreeing / responses)
    if light is Light.GOOD:
        have = inflect(with_agreeing, "has", "have")
        meaning = f"{with_agreeing:,} of {many(responses, 'response')} {have} a reflection with the correct verdict, before any filter."
        return Finding(REFLECTIONS, light, headline, numbers, meaning)
    bare = responses - with_agreeing
    have = inflect(bare, "has", "have")
    meaning = f"{many(bare, 'response')} {have} no reflection with the correct verdict and can't be used."
    todo = "Let the model write more reflections on these responses, or continue without them."
    return Finding(REFLECTIONS, light, headline, numbers, meaning, todo, Step.REFLECT)


def _no_reflections(mapped: bool, responses: int) -> Finding:
    headline = "The reflections are empty" if mapped else "No column holds reflections"
    numbers = (("reflections", "0"), ("responses that need one", f"{responses:,}"))
    meaning = "Only traces without reflections can be built, the weakest kind in the paper."
    todo = f"Pick the column that holds the reflections, or let a model write them for the {many(responses, 'response')}."
    return Finding(REFLECTIONS, Light.MISSING, headline, numbers, meaning, todo, Step.REFLECT)


def _by_truth(facts: Facts, agree: np.ndarray[Any, np.dtype[np.bool_]]) -> list[tuple[str, str]]:
    right = facts.response_correct[facts.reflection_response]
    return [
        (f"on {name} responses", percent(int(agree[mask].sum()), int(mask.sum())))
        for name, mask in (("right", right), ("wrong", ~right))
        if mask.any()
    ]
