"""Tokens with labels as a trainer's own code hands them to a model: `tokens_read.py trl|llamafactory|axolotl|plain MODEL`.

Runs in the trainer's environment, in the export's folder. Prints JSON: ids and labels of every row, padding removed.
"""

import json
import sys
import tempfile

import yaml

IGNORED = -100


def by_trl(model: str) -> list[dict]:
    """The batches of `SFTTrainer`, row by row."""
    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer

    with tempfile.TemporaryDirectory() as out:
        config = SFTConfig(output_dir=out, max_length=100_000, use_cpu=True, bf16=False, report_to="none")
        rows = load_dataset("parquet", data_files="data/train-*.parquet", split="train")
        trainer = SFTTrainer(
            model=model, args=config, train_dataset=rows.select_columns(["input_ids", "labels"])
        )
        return batches(trainer.data_collator, trainer.train_dataset)


def by_llamafactory(model: str) -> list[dict]:
    """The rows that the exported YAML leads to, after `prepare.py`, in LLaMA-Factory's own batches."""
    from llamafactory.data import (
        SFTDataCollatorWith4DAttentionMask,
        get_dataset,
        get_template_and_fix_tokenizer,
    )
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    with open("train_sft.yaml", encoding="utf-8") as file:
        told = yaml.safe_load(file)
    told |= {"model_name_or_path": model, "template": "qwen", "bf16": False, "use_cpu": True}
    model_args, data_args, training_args, _, _ = get_train_args(told)
    module = load_tokenizer(model_args)
    chat = get_template_and_fix_tokenizer(module["tokenizer"], data_args)
    rows = get_dataset(chat, model_args, data_args, training_args, stage="sft", **module)["train_dataset"]
    collator = SFTDataCollatorWith4DAttentionMask(template=chat, label_pad_token_id=IGNORED, **module)
    return batches(collator, rows)


def by_axolotl(model: str) -> list[dict]:
    """
    The rows that the exported configuration leads to, by Axolotl's schema and its rule for data that is tokenized already.

    The rule is taken out of its module, which imports CUDA-only packages; rows that fit it are handed on unchanged.
    """
    import ast
    from importlib.util import find_spec
    from pathlib import Path

    from axolotl.utils.schemas.config import AxolotlInputConfig
    from datasets import Dataset, IterableDataset, load_dataset

    with open("config.yaml", encoding="utf-8") as file:
        told = AxolotlInputConfig(**yaml.safe_load(file))
    data = told.datasets[0]
    rows = load_dataset(data.ds_type, data_files=f"{data.path}/*", split="train")
    source = Path(find_spec("axolotl").origin).parent / "utils" / "data" / "wrappers.py"
    rule = "_is_dataset_already_tokenized"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == rule]
    known = {"Dataset": Dataset, "IterableDataset": IterableDataset}
    exec(compile(tree, str(source), "exec"), known)
    assert data.type is None and known[rule](rows)
    return [{"input_ids": row["input_ids"], "labels": row["labels"]} for row in rows]


def by_collator(model: str) -> list[dict]:
    """The batches of the exported ten-line collator."""
    from datasets import load_dataset

    sys.path.insert(0, ".")
    from collator import collate

    return batches(collate, load_dataset("parquet", data_files="data/train-*.parquet", split="train"))


def batches(collate: object, rows: object) -> list[dict]:
    """Rows in batches of two, so that there is padding; what is not attended to is padding."""
    found = []
    for start in range(0, len(rows), 2):
        batch = collate([dict(rows[place]) for place in range(start, min(start + 2, len(rows)))])
        for ids, mask, labels in zip(
            batch["input_ids"], batch["attention_mask"], batch["labels"], strict=True
        ):
            kept = mask.reshape(-1)[-len(ids) :].bool() if mask.dim() == 1 else None
            assert kept is not None and (labels[~kept] == IGNORED).all()
            found.append({"input_ids": ids[kept].tolist(), "labels": labels[kept].tolist()})
    return found


READERS = {"trl": by_trl, "llamafactory": by_llamafactory, "axolotl": by_axolotl, "plain": by_collator}

if __name__ == "__main__":
    print("\n" + json.dumps({"rows": READERS[sys.argv[1]](sys.argv[2])}))
