"""TRL: the traces as `prompt` and `completion` or as tokens, a script and notes."""

import json
from pathlib import Path

from skill_factory.traces.rows import in_context
from skill_factory.trainers.options import family_of
from skill_factory.trainers.own_template import own_template_words
from skill_factory.trainers.record import Tokens, Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write
from skill_factory.trainers.trace_files import write_chats, write_traces


def write_trl(given: Traces, folder: Path) -> None:
    """Write the traces, `train_sft.py` and the notes."""
    options = given.options
    # The names that TRL's trainer looks for.
    columns = ["prompt", "completion"]
    if in_context(given.bundle.recipe):
        write_chats(given.bundle, folder, given.keep)
        columns.append("tools")
    else:
        write_traces(given.bundle, folder, given.keep, {"conversations": "messages"}, pairs=True)
    settings = {
        "columns": json.dumps(columns),
        # As a Python string, since it stands in a script.
        "model": repr(options.model),
        "cutoff": options.cutoff,
        "epochs": options.epochs,
        "chat_template": "",
    }
    if family_of(options.model) == "deepseek_r1":
        write(folder / "chat_template.jinja", fill_template("deepseek_r1.jinja"))
        settings["chat_template"] = '\n    chat_template_path="chat_template.jinja",'
    write(folder / "train_sft.py", fill_template("trl_sft.py", **settings))
    words = own_template_words(options.model)
    write(folder / "TRAINING.md", fill_template("trl.md", template=words, report=given.report))


def write_trl_tokens(given: Tokens, folder: Path) -> None:
    """Write `train_sft.py` and the notes, beside the tokens in `data`."""
    options = given.options
    settings = {"model": repr(options.model), "cutoff": options.cutoff, "epochs": options.epochs}
    write(folder / "train_sft.py", fill_template("trl_tokens.py", **settings))
    write(folder / "TRAINING.md", fill_template("trl_tokens.md", report=given.report))


TRL = TracesTrainer(
    "trl", "TRL", "fine-tune on the traces", write_trl, tokens=write_trl_tokens, own_template=True
)
