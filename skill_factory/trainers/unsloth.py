"""Unsloth: the build's own shards, a script and notes."""

from pathlib import Path

from skill_factory.errors import HandoffError
from skill_factory.traces.rows import in_context
from skill_factory.trainers.record import Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write
from skill_factory.trainers.trace_files import write_traces


def write_unsloth(given: Traces, folder: Path) -> None:
    """Write the traces, `train_unsloth.py` and the notes."""
    if in_context(given.bundle.recipe):
        raise HandoffError(
            "Unsloth's script trains every turn of the assistant, and the earlier ones of these conversations aren't ours to "
            "train. Take --to trl, which trains the last turn alone."
        )
    options = given.options
    write_traces(given.bundle, folder / "data", given.keep)
    settings = {"model": repr(options.model), "cutoff": options.cutoff, "epochs": options.epochs}
    write(folder / "train_unsloth.py", fill_template("unsloth.py", **settings))
    write(folder / "TRAINING.md", fill_template("unsloth.md", report=given.report))


UNSLOTH = TracesTrainer("unsloth", "Unsloth", "fine-tune on the traces", write_unsloth, own_template=True)
