"""Is this data ready? Four lights, what is possible at all, and a proposed N.

Each light says what was counted, what it means and, where it isn't green, what to do next. All of it follows from the
narrow table and its judgement; no text is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from skill_factory.formats import FORMATS
from skill_factory.insight.expected import able
from skill_factory.insight.proposal import Proposal, propose, without_empty_reflections
from skill_factory.insight.readiness import Finding, Light, answers, groups, labels, reflections
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement
from skill_factory.recipe.model import Recipe
from skill_factory.tally import Tally


@dataclass(frozen=True)
class Fitness:
    """What the data is good for."""

    findings: tuple[Finding, Finding, Finding, Finding]
    proposal: Proposal
    possible: Mapping[str, int]
    """Format → questions that can give a trace of it at the proposed N."""

    @property
    def light(self) -> Light:
        """The worst of the four."""
        order = list(Light)
        return max((finding.light for finding in self.findings), key=order.index)


def fitness(facts: Facts, judgement: Judgement, rows: Tally, recipe: Recipe) -> Fitness:
    """The report for some facts, judged under the recipe; `rows` is the tally of the rows they came from."""
    mapped = recipe
    judgement, recipe = without_empty_reflections(facts, judgement, recipe)
    findings = (
        groups(facts),
        labels(facts, judgement, rows),
        answers(facts),
        reflections(facts, mapped),
    )
    proposed = propose(facts, judgement, recipe)
    if not proposed.attempts:
        blocking = next((finding for finding in findings[1:] if finding.light is Light.MISSING), None)
        proposed = replace(
            proposed,
            reason=f"{blocking.headline}, so no trace can be made yet." if blocking else proposed.reason,
        )
    n = max(1, proposed.attempts)
    codes = [code for code, kind in FORMATS.items() if recipe.columns.reflections or not kind.reflects]
    possible = {code: int(able(judgement, recipe, code, n).sum()) for code in codes}
    return Fitness(findings, proposed, possible)
