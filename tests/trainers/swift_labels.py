"""ms-swift's own reading of exported lines: `swift_labels.py TRAIN.jsonl MODEL MODEL_TYPE TEMPLATE`.

Runs in ms-swift's environment. Prints JSON: what each row is trained on, decoded, and its whole text.
"""

import json
import sys

from swift.dataset import load_dataset
from swift.model import get_processor
from swift.template import get_template

IGNORED = -100


def read(path: str, model: str, kind: str, template: str) -> dict[str, list[str]]:
    """Labels and texts of every row, in order, as ms-swift's template encodes them for training."""
    processor = get_processor(model, model_type=kind)
    encoder = get_template(processor, template_type=template)
    encoder.set_mode("train")
    rows, _ = load_dataset([path], split_dataset_ratio=0.0, shuffle=False, num_proc=1)
    tokenizer, found = encoder.tokenizer, {"labels": [], "whole": []}
    for row in rows:
        made = encoder.encode(row)
        found["labels"].append(tokenizer.decode([token for token in made["labels"] if token != IGNORED]))
        found["whole"].append(tokenizer.decode(made["input_ids"]))
    return found


if __name__ == "__main__":
    print("\n" + json.dumps(read(*sys.argv[1:5])))
