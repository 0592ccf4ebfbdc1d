"""The cut-off of a recipe: one rule says when it changes a build, one estimate counts its tokens."""

import ast
import re

import pytest

from skill_factory.insight.tables import too_long
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.tokens import CHARS_PER_TOKEN, estimated_tokens
from skill_factory.tally import Tally, TraceChars
from skill_factory.traces.lengths import estimating_counter
from tests import command


@pytest.mark.parametrize(
    ("tokens", "action", "changes"),
    [
        (0, "drop", False),
        (0, "keep", False),
        (100, "keep", False),
        (100, "drop", True),
        (100, "fewer_attempts", True),
    ],
)
def test_a_cut_off_changes_a_build_only_where_it_drops_or_shortens(
    tokens: int, action: str, changes: bool
) -> None:
    """A limit without an action, or an action without a limit, leaves every trace as it is."""
    recipe = Recipe().changed({"cutoff.tokens": tokens, "cutoff.action": action})

    assert recipe.cutoff.limits_traces is changes


def test_one_estimate_of_tokens_serves_recipe_export_and_page() -> None:
    """The same characters are the same tokens for the limit, the export's table and the share on a page."""
    tally = Tally()
    tally.counts["trace_chars"].update({str(TraceChars("*C", 1, 3500)): 1})

    assert Recipe().cutoff.estimated_tokens(3500) == estimated_tokens(3500) == 1000
    assert estimating_counter().count(["a" * 3500]) == [1000]
    assert (too_long(tally, 999, CHARS_PER_TOKEN), too_long(tally, 1000, CHARS_PER_TOKEN)) == (1, 0)


def test_no_other_module_decides_when_a_cut_off_counts_or_what_a_token_is() -> None:
    """The action is compared, and characters are divided, in `recipe/` alone."""
    found = []
    for path in sorted((command.ROOT / "skill_factory").rglob("*.py")):
        if path.parent.name == "recipe":
            continue
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            own = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv)
            divides = own and re.search(r"(chars_)?per_token$", ast.unparse(node.right), re.IGNORECASE)
            compares = isinstance(node, ast.Compare) and "cutoff.action" in ast.unparse(node.left)
            decides = compares and "'keep'" in ast.unparse(node)
            if divides or decides or (isinstance(node, ast.Constant) and node.value == CHARS_PER_TOKEN):
                found.append(f"{path.relative_to(command.ROOT)}:{node.lineno}")
    assert found == []
