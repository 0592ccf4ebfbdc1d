"""What a build says about itself: the dataset card, the report, the entry for LLaMA-Factory. Texts made of numbers."""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from skill_factory import __version__
from skill_factory.asked import Asked, asked_in_row
from skill_factory.build.card_numbers import (
    corrections,
    kept_apart,
    labels,
    ledger_table,
    left_out,
    lengths,
    overlaps,
    review,
    shown,
    sources_table,
    variants,
)
from skill_factory.build.markdown import fenced, inline
from skill_factory.build.owned import HELD_OUT
from skill_factory.model import hex_id
from skill_factory.overlap.ruling import Overlap
from skill_factory.reasons import Level
from skill_factory.recipe.clean_parts import Ruled
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.recipe.model import Source
from skill_factory.tally import Tally
from skill_factory.traces.rows import TOOLS, in_context
from skill_factory.wording import many

CONFIG = "sft_train"
BEGIN, END = "<!-- skill-factory: begin -->", "<!-- skill-factory: end -->"
"""What is between these marks is ours and is written again; the rest of a card is its owner's."""


@dataclass(frozen=True)
class Told:
    """What a build knows of the questions that stay out of its traces."""

    overlap: Overlap
    ruled: Sequence[Ruled]
    """Of each source the questions that stay out."""
    held_out: int
    """Held-out questions with a gold answer, which stand in a config of their own."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values: counts, pairs and ids."""
        every = [
            {*np.frombuffer(b"".join(packed), "<u8").tolist()} for packed in zip(*self.ruled, strict=True)
        ]
        ids = [[hex_id(one) for one in sorted(found)] for found in every]
        names = ("contaminated", "near_duplicate", "held_out")
        # Without texts: what is published must not carry the benchmarks' questions.
        return self.overlap.to_json(texts=False) | {
            "held_out": {"questions": len(ids[2]), "with_gold": self.held_out},
            "ids": dict(zip(names, ids, strict=True)),
        }


def documents(
    recipe: AnyRecipe, tally: Tally, shards: Sequence[Path], told: Told | None = None
) -> dict[str, str]:
    """The texts that go beside the shards, by file name."""
    # Indented by one: the report is read by people too, and has thousands of lines.
    report = json.dumps(report_of(recipe, tally, told), indent=1, ensure_ascii=False) + "\n"
    return {
        "README.md": card(recipe, tally, example_row(shards), told is not None and told.held_out > 0),
        "recipe.toml": recipe.to_toml(),
        "report.json": report,
        "dataset_info.json": json.dumps(dataset_info(tools=in_context(recipe)), indent=2) + "\n",
    }


def report_of(recipe: AnyRecipe, tally: Tally, told: Told | None = None) -> dict[str, Any]:
    """The content of `report.json`: fingerprint, versions, source, and every number of the tally."""
    return {
        "fingerprint": recipe.fingerprint(),
        "versions": {
            "skill_factory": __version__,
            "python": ".".join(platform.python_version_tuple()[:2]),
            "pyarrow": version("pyarrow"),
        },
        **_origin(recipe),
        "traces": tally.ledger[Level.TRACES].kept,
        **({} if told is None else {"overlap": told.to_json()}),
        **tally.to_json(),
    }


def _origin(recipe: AnyRecipe) -> dict[str, Any]:
    """Where the data comes from and how it is read: of one source, or of each."""
    if isinstance(recipe, Mixture):
        return {
            "sources": [
                {"name": one.name, "weight": one.weight, "count": one.count, **_origin(one.recipe)}
                for one in recipe.sources
            ]
        }
    return {"source": recipe.source.model_dump(), "columns": recipe.columns.model_dump(mode="json")}


def dataset_info(repository: str = "", tools: bool = False) -> dict[str, Any]:
    """LLaMA-Factory's entries: this folder as its `dataset_dir`, or a repository of the Hub; `tools` names their column."""
    where = {"hf_hub_url": repository} if repository else {"script_url": "."}
    reading = {
        "formatting": "sharegpt",
        "columns": {"messages": "conversations", **({"tools": TOOLS.name} if tools else {})},
        # All tags: one that is left out becomes None, and rows with such a turn would be dropped silently.
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "observation_tag": "observation",
            "function_tag": "function_call",
            "system_tag": "system",
        },
    }
    return {
        "skill_factory": {**where, "subset": CONFIG, "split": "train", **reading},
        "skill_factory_files": {"file_name": CONFIG, **reading},
    }


def example_row(shards: Sequence[Path], most: int = 200) -> dict[str, Any] | None:
    """A row to show: the first short one that corrects a mistake, otherwise the first of all."""
    if not shards:
        return None
    # The head of the first shard is enough: written order is a fair sample.
    with shards[0].open("rb") as file:
        rows: list[dict[str, Any]] = next(pq.ParquetFile(file).iter_batches(most)).to_pylist()
    attempts = [(row, [attempt["correct"] for attempt in row.get("attempts") or []]) for row in rows]
    good = [
        row
        for row, right in attempts
        if 1 < len(right) <= 3 and not right[0] and right[-1] and _size(row) < 8000
    ]
    return (good or rows)[0]


def _size(row: dict[str, Any]) -> int:
    return sum(len(turn["content"]) for turn in row["conversations"][1:])


def card(recipe: AnyRecipe, tally: Tally, example: dict[str, Any] | None, held_out: bool = False) -> str:
    """The dataset card: front matter, then the part between the marks."""
    return f"{_front_matter(recipe, tally, held_out)}\n{card_body(recipe, tally, example)}"


def _front_matter(recipe: AnyRecipe, tally: Tally, held_out: bool) -> str:
    traces = tally.ledger[Level.TRACES].kept
    bounds = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    size = next((name for bound, name in bounds if traces < bound), "1M<n<10M")
    synthetic = "- synthetic\n" if _kinds(recipe) == {"demo"} else ""
    return (
        "---\n"
        "configs:\n"
        f"- config_name: {CONFIG}\n"
        "  default: true\n"
        "  data_files:\n"
        "  - split: train\n"
        f"    path: {CONFIG}/train-*.parquet\n"
        # The `datasets` library keys its cache of a local folder by name and front matter: other rows, other words.
        f"  description: rows {tally.digest:032x}\n"
        f"{HELD_OUT_CONFIG if held_out else ''}"
        "task_categories:\n- text-generation\n"
        f"size_categories:\n- {size}\n"
        f"tags:\n- skill-factory\n- reasoning\n- sft\n{synthetic}"
        "---\n"
    )


HELD_OUT_CONFIG = (
    f"- config_name: {HELD_OUT}\n  data_files:\n  - split: test\n    path: {HELD_OUT}/test-*.parquet\n"
)


def card_body(recipe: AnyRecipe, tally: Tally, example: dict[str, Any] | None, repository: str = "") -> str:
    """Everything that a reader asks: what, how many, where from, what was dropped, one trace, how to use it."""
    parts = [
        BEGIN,
        _opening(recipe, tally),
        "## What is in it\n\n"
        + labels(tally)
        + (sources_table(recipe, tally) if isinstance(recipe, Mixture) else ""),
        "## What a trace shows\n\n" + shown(tally) + overlaps(tally),
        "## Where the data went\n\nAt each level, read = kept + dropped.\n\n"
        + ledger_table(tally)
        + left_out(tally)
        + kept_apart(recipe, tally),
        "## Right and wrong\n\n" + variants(tally) + corrections(tally) + review(tally),
        "## Length\n\n" + lengths(tally, recipe),
        "## One trace\n\n" + _example(example),
        "## Load it\n\n" + _loading(repository, recipe),
        f"## Recipe\n\n{_again(recipe)}\n\n" + fenced(recipe.to_toml(), "toml"),
        "## Licence and source\n\n" + _licence(recipe),
        END,
    ]
    return "\n\n".join(parts) + "\n"


def _again(recipe: AnyRecipe) -> str:
    if isinstance(recipe, Mixture) or not recipe.balance.suite:
        return "This recipe builds the dataset again, byte for byte."
    return (
        "This dataset is one arm of a suite: which of its traces are here depends on the other arms. `ablate` with the "
        "suite's `suite.toml` builds all of them again, byte for byte."
    )


def _opening(recipe: AnyRecipe, tally: Tally) -> str:
    traces, questions = tally.ledger[Level.TRACES].kept, tally.ledger[Level.QUESTIONS]
    demo = (
        "\n\n**Synthetic:** this is demo data of SkillFactory Studio, for trying things out."
        if _kinds(recipe) == {"demo"}
        else ""
    )
    return (
        "# Think, sample, reflect: training traces\n\n"
        f"{many(traces, 'trace')} from {many(questions.kept, 'question')}. Each trace shows a model trying a problem, "
        "judging its own attempts and trying again before it answers; every attempt and every reflection is the model's "
        f"own. Made with SkillFactory Studio, by the method of SkillFactory (arXiv 2512.04072).{demo}"
    )


def _kinds(recipe: AnyRecipe) -> set[str]:
    return {spec.kind for spec in _specs(recipe).values()}


def _specs(recipe: AnyRecipe) -> dict[str, Source]:
    """Each source, by its name in the mixture."""
    if isinstance(recipe, Mixture):
        return {one.name: one.recipe.source for one in recipe.sources}
    return {"": recipe.source}


def _example(row: dict[str, Any] | None) -> str:
    if row is None:
        return "No traces."
    asked = asked_in_row(row)
    label, trace = inline(row["sft_template_type_idx"]), row["conversations"][-1]["content"]
    around = "" if asked.alone else f"\n\n{_folded(asked)}"
    return (
        f"Label {label}. The question:\n\n{fenced(asked.question)}{around}\n\n"
        f"The assistant's turn:\n\n{fenced(trace)}"
    )


def _folded(asked: Asked) -> str:
    """The conversation around a question, closed until somebody opens it."""
    turns = [f"{turn.role}:\n\n{fenced(turn.content)}" for turn in asked.turns]
    tools = [f"tools:\n\n{fenced(asked.tools, 'json')}"] if asked.tools else []
    said = "\n\n".join([*tools, *turns])
    return f"<details><summary>The conversation before the assistant's turn</summary>\n\n{said}\n\n</details>"


def _loading(repository: str, recipe: AnyRecipe) -> str:
    name = repository or "USER/NAME"
    lineage = (
        "Further columns say where each trace comes from: `trace_id`, `question_id`, `format`, `attempts` (which "
        "response, right or wrong, prompt variant, which reflection) and `spans` (kind, start and end in characters of "
        "the assistant's text)"
        + (", and `source`, the name of its source." if isinstance(recipe, Mixture) else ".")
        if recipe.output.lineage
        else "This dataset has no lineage columns."
    )
    code = f'from datasets import load_dataset\n\nrows = load_dataset("{name}", "{CONFIG}", split="train")'
    return (
        f"{fenced(code, 'python')}\n\nA row has {_row_words(recipe)} and "
        f"`sft_template_type_idx` (the label). {lineage}\n\n"
        "LLaMA-Factory: `dataset_info.json` beside this file has the entry `skill_factory`. Set `dataset_dir` to the path "
        "of this folder, `dataset: skill_factory`, `template: qwen`, and a `cutoff_len` above the lengths given here. Never "
        "set `enable_thinking: false`: it removes the thinking from every trace."
        + (
            " Set `mask_history: true`: otherwise the assistant's earlier turns are trained too."
            if in_context(recipe)
            else ""
        )
    )


def _row_words(recipe: AnyRecipe) -> str:
    if not in_context(recipe):
        return "`conversations` (a user and an assistant message)"
    return (
        "`conversations` (the turns up to the trace, calls of tools as `function_call` and their results as "
        "`observation`, and the assistant's trace as the last turn), `tools` (what the assistant may call, as JSON)"
    )


def _licence(recipe: AnyRecipe) -> str:
    specs = _specs(recipe)
    origin = " ".join(
        f"Source {inline(name)}: {_came_from(spec)}" if name else _came_from(spec)
        for name, spec in specs.items()
    )
    return (
        f"{origin} No licence is stated, since it depends on the raw data and on the model that wrote it. Whoever "
        "publishes this dataset adds it here and in the front matter."
    )


def _came_from(spec: Source) -> str:
    return {
        "demo": "The raw data is the synthetic demo of SkillFactory Studio.",
        "file": f"The raw data came from a file named {inline(spec.name)} (SHA-256 `{spec.digest}`).",
        "hub": f"The raw data is {inline(spec.name)} on the Hub, commit `{spec.revision}`.",
    }.get(spec.kind, "The raw data came from the program that made the build.")
