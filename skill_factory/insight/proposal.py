"""How many attempts suit some data, and which format where there are no reflections: one rule for command and page.

Which N that is, the table of trade-offs in `opinion/attempts.py` decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skill_factory.insight.opinion import (
    TradeOff,
    best_attempts,
    trade_off_sentence,
    trade_offs,
)
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement, judge
from skill_factory.model import TraceFormat
from skill_factory.recipe.model import Recipe
from skill_factory.wording import inflect, many


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


def propose(
    facts: Facts, judgement: Judgement, recipe: Recipe, known: Sequence[TradeOff] | None = None
) -> Proposal:
    """The number of attempts, and the format, that suit data judged under a recipe; `known` is its table of trade-offs."""
    judgement, recipe = without_empty_reflections(facts, judgement, recipe)
    bare = not recipe.columns.reflections
    table = trade_offs(facts, judgement, recipe) if known is None else known
    best = best_attempts(table)
    if best is None:
        return Proposal(0, "No question has a usable right answer, so no trace can be made yet.", {})
    formats = (
        {"traces.formats": (TraceFormat.NO_REFLECTION.value,), "columns.reflections": ()} if bare else {}
    )
    if len(table) == 1 and table[0].attempts == 1:
        have = f"{many(best.questions, 'question')} {inflect(best.questions, 'has', 'have')}"
        reason = f"{have} one usable answer and none has two, so a trace can only show a single right answer."
        return Proposal(1, reason, {"traces.attempts": 1, **formats})
    return Proposal(
        best.attempts, trade_off_sentence(table, best), {"traces.attempts": best.attempts, **formats}
    )
