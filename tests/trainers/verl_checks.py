"""verl's own loader, reward loop and legacy managers on an export: `verl_checks.py CONFIG MODEL CASES`.

Runs in the trainers' environment. CONFIG is what `run_grpo.sh --cfg job` printed; CASES is JSON, a list of
[row of the training file, output]. Prints JSON: the rows as loaded, and the scores by every way verl asks for them.
"""

import json
import sys
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from transformers import AutoTokenizer
from verl import DataProto
from verl.experimental.reward_loop.reward_loop import RewardLoopWorker
from verl.trainer.ppo.reward import get_custom_reward_fn
from verl.trainer.ppo.utils import create_rl_dataset
from verl.utils.dataset.rl_dataset import collate_fn
from verl.utils.import_utils import load_extern_object
from verl.workers.reward_manager import get_reward_manager_cls

LENGTH = 2_000


def as_data(rows: list[dict[str, Any]], outputs: list[str], tokenizer: Any) -> DataProto:
    """Rows with an output each, as a rollout leaves them: the output's bytes behind a prompt of one token."""
    ids = torch.full((len(outputs), LENGTH), tokenizer.pad_token_id)
    mask = torch.zeros_like(ids)
    for place, output in enumerate(outputs):
        tokens = tokenizer(output, add_special_tokens=False)["input_ids"][:LENGTH]
        ids[place, : len(tokens)] = torch.tensor(tokens, dtype=ids.dtype)
        mask[place, : len(tokens)] = 1
    prompts = torch.full((len(outputs), 1), tokenizer.eos_token_id)
    data = DataProto.from_single_dict(collate_fn(rows))
    data.batch = None
    tensors = {
        "prompts": prompts,
        "responses": ids,
        "attention_mask": torch.cat([torch.ones_like(prompts), mask], 1),
    }
    return DataProto.from_dict(tensors=tensors, non_tensors=dict(data.non_tensor_batch))


def by_loop(config: DictConfig, data: DataProto) -> list[float]:
    """The reward loop's worker, as the trainer starts it, run in this process."""
    worker = RewardLoopWorker(config)
    found = worker.loop.run_until_complete(worker.compute_score_batch(data))
    return [one["reward_score"] for one in found]


def by_legacy(name: str, function: Any, data: DataProto, tokenizer: Any) -> list[float]:
    """A manager of `verl.workers.reward_manager`, as older trainers called it."""
    manager = get_reward_manager_cls(name)(tokenizer=tokenizer, num_examine=0, compute_score=function)
    return manager(data).sum(-1).tolist()


def main(config_path: str, model: str, cases_path: str) -> dict[str, Any]:
    """Everything that the test looks at."""
    config = OmegaConf.load(config_path)
    OmegaConf.resolve(config.data)
    tokenizer = AutoTokenizer.from_pretrained(model)
    config.actor_rollout_ref.model.tokenizer_path = model
    train = create_rl_dataset(config.data.train_files, config.data, tokenizer, None)
    test = create_rl_dataset(config.data.val_files, config.data, tokenizer, None, is_train=False)
    with open(cases_path, encoding="utf-8") as file:
        cases = json.load(file)
    rows = [train[row] for row, _ in cases]
    outputs = [output for _, output in cases]
    path = config.reward.custom_reward_function.path
    batch = load_extern_object(module_path=path, object_name="compute_score_batch")
    return {
        "train": len(train),
        "test": len(test),
        "columns": sorted(train[0]),
        "prompt": [dict(message) for message in train[0]["raw_prompt"]],
        "indices": sorted(int(row["extra_info"]["index"]) for part in (train, test) for row in part),
        "loop": by_loop(config, as_data(rows, outputs, tokenizer)),
        "naive": by_legacy(
            "naive", get_custom_reward_fn(config), as_data(rows, outputs, tokenizer), tokenizer
        ),
        "batch": by_legacy("batch", batch, as_data(rows, outputs, tokenizer), tokenizer),
    }


if __name__ == "__main__":
    np.random.default_rng(0)
    print("\n" + json.dumps(main(*sys.argv[1:])))
