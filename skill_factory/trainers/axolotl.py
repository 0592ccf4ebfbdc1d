"""Axolotl: the traces, as text or as tokens, a configuration, a script and notes."""

import json
from functools import partial
from pathlib import Path

from skill_factory.traces.rows import in_context
from skill_factory.trainers.message_files import message_row, write_messages
from skill_factory.trainers.options import Options, family_of
from skill_factory.trainers.own_template import UNKNOWN
from skill_factory.trainers.record import Tokens, Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write
from skill_factory.trainers.trace_files import write_traces

OF_AXOLOTL = partial(message_row, left_out={"training": False}, tools_as_text=True)
TRACES = {"kind": "parquet", "messages": "conversations", "more": ""}
CHATS = {"kind": "json", "messages": "messages", "more": "\n    message_field_training: training"}
"""How the configuration says where traces stand, alone or in conversations."""


def write_axolotl(given: Traces, folder: Path) -> None:
    """Write the traces in a folder `data`, `config.yaml`, `train.sh` and the notes."""
    options = given.options
    chats = in_context(given.bundle.recipe)
    if chats:
        (folder / "data").mkdir()
        write_messages(given.bundle, folder / "data" / "train.jsonl", given.keep, OF_AXOLOTL)
    else:
        write_traces(given.bundle, folder / "data", given.keep)
    # Without a known family the tokenizer's own template is the safest.
    template = AXOLOTL.template(options) or "tokenizer_default"
    line = template
    if template == "jinja":
        # JSON is YAML, on one line.
        line += f"\nchat_template_jinja: {json.dumps(fill_template('deepseek_r1.jinja'), ensure_ascii=False)}"
    _write_config(
        options, fill_template("axolotl_text.yaml", template=line, **(CHATS if chats else TRACES)), folder
    )
    words = {"excess_words": "dropped", "template": template_words(template, family_of(options.model))}
    write(folder / "TRAINING.md", fill_template("axolotl.md", **words, report=given.report))


def template_words(template: str, family: str) -> str:
    """What a chat template of Axolotl's does to a trace, for the notes."""
    if template == "tokenizer_default":
        return UNKNOWN
    said = f"`chat_template: {template}` trains on the trace exactly as it is."
    if family in ("qwen3", "qwen3.5") and template == "chatml":
        said += " Axolotl's own `qwen3` leaves the opening `<think>` out of what is learned."
    if template == "jinja":
        said += " It is written out in `chat_template_jinja`, since R1's own drops the thinking."
    return said


def write_axolotl_tokens(given: Tokens, folder: Path) -> None:
    """Write `config.yaml`, `train.sh` and the notes, beside the tokens in `data`."""
    _write_config(given.options, fill_template("axolotl_tokens.yaml"), folder)
    write(
        folder / "TRAINING.md",
        fill_template("axolotl_tokens.md", excess_words="dropped", report=given.report),
    )


def _write_config(options: Options, data: str, folder: Path) -> None:
    # JSON is YAML, and quotes a name with a colon or a hash in it.
    settings = {"model": json.dumps(options.model), "cutoff": options.cutoff, "epochs": options.epochs}
    write(
        folder / "config.yaml", fill_template("axolotl.yaml", data=data.rstrip(), excess="drop", **settings)
    )
    write(folder / "train.sh", fill_template("axolotl.sh"))


AXOLOTL = TracesTrainer(
    "axolotl",
    "Axolotl",
    "fine-tune on the traces",
    write_axolotl,
    tokens=write_axolotl_tokens,
    families={
        # The file that is written beside the configuration: R1's own template drops the thinking.
        "deepseek_r1": "jinja",
        "qwq": "chatml",
        "qwen3_instruct": "chatml",
        "qwen3.5": "chatml",
        "qwen3": "chatml",
        "qwen2.5": "qwen_25",
        "llama4": "llama4",
        "llama3": "llama3",
        "gemma4_small": "gemma4",
        "gemma4": "gemma4",
        "gemma3n": "gemma3n",
        "gemma3": "gemma3",
        "gemma2": "gemma",
        "gemma": "gemma",
        "olmo3": "chatml",
        "smollm3": "chatml",
        "smollm2": "chatml",
        "phi3": "phi_3",
        "mistral": "mistral_v2v3",
    },
)
