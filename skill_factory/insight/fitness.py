"""Is this data ready? Four lights, what is possible at all, and a proposed N.

Each light says what was counted, what it means and, where it isn't green, what to do next. All of it follows from the
narrow table and its judgement; no text is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from skill_factory.formats import FORMATS
from skill_factory.insight.doubts import TENTH, remedy
from skill_factory.insight.expected import questions_able
from skill_factory.insight.opinion import Opinion, critic_reason, critic_skill, opinion, trade_offs
from skill_factory.insight.proposal import Proposal, propose, without_empty_reflections
from skill_factory.insight.readiness import Finding, Light, answers, groups, labels, reflections
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement
from skill_factory.reasons import Level, ResponseReason, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.tally import Tally
from skill_factory.wording import many, percent

Findings: TypeAlias = tuple[Finding, Finding, Finding, Finding]


@dataclass(frozen=True)
class Fitness:
    """What the data is good for."""

    findings: Findings
    proposal: Proposal
    possible: Mapping[str, int]
    """Format → questions that can give a trace of it at the proposed N."""
    opinion: Opinion

    @property
    def light(self) -> Light:
        """The worst of the four."""
        order = list(Light)
        return max((finding.light for finding in self.findings), key=order.index)


def fitness(facts: Facts, judgement: Judgement, rows: Tally, recipe: Recipe, whole: bool = True) -> Fitness:
    """
    The report for some facts, judged under the recipe; `rows` is the tally of the rows they came from.

    Without `whole` they are those of a sample.
    """
    mapped = recipe
    judgement, recipe = without_empty_reflections(facts, judgement, recipe)
    findings = _with_drops(
        (groups(facts), labels(facts, judgement, rows), answers(facts), _critic(facts, mapped)), judgement
    )
    table = trade_offs(facts, judgement, recipe, whole)
    proposed = propose(facts, judgement, recipe, table)
    if not proposed.attempts:
        blocking = next((finding for finding in findings[1:] if finding.light is Light.MISSING), None)
        proposed = replace(
            proposed,
            reason=f"{blocking.headline}, so no trace can be made yet." if blocking else proposed.reason,
        )
    n = max(1, proposed.attempts)
    codes = [code for code, kind in FORMATS.items() if recipe.columns.reflections or not kind.reflects]
    possible = {code: int(questions_able(judgement, recipe, code, n).sum()) for code in codes}
    return Fitness(findings, proposed, possible, opinion(facts, judgement, recipe, findings, table, whole))


def _critic(facts: Facts, recipe: Recipe) -> Finding:
    """The light on reflections; never green where they judge no better than chance."""
    found = reflections(facts, recipe)
    reason = critic_reason(critic_skill(facts)) if recipe.columns.reflections else None
    if reason is None or found.light is Light.MISSING:
        return found
    headline, _, meaning = reason.sentence.partition(". ")
    return found._replace(
        light=Light.CARE, headline=headline, meaning=meaning, todo=reason.todo, step=reason.step
    )


_NAMED_BY = {
    ResponseReason.DUPLICATE: 0,
    ResponseReason.LABEL_CONFLICT: 1,
    ResponseReason.NO_KEPT_REFLECTION: 3,
}
"""Which light names a drop; all others are about what the texts hold, as the third is."""


def _with_drops(findings: Findings, judgement: Judgement) -> Findings:
    """No light stays green while more than a tenth of the responses are dropped for what it is there to name."""
    told = list(findings)
    codes, n = judgement.response_code, len(judgement.response_code)
    for place, reason in enumerate(ResponseReason, 1):
        number = int((codes == place).sum())
        light = _NAMED_BY.get(reason, 2)
        if not n or number <= TENTH * n or told[light].light is not Light.GOOD:
            continue
        fix, step, _ = remedy(reason)
        meaning = f"{percent(number, n)} of the responses are lost to this."
        said = f"{number:,} of {many(n, 'response')} are dropped: {sentence(Level.RESPONSES, reason)}"
        light_now = Light.CARE if number < n else Light.MISSING
        told[light] = told[light]._replace(
            light=light_now, headline=said, meaning=meaning, todo=fix, step=step
        )
    return (told[0], told[1], told[2], told[3])
