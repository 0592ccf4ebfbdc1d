"""TRL's own path from a data file to labels: `trl_labels.py FILE MODEL TEMPLATE`, TEMPLATE one of TRL's own names.

Runs in TRL's environment. Prints JSON: for each row the text that it is trained on, and the whole text, decoded.
"""

import json
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from datasets import load_dataset
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer

IGNORED = -100


def labels_of(file: str, model: str, template: str) -> dict[str, list[str]]:
    """The text that every row is trained on, and the whole of it, under a model's own chat template, as TRL ships it."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    own = files("trl").joinpath("chat_templates", f"{template}.jinja")
    # A name of TRL's own, or a file.
    tokenizer.chat_template = Path(template).read_text("utf-8") if "/" in template else own.read_text("utf-8")
    rows = load_dataset("parquet", data_files=file, split="train")
    rows = rows.select_columns(
        [name for name in ("prompt", "completion", "tools") if name in rows.column_names]
    )
    with tempfile.TemporaryDirectory() as out:
        config = SFTConfig(
            output_dir=out,
            max_length=100_000,
            completion_only_loss=True,
            use_cpu=True,
            bf16=False,
            report_to="none",
        )
        trainer = SFTTrainer(model=model, args=config, train_dataset=rows, processing_class=tokenizer)
        made = trainer.train_dataset
        kept = ([token for token in row["labels"] if token != IGNORED] for row in made)
        return {
            "labels": [tokenizer.decode(tokens) for tokens in kept],
            "whole": [tokenizer.decode(row["input_ids"]) for row in made],
        }


if __name__ == "__main__":
    print("\n" + json.dumps(labels_of(*sys.argv[1:4])))
