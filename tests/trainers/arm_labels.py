"""An arm of a suite in TRL, by the name of its config: `arm_labels.py FOLDER CONFIG MODEL`.

Runs in TRL's environment. Prints JSON: for each row the text that it is trained on, decoded.
"""

import json
import sys
import tempfile

from datasets import load_dataset
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer

IGNORED = -100


def labels_of(folder: str, config: str, model: str) -> list[str]:
    """The text that every row of the config is trained on, as a person would load it from a repository."""
    rows = load_dataset(folder, config, split="train")
    rows = rows.rename_column("conversations", "messages").select_columns(["messages"])
    tokenizer = AutoTokenizer.from_pretrained(model)
    with tempfile.TemporaryDirectory() as out:
        told = {"use_cpu": True, "bf16": False, "report_to": "none", "assistant_only_loss": True}
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(output_dir=out, max_length=100_000, **told),
            train_dataset=rows,
            processing_class=tokenizer,
        )
        found = []
        for row in trainer.train_dataset:
            # TRL keeps a mask beside the ids, and makes the labels of it in the batch.
            batch = trainer.data_collator([row])
            found.append(tokenizer.decode([one for one in batch["labels"][0].tolist() if one != IGNORED]))
        return found


if __name__ == "__main__":
    print("\n" + json.dumps({"labels": labels_of(*sys.argv[1:4])}))
