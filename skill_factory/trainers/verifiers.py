"""verifiers and prime-rl: an environment with the questions and our reward, as a package that can be installed."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skill_factory.asked import asked
from skill_factory.grading import BlockNames, reward_source
from skill_factory.traces.chats import plain_messages
from skill_factory.trainers.questions import GoldQuestion
from skill_factory.trainers.record import Questions, QuestionsTrainer
from skill_factory.trainers.templates import fill_template, write

PACKAGE = "skill_factory_questions"


def write_verifiers(given: Questions, folder: Path) -> None:
    """Write the environment's package, a configuration for prime-rl and the notes."""
    options, split = given.options, given.split
    package = folder / PACKAGE
    package.mkdir()
    write(package / "__init__.py", fill_template("verifiers_env.py"))
    names = BlockNames(*given.bundle.recipe.tags.model_dump().values())
    write(package / "reward.py", reward_source(options.task, options.weights, names))
    for name, questions in (("train", split.train), ("test", split.test)):
        write(package / f"{name}.jsonl", _lines(questions))
    write(folder / "pyproject.toml", fill_template("verifiers_pyproject.toml"))
    settings = {"train": f"{len(split.train):,}", "test": f"{len(split.test):,}"}
    # It stands in a command that is copied as it is.
    settings["model"] = shlex.quote(options.model)
    write(folder / "TRAINING.md", fill_template("verifiers.md", **settings, report=given.report))


def _lines(questions: Sequence[GoldQuestion]) -> str:
    # `info` is a text: differing structures don't fit into one column.
    return "".join(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in questions)


def _row(one: GoldQuestion) -> dict[str, Any]:
    whole = asked(one.question)
    if whole.alone:
        return {"question": one.question, "answer": one.gold}
    # A prompt of its own takes the place of the one that verifiers makes of a question.
    return {"prompt": plain_messages(whole), "question": whole.question, "answer": one.gold}


VERIFIERS = QuestionsTrainer(
    "verifiers", "verifiers and prime-rl", "reinforcement learning on the questions", write_verifiers
)
