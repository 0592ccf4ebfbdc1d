"""Which trainers are followed, where, and which of their commands can't run on this kind of machine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

PINNED = ("trl", "llamafactory-verl", "verifiers")
"""Environments whose releases `environments.sh` names."""
GPU = "needs a GPU"
MONEY = "costs money"


@dataclass(frozen=True)
class Case:
    """A trainer in an environment of its own."""

    trainer: str
    """The name that `--to` takes."""
    environment: str
    packages: tuple[str, ...]
    """What the table says the versions of."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """Commands, as patterns for the whole of one, that aren't run here as they stand → why."""
    elsewhere: str = "$."
    """Commands of the same notes that another case tries, as a pattern."""
    leaves: str = ""
    """What a training leaves behind."""
    loss: str = ""
    """`--loss`, for an export as tokens."""
    models: tuple[str, ...] = ("Qwen2.5-tiny",)
    """Models for which the tight build is exported; the first is taken for the other builds."""

    @property
    def kind(self) -> str:
        """Whether the environment holds the release that we name, or the newest that installs here."""
        return "pinned" if self.environment in PINNED else "newest"

    def why_not(self, command: str) -> str:
        """Why a command isn't run here as it stands; empty if it is."""
        return next((why for pattern, why in self.needs.items() if re.fullmatch(pattern, command)), "")


MODEL, TRIED = "saves/sft/model.safetensors", ("trl", "transformers")
FAMILIES = ("Qwen2.5-tiny", "Qwen3-tiny", "DeepSeek-R1-Distill-Qwen-tiny", "Tiny-of-my-own")
LLAMAFACTORY = {r"llamafactory-cli train train_sft\.yaml": GPU}
VERL = {r"bash run_grpo\.sh": f"{GPU} and vLLM", r"(uv )?pip install .*": GPU}
GRPO = {r"python train_grpo_trl\.py": GPU}

CASES = (
    Case("trl", "trl", TRIED, leaves=MODEL, models=FAMILIES),
    Case("trl", "trl-newest", TRIED, leaves=MODEL, models=FAMILIES),
    Case("trl", "trl", TRIED, leaves=MODEL, loss="no_wrong_attempts"),
    Case("llamafactory", "llamafactory-verl", ("llamafactory",), LLAMAFACTORY, leaves=MODEL, models=FAMILIES),
    Case("llamafactory", "llamafactory-verl-newest", ("llamafactory",), LLAMAFACTORY, leaves=MODEL),
    Case("verl", "llamafactory-verl", ("verl",), VERL, "python train_grpo_trl.*"),
    Case("verl", "llamafactory-verl-newest", ("verl",), VERL, "python train_grpo_trl.*"),
    Case(
        "verl", "trl", TRIED, GRPO, "bash run_grpo.*|.*pip install.*", leaves="saves/grpo/model.safetensors"
    ),
    Case(
        "verl",
        "trl-newest",
        TRIED,
        GRPO,
        "bash run_grpo.*|.*pip install.*",
        leaves="saves/grpo/model.safetensors",
    ),
    Case("axolotl", "axolotl", ("axolotl",), {r"bash train\.sh": GPU}, leaves=MODEL, models=FAMILIES),
    Case("unsloth", "unsloth", ("unsloth",), leaves="saves/sft/adapter_model.safetensors", models=FAMILIES),
    Case("swift", "swift", ("ms-swift",)),
    Case("openrlhf", "openrlhf", ("openrlhf",), {r"bash train\.sh": f"{GPU} and DeepSpeed"}),
    Case("verifiers", "verifiers", ("verifiers",), {"vf-eval .*": "needs a server"}),
    Case("openai", "trl", (), {".*": MONEY}),
    Case("together", "trl", (), {".*": MONEY}),
    Case("fireworks", "trl", (), {".*": MONEY}),
    Case("transformers", "trl", ("transformers",), leaves=MODEL, loss="all"),
    Case("transformers", "trl-newest", ("transformers",), leaves=MODEL, loss="all"),
    Case("llamafactory", "llamafactory-verl", ("llamafactory",), LLAMAFACTORY, leaves=MODEL, loss="right"),
    Case("axolotl", "axolotl", ("axolotl",), {r"bash train\.sh": GPU}, leaves=MODEL, loss="answers"),
)
