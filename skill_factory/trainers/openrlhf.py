"""OpenRLHF: the traces as messages, its command and notes."""

import shlex
from functools import partial
from pathlib import Path

from skill_factory.trainers.message_files import message_row, write_messages
from skill_factory.trainers.record import Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write

OF_OPENRLHF = partial(message_row, left_out={}, plain=True, tools_as_text=True)
"""OpenRLHF trains the last turn alone, and knows no calls."""


def write_openrlhf(given: Traces, folder: Path) -> None:
    """Write `train.jsonl`, `train.sh` and the notes."""
    options = given.options
    write_messages(given.bundle, folder / "train.jsonl", given.keep, OF_OPENRLHF)
    settings = {
        "model": shlex.quote(options.model),
        "cutoff": options.cutoff,
        # It takes whole epochs.
        "epochs": max(1, round(options.epochs)),
    }
    write(folder / "train.sh", fill_template("openrlhf.sh", **settings))
    write(folder / "TRAINING.md", fill_template("openrlhf.md", report=given.report))


OPENRLHF = TracesTrainer("openrlhf", "OpenRLHF", "fine-tune on the traces", write_openrlhf, own_template=True)
