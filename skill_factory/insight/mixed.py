"""What will come of a mixture, before it is built: the traces of each source, and what it has too few of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skill_factory.build.shares import asked_counts, weights_of
from skill_factory.insight.expected import Outlook
from skill_factory.insight.simulated import forecast
from skill_factory.judge.judge import judge, without
from skill_factory.judge.source_facts import Narrow
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.model import Recipe
from skill_factory.wording import listed, many


@dataclass(frozen=True)
class Offer:
    """What one source could give to a mixture."""

    questions: int
    """Questions that give at least one trace."""
    traces: int
    elsewhere: int
    """Its questions that belong to an earlier source."""
    exact: bool
    """Whether a build gives exactly so many."""


@dataclass(frozen=True)
class Coming:
    """What one source will give."""

    name: str
    offer: Offer
    takes: int
    """Traces that are asked of it."""
    share: float
    """The part of all traces that is asked of it."""

    @property
    def short(self) -> int:
        """How many traces it has too few."""
        return max(0, self.takes - self.offer.traces)

    def to_json(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "name": self.name,
            "questions": self.offer.questions,
            "in_other_source": self.offer.elsewhere,
            "could_give": self.offer.traces,
            "takes": self.takes,
            "share": round(self.share, 4),
            "short": self.short,
            "exact": self.offer.exact,
        }


@dataclass(frozen=True)
class Mixed:
    """What a mixture will hold."""

    parts: tuple[Coming, ...]
    most: int
    """The most traces that its weights allow; for counts, those asked for."""

    @property
    def traces(self) -> int:
        """All traces that are asked for."""
        return sum(part.takes for part in self.parts)

    @property
    def exact(self) -> bool:
        """Whether a build gives exactly so many."""
        return all(part.offer.exact for part in self.parts)

    @property
    def problem(self) -> str:
        """Why it can't be built as it is, in a sentence; empty if it can."""
        about = "" if self.exact else "about "
        if empty := [part.name for part in self.parts if not part.offer.traces]:
            return (
                f"{listed(empty)} {'gives' if len(empty) == 1 else 'give'} no trace, so no share of it can be mixed in. "
                "Give it another recipe, or take it out."
            )
        short = [part for part in self.parts if part.short]
        if not short:
            return "" if self.traces else "These weights leave no whole trace. Make the smallest one larger."
        said = [
            f"{part.name} can give {about}{many(part.offer.traces, 'trace')}, {part.short:,} fewer than the "
            f"{part.takes:,} asked for"
            for part in short
        ]
        advice = "Ask for fewer, or choose more formats or attempts for it."
        if self.most and self.most < self.traces:
            advice = f"With these weights there can be {about}{many(self.most, 'trace')} in all."
        return f"No trace is used twice: {'; '.join(said)}. {advice}"

    def to_json(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "traces": self.traces,
            "most": self.most,
            "exact": self.exact,
            "problem": self.problem,
            "sources": [part.to_json() for part in self.parts],
        }


def offers(recipes: Sequence[Recipe], narrows: Sequence[Narrow], scales: Sequence[float]) -> list[Offer]:
    """
    What each source could give, in the order of the mixture: a question belongs to the first that has it.

    `scales` say how many times larger a source is than what was read of it: 1 if all was read, 0 if unknown.
    """
    found = []
    earlier = np.zeros(0, np.uint64)
    for recipe, narrow, scale in zip(recipes, narrows, scales, strict=True):
        facts = narrow.facts
        judgement = without(judge(facts, recipe), facts, earlier)
        # A sample's draws are not those of the whole source.
        seen = forecast(facts, judgement, recipe) if narrow.whole else forecast(facts, judgement, recipe, 0)
        elsewhere = int(np.isin(facts.question_id, earlier).sum())
        found.append(_scaled(seen, elsewhere, scale or 1.0, narrow.whole))
        earlier = np.union1d(earlier, facts.question_id)
    return found


def _scaled(seen: Outlook, elsewhere: int, scale: float, whole: bool) -> Offer:
    questions, traces, others = (round(n * scale) for n in (seen.questions, seen.traces, elsewhere))
    return Offer(questions, traces, others, whole and seen.exact)


def mixed(mixture: Mixture, found: Sequence[Offer]) -> Mixed:
    """What a mixture asks of each source, beside what that can give."""
    there = [offer.traces for offer in found]
    takes, most = asked_counts(mixture, there)
    weights = weights_of(mixture)
    every = sum(weights)
    parts = zip(mixture.sources, found, takes, weights, strict=True)
    coming = tuple(Coming(one.name, offer, n, float(weight / every)) for one, offer, n, weight in parts)
    return Mixed(coming, most or 0)
