"""Will these data do? Four lights (groups, labels, answers, critiques), what is possible at all, and a proposed N.

Each light says what was counted, what it means, and, where it is not green, the next thing to do. All of it follows
from the narrow table and its judgement; no text is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from skill_factory.formats import FORMATS
from skill_factory.insight.doubts import TENTH, remedy
from skill_factory.insight.expected import able
from skill_factory.insight.readiness import Finding, Light, answers, critiques, groups, labels
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement, judge, reach
from skill_factory.model import TraceFormat
from skill_factory.reasons import Level, ResponseReason, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.tally import Tally
from skill_factory.wording import many, percent

Findings: TypeAlias = tuple[Finding, Finding, Finding, Finding]
MOST_PROPOSED = 5
"""The paper's N."""


@dataclass(frozen=True)
class Proposal:
    """The number of attempts that suits the data, and why."""

    attempts: int
    """0 where no trace can be made at all."""
    reason: str
    changes: Mapping[str, Any]
    """Fields of the recipe to change, by dotted path."""


@dataclass(frozen=True)
class Fitness:
    """What the data are good for."""

    findings: Findings
    proposal: Proposal
    possible: Mapping[str, int]
    """Format → questions that can give a trace of it at the proposed N."""

    @property
    def light(self) -> Light:
        """The worst of the four."""
        order = list(Light)
        return max((one.light for one in self.findings), key=order.index)


def fitness(facts: Facts, judgement: Judgement, rows: Tally, recipe: Recipe) -> Fitness:
    """The report for some facts, judged under the recipe; `rows` is the tally of the rows they came from."""
    mapped, bare = recipe, recipe.changed({"columns.reflections": ()})
    if not len(facts.reflection_id):  # a mapped column without a single critique would drop every response
        recipe, judgement = bare, judge(facts, bare)
    findings = _with_drops(
        (groups(facts), labels(facts, judgement, rows), answers(facts), critiques(facts, mapped)), judgement
    )
    proposed = propose(judgement, recipe)
    if not proposed.attempts:
        blocking = next((one for one in findings[1:] if one.light is Light.MISSING), None)
        proposed = replace(
            proposed,
            reason=f"{blocking.headline}, so no trace can be made yet." if blocking else proposed.reason,
        )
    n = max(1, proposed.attempts)
    codes = [code for code, one in FORMATS.items() if recipe.columns.reflections or not one.reflects]
    possible = {code: int(able(judgement, recipe, code, n).sum()) for code in codes}
    return Fitness(findings, proposed, possible)


_NAMED_BY = {
    ResponseReason.DUPLICATE: 0, ResponseReason.LABEL_CONFLICT: 1, ResponseReason.NO_KEPT_REFLECTION: 3,
}  # fmt: skip
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


# -- how many attempts ---------------------------------------------------------------------------------------------


def propose(judgement: Judgement, recipe: Recipe) -> Proposal:
    """The largest N up to 5 that keeps at least a third of the questions that can be used at N = 2."""
    bare = not recipe.columns.reflections
    code = TraceFormat.NO_REFLECTION.value if bare else TraceFormat.CORRECT_LAST_FULL.value
    usable = reach(judgement, recipe, FORMATS[code].needs, MOST_PROPOSED + 1)
    one, two = usable[0], usable[1]
    if not one:
        return Proposal(0, "No question has a usable right answer, so no trace can be made yet.", {})
    formats = {"traces.formats": (code,), "columns.reflections": ()} if bare else {}
    if not two:
        reason = f"{_have(one)} one usable answer and none has two, so no retry can be shown: only single right answers."
        return Proposal(1, reason, {"traces.attempts": 1, **formats})
    n = max(m for m in range(2, MOST_PROPOSED + 1) if 3 * usable[m - 1] >= two)
    return Proposal(n, _why(usable, n), {"traces.attempts": n, **formats})


def _why(usable: list[int], n: int) -> str:
    here = f"{_have(usable[n - 1])} {n} usable answers with a right one among them"
    if n == MOST_PROPOSED:
        return f"{here}; more than {n} attempts a trace were not tried in the paper."
    after = usable[n]
    left = f"only {many(after, 'question')} would be left" if after else "none would be left"
    return f"{here}; at {n + 1} {left}, less than a third of the {usable[1]:,} at 2."


def _have(questions: int) -> str:
    return f"{many(questions, 'question')} {'has' if questions == 1 else 'have'}"
