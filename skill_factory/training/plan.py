"""What a person asks for: the dataset, the model, how and where it is trained."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from skill_factory.errors import TrainingError
from skill_factory.hub.client import check_name
from skill_factory.traces.lengths import CUTOFF


class Method(StrEnum):
    """How a model learns: from the traces, or from the reward of its own answers."""

    SFT = "sft"
    GRPO = "grpo"


class Place(StrEnum):
    """Where the script runs."""

    HERE = "here"
    JOBS = "hf-jobs"


LOGGERS = ("none", "trackio", "wandb", "tensorboard")
"""Where TRL may send its figures, by its own names."""
RATES = {
    (Method.SFT, False): 1e-6,
    (Method.SFT, True): 2e-4,
    (Method.GRPO, False): 1e-6,
    (Method.GRPO, True): 1e-5,
}
"""Learning rates by method and whether only an adapter is trained: those of arXiv 2512.04072, and what LoRA takes."""
BATCH = 4
"""Traces (or questions) of a step: the paper trained one on each of its four GPUs."""


@dataclass(frozen=True)
class Plan:
    """One training. Errors: TrainingError for values that don't go together."""

    data: str
    """A build folder, or what `export` wrote from one."""
    model: str
    """A folder, or a name on the Hub."""
    method: Method = Method.SFT
    lora: bool = False
    """Train a small adapter, and leave the model's own weights as they are."""
    place: Place = Place.HERE
    flavor: str = ""
    """The kind of machine to rent."""
    minutes: int = 0
    """When the training has to stop; 0 sets it from the estimate on a rented machine, and never here."""
    out: str = ""
    to: str = ""
    """The model repository, as USER/NAME."""
    public: bool = False
    epochs: float = 2.0
    steps: int = 0
    """Maximum steps; 0 means no limit."""
    batch: int = BATCH
    rate: float = 0.0
    """The learning rate; 0 takes that of the method."""
    cutoff: int = CUTOFF
    drop_over: bool = False
    seed: int = 0
    save_minutes: float = 10.0
    sample_tokens: int = 512
    """The longest sample that is taken during the training; 0 takes none."""
    report_to: str = "none"
    generations: int = 8
    """GRPO: outputs of a question."""
    completion: int = 2_048
    """GRPO: the longest output."""
    source: tuple[str, ...] = ()
    """GRPO: where the questions of the build are, if it was made from a file."""

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise TrainingError(
                "Name the model to train, by its folder or its name on the Hub: --model NAME."
            )
        if self.report_to not in LOGGERS:
            raise TrainingError(f"--report-to takes {', '.join(LOGGERS)}; found {self.report_to!r}.")
        if min(self.epochs, self.batch, self.cutoff, self.completion) <= 0 or self.generations < 2:
            raise TrainingError(
                "Epochs, traces per step, cut-off and output length must be above 0, outputs of a question above 1."
            )
        if min(self.steps, self.minutes, self.rate, self.save_minutes, self.sample_tokens) < 0:
            raise TrainingError(
                "Steps, minutes, the learning rate and the length of samples can't be below 0."
            )
        if self.to:
            check_name(self.to)
        if self.place is Place.JOBS:
            self._check_job()

    def _check_job(self) -> None:
        if not self.to:
            raise TrainingError(
                "A rented machine is gone after its job, so say where the model goes: --to USER/MODEL."
            )
        if Path(self.model).exists():
            raise TrainingError(
                f"{self.model} is a folder here, which a rented machine can't read. Publish the model on the Hub, and "
                "give its name there."
            )

    @property
    def learning_rate(self) -> float:
        """The chosen learning rate, else that of the method."""
        return self.rate or RATES[self.method, self.lora]

    @property
    def folder(self) -> Path:
        """Where the training lies: `--out`, else a folder named after dataset, model and method."""
        if self.out:
            return Path(self.out)
        names = (Path(self.data).resolve().name, self.model.rstrip("/").rpartition("/")[2], self.method.value)
        return Path("-".join(names) + ("-lora" if self.lora else ""))
