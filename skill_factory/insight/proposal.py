"""How many attempts suit some data, and which format where there are no reflections: one rule for command and page.

N is the largest number up to the paper's that keeps at least a third of the questions usable at N = 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skill_factory.formats import FORMATS
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement, judge, reach
from skill_factory.model import TraceFormat
from skill_factory.recipe.model import Recipe
from skill_factory.wording import inflect, many

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


def without_empty_reflections(facts: Facts, judgement: Judgement, recipe: Recipe) -> tuple[Judgement, Recipe]:
    """
    The judgement and recipe to go by; without the column of reflections where it holds none.

    As mapped, such a column would drop every response, though the data can give traces without reflections.
    """
    if len(facts.reflection_id) or not recipe.columns.reflections:
        return judgement, recipe
    bare = recipe.changed({"columns.reflections": ()})
    return judge(facts, bare), bare


def propose(facts: Facts, judgement: Judgement, recipe: Recipe) -> Proposal:
    """The number of attempts, and the format, that suit data judged under a recipe."""
    judgement, recipe = without_empty_reflections(facts, judgement, recipe)
    bare = not recipe.columns.reflections
    code = TraceFormat.NO_REFLECTION.value if bare else TraceFormat.CORRECT_LAST_FULL.value
    usable = reach(judgement, recipe, FORMATS[code].needs, MOST_PROPOSED + 1)
    at_one, at_two = usable[0], usable[1]
    if not at_one:
        return Proposal(0, "No question has a usable right answer, so no trace can be made yet.", {})
    formats = {"traces.formats": (code,), "columns.reflections": ()} if bare else {}
    if not at_two:
        reason = f"{_have(at_one)} one usable answer and none has two, so a trace can only show a single right answer."
        return Proposal(1, reason, {"traces.attempts": 1, **formats})
    n = max(m for m in range(2, MOST_PROPOSED + 1) if 3 * usable[m - 1] >= at_two)
    return Proposal(n, _why(usable, n), {"traces.attempts": n, **formats})


def _why(usable: list[int], n: int) -> str:
    here = f"{_have(usable[n - 1])} {n} usable answers, at least one of them right"
    if n == MOST_PROPOSED:
        return f"{here}; the paper tried no more than {n} attempts per trace."
    after = usable[n]
    left = f"only {many(after, 'question')} would be left" if after else "none would be left"
    return f"{here}; at N = {n + 1}, {left}, less than a third of the {usable[1]:,} at N = 2."


def _have(questions: int) -> str:
    return f"{many(questions, 'question')} {inflect(questions, 'has', 'have')}"
