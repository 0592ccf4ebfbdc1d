"""What is read out of notes: the commands that a person would copy, and whose templates the notes speak of."""

from pathlib import Path

import pytest

from skill_factory.build.pipeline import build
from skill_factory.recipe.model import Recipe
from skill_factory.trainers import TRAINERS, Options, export_build
from tests.letter.cases import CASES
from tests.letter.follow import faults_of
from tests.letter.notes import commands, families, placeholders

NOTES = """# Training

    bash train.sh --fast    # the usual way

Or `python train.py --trial`, with `python` of your own.

- a list, then `bash train.sh --fast` again

    id = "no command"
"""


def test_commands_are_those_that_can_be_copied() -> None:
    """Lines that are set apart and code within a sentence, each once; not a program's name alone, not a setting."""
    assert [(one.text.partition(" #")[0].strip(), one.alone) for one in commands(NOTES)] == [
        ("bash train.sh --fast", True),
        ("python train.py --trial", False),
    ]


def test_a_word_to_be_replaced_is_found() -> None:
    """`MODEL` is; an environment variable's value, a path and an option aren't."""
    assert placeholders("vf-eval x -m MODEL -n 5") == ["MODEL"]
    assert placeholders("bash run.sh --cfg job trainer.logger=CONSOLE A=B") == []


def test_families_are_found_by_name() -> None:
    """However the notes spell them."""
    assert families("Qwen2.5's template, `qwen3` and DeepSeek's") == {"qwen2.5", "qwen3", "deepseek_r1"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small build in the paper's layout, which Qwen3's own template would rewrite."""
    folder = tmp_path_factory.mktemp("letter") / "demo"
    build("demo:12", folder, Recipe().changed({"traces.attempts": 2}), workers=1)
    return folder


MODELS = (
    "Qwen/Qwen2.5-7B",
    "Qwen/Qwen3-8B",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
    "google/gemma-4-12b",
    "me/my-own",
)


@pytest.mark.parametrize("trainer", [name for name in TRAINERS if name not in ("openai",)])
def test_notes_speak_of_the_chosen_model_and_leave_nothing_to_fill_in(
    trainer: str, demo: Path, tmp_path: Path
) -> None:
    """No other family's template is named, no command has a word to be replaced."""
    for model in MODELS:
        out = export_build(demo, TRAINERS[trainer], tmp_path / model, Options(model)).path
        text = (out / "TRAINING.md").read_text(encoding="utf-8")
        assert commands(text) and faults_of(text, model) == []


def test_every_trainer_is_followed() -> None:
    """A trainer without a case would have notes that nobody has tried."""
    assert {case.trainer for case in CASES} == {*TRAINERS, "transformers"}
