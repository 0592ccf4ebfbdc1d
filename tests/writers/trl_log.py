"""What TRL logs of one GRPO step: `trl_log.py FOLDER MODEL`, MODEL a tiny one of `tests/trainers/tiny_model.py`. In TRL's environment."""

import sys
from typing import Any

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

SUMS = [(2, 3), (4, 5)]


def accuracy_reward(completions: list[Any], answer: list[str], **kwargs: Any) -> list[float]:
    """Every second completion is called right: a random model writes nothing that could be."""
    return [float(k % 2 == 0) for k in range(len(completions))]


def write(folder: str, model: str) -> None:
    """Two prompts with four completions each."""
    rows = [
        {"prompt": [{"role": "user", "content": f"What is {a} plus {b}?"}], "answer": str(a + b)}
        for a, b in SUMS
    ]
    config = GRPOConfig(
        output_dir=folder,
        per_device_train_batch_size=8,
        num_generations=4,
        max_completion_length=12,
        max_steps=1,
        logging_steps=1,
        log_completions=True,
        use_cpu=True,
        bf16=False,
        report_to="none",
        save_strategy="no",
    )
    GRPOTrainer(
        model=model, reward_funcs=accuracy_reward, args=config, train_dataset=Dataset.from_list(rows)
    ).train()


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2])
