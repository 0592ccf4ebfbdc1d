"""Writes the parts of the docs that come from code: `make docs`. A test holds them current."""

import ast
from collections.abc import Iterator
from pathlib import Path

from skill_factory.grading import TASKS
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.options import OPTIONS

ROOT = Path(__file__).parents[1]
RECIPE_PAGE = ROOT / "docs" / "recipe.md"

ELSEWHERE = {
    "traces.formats": "Choose: Formats",
    "traces.attempts": "Choose: Attempts at most (N)",
    "balance.exclude": "Look: Reject",
    "phrases.add": "Choose: Advanced, phrase book",
    "source.kind": "Start: the three doors",
    "source.name": "Start: the three doors",
    "source.config": "Data: More",
    "source.split": "Data: More",
    "source.revision": "Data: More",
    "answers.rules": "Data: Answer rule",
    "answers.pattern": "Data: Answer rule",
    "verdicts.rule": "Data: Verdict rule",
    "verdicts.pattern": "Data: Verdict rule",
}
"""Controls that are more than one call with a label."""


def recipe_page() -> str:
    """Every field of the recipe with its option, its control in the app, its default and what it means."""
    options = {option.field: option for option in OPTIONS}
    labels = dict(control_labels())
    lines = [
        "# The recipe",
        "",
        "Everything that decides what a data set holds. The app edits it, the command line reads it, the card prints",
        "it, and the fingerprint is a hash of it. Any field can be set on the command line by",
        "`--set FIELD=VALUE` (the value as TOML); the usual ones have options of their own. Column fields are set by",
        "`--map FIELD=COLUMN`. Shipped recipes: `--recipe paper`, `algorithm1`, `ablation_no_variety`,",
        "`ablation_no_order`, `ablation_no_reflections`.",
        "",
        "What belongs to the run and not to the recipe: the path in `SOURCE`, `--out`, `--workers`, `--memory`,",
        "`--fresh`, `--engine`, `--json`.",
        "",
        "| field | option | in the app | default | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    meanings = dict(meanings_of_fields())
    for field, default in Recipe().flat().items():
        option = options.get(field)
        name = f"`{option.flag}`" if option else "`--map`" if field.startswith("columns.") else "`--set`"
        control = ELSEWHERE.get(field) or (f"“{labels[field]}”" if field in labels else "")
        control = control or ("Data: the picker of the field" if field.startswith("columns.") else "–")
        meaning = meanings.get(field) or (option.help if option else "")
        lines.append(
            f"| `{field}` | {name} | {control} | {_default(default)} | {meaning.replace('|', chr(92) + '|')} |"
        )
    return "\n".join(lines) + "\n"


def task_table() -> str:
    """The tasks of grading, as a table."""
    lines = ["| task | for | right is | examples (gold answer ← answer) |", "| --- | --- | --- | --- |"]
    for task in TASKS.values():
        shown = ", ".join(
            f"`{gold}` {'←' if right else '↚'} `{answer}`" for gold, answer, right in task.examples
        )
        lines.append(f"| `{task.name}` | {task.label} | {task.about} | {shown} |")
    return "\n".join(lines)


def _default(value: object) -> str:
    if value in ("", [], {}, None):
        return "–"
    return f"`{value}`".replace("|", "\\|")


def control_labels() -> Iterator[tuple[str, str]]:
    """(field, label) of every control of the app that is made by one call."""
    fields = set(Recipe().flat())
    for path in sorted([*(ROOT / "skill_factory" / "ui").glob("*.py"), *(ROOT / "pages").glob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) >= 2:
                texts = [one.value if isinstance(one, ast.Constant) else None for one in node.args[:2]]
                if texts[0] in fields and isinstance(texts[1], str):
                    yield str(texts[0]), texts[1]


def meanings_of_fields() -> Iterator[tuple[str, str]]:
    """(field, the docstring under it) of the recipe's parts."""
    tree = ast.parse((ROOT / "skill_factory" / "recipe.py").read_text(encoding="utf-8"))
    parts = {
        str(info.annotation.__name__): name for name, info in Recipe.model_fields.items() if info.annotation
    }
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in parts:
            for first, second in zip(node.body, node.body[1:], strict=False):
                said = isinstance(second, ast.Expr) and isinstance(second.value, ast.Constant)
                if isinstance(first, ast.AnnAssign) and isinstance(first.target, ast.Name) and said:
                    yield f"{parts[node.name]}.{first.target.id}", " ".join(str(second.value.value).split())


def main() -> None:
    """Write the pages."""
    RECIPE_PAGE.write_text(recipe_page(), encoding="utf-8")
    print(f"wrote {RECIPE_PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
