"""ms-swift: the traces as messages, its command and notes."""

import shlex
from functools import partial
from pathlib import Path

from skill_factory.trainers.message_files import message_row, write_messages
from skill_factory.trainers.options import Options, family_of
from skill_factory.trainers.record import Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write

OF_SWIFT = partial(message_row, left_out={"loss": False}, plain=True, tools_as_text=True)
"""ms-swift leaves a turn out of the loss that says so."""


ARCHITECTURES = {
    "qwen2.5": "qwen2",
    "qwen3_instruct": "qwen3",
    "qwen3": "qwen3",
    "gemma2": "gemma2",
    "gemma": "gemma",
    "phi4_mini": "phi3",
    "phi4": "phi4",
    "phi3": "phi3",
    "gpt_oss": "gpt_oss",
}
"""Family → ms-swift's `--model_type`, where its configuration doesn't say more than one."""


def in_folder(options: Options) -> str:
    """
    The lines that a model in a folder needs; empty for a name on the Hub.

    ms-swift knows models by their names on the Hub. A folder's architecture often fits several, and then it refuses it.
    """
    family = family_of(options.model)
    # R1's distillations are Qwens and Llamas.
    architecture = ARCHITECTURES.get(family, "")
    if family == "deepseek_r1":
        architecture = next(
            (kind for part, kind in (("qwen", "qwen2"), ("llama", "llama")) if part in options.model.lower()),
            "",
        )
    template = SWIFT.template(options)
    if not Path(options.model).expanduser().is_dir() or not (architecture and template):
        return ""
    return f"  --model_type {architecture} \\\n  --template {template} \\\n"


def write_swift(given: Traces, folder: Path) -> None:
    """Write `train.jsonl`, `train.sh` and the notes."""
    options = given.options
    write_messages(given.bundle, folder / "train.jsonl", given.keep, OF_SWIFT)
    settings = {"model": shlex.quote(options.model), "cutoff": options.cutoff, "epochs": options.epochs}
    settings["in_folder"] = in_folder(options)
    write(folder / "train.sh", fill_template("swift.sh", **settings))
    write(folder / "TRAINING.md", fill_template("swift.md", report=given.report))


SWIFT = TracesTrainer(
    "swift",
    "ms-swift",
    "fine-tune on the traces",
    write_swift,
    families={
        "deepseek_r1": "deepseek_r1",
        "qwen3_instruct": "qwen3_nothinking",
        "qwen3": "qwen3",
        "qwen2.5": "qwen2_5",
        "gemma2": "gemma",
        "gemma": "gemma",
        "phi4_mini": "phi3",
        "phi4": "phi4",
        "phi3": "phi3",
        "gpt_oss": "gpt_oss",
    },
)
