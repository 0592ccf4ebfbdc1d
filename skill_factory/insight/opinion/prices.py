"""What a step takes of a model, in requests, tokens and money."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skill_factory.insight.opinion.reasons import SMALL, Reason
from skill_factory.insight.readiness import Step
from skill_factory.judge.facts import Facts
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.tokens import estimated_tokens
from skill_factory.wording import many, rounded

ANSWERS_EACH = 4
"""Different answers per question that a price is for: the least that is usual."""
QUESTION_TOKENS, REFLECTION_TOKENS = 100, 200
"""Tokens of a question with its prompt, and of a reflection where the data has none to measure."""


class Price(NamedTuple):
    """What a step takes of a model, estimated; all zero for a step that asks no model."""

    requests: int = 0
    sent: int = 0
    """Tokens of prompts."""
    written: int = 0

    @property
    def tokens(self) -> int:
        """Prompts and answers together."""
        return self.sent + self.written

    def money(self, price_in: float, price_out: float) -> float:
        """At prices per million tokens, in whatever currency they are."""
        return (self.sent * price_in + self.written * price_out) / 1e6

    def line(self, price_in: float = 0.0, price_out: float = 0.0) -> str:
        """In words, with money where prices are given."""
        if not self.requests:
            return "Costs nothing: no model is asked."
        cost = self.money(price_in, price_out)
        money = (
            f", {'about ' if cost >= 0.01 else 'less than '}{max(cost, 0.01):,.2f} at your prices"
            if cost
            else ""
        )
        return f"About {many(rounded(self.requests), 'request')} and {rounded(self.tokens):,} tokens{money}."


def average(sizes: Any) -> float:
    """The mean of some sizes; 0 where there are none."""
    return float(sizes.mean()) if len(sizes) else 0.0


@dataclass(frozen=True)
class Prices:
    """What steps would ask of a model, from sizes of the data."""

    facts: Facts
    recipe: Recipe
    questions: int = 0
    """Those that can be used."""

    def of(self, reason: Reason) -> Price:
        """The price of a reason's step; nothing for a step that asks no model."""
        if reason.code in ("toy", "small"):
            return self._more_questions()
        match reason.step:
            case Step.MORE_ANSWERS:
                return self._answers(self._lacking())
            case Step.REFLECT:
                return self._reflections(self._to_reflect(reason))
            case _:
                return Price()

    def _tokens(self, sizes: Any, default: float) -> float:
        known = estimated_tokens(average(sizes), self.recipe.cutoff.chars_per_token)
        return known or default

    def _answers(self, requests: int) -> Price:
        each = self._tokens(self.facts.response_chars, REFLECTION_TOKENS)
        return Price(requests, requests * QUESTION_TOKENS, round(requests * each))

    def _reflections(self, requests: int) -> Price:
        answer = self._tokens(self.facts.response_chars, REFLECTION_TOKENS)
        each = self._tokens(self.facts.reflection_chars, REFLECTION_TOKENS)
        return Price(requests, round(requests * (QUESTION_TOKENS + answer)), round(requests * each))

    def _lacking(self) -> int:
        """Answers until every question has as many different ones as is usual."""
        # The same text twice is one answer.
        seen = np.stack([self.facts.response_question.astype(np.uint64), self.facts.response_id])
        owners = np.unique(seen, axis=1)[0].astype(np.int64)
        different = np.bincount(owners, minlength=len(self.facts.question_id))
        return int(np.maximum(0, ANSWERS_EACH - different).sum())

    def _to_reflect(self, reason: Reason) -> int:
        """Responses without a useful reflection: all of them where those that they have say nothing."""
        every = len(self.facts.response_id)
        if reason.code != "reflections":
            return every
        useful = self.facts.reflection_response[
            self.facts.reflection_verdict
            == self.facts.response_correct[self.facts.reflection_response].view(np.int8)
        ]
        return every - len(np.unique(useful))

    def _more_questions(self) -> Price:
        """Answers, and reflections if the data has any, for the questions that are missing."""
        more = (SMALL - self.questions) * ANSWERS_EACH
        asked = [self._answers(more), *([self._reflections(more)] if len(self.facts.reflection_id) else [])]
        return Price(*(sum(parts) for parts in zip(*asked, strict=True)))
