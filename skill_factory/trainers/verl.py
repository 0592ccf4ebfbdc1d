"""verl: questions and gold answers as Parquet, a reward function, the GRPO command; TRL's GRPO reads the same files."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.asked import asked, question_in
from skill_factory.draws import text_id
from skill_factory.grading import BlockNames, reward_source
from skill_factory.model import hex_id
from skill_factory.traces.chats import plain_messages
from skill_factory.trainers.options import Options
from skill_factory.trainers.questions import GoldQuestion, QuestionPool, Split, mean_pass_rate
from skill_factory.trainers.record import Questions, QuestionsTrainer
from skill_factory.trainers.templates import fill_template

DATA_SOURCE = "skill_factory/questions"
"""A name that verl doesn't know: it scores the names it knows by its own rules."""
BATCH, MINI_BATCH, EPOCHS = 256, 32, 50

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
ROWS = pa.schema(
    [
        ("data_source", pa.string()),
        ("prompt", pa.list_(MESSAGE)),
        ("ability", pa.string()),
        ("reward_model", pa.struct([("style", pa.string()), ("ground_truth", pa.string())])),
        (
            "extra_info",
            pa.struct(
                [
                    ("split", pa.string()),
                    ("index", pa.int64()),
                    ("question", pa.string()),
                    ("question_id", pa.string()),
                ]
            ),
        ),
    ]
)
"""One row per question, as verl's loader and TRL's trainers read it."""


def question_rows(questions: Sequence[GoldQuestion], split: str, first: int) -> list[dict[str, Any]]:
    """Questions as rows of `ROWS`; `first` is the index of the first, so that every row of an export has its own."""
    return [
        {
            "data_source": DATA_SOURCE,
            "prompt": plain_messages(asked(question.question)),
            "ability": "reasoning",
            "reward_model": {"style": "rule", "ground_truth": question.gold},
            "extra_info": {
                "split": split,
                "index": first + place,
                # The question alone, which the reward reads; the prompt has its conversation.
                "question": question_in(question.question),
                "question_id": hex_id(text_id(question.question)),
            },
        }
        for place, question in enumerate(questions)
    ]


def batch_sizes(questions: int) -> tuple[int, int]:
    """Train batch and mini-batch: the paper's, or smaller if there are fewer questions than one batch."""
    if questions >= BATCH:
        return BATCH, MINI_BATCH
    # verl drops an incomplete last batch, so one must fit at all.
    mini = min(MINI_BATCH, questions)
    # A multiple of the mini-batch, so that each update takes whole ones.
    return questions // mini * mini, mini


def write_verl(given: Questions, folder: Path) -> None:
    """Write questions, reward, command, TRL's script and the notes into a folder."""
    bundle, options, split = given.bundle, given.options, given.split
    # One numbering over both files: trainers log the index, and it should name one question.
    for name, questions, first in (("train", split.train, 0), ("test", split.test, len(split.train))):
        rows = question_rows(questions, name, first)
        pq.write_table(pa.Table.from_pylist(rows, schema=ROWS), folder / f"{name}.parquet")
    # The reward reads the tags that the model was trained to write.
    names = BlockNames(*bundle.recipe.tags.model_dump().values())
    (folder / "reward.py").write_text(reward_source(options.task, options.weights, names), encoding="utf-8")
    batch, mini = batch_sizes(len(split.train))
    settings = {
        "batch": batch,
        "mini_batch": mini,
        "prompt_limit": options.prompt_limit,
        "response_limit": options.response_limit,
        # It stands in a shell script, where a name with spaces would fall apart.
        "model": shlex.quote(options.model),
    }
    (folder / "run_grpo.sh").write_text(fill_template("verl_grpo.sh", **settings), encoding="utf-8")
    # The next file is Python.
    settings["model"] = repr(options.model)
    (folder / "train_grpo_trl.py").write_text(fill_template("verl_trl.py", **settings), encoding="utf-8")
    notes = fill_template("verl.md", **settings, **_notes(given, batch, names), report=given.report)
    (folder / "TRAINING.md").write_text(notes, encoding="utf-8")


def _chosen_words(options: Options) -> str:
    words = {
        "random": "drawn at random from all questions of the source, for training and for testing alike",
        "unused": "those without a trace, which are those that the model never solved, or seldom",
        "all": "those without a trace first, and these before others in the test, so that the test is harder",
    }[options.questions]
    if options.pass_rate:
        words += f", of those with a pass rate from {options.pass_rate[0]:g} to {options.pass_rate[1]:g}"
    return words


def _rates(pool: QuestionPool, split: Split) -> str:
    """The mean pass rates, so that nobody takes a hard choice for a fair one."""
    said = (
        f"{name} {rate:.2f}"
        for name, rate in (
            ("to train on", mean_pass_rate(split.train)),
            ("to test with", mean_pass_rate(split.test)),
            ("all of the source", mean_pass_rate(pool.questions)),
        )
        if rate is not None
    )
    return ", ".join(said) or "unknown"


def _notes(given: Questions, batch: int, names: BlockNames) -> dict[str, Any]:
    options, pool, split = given.options, given.pool, given.split
    smaller = (
        ""
        if batch == BATCH
        else f"The paper's batch is {BATCH}; here it is smaller, so that there are enough questions for one."
    )
    return {
        "train": f"{len(split.train):,}",
        "test": f"{len(split.test):,}",
        "used": f"{sum(question.used for question in (*split.train, *split.test)):,}",
        "steps": f"{len(split.train) // batch * EPOCHS:,}",
        "batch_note": smaller,
        "chosen": _chosen_words(options),
        "rates": _rates(pool, split),
        "data_source": DATA_SOURCE,
        "answer_tag": names.answer,
        "think_tag": names.think,
        "no_gold": f"{pool.no_gold:,}",
        "unjudged": f"{pool.unjudged:,}",
        "several": f"{pool.several_golds:,}",
    }


VERL = QuestionsTrainer("verl", "verl", "reinforcement learning on the questions", write_verl)
