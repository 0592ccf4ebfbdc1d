"""What a page grades at once: how many rows of the chosen source, by which columns, and the signs of each decision."""

from typing import Any

from skill_factory.grading import Decision
from skill_factory.ui.frame import workspace

LOOKED_AT = 200
"""Rows that are graded."""
SIGNS = {Decision.RIGHT: "✓ right", Decision.WRONG: "✗ wrong", Decision.UNJUDGED: "? no decision"}


def mapped_columns() -> dict[str, Any]:
    """The recipe's mapping as grading takes it: what is mapped, without the column of verdicts."""
    found = workspace.current().recipe.columns.model_dump(exclude={"verdicts"})
    return {name: list(one) if isinstance(one, tuple) else one for name, one in found.items() if one}
