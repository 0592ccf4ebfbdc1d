"""The page of the loop, docs/loop.md, from what was measured."""

import argparse
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.command import ROOT
from tests.loop.steps import Arm, sampling


def page(
    arms: Sequence[Arm],
    trainings: Sequence[dict[str, Any]],
    found: dict[str, Any],
    following: dict[str, Any],
    when: str,
    args: argparse.Namespace,
) -> str:
    """The page as Markdown; every number comes from the arguments."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    runs = [found["runs"][arm.name] for arm in arms]
    first = trainings[0]
    lines = [
        "# The closed loop, on two cores",
        "",
        f"`make loop`, commit {commit}, {when}. This page is written by the command.",
        "",
        "Raw data of the demo's world of sums become three builds; a model is trained from scratch on each, served by a real",
        "inference server, asked questions that it has not seen, and measured; the outputs of the first become the next raw",
        "data. Nothing is downloaded.",
        "",
        f"- Raw data: {args.questions:,} questions with 8 responses each. Each build gives {first['traces']:,} traces (the smallest",
        f"  sets the size) of at most {args.attempts} attempts.",
        f"- Models: GPT-NeoX, {first['parameters'] / 1e6:.2f} million parameters, random weights at the start, {first['seconds'] / 60:.0f} minutes of",
        "  processor time each.",
        f"- Outputs: {args.held_out} questions, {args.samples} outputs each, `{' '.join(sampling(args.temperature))}`. Sampling moves every figure.",
        "- Intervals are 95 %, from resampling questions; the arms are compared on the same questions.",
        "",
        "## Training",
        "",
        "| arm | what it changes | tokens seen | loss, first | last | held out |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {arm.name} | {arm.what} | {one['tokens_seen']:,} | {one['loss_first']} | {one['loss_last']} | {one['loss_held_out']} |"
            for arm, one in zip(arms, trainings, strict=True)
        ),
        "",
        "## What the models do",
        "",
        f"| | {' | '.join(arm.name for arm in arms)} |",
        f"| --- |{' ---: |' * len(arms)}",
        *(f"| {name} | {' | '.join(map(read, runs))} |" for name, read in ROWS),
        "",
        "## Compared with the first arm",
        "",
        "| arm | figure | difference | interval |",
        "| --- | --- | ---: | ---: |",
        *(
            _compared(one)
            for one in found["comparisons"]
            if one["figure"] in COMPARED and one["value"] is not None
        ),
        "",
        "## The next dataset",
        "",
        f"The outputs of `{arms[0].name}` give {following['rows']:,} raw responses with labels and reflections; a build of them with",
        f"at most {following['attempts']} attempts has {following['traces']:,} traces. No column had to be named.",
        "",
        "## What this shows, and what it doesn't",
        "",
        "A model of this size learns the form of the skill and its control (what follows a verdict), and sums of two digits in",
        "part. It doesn't show that a large model reasons better after such training: that takes a pretrained model, and",
        "training with rewards after it.",
        "",
    ]
    return "\n".join(lines)


def _interval(value: dict[str, Any] | None) -> str:
    if not value or value.get("value") is None:
        return "–"
    low, high = value.get("low"), value.get("high")
    around = "" if low is None else f" ({low:.2f} to {high:.2f})"
    return f"{value['value']:.2f}{around}"


def _share(run: dict[str, Any], name: str) -> str:
    after = run["after"]
    of = sum(number for key, number in after.items() if key.startswith(name.split("_")[0]))
    return f"{after[name] / of:.2f} of {of:,}" if of else "–"


def _compared(one: dict[str, Any]) -> str:
    return f"| {one['b']} − {one['a']} | {one['figure']} | {one['value']:+.3f} | {one['low']:+.3f} to {one['high']:+.3f} |"


COMPARED = ("accuracy.first", "accuracy.final", "accuracy.any", "f1.correct", "f1.incorrect", "attempts")
ROWS = (
    ("attempts an output", lambda run: _interval(run["intervals"]["attempts"])),
    ("well formed", lambda run: f"{1 - run['malformed'] / run['outputs']:.2f}"),
    ("cut off", lambda run: f"{run['cut_off'] / run['outputs']:.2f}"),
    ("first attempt right", lambda run: _interval(run["accuracy"]["first"])),
    ("final answer right", lambda run: _interval(run["accuracy"]["final"])),
    ("any attempt right", lambda run: _interval(run["accuracy"]["any"])),
    ("F1 of *correct*", lambda run: _interval(run["f1"]["correct"])),
    ("F1 of *incorrect*", lambda run: _interval(run["f1"]["incorrect"])),
    ("tries again after *incorrect*", lambda run: _share(run, "incorrect_tries_again")),
    ("ends after *correct*", lambda run: _share(run, "correct_ends")),
    ("fixed (wrong → right)", lambda run: str(run["moves"]["fixed"])),
    ("broken (right → wrong)", lambda run: str(run["moves"]["broken"])),
)
