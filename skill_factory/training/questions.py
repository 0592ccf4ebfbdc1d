"""The questions that samples answer while a model trains, with the right answers where they are known."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from skill_factory.asked import asked, asked_in_row
from skill_factory.build.owned import HELD_OUT
from skill_factory.grading import final_answer
from skill_factory.measure.parts import names_of
from skill_factory.sources.chats.context import asked_by
from skill_factory.sources.turns import turns_of
from skill_factory.traces.chats import plain_messages, with_tools
from skill_factory.trainers.bundle import open_bundle

ASKED = 4
"""Questions among which the samples take turns."""


def held_out(source: Path) -> dict[str, str]:
    """Questions that the build holds out, with their answers; none, and the samples are of the training's questions."""
    if (path := held_out_file(source)) is None:
        return {}
    rows = pq.read_table(path, columns=["question", "answer"]).slice(0, ASKED).to_pylist()
    return {_asks(str(row["question"])): str(row["answer"]) for row in rows}


def held_out_file(source: Path) -> Path | None:
    """The file of the questions that a build holds out, with their answers; None if it holds out none."""
    return next(iter(sorted((source / HELD_OUT).glob("test-*.parquet"))), None)


def right_answers(source: Path) -> dict[str, str]:
    """The right answers of the questions that the samples are of: the first ones, as far as a trace ends in one."""
    if not (source / "report.json").is_file():
        return {}
    bundle, found = open_bundle(source), dict[str, str]()
    names, met = names_of(bundle.recipe.tags), set[str]()
    for row in bundle.rows():
        question, text = asked_in_row(row).question, row["conversations"][-1]["content"]
        met.add(question)
        if len(met) > ASKED:
            break
        if row.get("attempts") and row["attempts"][-1]["correct"] and (answer := final_answer(text, names)):
            found.setdefault(question, answer)
    return found


def _asks(cell: str) -> str:
    """A held-out question as the script asks it: one in a conversation as messages of role and text alone."""
    text = asked_by(cell, None) if turns_of(cell) else cell
    whole = asked(text)
    return cell if whole.alone else json.dumps(with_tools(plain_messages(whole), whole), ensure_ascii=False)
