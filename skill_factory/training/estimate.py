"""What a training takes on a machine: tokens, steps, memory, time and money, by the rule of docs/training.md."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skill_factory.training.facts import ModelFacts
from skill_factory.training.machines import Trainer
from skill_factory.training.plan import Method, Plan

SHARE = {"cpu": 0.58, "gpu": 0.35}
"""The share of a machine's speed that training reaches; of a CPU it was measured (docs/training.md)."""
PER_TRACE = 0.03
"""Seconds of a CPU for each trace, however small the model is: batches, calls, the optimizer."""
START = 60.0
"""Seconds until the first step: packages, weights."""
ROOM = 2.0
"""A time-out is so many times the estimate, and `EXTRA` minutes on top."""
EXTRA, LEAST = 20, 30


@dataclass(frozen=True)
class Estimate:
    """What a training takes; None for what can't be told."""

    traces: int
    tokens: int
    """Tokens that are trained on, over all epochs; for GRPO those that are written and trained on."""
    steps: int
    over: int
    """Traces that the cut-off shortens."""
    memory: int | None
    seconds: float | None
    machine: Trainer
    rough: bool = False
    """Whether only the model's size is known, from its name: its layers and vocabulary would take more."""

    @property
    def dollars(self) -> float:
        """What a rented machine costs for that time; 0 here."""
        return self.machine.dollars_per_hour * (self.seconds or 0.0) / 3600

    @property
    def fits(self) -> bool:
        """Whether the machine has that much memory, or that can't be told."""
        return not self.memory or not self.machine.memory or self.memory <= self.machine.memory

    @property
    def minutes(self) -> int:
        """A time-out that fits: the estimate with room, since what is late would be lost."""
        return max(LEAST, math.ceil(ROOM * (self.seconds or 0.0) / 60) + EXTRA)


def estimate_training(
    plan: Plan, lengths: npt.NDArray[np.int32], facts: ModelFacts | None, machine: Trainer
) -> Estimate:
    """The estimate for traces (or, for GRPO, answers of a question each) of these lengths in tokens."""
    short = lengths <= plan.cutoff
    kept = (lengths[short] if plan.drop_over else np.minimum(lengths, plan.cutoff)).astype(np.float64)
    whole = math.ceil(math.ceil(len(kept) / plan.batch) * plan.epochs)
    steps = min(whole, plan.steps or whole)
    # The traces that are seen: all of them `epochs` times, or fewer if the steps are limited.
    seen = min(len(kept) * plan.epochs, float(steps * plan.batch))
    each = plan.generations if plan.method is Method.GRPO else 1
    mean = float(kept.mean()) if len(kept) else 0.0
    tokens = int(seen * each * mean)
    over = int((~short).sum())
    if facts is None:
        return Estimate(len(kept), tokens, steps, over, None, None, machine)
    longest = float(kept.max()) if len(kept) else 0.0
    memory = _memory(plan, facts, longest, bool(machine.device))
    seconds = _seconds(plan, facts, kept, tokens, seen * each, machine)
    return Estimate(len(kept), tokens, steps, over, memory, seconds, machine, not facts.layers)


def _seconds(
    plan: Plan,
    facts: ModelFacts,
    lengths: npt.NDArray[np.float64],
    tokens: int,
    traces: float,
    machine: Trainer,
) -> float | None:
    if not machine.speed:
        return None
    gpu = bool(machine.device)
    # Attention grows with the length of the trace in which a token stands.
    stands_in = float((lengths**2).sum() / lengths.sum()) if lengths.sum() else 0.0
    # Forward is 2 operations per weight, backward 4; an adapter needs no gradients of the weights that stay.
    per_weight = (4 if plan.lora else 6) + (2 if gpu else 0)  # checkpointing on a GPU runs forward again
    work = tokens * (per_weight * facts.multiplied + 2 * per_weight * facts.layers * facts.width * stands_in)
    seconds = work / (machine.speed * SHARE["gpu" if gpu else "cpu"])
    if not gpu:
        seconds += traces * PER_TRACE
    if plan.method is Method.GRPO:
        seconds += _writing(plan, facts, lengths, traces, machine)
    return START + seconds


def _writing(
    plan: Plan, facts: ModelFacts, lengths: npt.NDArray[np.float64], traces: float, machine: Trainer
) -> float:
    """Seconds for the answers of GRPO: every token of a question's answers reads all weights once."""
    mean = float(np.minimum(lengths, plan.completion).mean()) if len(lengths) else 0.0
    bandwidth = machine.speed / (150 if machine.device else 8)
    per_token = max(2.0 * facts.parameters / bandwidth, facts.layers * 5e-4)
    return traces / plan.generations * mean * per_token


def _memory(plan: Plan, facts: ModelFacts, longest: float, gpu: bool) -> int:
    """Bytes: weights with their gradients and Adam's two moments, what a trace leaves behind, and the program."""
    if plan.lora:
        # An adapter of rank 16 has about a hundredth of the weights.
        state = facts.parameters * (2 if gpu else 4) + 0.01 * facts.parameters * 16
    else:
        state = facts.parameters * 16.0
    at_once = plan.generations if plan.method is Method.GRPO else 1
    numbers = 2 if gpu else 4
    # With checkpointing a layer keeps its input alone, and one layer at a time keeps the rest.
    kept = facts.layers * (1 if gpu else 16) + (16 if gpu else 0)
    trace = longest * at_once * (numbers * facts.width * kept + 3 * 4 * facts.vocabulary)
    program = 1.5e9 if gpu else 0.6e9
    return int(state + trace + program)


def cheapest(takes: Iterable[Estimate]) -> Estimate | None:
    """What costs least in all, of the machines that are known to have the memory; None where none is."""
    fitting = [one for one in takes if one.fits and one.seconds is not None]
    return min(fitting, key=lambda one: (one.dollars, one.machine.dollars_per_hour), default=None)
