"""LLaMA-Factory: the build's shards, the entry for them, the YAML and notes."""

import json
import shutil
from pathlib import Path

from skill_factory.build.card import dataset_info
from skill_factory.build.folder import SHARDS
from skill_factory.trainers.record import Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write
from skill_factory.trainers.trace_files import write_traces


def write_llamafactory(given: Traces, folder: Path) -> None:
    """Write the traces in a folder `data`, `train_sft.yaml` and the notes."""
    # A folder of its own, since `datasets` finds no name for a dataset in `.`.
    bundle, options, data = given.bundle, given.options, folder / "data"
    write_traces(bundle, data / SHARDS, given.keep)
    # The card goes along, so that whoever finds the data later knows what it is.
    shutil.copyfile(bundle.path / "README.md", data / "README.md")
    write(data / "dataset_info.json", json.dumps(dataset_info(), indent=2) + "\n")
    template = LLAMAFACTORY.template(options)
    # A wrong template trains on wrong tokens without an error, so an unknown model gets none.
    line = f"template: {template}" if template else "# no template: the tokenizer's own"
    settings = {"model": json.dumps(options.model), "cutoff": options.cutoff, "epochs": options.epochs}
    write(folder / "train_sft.yaml", fill_template("llamafactory.yaml", template_line=line, **settings))
    write(folder / "TRAINING.md", fill_template("llamafactory.md", report=given.report))


LLAMAFACTORY = TracesTrainer(
    "llamafactory",
    "LLaMA-Factory",
    "fine-tune on the traces",
    write_llamafactory,
    families={
        "qwen3": "qwen3",
        "qwen2.5": "qwen",
        "llama3": "llama3",
        "gemma": "gemma",
        "mistral": "mistral",
    },
)
