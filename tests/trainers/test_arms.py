"""An arm of a suite is a config: trainers load it by its name. And what the templates that we name make of a trace."""

from pathlib import Path

import pytest

from skill_factory.trainers import LLAMAFACTORY
from skill_factory.trainers.llamafactory import OTHER_MARKS, REASONING, template_words
from tests import command
from tests.trainers.test_trainers import (
    END,
    HERE,
    in_llamafactory,
    in_trl,
    last_json,
    run_in,
    traces_of,
    whole,
)

pytestmark = [pytest.mark.trainers, whole]

SUITE = """version = 1
name = "two"
[[arms]]
name = "any_order"
says = "no order"
changes = { "traces.formats" = ["random"] }
"""
TRACE = "<think>\n<sample>\na\n</sample>\n</think>\n\nSo:\n\n<answer>\n4\n</answer>"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model with plain ChatML, the assistant's turn marked."""
    folder = tmp_path_factory.mktemp("model") / "qwen2"
    run_in("llamafactory-verl", "python", HERE / "tiny_model.py", folder, "qwen2")
    return folder


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite of two arms."""
    folder = tmp_path_factory.mktemp("arms")
    (folder / "suite.toml").write_text(SUITE)
    done = command.run(
        "ablate", "demo:12", "--suite", folder / "suite.toml", "--out", folder / "out", "--attempts", "2"
    )
    assert done.exit == 0, done.err
    return folder / "out"


def expected(suite: Path, arm: str) -> list[str]:
    """What is trained: each trace of the arm, and the end of the turn."""
    return [trace + END for trace in traces_of(suite / "arms" / arm / "sft_train")]


@in_llamafactory
def test_llamafactory_loads_an_arm_by_its_name(suite: Path, model: Path, tmp_path: Path) -> None:
    """The suite's folder is the data folder, the arm's name the dataset: its traces and no other arm's."""
    own = {"HF_HOME": str(tmp_path), "HF_DATASETS_CACHE": str(tmp_path / "datasets")}
    for arm in ("base", "any_order"):
        words = ("python", HERE / "llamafactory_labels.py", suite, arm, model, "qwen", 200_000)
        assert last_json(run_in("llamafactory-verl", *words, **own))["labels"] == expected(suite, arm)
    assert expected(suite, "base") != expected(suite, "any_order")


@in_trl
@in_llamafactory
def test_trl_loads_an_arm_by_its_name(suite: Path, model: Path, tmp_path: Path) -> None:
    """`load_dataset(FOLDER, ARM)` gives the arm, and TRL trains on exactly its traces."""
    own = {"HF_HOME": str(tmp_path), "HF_DATASETS_CACHE": str(tmp_path / "datasets")}
    words = ("python", HERE / "arm_labels.py", suite, "any_order", model)
    assert last_json(run_in("trl", *words, **own))["labels"] == expected(suite, "any_order")


@in_llamafactory
def test_the_notes_say_what_each_template_of_llamafactory_does(model: Path) -> None:
    """Every template that a family leads to, R1's too: exactly the trace, or what the notes warn of."""
    names = sorted({*LLAMAFACTORY.families.values()})
    words = ("python", HERE / "template_labels.py", model, *names)
    found = last_json(run_in("llamafactory-verl", *words, stdin=TRACE))
    assert "deepseekr1" in names
    for name in names:
        thinking, without = found[name]
        exact = thinking.removeprefix(" ").startswith(TRACE)
        assert exact is (name not in OTHER_MARKS), f"{name}: {thinking}"
        # The trap: the thinking is gone from what is learned.
        assert ("<sample>" not in without) is (name in REASONING), f"{name}: {without}"
        assert ("removes all the thinking" in template_words(name)) is (name in REASONING)
        if name in OTHER_MARKS:
            assert TRACE in thinking and without.startswith(TRACE)
