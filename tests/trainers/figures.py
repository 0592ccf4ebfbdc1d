"""How far the estimate of a training is from the training: `python -m tests.trainers.figures` rewrites docs/training.md.

Four models from scratch, a few steps each, on one core. Time is that of the processor, so other work doesn't count.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skill_factory.build.pipeline import build
from skill_factory.recipe.model import Recipe
from skill_factory.training import Plan, estimate_training, prepare
from skill_factory.training.estimate import START
from skill_factory.training.events import events_of
from skill_factory.training.facts import model_facts
from skill_factory.training.machines import Trainer, processor_speed

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "training.md"
BEGIN, END = "<!-- figures: made by `python -m tests.trainers.figures` -->", "<!-- figures: end -->"
SIZES = ((32, 2), (128, 4), (256, 6), (384, 8))
STEPS = 4
PYTHON = ROOT / ".trainers" / "trl" / "bin" / "python"


@dataclass(frozen=True)
class Compared:
    """One training, estimated and done."""

    parameters: int
    tokens: tuple[int, int]
    seconds: tuple[float, float]
    memory: tuple[int, int]
    """The estimate, and what was measured."""


def compared(place: Path) -> Iterator[Compared]:
    """Estimate and measure each size."""
    build("demo:24", place / "build", Recipe().changed({"traces.layout": "tight", "traces.attempts": 2}))
    (traces,) = (place / "build" / "sft_train").glob("*.parquet")
    machine = Trainer("one core", "", processor_speed(time.process_time), 0)
    for width, layers in SIZES:
        model, out = place / f"model{width}", place / f"out{width}"
        words = [PYTHON, ROOT / "tests" / "trainers" / "word_model.py", traces, model, width, layers]
        subprocess.run([*map(str, words)], check=True, capture_output=True)
        plan = Plan(str(place / "build"), str(model), out=str(out), steps=STEPS, sample_tokens=0)
        training = prepare(plan)
        facts = model_facts(str(model))
        takes = estimate_training(plan, training.lengths, facts, machine)
        done = subprocess.run(
            [str(PYTHON), str(training.script)],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ},
        )
        events = list(events_of(done.stdout.splitlines()))
        steps = [one for one in events if one["event"] == "step"]
        spent = steps[-1]["processor"] - events[0]["processor"]
        yield Compared(
            facts.parameters if facts else 0,
            (takes.tokens, int(sum(one["tokens"] for one in steps))),
            ((takes.seconds or 0) - START, spent),
            (takes.memory or 0, max(one["memory"] for one in steps)),
        )


def table(found: list[Compared], speed: float) -> str:
    """The figures as Markdown."""
    lines = [
        f"On one core of {speed / 1e9:.0f} billion operations per second, {STEPS} steps of 4 traces each:",
        "",
        "| weights | tokens, estimated and real | seconds, estimated and real | error | memory, estimated and real |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in found:
        error = one.seconds[0] / one.seconds[1] - 1
        lines.append(
            f"| {one.parameters:,} | {one.tokens[0]:,} / {one.tokens[1]:,} | {one.seconds[0]:.1f} / {one.seconds[1]:.1f} "
            f"| {error:+.0%} | {one.memory[0] / 1e9:.2f} GB / {one.memory[1] / 1e9:.2f} GB |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and rewrite the page between its marks."""
    # Before numpy and torch count the cores, in this process and in those it starts.
    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        os.execv(sys.executable, [sys.executable, "-m", "tests.trainers.figures"])
    with tempfile.TemporaryDirectory() as folder:
        found = list(compared(Path(folder)))
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    written = (
        f"{before}{BEGIN}\n{table(found, processor_speed(time.process_time))}\n{END}{rest.partition(END)[2]}"
    )
    PAGE.write_text(written, encoding="utf-8")
    print(json.dumps([one.__dict__ for one in found]))


if __name__ == "__main__":
    main()
