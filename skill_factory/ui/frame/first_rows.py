"""The first rows of the chosen source, as a source of their own: what a page grades while somebody looks on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from skill_factory.grading import Decision
from skill_factory.recipe.model import Columns
from skill_factory.ui.frame import loading, workspace

LOOKED_AT = 200
SIGNS = {Decision.RIGHT: "✓ right", Decision.WRONG: "✗ wrong", Decision.UNJUDGED: "? no decision"}


@dataclass(frozen=True)
class _Rows:
    """Rows in memory as a piece of a source."""

    rows: list[dict[str, Any]]
    size = 0

    def batches(self, columns: Columns) -> Iterator[list[dict[str, Any]]]:
        yield self.rows


class FirstRows(loading.Seen):
    """The first rows of a source, as a source of their own."""

    def pieces(self) -> list[Any]:
        return [_Rows(self.raw.head(LOOKED_AT))]


def mapped_columns() -> dict[str, Any]:
    """The recipe's mapping as the grader takes it: what is mapped, without the verdicts' column."""
    found = workspace.current().recipe.columns.model_dump(exclude={"verdicts"})
    return {name: list(one) if isinstance(one, tuple) else one for name, one in found.items() if one}
