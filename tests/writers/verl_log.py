"""What verl's trainer dumps of its rollouts: `verl_log.py FOLDER STEP`. In verl's environment, by its own function on no trainer."""

import sys
from types import SimpleNamespace

from verl.trainer.ppo.ray_trainer import RayPPOTrainer

SUMS = [(2, 3), (4, 5), (6, 1)]
TRIES = 4


def write(folder: str, step: int) -> None:
    """Three prompts, decoded without special tokens as verl decodes them, four rollouts each, every second right."""
    inputs, outputs, golds, scores = [], [], [], []
    for a, b in SUMS:
        for k in range(TRIES):
            inputs.append(f"system\nYou are a helpful assistant.\nuser\nWhat is {a} plus {b}?\nassistant\n")
            outputs.append(
                f"Try {k} of step {step}: I add them.\n\n<answer>{a + b if k % 2 else 100 + k}</answer>"
            )
            golds.append(str(a + b))
            scores.append(float(k % 2))
    trainer = SimpleNamespace(global_steps=step)
    for name in ("_init_dump_executor", "_dump_generations", "_shutdown_dump_executor"):
        setattr(trainer, name, getattr(RayPPOTrainer, name).__get__(trainer))
    trainer._write_generations = RayPPOTrainer._write_generations
    if not isinstance(RayPPOTrainer.__dict__["_write_generations"], staticmethod):
        trainer._write_generations = RayPPOTrainer._write_generations.__get__(trainer)
    trainer._init_dump_executor()
    trainer._dump_generations(
        inputs=inputs,
        outputs=outputs,
        gts=golds,
        scores=scores,
        reward_extra_infos_dict={"acc": [score == 1 for score in scores], "pred": [None] * len(scores)},
        dump_path=folder,
    )
    trainer._shutdown_dump_executor()


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]))
