"""OpenRLHF: the traces as messages, its command and notes."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skill_factory.asked import asked_in_row
from skill_factory.traces.chats import plain_messages, with_tools
from skill_factory.trainers.message_files import write_messages
from skill_factory.trainers.record import Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write


def openrlhf_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """
    A row as messages of role and text alone: OpenRLHF gives a template nothing else, so the system message tells the tools.

    Earlier turns of the assistant need no mark, since it trains the last turn alone.
    """
    asked, trace = asked_in_row(row), row["conversations"][-1]
    if asked.alone:
        return {"messages": row["conversations"]}
    return {"messages": [*with_tools(plain_messages(asked), asked), trace]}


def write_openrlhf(given: Traces, folder: Path) -> None:
    """Write `train.jsonl`, `train.sh` and the notes."""
    options = given.options
    write_messages(given.bundle, folder / "train.jsonl", given.keep, openrlhf_row)
    settings = {
        "model": shlex.quote(options.model),
        "cutoff": options.cutoff,
        # It takes whole epochs.
        "epochs": max(1, round(options.epochs)),
    }
    write(folder / "train.sh", fill_template("openrlhf.sh", **settings))
    write(folder / "TRAINING.md", fill_template("openrlhf.md", report=given.report))


OPENRLHF = TracesTrainer("openrlhf", "OpenRLHF", "fine-tune on the traces", write_openrlhf, own_template=True)
