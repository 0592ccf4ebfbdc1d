"""Axolotl's own reading of an exported configuration and its data: `axolotl_labels.py CONFIG MODEL`.

Runs in the trainers' environment, in the export's folder. Prints JSON: the text that each row is trained on, decoded.
"""

import json
import sys
from types import SimpleNamespace

import yaml
from axolotl.prompt_strategies.chat_template import load
from axolotl.utils.chat_templates import get_chat_template_from_config
from axolotl.utils.schemas.config import AxolotlInputConfig
from datasets import load_dataset
from transformers import AutoTokenizer

IGNORED = -100


def labels_of(config: str, model: str) -> list[str]:
    """Labels of every row by Axolotl's strategy for `type: chat_template`."""
    with open(config, encoding="utf-8") as file:
        told = AxolotlInputConfig(**yaml.safe_load(file))
    cfg = SimpleNamespace(**told.model_dump(), get=lambda key, default=None: getattr(told, key, default))
    data = told.datasets[0]
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = get_chat_template_from_config(cfg=cfg, ds_cfg=None, tokenizer=tokenizer)
    strategy = load(tokenizer, cfg, ds_cfg=data.model_dump(exclude_none=True) | {"chat_template": None})
    rows = load_dataset(data.ds_type, data_files=f"{data.path}/*", split="train")
    found = []
    for row in rows:
        labels = strategy.tokenize_prompt(row)["labels"]
        found.append(tokenizer.decode([token for token in labels if token != IGNORED]))
    return found


if __name__ == "__main__":
    print("\n" + json.dumps({"labels": labels_of(*sys.argv[1:3])}))
