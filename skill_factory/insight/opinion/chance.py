"""Reflections compared with a coin, and with always saying the same: do they tell right from wrong?"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from skill_factory.insight.opinion.reasons import Reason, Weight
from skill_factory.insight.readiness import Step
from skill_factory.intervals import SURE
from skill_factory.judge.facts import Facts
from skill_factory.wording import many, percent

CHANCE = 0.5
"""What a reflection that never reads its response reaches, counted over right and wrong responses equally."""
COIN, WEAK, REVERSED = 0.55, 0.6, 0.4
"""Balanced shares of correct verdicts: an interval that ends below the first is a coin's; a share below the second is little
better; one below the third, beyond doubt, has the words for right and wrong exchanged."""
SAME = 0.9
"""From this share of one kind on, reflections at chance are said to call everything the same."""


class Skill(NamedTuple):
    """How well reflections tell right responses from wrong ones, beside what needs no reading."""

    verdicts: int
    agree: float
    """Share of the verdicts that are correct."""
    constant: float
    """What always saying `word` would reach."""
    word: str
    on_right: float
    on_wrong: float
    balanced: float
    """The mean of the last two: 0.5 for a coin, and for whoever always says the same."""
    low: float
    high: float


def critic_skill(facts: Facts) -> Skill | None:
    """
    How well the verdicts tell right from wrong; None unless right and wrong responses both have some.

    The interval is over questions: verdicts on one question resemble each other and don't count as so many.
    """
    given = facts.reflection_verdict >= 0
    owner = facts.reflection_response[given]
    right = facts.response_correct[owner]
    hit = (facts.reflection_verdict[given] == right.view(np.int8)).astype(np.float64)
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    if not n_right or not n_wrong:
        return None
    on_right, on_wrong = float(hit[right].mean()), float(hit[~right].mean())
    # What each verdict adds to the error of its kind's mean. Summed over a question before squaring, verdicts that go
    # together count together.
    off = np.where(right, (hit - on_right) / n_right, (hit - on_wrong) / n_wrong)
    questions = facts.response_question[owner]
    each = np.bincount(questions, weights=off, minlength=len(facts.question_id))
    count = len(np.unique(questions))
    # By four, since the balanced share is half the sum of two means; count / (count − 1) corrects for few questions.
    spread = float((each**2).sum()) * count / max(1, count - 1) / 4
    # Where all agree the spread is nothing, though a few verdicts prove little: then it is a coin's with as many tosses.
    floor = (_spread(on_right, n_right) + _spread(on_wrong, n_wrong)) / 4
    balanced = (on_right + on_wrong) / 2
    half = SURE * sqrt(max(spread, floor))
    agree, share = float(hit.mean()), n_right / (n_right + n_wrong)
    return Skill(
        len(hit), agree, max(share, 1 - share), "right" if share >= CHANCE else "wrong", on_right, on_wrong, balanced,
        max(0.0, balanced - half), min(1.0, balanced + half),
    )  # fmt: skip


def _spread(share: float, n: int) -> float:
    # One success and one failure more (Laplace): no share is 0 or 1 by a handful of verdicts.
    smooth = (share * n + 1) / (n + 2)
    return smooth * (1 - smooth) / n


def critic_reason(skill: Skill | None) -> Reason | None:
    """What speaks against reflections with that skill; None where they clearly tell right from wrong."""
    if skill is None:
        return None
    found = (
        f"{percent(skill.agree)} of {many(skill.verdicts, 'verdict')} are correct: {percent(skill.on_right)} on right responses, "
        f"{percent(skill.on_wrong)} on wrong ones. Always saying “{skill.word}” would reach {percent(skill.constant)}; "
        f"counting right and wrong equally, this is {percent(skill.balanced)} ({percent(skill.low)} to "
        f"{percent(skill.high)}), and a coin reaches 50 %."
    )
    todo = "Let a better model reflect on the responses, or build traces without reflections."
    if skill.high < CHANCE and skill.balanced < REVERSED:
        short = "the verdicts of the reflections look exchanged"
        said = f"The verdicts contradict the labels. {found}"
        fix = "Check which words mean right and wrong, in the reflections and in the labels."
        return Reason("exchanged_verdicts", Weight.STOPS, short, said, fix, Step.VERDICT_RULE)
    if skill.high < COIN or (skill.low <= CHANCE and skill.high < WEAK):
        short = _coin_words(skill)
        said = f"{short[:1].upper()}{short[1:]}. {found}"
        return Reason("coin_flip", Weight.STOPS, short, said, todo, Step.REFLECT)
    if skill.low <= CHANCE:
        short = "too few verdicts to tell the reflections from chance"
        said = f"There are too few verdicts to tell the reflections from chance. {found}"
        more = "Get reflections on more responses, so that it can be told."
        return Reason("unproven_reflections", Weight.SERIOUS, short, said, more, Step.REFLECT)
    if skill.balanced < WEAK:
        short = "the reflections judge little better than a coin"
        said = f"The reflections judge little better than a coin. {found}"
        return Reason("weak_reflections", Weight.SERIOUS, short, said, todo, Step.REFLECT)
    return None


def _coin_words(skill: Skill) -> str:
    """What reflections do that judge no better than chance: toss a coin, or say the same of everything."""
    if max(skill.on_right, skill.on_wrong) < SAME:
        return "the reflections judge no better than a coin"
    word = "right" if skill.on_right > skill.on_wrong else "wrong"
    return f"the reflections call nearly everything {word}"
