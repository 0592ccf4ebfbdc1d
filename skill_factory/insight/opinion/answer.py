"""The answer to "Is this data ready?": what speaks against it, how much, and the grade that follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from skill_factory.insight.doubts import Doubt
from skill_factory.insight.opinion.attempts import TradeOff
from skill_factory.insight.opinion.chance import Skill
from skill_factory.insight.opinion.prices import Price, Prices
from skill_factory.insight.opinion.reasons import Ready, Reason, Weight


@dataclass(frozen=True)
class Opinion:
    """Is this data ready?"""

    answer: Ready
    grade: str
    """A: nothing speaks against it; B: small things; C: one serious thing; D: several; E: not ready."""
    reasons: tuple[Reason, ...]
    """What speaks against it, the most important first."""
    price: Price
    """Of the first reason's step."""
    table: tuple[TradeOff, ...] = ()
    skill: Skill | None = None
    cause: Doubt | None = None
    """The one thing to settle before the rest means anything."""

    @property
    def headline(self) -> str:
        """The answer in one line."""
        if not self.reasons or self.answer is Ready.YES:
            return f"{Ready.YES.words}."
        joint = ":" if self.answer is Ready.NOT_YET else ""
        return f"{self.answer.words}{joint} {self.reasons[0].short}."

    @property
    def todo(self) -> str:
        """The one next step."""
        return self.reasons[0].todo if self.reasons else "Choose the traces."

    def to_json(self) -> dict[str, Any]:
        """As `inspect --json` shows it."""
        return {
            "ready": self.answer.value,
            "grade": self.grade,
            "headline": self.headline,
            "reasons": [
                {"code": r.code, "weight": r.weight.value, "sentence": r.sentence, "todo": r.todo}
                for r in self.reasons
            ],
            "next": {"todo": self.todo, "step": self.reasons[0].step.value if self.reasons else ""}
            | self.price._asdict(),
            "attempts": [row._asdict() for row in self.table],
            "reflections": self.skill._asdict() if self.skill else None,
        }


def opinion_of(reasons: Iterable[Reason], prices: "Prices | None" = None, **more: Any) -> Opinion:
    """The opinion that follows from what speaks against some data; reasons of one weight stay in their order."""
    ranked = tuple(sorted(reasons, key=lambda reason: list(Weight).index(reason.weight)))
    weights = [reason.weight for reason in ranked]
    serious = weights.count(Weight.SERIOUS)
    if Weight.STOPS in weights:
        answer, grade = Ready.NOT_YET, "E"
    elif serious:
        answer, grade = Ready.YES_BUT, "C" if serious == 1 else "D"
    else:
        answer, grade = Ready.YES, "B" if ranked else "A"
    price = prices.of(ranked[0]) if ranked and prices else Price()
    return Opinion(answer, grade, ranked, price, **more)
