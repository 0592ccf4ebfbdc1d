"""Tokens with labels reach the model as they were written: the trainers' own readers, batches and steps, on a CPU."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from skill_factory.build.pipeline import build
from skill_factory.recipe.model import Recipe
from skill_factory.trainers import AXOLOTL, LLAMAFACTORY, TRANSFORMERS, TRL, Options, Trainer, export_build
from tests.trainers.test_trainers import HERE, in_llamafactory, in_trl, last_json, run_in

pytestmark = pytest.mark.trainers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model with its tokenizer and chat template."""
    folder = tmp_path_factory.mktemp("model") / "qwen2"
    run_in("llamafactory-verl", "python", HERE / "tiny_model.py", folder, "qwen2")
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small build with every closing."""
    folder = tmp_path_factory.mktemp("tokens") / "demo"
    formats = ["*C_full", "*C*IC", "*CC", "no_reflection"]
    build("demo:8", folder, Recipe().changed({"traces.formats": formats, "traces.attempts": 3}), workers=1)
    return folder


def exported(demo: Path, model: Path, trainer: Trainer, out: Path) -> Path:
    """An export that leaves wrong attempts out of the loss."""
    options = Options(str(model), loss="no_wrong_attempts", tokenizer=str(model), epochs=0.05)
    return export_build(demo, trainer, out, options).path


@pytest.mark.parametrize(
    ("trainer", "environment", "reader"),
    [
        pytest.param(TRL, "trl", "trl", marks=in_trl),
        pytest.param(TRANSFORMERS, "trl", "plain", marks=in_trl),
        pytest.param(LLAMAFACTORY, "llamafactory-verl", "llamafactory", marks=in_llamafactory),
        pytest.param(AXOLOTL, "llamafactory-verl", "axolotl", marks=in_llamafactory),
    ],
    ids=["trl", "transformers", "llamafactory", "axolotl"],
)
@in_llamafactory
def test_a_trainer_hands_on_exactly_the_labels(
    trainer: Trainer, environment: str, reader: str, demo: Path, model: Path, tmp_path: Path
) -> None:
    """Ids and labels of every row, in order, without padding."""
    out = exported(demo, model, trainer, tmp_path / "out")
    own = {"HF_HOME": str(tmp_path / "cache"), "HF_DATASETS_CACHE": str(tmp_path / "cache" / "datasets")}
    if (out / "prepare.py").exists():
        run_in(environment, "python", "prepare.py", cwd=out, **own)
    found = last_json(run_in(environment, "python", HERE / "tokens_read.py", reader, model, cwd=out, **own))[
        "rows"
    ]
    rows = [
        row for file in sorted((out / "data").glob("*.parquet")) for row in pq.read_table(file).to_pylist()
    ]
    assert found == [{"input_ids": row["input_ids"], "labels": row["labels"]} for row in rows]
    assert any(-100 in row["labels"] for row in rows)


@in_llamafactory
@pytest.mark.parametrize(
    ("trainer", "environment", "commands"),
    [
        pytest.param(TRL, "trl", ["python train_sft.py"], marks=in_trl),
        pytest.param(TRANSFORMERS, "trl", ["python train_tokens.py"], marks=in_trl),
        (
            LLAMAFACTORY,
            "llamafactory-verl",
            [
                "python prepare.py",
                "llamafactory-cli train train_sft.yaml bf16=false use_cpu=true max_steps=2",
            ],
        ),
    ],
    ids=["trl", "transformers", "llamafactory"],
)
def test_the_notes_are_followed_to_the_letter(
    trainer: Trainer, environment: str, commands: list[str], demo: Path, model: Path, tmp_path: Path
) -> None:
    """Each command stands in TRAINING.md, and a fresh folder of files trains with it on a CPU and leaves a model."""
    out = exported(demo, model, trainer, tmp_path / "out")
    own = {"HF_HOME": str(tmp_path / "cache"), "HF_DATASETS_CACHE": str(tmp_path / "cache" / "datasets")}
    notes = (out / "TRAINING.md").read_text()
    for command in commands:
        assert command in notes
        run_in(environment, "bash", "-c", command, cwd=out, **own)
    assert (out / "saves" / "sft" / "model.safetensors").is_file()
