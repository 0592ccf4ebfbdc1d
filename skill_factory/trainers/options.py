"""What a person chooses for an export, and what follows from the model's name."""

from dataclasses import dataclass

from skill_factory.errors import HandoffError
from skill_factory.grading import Task, Weights
from skill_factory.grading.reward import ANSWER_ALONE
from skill_factory.traces.lengths import CUTOFF

CHOICES = ("random", "unused", "all")
"""Which questions a reward is trained on."""


@dataclass(frozen=True)
class Options:
    """The choices for one export; lengths are in tokens."""

    model: str
    """The model to train: a folder, or a name on the Hub."""
    cutoff: int = CUTOFF
    """The trainer's `cutoff_len`, for question and trace."""
    drop_over: bool = False
    """Whether to drop traces over the cut-off, which would lose their answer."""
    template: str = ""
    """The trainer's chat template; if empty, it is guessed from the model's name."""
    epochs: float = 2.0
    tokenizer: str = ""
    """The tokenizer to count with: a tokenizer.json, its folder or a Hub model. Empty for an estimate from characters."""
    loss: str = ""
    """What to train on, for an export as tokens: a name of `loss.Loss` or a file; empty for an export as text."""
    source: str | tuple[str, ...] = ""
    """verl: the path of the build's source file; of a mixture NAME=PATH for each."""
    questions: str = "random"
    """verl: `random` for a random choice of all; `unused` for those without a trace; `all` for these first."""
    pass_rate: tuple[float, float] | None = None
    """verl: the window of pass rates, lowest and highest, in which questions are taken; None for any."""
    most: int = 0
    """verl: maximum questions; 0 means no limit."""
    test_share: float = 0.1
    seed: int = 0
    task: Task = Task.AUTO
    weights: Weights = ANSWER_ALONE
    prompt_limit: int = 512
    response_limit: int = 4_096

    def __post_init__(self) -> None:
        if not self.model.strip() or "\n" in self.model:
            raise HandoffError("Name the model to train, by its folder or its name on the Hub: --model NAME.")
        if self.questions not in CHOICES:
            raise HandoffError(f"--questions takes {', '.join(CHOICES)}; found {self.questions!r}.")
        if self.pass_rate and not 0 <= self.pass_rate[0] <= self.pass_rate[1] <= 1:
            raise HandoffError(
                "--pass-rate takes the lowest and the highest share of right responses, such as 0.2:0.8; found "
                f"{self.pass_rate[0]:g}:{self.pass_rate[1]:g}."
            )
        if not 0 < self.test_share < 1:
            raise HandoffError(f"The test share must be between 0 and 1; found {self.test_share:g}.")
        if min(self.cutoff, self.prompt_limit, self.response_limit) < 1 or self.most < 0 or self.epochs <= 0:
            raise HandoffError("The cut-off, the limits and the epochs must be above 0.")
        if self.loss and not self.tokenizer:
            raise HandoffError(
                "--loss writes tokens, so it needs the model's own tokenizer: --tokenizer FILE (tokenizer.json, its "
                "folder or a model on the Hub)."
            )


FAMILIES = {
    # DeepSeek's R1 distillations are named after their base models too, and write as neither.
    "deepseek_r1": ("deepseek-r1", "r1-distill"),
    "qwq": ("qwq",),
    "qwen3_instruct": ("instruct-2507",),
    "qwen3.5": ("qwen3.5", "qwen3_5", "qwen3.6", "qwen3_6"),
    "qwen3": ("qwen3",),
    "qwen2.5": ("qwen2.5", "qwen2_5", "qwen25", "qwen2"),
    "llama4": ("llama-4", "llama4"),
    "llama3": ("llama-3", "llama3"),
    "gemma4_small": ("gemma-4-e2b", "gemma-4-e4b"),
    "gemma4": ("gemma-4", "gemma4"),
    "gemma3n": ("gemma-3n", "gemma3n"),
    "gemma3": ("gemma-3", "gemma3"),
    "gemma2": ("gemma-2-", "gemma2"),
    "gemma": ("gemma",),
    "olmo3": ("olmo-3", "olmo3"),
    "smollm3": ("smollm3",),
    "smollm2": ("smollm2",),
    "phi4_mini": ("phi-4-mini", "phi4-mini"),
    "phi4": ("phi-4", "phi4"),
    "phi3": ("phi-3", "phi3"),
    "gpt_oss": ("gpt-oss", "gpt_oss"),
    "mistral_small": ("mistral-small",),
    "ministral3": ("ministral-3-",),
    "ministral": ("ministral", "mistral-nemo"),
    "mistral": ("mistral",),
    "granite4": ("granite-4",),
    "granite3": ("granite-3",),
}
"""Families of models, each with the parts of a name that identify it; the first family that fits counts."""


def family_of(model: str) -> str:
    """The family of a model, by its name; empty if no part of the name is known."""
    name = model.lower()
    return next((key for key, parts in FAMILIES.items() if any(part in name for part in parts)), "")
