"""The card of a suite, its report, and the entries for LLaMA-Factory: one text of each for all arms."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from skill_factory.build.card import BEGIN, END, HELD_OUT_CONFIG, Told, dataset_info, report_of
from skill_factory.build.card_numbers import kept_apart
from skill_factory.build.markdown import fenced, inline, table
from skill_factory.recipe.model import Recipe
from skill_factory.suites.desk import ARMS
from skill_factory.suites.differences import HEAD, Difference, cells
from skill_factory.suites.suite import BASE, Equal, Suite
from skill_factory.tally import Tally
from skill_factory.traces.rows import in_context
from skill_factory.wording import many


def documents(
    suite: Suite,
    rows: Sequence[Difference],
    tallies: Mapping[str, Tally],
    recipes: Mapping[str, Recipe],
    notes: Sequence[str],
    told: Told | None = None,
) -> dict[str, str]:
    """The texts beside the arms, by file name; `told` is what is known of questions that stay out of all of them."""
    report = report_json(suite, rows, tallies, recipes, notes, told)
    return {
        "README.md": card(suite, rows, tallies, notes, told is not None and told.held_out > 0),
        "suite.toml": suite.to_toml(),
        "dataset_info.json": json.dumps(entries([row.arm for row in rows], in_context(suite.base)), indent=2)
        + "\n",
        "report.json": json.dumps(report, indent=1, ensure_ascii=False) + "\n",
    }


def report_json(
    suite: Suite,
    rows: Sequence[Difference],
    tallies: Mapping[str, Tally],
    recipes: Mapping[str, Recipe],
    notes: Sequence[str],
    told: Told | None = None,
) -> dict[str, Any]:
    """The content of `report.json`: the table, and for each arm the report that its own folder holds too."""
    return {
        "fingerprint": suite.fingerprint(),
        "suite": suite.name,
        "equal": suite.equal.value,
        "base": BASE,
        "arms": [row.arm for row in rows],
        "table": [row.to_json() for row in rows],
        "notes": list(notes),
        "reports": {name: report_of(recipes[name], tally, told) for name, tally in tallies.items()},
    }


def entries(arms: Sequence[str], tools: bool = False) -> dict[str, Any]:
    """LLaMA-Factory's entries: one for each arm, by its name, and one that reads its files from this folder."""
    made: dict[str, Any] = {}
    for name in arms:
        by_name, by_file = dataset_info(tools=tools).values()
        made[name] = {**by_name, "subset": name}
        made[f"{name}_files"] = {**by_file, "file_name": f"{ARMS}/{name}/sft_train"}
    return made


def card(
    suite: Suite,
    rows: Sequence[Difference],
    tallies: Mapping[str, Tally],
    notes: Sequence[str],
    held_out: bool = False,
) -> str:
    """The card: front matter with a config for each arm and for held-out questions, then the part between the marks."""
    return f"{_front_matter(suite, rows, tallies, held_out)}\n{_body(suite, rows, tallies[BASE], notes)}"


def _front_matter(
    suite: Suite, rows: Sequence[Difference], tallies: Mapping[str, Tally], held_out: bool
) -> str:
    configs = "".join(
        f"- config_name: {row.arm}\n" + ("  default: true\n" if row.arm == BASE else "") + "  data_files:\n"
        "  - split: train\n"
        f"    path: {ARMS}/{row.arm}/sft_train/train-*.parquet\n"
        # As in a build's card: the cache of a local folder goes by name and front matter.
        f"  description: rows {tallies[row.arm].digest:032x}\n"
        for row in rows
    )
    traces = sum(row.traces for row in rows)
    bounds = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    size = next((name for bound, name in bounds if traces < bound), "1M<n<10M")
    synthetic = "- synthetic\n" if suite.base.source.kind == "demo" else ""
    return (
        f"---\nconfigs:\n{configs}{HELD_OUT_CONFIG if held_out else ''}task_categories:\n- text-generation\nsize_categories:\n- {size}\n"
        f"tags:\n- skill-factory\n- skill-factory-suite\n- reasoning\n- sft\n{synthetic}---\n"
    )


def _body(suite: Suite, rows: Sequence[Difference], of_base: Tally, notes: Sequence[str]) -> str:
    base = rows[0]
    what = "traces, exactly" if suite.equal is Equal.TRACES else "tokens, to within one trace"
    code = (
        "from datasets import load_dataset\n\n"
        f'rows = load_dataset("USER/NAME", "{rows[1].arm}", split="train")'
    )
    warned = "".join(f"\n\n{note}" for note in notes)
    demo = (
        "\n\n**Synthetic:** this is demo data of SkillFactory Studio."
        if suite.base.source.kind == "demo"
        else ""
    )
    parts = [
        BEGIN,
        (
            f"# {inline(suite.name)}: a suite of {many(len(rows), 'arm')}\n\n"
            f"The arms are made from the same {many(base.questions, 'question')}, and differ from the base in what they name. "
            f"They have equal {what}: {base.traces:,} traces in the base. Made with SkillFactory Studio, by the method of "
            f"SkillFactory (arXiv 2512.04072).{demo}{warned}{kept_apart(suite.base, of_base)}"
        ),
        "## The arms\n\n"
        + table(HEAD, [(inline(row[0]), *row[1:-1], row[-1].replace("|", "\\|")) for row in cells(rows)]),
        (
            "*corrected*: traces that show a mistake corrected. *tokens*: estimated from characters. *equal to base*: traces that are "
            "byte-equal to one of the base. *same draws*: where both arms have a trace of a question with so many attempts, it shows "
            "the same responses."
        ),
        (
            f"## Load an arm\n\n{fenced(code, 'python')}\n\nEach arm is a config of this repository; `{BASE}` is the default. "
            "`dataset_info.json` has an entry for each in LLaMA-Factory, by the arm's name."
        ),
        (
            "## Compare models trained on the arms\n\nTrain a model on each arm with the same options (`run/`), let all answer the "
            "same questions, and put the outputs into `outputs/`, a file or folder for each, named as its arm. Then "
            "`python -m skill_factory measure --suite DIR` compares each with the base, question by question."
        ),
        "## Build it again\n\n`python -m skill_factory ablate --suite suite.toml --out DIR` builds the same bytes.\n\n"
        + fenced(suite.to_toml(), "toml"),
        (
            "## Licence and source\n\nNo licence is stated, since it depends on the raw data and on the model that wrote it. Whoever "
            "publishes this suite adds it here and in the front matter."
        ),
        END,
    ]
    return "\n\n".join(parts) + "\n"
