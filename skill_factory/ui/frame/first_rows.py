"""What a page grades while somebody looks on: how many rows of the chosen source, by which columns, in which signs."""

from typing import Any

from skill_factory.grading import Decision
from skill_factory.ui.frame import workspace

LOOKED_AT = 200
"""Rows."""
SIGNS = {Decision.RIGHT: "✓ right", Decision.WRONG: "✗ wrong", Decision.UNJUDGED: "? no decision"}


def mapped_columns() -> dict[str, Any]:
    """The recipe's mapping as the grader takes it: what is mapped, without the verdicts' column."""
    found = workspace.current().recipe.columns.model_dump(exclude={"verdicts"})
    return {name: list(one) if isinstance(one, tuple) else one for name, one in found.items() if one}
