"""Transformers' own Trainer, or any other program that takes ids and labels: a script with a collator of ten lines."""

from pathlib import Path

from skill_factory.trainers.record import Tokens, TokensTrainer
from skill_factory.trainers.templates import fill_template, write


def write_transformers(given: Tokens, folder: Path) -> None:
    """Write `collator.py`, `train_tokens.py` and the notes, beside the tokens in `data`."""
    options = given.options
    write(folder / "collator.py", fill_template("collator.py"))
    settings = {"model": repr(options.model), "epochs": options.epochs}
    write(folder / "train_tokens.py", fill_template("train_tokens.py", **settings))
    write(folder / "TRAINING.md", fill_template("transformers.md", report=given.report))


TRANSFORMERS = TokensTrainer(
    "transformers", "Transformers", "fine-tune on chosen parts of the traces", write_transformers
)
