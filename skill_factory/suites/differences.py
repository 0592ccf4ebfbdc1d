"""The table of a suite: what each arm holds, and how far it is from the base. Numbers from tallies and digests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skill_factory.formats import format_of
from skill_factory.formats.record import TEACHES
from skill_factory.judge.facts import Ids
from skill_factory.reasons import Level
from skill_factory.recipe.model import Recipe
from skill_factory.suites.suite import BASE, Suite
from skill_factory.tally import Tally, Teaches, keyed
from skill_factory.wording import percent

SAME_DRAWS, SAME_QUESTIONS = "same questions, same draws", "same questions only"
_NOT_DRAWN = ("traces.formats", "traces.attempts", "traces.repeats", "traces.layout")
"""Fields of the traces that leave the draws of each length as they are."""


@dataclass(frozen=True)
class Difference:
    """A row of the table: one arm's numbers."""

    arm: str
    says: str
    paired: str
    """Whether an arm shares the base's draws, or its questions only."""
    questions: int
    traces: int
    moves: Mapping[str, int]
    """Traces by what they show (`formats.record.TEACHES`)."""
    attempts: int
    """Attempts in all traces together."""
    tokens: int
    """Estimated tokens of questions and traces."""
    equal_to_base: int
    """Traces that are byte-equal to one of the base."""

    def to_json(self) -> dict[str, Any]:
        """The row as JSON values."""
        share = self.equal_to_base / self.traces if self.traces else 0.0
        return {**vars(self), "moves": dict(self.moves), "share_equal_to_base": round(share, 6)}


def difference_of(
    suite: Suite, name: str, tally: Tally, questions: int, chars: int, digests: Ids, of_base: Ids
) -> Difference:
    """The row of an arm, from its tally and the digests of its traces and of the base's."""
    arm = next(arm for arm in suite.every_arm if arm.name == name)
    recipe = suite.recipe_of(arm)
    shows = dict.fromkeys(TEACHES, 0)
    for key, n in keyed(Teaches, tally.counts["teaches"]):
        shows[key.shows] += n
    return Difference(
        name,
        arm.words,
        "" if name == BASE else paired(suite.base, recipe),
        questions,
        tally.ledger[Level.TRACES].kept,
        shows,
        sum(int(n) * traces for n, traces in tally.counts["attempts"].items()),
        # One estimate for all arms: with one of its own an arm would only seem shorter.
        round(suite.base.cutoff.estimated_tokens(chars)),
        int(np.isin(digests, of_base).sum()),
    )


def paired(base: Recipe, recipe: Recipe) -> str:
    """How an arm is paired with the base: by draws too if it draws by the same rules from the same responses."""
    old, new = base.flat(), recipe.flat()
    changed = [field for field in new if old[field] != new[field]]
    same_pool = all(
        field in _NOT_DRAWN or field.split(".")[0] in ("balance", "phrases", "tags", "cutoff", "output")
        for field in changed
    )
    rules = [{format_of(code).rule or code for code in one.traces.formats} for one in (base, recipe)]
    return SAME_DRAWS if same_pool and rules[1] <= rules[0] else SAME_QUESTIONS


HEAD = (
    "arm",
    "questions",
    "traces",
    "corrected",
    "attempts",
    "tokens",
    "equal to base",
    "paired by",
    "what it changes",
)
"""What the columns of the table are called; `corrected` are traces that show a mistake corrected."""


def cells(rows: Sequence[Difference]) -> list[tuple[str, ...]]:
    """The table's rows as texts, in the order of HEAD."""
    return [
        (
            row.arm,
            f"{row.questions:,}",
            f"{row.traces:,}",
            f"{row.moves['wrong_to_right']:,}",
            f"{row.attempts:,}",
            f"{row.tokens:,}",
            percent(row.equal_to_base, row.traces or 1),
            row.paired or "–",
            row.says,
        )
        for row in rows
    ]


def from_json(tree: Mapping[str, Any]) -> Difference:
    """The inverse of `Difference.to_json`."""
    return Difference(**{name: tree[name] for name in Difference.__annotations__})
