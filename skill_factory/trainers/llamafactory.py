"""LLaMA-Factory: the build's shards and the entry for them, or tokens; the YAML and notes."""

import json
import shutil
from pathlib import Path

from skill_factory.build.card import dataset_info
from skill_factory.build.owned import SHARDS
from skill_factory.traces.rows import in_context
from skill_factory.trainers.options import Options
from skill_factory.trainers.record import Tokens, Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write
from skill_factory.trainers.trace_files import write_traces


def write_llamafactory(given: Traces, folder: Path) -> None:
    """Write the traces in a folder `data`, `train_sft.yaml` and the notes."""
    # A folder of its own, since `datasets` finds no name for a dataset in `.`.
    bundle, options, data = given.bundle, given.options, folder / "data"
    write_traces(bundle, data / SHARDS, given.keep)
    # The card goes along, so that whoever finds the data later knows what it is.
    shutil.copyfile(bundle.path / "README.md", data / "README.md")
    write(
        data / "dataset_info.json",
        json.dumps(dataset_info(tools=in_context(bundle.recipe)), indent=2) + "\n",
    )
    data_lines = fill_template(
        "llamafactory_text.yaml",
        template_line=_template_line(options),
        cutoff=options.cutoff,
        # Without it the assistant's earlier turns, which no trace shows, would be trained too.
        history="\nmask_history: true" if in_context(bundle.recipe) else "",
    )
    _write_settings(options, data_lines, folder)
    words = template_words(LLAMAFACTORY.template(options))
    write(folder / "TRAINING.md", fill_template("llamafactory.md", template=words, report=given.report))


def write_llamafactory_tokens(given: Tokens, folder: Path) -> None:
    """Write `prepare.py`, `train_sft.yaml` and the notes, beside the tokens in `data`."""
    options = given.options
    _write_settings(
        options, fill_template("llamafactory_tokens.yaml", template_line=_template_line(options)), folder
    )
    write(folder / "prepare.py", fill_template("llamafactory_prepare.py"))
    write(folder / "TRAINING.md", fill_template("llamafactory_tokens.md", report=given.report))


def _template_line(options: Options) -> str:
    template = LLAMAFACTORY.template(options)
    # A wrong template trains on wrong tokens without an error, so an unknown model gets none.
    return f"template: {template}" if template else "# no template: the tokenizer's own"


REASONING = ("qwen3", "qwen3_5", "deepseekr1")
"""Templates that know `<think>`, and can be told to drop it."""
OTHER_MARKS = ("gemma4", "gemma4n", "gpt_oss")
"""Templates with other marks for thinking, which miss theirs in a trace."""


def template_words(template: str) -> str:
    """What a template of LLaMA-Factory's does to a trace, for the notes; empty stands for the tokenizer's own."""
    if not template:
        return (
            "There is no `template` line, since no part of the model's name is known: the tokenizer's own template is used, "
            "and may rewrite a trace. If LLaMA-Factory has a template for your model, name it there."
        )
    if template in REASONING:
        return (
            f"The template `{template}` trains on the trace exactly as it is. **Never set `enable_thinking: false`: it "
            "removes all the thinking from every trace.**"
        )
    if template in OTHER_MARKS:
        return (
            f"The template `{template}` has marks of its own for thinking. It misses them in a trace, so it puts an empty "
            "block of them in front of each and trains that too; `enable_thinking: false` leaves it out of the loss, and "
            "the trace as it is."
        )
    if template in LLAMAFACTORY.families.values():
        return f"The template `{template}` trains on the trace exactly as it is."
    return f"The template `{template}` is your choice; what it makes of a trace wasn't tried."


def _write_settings(options: Options, data_lines: str, folder: Path) -> None:
    settings = {"model": json.dumps(options.model), "epochs": options.epochs}
    write(folder / "train_sft.yaml", fill_template("llamafactory.yaml", data=data_lines.rstrip(), **settings))


LLAMAFACTORY = TracesTrainer(
    "llamafactory",
    "LLaMA-Factory",
    "fine-tune on the traces",
    write_llamafactory,
    tokens=write_llamafactory_tokens,
    families={
        "deepseek_r1": "deepseekr1",
        "qwq": "qwen",
        "qwen3_instruct": "qwen3_nothink",
        "qwen3.5": "qwen3_5",
        "qwen3": "qwen3",
        "qwen2.5": "qwen",
        "llama4": "llama4",
        "llama3": "llama3",
        "gemma4_small": "gemma4n",
        "gemma4": "gemma4",
        "gemma3n": "gemma3n",
        "gemma3": "gemma3",
        "gemma2": "gemma2",
        "gemma": "gemma",
        # Both write ChatML, for which LLaMA-Factory has no name of theirs.
        "olmo3": "chatml",
        "smollm3": "chatml",
        "smollm2": "smollm2",
        "phi4_mini": "phi4_mini",
        "phi4": "phi4",
        "phi3": "phi",
        "gpt_oss": "gpt_oss",
        "mistral_small": "mistral_small",
        "ministral3": "ministral3",
        "ministral": "ministral",
        "mistral": "mistral",
        "granite4": "granite4",
        "granite3": "granite3",
    },
)
