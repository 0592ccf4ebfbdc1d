"""The four lights of the fitness report: groups, labels, answers and critiques.

Each says what was counted, what it means, and, where it is not green, the next thing to do.
"""

from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement
from skill_factory.reasons import Level, ResponseReason
from skill_factory.recipe.model import Recipe
from skill_factory.tally import Tally
from skill_factory.wording import many, percent

ENOUGH = 2 / 3
"""A light is green where at least this share of the questions, responses or critiques will do."""


class Light(StrEnum):
    """How something stands."""

    GOOD = "good"
    CARE = "care"
    """Goes, with losses that are said."""
    MISSING = "missing"


class Step(StrEnum):
    """The next thing to do; the app shows a button or a field for it, where it has one."""

    NONE = ""
    MORE_ANSWERS = "more_answers"
    GRADE = "grade"
    ANSWER_RULE = "answer_rule"
    CRITIQUE = "critique"
    MAP_REFLECTIONS = "map_reflections"
    VERDICT_RULE = "verdict_rule"
    THINK_RULE = "think_rule"
    LABEL_RULE = "label_rule"
    QUESTION_RULE = "question_rule"
    RESPONSE_RULE = "response_rule"


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


def _light(share: float) -> Light:
    return Light.GOOD if share >= ENOUGH else Light.CARE if share > 0 else Light.MISSING


def groups(facts: Facts) -> Finding:
    """Whether questions have several different answers."""
    questions = len(facts.question_id)
    pairs = np.unique(np.stack([facts.response_question.astype(np.uint64), facts.response_id]), axis=1)
    different = np.bincount(pairs[0].astype(np.int64), minlength=questions)
    several = int((different >= 2).sum())
    named = sum(bool(name) for name in facts.variants)
    numbers = (
        ("questions", f"{questions:,}"),
        ("responses", f"{len(facts.response_id):,}"),
        ("different answers to a question, in the middle", f"{np.median(different) if questions else 0:g}"),
        ("prompt variants", f"{named:,}" if named else "not said"),
    )
    have = "has" if several == 1 else "have"
    headline = f"{many(several, 'question')} of {questions:,} {have} several answers"
    headline = headline if several else "No question has several answers"
    light = _light(several / questions if questions else 0.0)
    if light is Light.GOOD:
        return Finding("Groups", light, headline, numbers, "A trace can show one attempt after another.")
    todo = "Sample several answers to each question, then come back: 4 to 16 are usual."
    if light is Light.CARE:
        meaning = "Questions with one answer can't show a retry; they are left out of longer traces."
        return Finding("Groups", light, headline, numbers, meaning, todo, Step.MORE_ANSWERS)
    meaning = "One answer per question: no retry can be shown, only single right answers."
    return Finding("Groups", light, headline, numbers, meaning, todo, Step.MORE_ANSWERS)


def labels(facts: Facts, judgement: Judgement, rows: Tally) -> Finding:
    """Whether right and wrong are known, and both occur."""
    dropped = rows.ledger[Level.ROWS].dropped
    unlabelled = dropped["no_label"]
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
        ("questions that are never answered right", f"{questions - solved:,}"),
        ("rows without a label", f"{unlabelled:,}"),
        ("same text labelled both ways", f"{disputed:,}"),
    )
    headline = f"{percent(right, n)} of the responses are right"
    if not n:
        return Finding("Labels", Light.MISSING, "No response has a label", numbers,
                       "Without right or wrong no trace can be made.", "Grade the responses.", Step.GRADE)  # fmt: skip
    if not right:
        return Finding("Labels", Light.MISSING, "No response is labelled right", numbers,
                       "Every trace ends with a right answer, so there is nothing to end with.",
                       "Check that the right column is picked, or grade the responses again.", Step.GRADE)  # fmt: skip
    if not both:
        return Finding("Labels", Light.CARE, headline, numbers,
                       "No question has right and wrong answers, so no trace can show a mistake corrected.",
                       "Add answers of a weaker model or at a higher temperature.", Step.MORE_ANSWERS)  # fmt: skip
    if unlabelled > 0.05 * rows.ledger[Level.ROWS].read or disputed > 0.05 * n:
        meaning = (
            f"{many(unlabelled, 'row')} can't be used without a label; {many(disputed, 'response')} have two."
        )
        return Finding(
            "Labels", Light.CARE, headline, numbers, meaning, "Grade the responses anew.", Step.GRADE
        )
    meaning = f"{many(both, 'question')} can show a mistake corrected."
    return Finding("Labels", Light.GOOD, headline, numbers, meaning)


def answers(facts: Facts) -> Finding:
    """Whether final answers are found."""
    n = len(facts.response_id)
    without = int((facts.response_answer == 0).sum())
    numbers = (
        ("responses with a final answer", f"{n - without:,} of {n:,}"),
        ("without one", f"{without:,}"),
        ("empty responses", f"{int(facts.response_empty.sum()):,}"),
    )
    if n and not without:
        return Finding("Answers", Light.GOOD, "Every response has a final answer", numbers,
                       "The answer of the last attempt becomes the trace's own.")  # fmt: skip
    have = "has" if without == 1 else "have"
    headline = f"{many(without, 'response')} of {n:,} {have} no final answer"
    headline = headline if without < n else "No response has a final answer"
    meaning = "They can't be used: a trace ends with the answer of its last attempt."
    todo = "Pick an answer rule that finds it (boxed, a pattern, the gold answer)" + (
        ", or go on without them." if without < n else "."
    )
    light = _light((n - without) / n if n else 0.0)
    # A few cut-off responses are the rule, not a fault.
    if light is Light.GOOD and without > 0.2 * n:
        light = Light.CARE
    return Finding("Answers", light, headline, numbers, meaning, todo, Step.ANSWER_RULE)


def critiques(facts: Facts, recipe: Recipe) -> Finding:
    """Whether there are critiques, and whether they judge rightly."""
    n, responses = len(facts.reflection_id), len(facts.response_id)
    if not recipe.columns.reflections or not n:
        headline = (
            "No column holds critiques" if not recipe.columns.reflections else "The critiques are empty"
        )
        meaning = "Only traces without reflections can be built, the weakest kind in the paper."
        todo = (
            f"Pick the column that holds them, or let the model critique its {many(responses, 'response')}."
        )
        counted = (("critiques", "0"), ("responses that need some", f"{responses:,}"))
        return Finding("Critiques", Light.MISSING, headline, counted, meaning, todo, Step.CRITIQUE)
    verdict, owner = facts.reflection_verdict, facts.reflection_response
    agree = verdict == facts.response_correct[owner].view(np.int8)
    with_agreeing = len(np.unique(owner[agree]))
    silent = int((verdict < 0).sum())
    numbers = (
        ("critiques", f"{n:,}, {n / responses:.1f} a response"),
        ("that judge rightly", f"{int(agree.sum()):,} ({percent(int(agree.sum()), n)})"),
        *_by_truth(facts, agree),
        ("without a verdict", f"{silent:,}"),
        ("responses with one that judges rightly", f"{with_agreeing:,} of {responses:,}"),
    )
    headline = f"{percent(int(agree.sum()), n)} of the critiques judge their response rightly"
    if silent > (1 - ENOUGH) * n:
        return Finding("Critiques", Light.CARE if silent < n else Light.MISSING,
                       f"{many(silent, 'critique')} of {n:,} give no verdict", numbers,
                       "A critique counts when its verdict is what the response really is.",
                       "Say where the verdict stands: a tag, a column or a pattern.", Step.VERDICT_RULE)  # fmt: skip
    light = _light(with_agreeing / responses)
    if light is Light.GOOD:
        return Finding(
            "Critiques", light, headline, numbers, f"{many(with_agreeing, 'response')} can be used."
        )
    bare = responses - with_agreeing
    meaning = f"{many(bare, 'response')} have no critique that judges them rightly, so they can't be used."
    todo = "Let the model write more critiques of these responses, or go on without them."
    return Finding("Critiques", light, headline, numbers, meaning, todo, Step.CRITIQUE)


def _by_truth(facts: Facts, agree: np.ndarray[Any, np.dtype[np.bool_]]) -> list[tuple[str, str]]:
    right = facts.response_correct[facts.reflection_response]
    return [
        (f"of {name} responses", percent(int(agree[mask].sum()), int(mask.sum())))
        for name, mask in (("right", right), ("wrong", ~right))
        if mask.any()
    ]
