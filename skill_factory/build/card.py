"""What a build says about itself: the dataset card, the report, the entry for LLaMA-Factory. Texts made of numbers."""

import json
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from skill_factory import __version__
from skill_factory.formats import format_of
from skill_factory.formats.record import TEACHES_WORDS
from skill_factory.reasons import Level, TraceReason, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.variants import variant_words
from skill_factory.tally import Label, Tally, Teaches, TraceChars, keyed
from skill_factory.wording import inflect, many, percent

CONFIG = "sft_train"
BEGIN, END = "<!-- skill-factory: begin -->", "<!-- skill-factory: end -->"
"""What is between these marks is ours and is written again; the rest of a card is its owner's."""


def documents(recipe: Recipe, tally: Tally, shards: Sequence[Path]) -> dict[str, str]:
    """The texts that go beside the shards, by file name."""
    # Indented by one: the report is read by people too, and has thousands of lines.
    report = json.dumps(report_of(recipe, tally), indent=1, ensure_ascii=False) + "\n"
    return {
        "README.md": card(recipe, tally, example_row(shards)),
        "recipe.toml": recipe.to_toml(),
        "report.json": report,
        "dataset_info.json": json.dumps(dataset_info(), indent=2) + "\n",
    }


def report_of(recipe: Recipe, tally: Tally) -> dict[str, Any]:
    """The content of `report.json`: fingerprint, versions, source, and every number of the tally."""
    return {
        "fingerprint": recipe.fingerprint(),
        "versions": {
            "skill_factory": __version__,
            "python": ".".join(platform.python_version_tuple()[:2]),
            "pyarrow": version("pyarrow"),
        },
        "source": recipe.source.model_dump(),
        "columns": recipe.columns.model_dump(mode="json"),
        "traces": tally.ledger[Level.TRACES].kept,
        **tally.to_json(),
    }


def dataset_info(repository: str = "") -> dict[str, Any]:
    """LLaMA-Factory's entries: this folder as its `dataset_dir`, or a repository of the Hub."""
    where = {"hf_hub_url": repository} if repository else {"script_url": "."}
    reading = {
        "formatting": "sharegpt",
        "columns": {"messages": "conversations"},
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
    return len(row["conversations"][1]["content"])


def card(recipe: Recipe, tally: Tally, example: dict[str, Any] | None) -> str:
    """The dataset card: front matter, then the part between the marks."""
    return f"{_front_matter(recipe, tally)}\n{card_body(recipe, tally, example)}"


def _front_matter(recipe: Recipe, tally: Tally) -> str:
    traces = tally.ledger[Level.TRACES].kept
    bounds = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    size = next((name for bound, name in bounds if traces < bound), "1M<n<10M")
    synthetic = "- synthetic\n" if recipe.source.kind == "demo" else ""
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
        "task_categories:\n- text-generation\n"
        f"size_categories:\n- {size}\n"
        f"tags:\n- skill-factory\n- reasoning\n- sft\n{synthetic}"
        "---\n"
    )


def _left_out(tally: Tally) -> str:
    """How much thinking was left out of attempts, and how many reflections give the answer away; empty if neither occurs."""
    thinking, given = tally.counts["thinking"], tally.counts["given_away"]
    sentences = []
    if thinking:
        sentences.append(
            f"The thinking of {many(thinking['responses'], 'response')}, {thinking['characters']:,} characters in total, was "
            "left out of the attempts (`columns.think`)."
        )
    if given:
        sentences.append(
            f"{many(given['read'], 'reflection')} on wrong responses {inflect(given['read'], 'states', 'state')} the gold "
            "answer (`gives_away_answer`); "
            f"{given['kept']:,} of them are kept (`filters.given_away`)."
        )
    return "".join(f"\n\n{sentence}" for sentence in sentences)


def card_body(recipe: Recipe, tally: Tally, example: dict[str, Any] | None, repository: str = "") -> str:
    """Everything that a reader asks: what, how many, where from, what was dropped, one trace, how to use it."""
    parts = [
        BEGIN,
        _opening(recipe, tally),
        "## What is in it\n\n" + _labels(tally),
        "## What a trace shows\n\n" + _shows(tally) + _overlaps(tally),
        "## Where the data went\n\nAt each level, read = kept + dropped.\n\n"
        + ledger_table(tally)
        + _left_out(tally),
        "## Right and wrong\n\n" + _variants(tally) + _corrections(tally) + _review(tally),
        "## Length\n\n" + _lengths(tally, recipe),
        "## One trace\n\n" + _example(example),
        "## Load it\n\n" + _loading(repository, recipe),
        "## Recipe\n\nThis recipe builds the dataset again, byte for byte.\n\n"
        + _fenced(recipe.to_toml(), "toml"),
        "## Licence and source\n\n" + _licence(recipe),
        END,
    ]
    return "\n\n".join(parts) + "\n"


def _opening(recipe: Recipe, tally: Tally) -> str:
    traces, questions = tally.ledger[Level.TRACES].kept, tally.ledger[Level.QUESTIONS]
    demo = (
        "\n\n**Synthetic:** this is demo data of SkillFactory Studio, for trying things out."
        if recipe.source.kind == "demo"
        else ""
    )
    return (
        "# Think, sample, reflect: training traces\n\n"
        f"{many(traces, 'trace')} from {many(questions.kept, 'question')}. Each trace shows a model trying a problem, "
        "judging its own attempts and trying again before it answers; every attempt and every reflection is the model's "
        f"own. Made with SkillFactory Studio, by the method of SkillFactory (arXiv 2512.04072).{demo}"
    )


def _labels(tally: Tally) -> str:
    rows = [(f"`{label}`", f"{n:,}") for label, n in sorted(tally.counts["traces_by_label"].items())]
    formats = [
        f"- `{code}`: {format_of(code).shows or 'A format from outside the package.'} {n:,} traces."
        for code, n in sorted(tally.counts["traces_by_format"].items())
    ]
    return _table(("label (`sft_template_type_idx`)", "traces"), rows) + "\n\n" + "\n".join(formats)


def _shows(tally: Tally) -> str:
    counted: dict[str, int] = {}
    for key, n in keyed(Teaches, tally.counts["teaches"]):
        counted[key.shows] = counted.get(key.shows, 0) + n
    every = sum(counted.values()) or 1
    rows = [
        (words, f"{counted.get(shows, 0):,}", percent(counted.get(shows, 0), every))
        for shows, words in TEACHES_WORDS.items()
    ]
    return _table(("the trace shows", "traces", "share"), rows)


def _overlaps(tally: Tally) -> str:
    """How many traces differ from another one only in their phrases; empty if none does."""
    kept = tally.counts["overlaps"].total() - tally.ledger[Level.TRACES].dropped[TraceReason.DUPLICATE]
    if kept <= 0:
        return ""
    return (
        f"\n\n{kept:,} of them show the attempts and reflections of another trace of their question in other phrases: "
        "formats with the same rule, or repeats, drew the same ones."
    )


def ledger_table(tally: Tally) -> str:
    """The ledger as a Markdown table: level, read, kept, and why the rest was dropped."""
    rows = []
    for level, counted in tally.ledger.items():
        why = "; ".join(
            f"{n:,} because {sentence(level, reason)} (`{reason}`)"
            for reason, n in counted.dropped.most_common()
        )
        rows.append((level.value, f"{counted.read:,}", f"{counted.kept:,}", why or "none"))
    return _table(("level", "read", "kept", "dropped"), rows)


def _variants(tally: Tally) -> str:
    kept = tally.counts["kept_responses"]
    names = sorted({key.variant for key, _ in keyed(Label, tally.counts["labels"])})
    rows = []
    for name in names:
        right, wrong = (kept.get(str(Label(name, truth)), 0) for truth in ("right", "wrong"))
        rows.append(
            (
                _variant(name),
                f"{right:,}",
                f"{wrong:,}",
                percent(right, right + wrong) if right + wrong else "–",
            )
        )
    return _table(("prompt variant", "right responses kept", "wrong responses kept", "share right"), rows)


def _corrections(tally: Tally) -> str:
    """How many stored labels a person changed, if any."""
    to = tally.counts["corrections"]
    if not to:
        return ""
    return (
        f"\n\n{many(sum(to.values()), 'stored label')} of the source were corrected by a person, {to['right']:,} to right "
        f"and {to['wrong']:,} to wrong; `labels.corrections` in the recipe names them."
    )


def _review(tally: Tally) -> str:
    """How many traces of this build a person read and decided about, if any."""
    review = tally.counts["review"]
    if not review:
        return ""
    rejected = review["rejected"]
    return (
        f"\n\n{many(sum(review.values()), 'trace')} reviewed, {rejected:,} rejected: a person read them one by one. Those "
        f"rejected {inflect(rejected, 'is', 'are')} left out; `review` in the recipe names them all."
    )


def _variant(name: str) -> str:
    """What a prompt variant is called, and its name in the data."""
    words = variant_words(name)
    return _inline(name) if words == name else f"{words} ({_inline(name)})"


def _lengths(tally: Tally, recipe: Recipe) -> str:
    sizes = sorted((key.chars, n) for key, n in keyed(TraceChars, tally.counts["trace_chars"]))
    every = sum(n for _, n in sizes)
    if not every:
        return "No traces."
    rows = []
    for share in (0.5, 0.9, 0.99, 1.0):
        seen = 0
        for size, n in sizes:
            seen += n
            if seen >= share * every:
                rows.append((percent(share), f"{size:,}", f"{recipe.cutoff.estimated_tokens(size):,.0f}"))
                break
    note = f"Tokens are estimated at {recipe.cutoff.chars_per_token:g} characters each. A trainer whose cut-off is shorter than a trace truncates its end, and with it the answer."
    return (
        _table(("share of traces up to this long", "characters", "tokens (estimate)"), rows) + "\n\n" + note
    )


def _example(row: dict[str, Any] | None) -> str:
    if row is None:
        return "No traces."
    user, assistant = (message["content"] for message in row["conversations"])
    label = _inline(row["sft_template_type_idx"])
    return f"Label {label}. The question:\n\n{_fenced(user)}\n\nThe assistant's turn:\n\n{_fenced(assistant)}"


def _loading(repository: str, recipe: Recipe) -> str:
    name = repository or "USER/NAME"
    lineage = (
        "Further columns say where each trace comes from: `trace_id`, `question_id`, `format`, `attempts` (which "
        "response, right or wrong, prompt variant, which reflection) and `spans` (kind, start and end in characters of "
        "the assistant's text)."
        if recipe.output.lineage
        else "This dataset has no lineage columns."
    )
    code = f'from datasets import load_dataset\n\nrows = load_dataset("{name}", "{CONFIG}", split="train")'
    return (
        f"{_fenced(code, 'python')}\n\nA row has `conversations` (a user and an assistant message) and "
        f"`sft_template_type_idx` (the label). {lineage}\n\n"
        "LLaMA-Factory: `dataset_info.json` beside this file has the entry `skill_factory`. Set `dataset_dir` to the path "
        "of this folder, `dataset: skill_factory`, `template: qwen`, and a `cutoff_len` above the lengths given here. Never "
        "set `enable_thinking: false`: it removes the thinking from every trace."
    )


def _licence(recipe: Recipe) -> str:
    origin = {
        "demo": "The raw data is the synthetic demo of SkillFactory Studio.",
        "file": f"The raw data came from a file named {_inline(recipe.source.name)} (SHA-256 `{recipe.source.digest}`).",
        "hub": f"The raw data is {_inline(recipe.source.name)} on the Hub, commit `{recipe.source.revision}`.",
    }.get(recipe.source.kind, "The raw data came from the program that made the build.")
    return (
        f"{origin} No licence is stated, since it depends on the raw data and on the model that wrote it. Whoever "
        "publishes this dataset adds it here and in the front matter."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    right = [" | ".join(head), " | ".join("---" if i == 0 else "---:" for i in range(len(head)))]
    if len(head) > 3:
        right[1] = " | ".join(["---", *["---:"] * (len(head) - 2), "---"])
    return "\n".join(f"| {line} |" for line in [*right, *(" | ".join(row) for row in rows)])


def _fenced(text: str, language: str = "text") -> str:
    """The text as it is, in a fence longer than any run of backticks in it."""
    # A trace may contain fences of its own; only a longer one encloses it.
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _inline(text: str) -> str:
    """A short text as inline code, safe inside a table."""
    # A bar would end the table's cell, and a line break its row.
    flat = " ".join(text.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    mark = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{mark}{pad}{flat}{pad}{mark}" if flat else "(none)"
