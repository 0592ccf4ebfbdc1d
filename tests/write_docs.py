"""Writes the parts of the docs that come from code: `make docs`. A test holds them current."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

from skill_factory.cli.main import COMMANDS
from skill_factory.formats import FORMATS
from skill_factory.grading import TASKS
from skill_factory.hub.file_patterns import PACKED
from skill_factory.recipe.fields import FIELDS
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.options import OPTIONS
from skill_factory.recipe.titles import TITLES, title_of
from skill_factory.sources.files import SUFFIXES
from skill_factory.sources.presets import Preset, presets
from skill_factory.trainers import TRAINERS
from skill_factory.wording import listed

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SETTINGS = ROOT / ".streamlit" / "config.toml"
ENTRANCE_SETTINGS = ROOT / "skill_factory" / "ui" / "entrance" / ".streamlit" / "config.toml"
RECIPE_PAGE = ROOT / "docs" / "recipe.md"
FORMATS_PAGE = ROOT / "docs" / "formats.md"

ELSEWHERE = {
    "balance.exclude": "Look: Reject",
    "clean.against": "Data: Is it in a benchmark?",
    "clean.drop": "Data: Is it in a benchmark?",
    "clean.keep": "Data: Is it in a benchmark?",
    "clean.responses": "Data: Is it in a benchmark?",
    "review.accepted": "Look: Review",
    "review.rejected": "Look: Review",
    "review.notes": "Look: Review",
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
    "columns.think": "Data: How this data is read",
    "columns.question_rule": "Data: How this data is read",
    "columns.response_rule": "Data: How this data is read",
    "columns.label_rule": "Data: How this data is read",
    **dict.fromkeys(
        (
            f"columns.{name}"
            for name in (
                "question_rest",
                "thinking",
                "correct_else",
                "question_marks",
                "response_marks",
                "right",
                "wrong",
                "threshold",
                "only",
            )
        ),
        "–",
    ),
}
"""Controls that are more than one call, or have words of their own."""


def recipe_page() -> str:
    """Every field of the recipe with its option, its control in the app, its default and what it means."""
    options = {option.field: option for option in OPTIONS}
    labels = dict(control_labels())
    lines = [
        "# The recipe",
        "",
        "Everything that decides what a dataset holds. The app edits it, the command line reads it, the card prints",
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
        mapped = field.removeprefix("columns.") in {one.name for one in FIELDS}
        name = f"`{option.flag}`" if option else "`--map`" if mapped else "`--set`"
        control = ELSEWHERE.get(field) or labels.get(field, "")
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


def formats_page() -> str:
    """Every format that is recognised by its columns: how, what is taken from where, and where labels come from."""
    lines = [
        "# Formats that are known",
        "",
        "A source is recognised by its columns, whatever its file is called, and read by the rules that belong to them.",
        "`inspect SOURCE` says what it looks like; every column and rule can be changed (`--map`, `--think`,",
        "`--question-rule`, `--response-rule`, `--label-rule`, or on the page Data). What isn't in this table is read by the",
        "names of its columns, in a dozen languages, and where these say nothing by what the columns hold.",
        "",
        "Adding a format is adding a record to `skill_factory/sources/presets.toml` and a sample to the tests.",
        "",
        f"Files: {', '.join(f'`{one}`' for one in SUFFIXES)} and `.zip` or `.tar` (also packed) of any of them;",
        f"text formats also as {listed([f'`{one}`' for one in PACKED])};",
        "a folder is one source, also one that `Dataset.save_to_disk` wrote, an hour of logs, or a batch's results beside",
        "their requests.",
        "",
        "| format | recognised by | read as | right and wrong |",
        "| --- | --- | --- | --- |",
        *(_format_line(preset) for preset in sorted(presets(), key=lambda one: one.name.lower())),
    ]
    return "\n".join(lines) + "\n"


def _format_line(preset: Preset) -> str:
    needs = ", ".join(f"`{need}`" for need in preset.needs).replace("|", "` or `")
    fields = (f"{name} = {_listed(value)}" for name, value in preset.columns.items())
    read = preset.refuse or "; ".join(fields)
    return f"| [{preset.name}]({preset.link}): {preset.says} | {needs} | {read} | {preset.labels} |"


def _listed(value: object) -> str:
    words = value if isinstance(value, list) else [value]
    return ", ".join(f"`{word}`" for word in words).replace("|", "` or `")


def _default(value: object) -> str:
    if value in ("", [], {}, None):
        return "–"
    return f"`{value}`".replace("|", "\\|")


def control_labels() -> Iterator[tuple[str, str]]:
    """(field, page and label) of every control of the app that is labelled with its field's plain name."""
    for path in sorted((ROOT / "skill_factory" / "ui").glob("*/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                made = ast.unparse(node.func)
                if made == "title_of" or (made.startswith("controls.") and node.args[0].value in TITLES):
                    field = str(node.args[0].value)
                    yield field, f"{path.parent.name.capitalize()}: {title_of(field)}"


def meanings_of_fields() -> Iterator[tuple[str, str]]:
    """(field, the docstring under it) of the recipe's parts."""
    files = [ROOT / "skill_factory" / "recipe" / f"{name}.py" for name in ("source_parts", "trace_parts")]
    nodes = [node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body]
    parts = {
        str(info.annotation.__name__): name for name, info in Recipe.model_fields.items() if info.annotation
    }
    for node in nodes:
        if isinstance(node, ast.ClassDef) and node.name in parts:
            for first, second in zip(node.body, node.body[1:], strict=False):
                said = isinstance(second, ast.Expr) and isinstance(second.value, ast.Constant)
                if isinstance(first, ast.AnnAssign) and isinstance(first.target, ast.Name) and said:
                    yield f"{parts[node.name]}.{first.target.id}", " ".join(str(second.value.value).split())


def formats_table() -> str:
    """What a trace of each format shows; an own format added to the records stands in it too."""
    lines = ["| code | called | label | what a trace shows |", "| --- | --- | --- | --- |"]
    for code, kind in FORMATS.items():
        label = (kind.label or code).replace("{n}", "n")
        lines.append(f"| `{code}` | {kind.name} | `{label}` | {kind.shows} |")
    return "\n".join(lines)


def trainers_table() -> str:
    """Every trainer that a build can be handed to."""
    lines = ["| `--to` | trainer | what it does |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {one.title} | {one.does} |" for name, one in TRAINERS.items()]
    return "\n".join(lines)


def fields_table() -> str:
    """Every field of a row, as `--map` and the pickers of Data know it."""
    lines = [
        "| field | called | what it holds | needed | several in a row |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in FIELDS:
        needed, many = ("yes" if wanted else "no" for wanted in (one.needed, one.many))
        lines.append(f"| `{one.name}` | {one.title} | {one.help} | {needed} | {many} |")
    return "\n".join(lines)


def commands_table() -> str:
    """Every command and what it does."""
    lines = ["| command | what it does |", "| --- | --- |"]
    return "\n".join(lines + [f"| `{name}` | {summary} |" for name, summary in COMMANDS.items()])


TABLES: dict[str, Callable[[], str]] = {
    "commands": commands_table,
    "fields": fields_table,
    "formats": formats_table,
    "trainers": trainers_table,
}
"""Tables between marks in README: each is made from records, never typed."""


def readme() -> str:
    """README with its tables as the records give them."""
    text = README.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: made by `make docs` -->\n", f"<!-- {name}: end -->"
        if begin in text:
            head, _, rest = text.partition(begin)
            text = f"{head}{begin}{table()}\n{end}{rest.partition(end)[2]}"
    return text


def main() -> None:
    """Write the pages."""
    settings = ENTRANCE_SETTINGS.read_text(encoding="utf-8")
    for path, text in (
        (RECIPE_PAGE, recipe_page()),
        (FORMATS_PAGE, formats_page()),
        (README, readme()),
        (SETTINGS, settings),
    ):
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
