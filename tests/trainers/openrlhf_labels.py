"""OpenRLHF's own reading of exported lines: `openrlhf_labels.py TRAIN.jsonl MODEL`, with the options of the exported command.

Runs in OpenRLHF's environment. Prints JSON: what each row is trained on, decoded, and its whole text.
"""

import json
import sys
from types import SimpleNamespace

from datasets import load_dataset
from openrlhf.datasets import SFTDataset
from transformers import AutoTokenizer


def read(path: str, model: str) -> dict[str, list[str]]:
    """Labels and texts of every row, in order; the loss of a token stands at the one before it."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    data = SimpleNamespace(input_key="messages", output_key=None, apply_chat_template=True)
    strategy = SimpleNamespace(args=SimpleNamespace(data=data))
    rows = load_dataset("json", data_files=path, split="train")
    read_by = SFTDataset(rows, tokenizer, 16_384, strategy, num_processors=1)
    found = {"labels": [], "whole": []}
    for place in range(len(read_by)):
        ids, _, mask = read_by[place]
        trained = [token for token, on in zip(ids[0][1:], mask[0][:-1], strict=True) if on]
        found["labels"].append(tokenizer.decode(trained))
        found["whole"].append(tokenizer.decode(ids[0]))
    return found


if __name__ == "__main__":
    print("\n" + json.dumps(read(*sys.argv[1:3])))
