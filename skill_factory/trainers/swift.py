"""ms-swift: the traces as messages, its command and notes."""

import shlex
from functools import partial
from pathlib import Path

from skill_factory.trainers.message_files import message_row, write_messages
from skill_factory.trainers.record import Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write

OF_SWIFT = partial(message_row, left_out={"loss": False}, plain=True, tools_as_text=True)
"""ms-swift leaves a turn out of the loss that says so."""


def write_swift(given: Traces, folder: Path) -> None:
    """Write `train.jsonl`, `train.sh` and the notes."""
    options = given.options
    write_messages(given.bundle, folder / "train.jsonl", given.keep, OF_SWIFT)
    settings = {"model": shlex.quote(options.model), "cutoff": options.cutoff, "epochs": options.epochs}
    write(folder / "train.sh", fill_template("swift.sh", **settings))
    write(folder / "TRAINING.md", fill_template("swift.md", report=given.report))


SWIFT = TracesTrainer("swift", "ms-swift", "fine-tune on the traces", write_swift)
