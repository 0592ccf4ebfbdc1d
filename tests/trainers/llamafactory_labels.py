"""LLaMA-Factory's own path from a data folder to labels: `llamafactory_labels.py DATASET_DIR DATASET MODEL TEMPLATE CUTOFF [KEY=VALUE]…`.

Runs in the trainers' environment. Prints JSON: rows that came out, and for each its label text, decoded.
"""

import json
import sys
import tempfile

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer

IGNORED = -100


def labels_of(
    dataset_dir: str, dataset: str, model: str, template: str, cutoff: int, more: list[str]
) -> list[str]:
    """The text that every row is trained on, decoded with its control tokens."""
    with tempfile.TemporaryDirectory() as out:
        told = {
            "model_name_or_path": model,
            "stage": "sft",
            "do_train": True,
            "finetuning_type": "full",
            "dataset_dir": dataset_dir,
            "dataset": dataset,
            "cutoff_len": cutoff,
            "output_dir": out,
            "use_cpu": True,
            "report_to": "none",
            "overwrite_cache": True,
        }
        if template != "-":
            told["template"] = template
        told |= {key: value == "true" for key, _, value in (pair.partition("=") for pair in more)}
        model_args, data_args, training_args, _, _ = get_train_args(told)
        tokenizer_module = load_tokenizer(model_args)
        tokenizer = tokenizer_module["tokenizer"]
        chat = get_template_and_fix_tokenizer(tokenizer, data_args)
        rows = get_dataset(chat, model_args, data_args, training_args, stage="sft", **tokenizer_module)[
            "train_dataset"
        ]
        kept = ([token for token in row["labels"] if token != IGNORED] for row in rows)
        return [tokenizer.decode(tokens, skip_special_tokens=False) for tokens in kept]


if __name__ == "__main__":
    print("\n" + json.dumps({"labels": labels_of(*sys.argv[1:5], int(sys.argv[5]), sys.argv[6:])}))
