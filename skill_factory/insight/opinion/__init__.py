"""An honest opinion of some data: is it ready, why or why not, and what the next step would cost.

All rules of the opinion stand in this room, each with its number: which sizes are useful, when reflections judge better
than chance, and which N suits. They read the narrow table and its judgement; no text is read.
"""

from collections.abc import Sequence

from skill_factory.insight.opinion.answer import Opinion, opinion_of
from skill_factory.insight.opinion.attempts import (
    MOST_ATTEMPTS,
    TradeOff,
    best_attempts,
    trade_off_sentence,
    trade_offs,
)
from skill_factory.insight.opinion.causes import cause_of, with_doubts
from skill_factory.insight.opinion.chance import Skill, critic_reason, critic_skill
from skill_factory.insight.opinion.prices import Price, Prices
from skill_factory.insight.opinion.reasons import Ready, Reason, Weight
from skill_factory.insight.opinion.sizes import of_finding, of_size, shows_nothing
from skill_factory.insight.readiness import Finding
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement
from skill_factory.recipe.model import Recipe

__all__ = [
    "MOST_ATTEMPTS",
    "Opinion",
    "Price",
    "Prices",
    "Ready",
    "Reason",
    "Skill",
    "TradeOff",
    "Weight",
    "best_attempts",
    "cause_of",
    "critic_reason",
    "critic_skill",
    "opinion",
    "opinion_of",
    "trade_off_sentence",
    "trade_offs",
    "with_doubts",
]


def opinion(
    facts: Facts,
    judgement: Judgement,
    recipe: Recipe,
    findings: Sequence[Finding],
    table: tuple[TradeOff, ...],
    whole: bool = True,
) -> Opinion:
    """
    The opinion of facts judged under a recipe, with the lights' findings and the trade-offs beside.

    Without `whole` the facts are a sample, so nothing is said of the size.
    """
    best, skill = best_attempts(table), critic_skill(facts)
    critic = critic_reason(skill)
    reasons = [reason for finding in findings if (reason := of_finding(finding))]
    if critic is not None:  # says more than the light
        reasons = [*(reason for reason in reasons if reason.code != "reflections"), critic]
    if best is not None:
        reasons += of_size(best, len(facts.question_id)) if whole else []
        reasons += shows_nothing(best, reasons)
    elif not any(reason.weight is Weight.STOPS for reason in reasons):
        short = "no trace can be made of it"
        reasons.append(Reason("no_trace", Weight.STOPS, short, "No question has a usable right answer."))
    return opinion_of(reasons, Prices(facts, recipe, best.questions if best else 0), table=table, skill=skill)
