"""An export holds what a trainer needs, says what the trainer would do to it, and touches nothing else."""

import json
import re
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from skill_factory.build.pipeline import build
from skill_factory.errors import HandoffError
from skill_factory.recipe.model import Recipe
from skill_factory.traces.lengths import estimating_counter
from skill_factory.trainers import (
    AXOLOTL,
    LLAMAFACTORY,
    TRAINERS,
    TRL,
    VERL,
    Options,
    Trainer,
    check_build,
    export_build,
    preflight,
)
from skill_factory.trainers.preflight import RowLimits, Trouble, after_qwen3
from skill_factory.trainers.verl import BATCH, batch_sizes
from tests.command import run

QWEN = Options("Qwen/Qwen2.5-1.5B-Instruct", questions="all")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished build of the demo."""
    folder = tmp_path_factory.mktemp("handoff") / "demo"
    build("demo:60", folder, Recipe().changed({"traces.attempts": 3}), workers=1)
    return folder


def rows_of(folder: Path) -> list[dict]:
    """All rows of the Parquet files of a folder."""
    return [row for path in sorted(folder.glob("train-*.parquet")) for row in pq.read_table(path).to_pylist()]


# -- what each trainer gets -------------------------------------------------------------------------------------------


def test_llamafactory_gets_the_build_its_entry_and_the_papers_values(demo: Path, tmp_path: Path) -> None:
    """The shards byte for byte, both entries with every tag, and a YAML with the model and cut-off that were asked for."""
    out = export_build(demo, LLAMAFACTORY, tmp_path / "out", Options("some/Qwen2.5: 'x'", cutoff=9000)).path
    for shard in (demo / "sft_train").iterdir():
        assert (out / "data" / "sft_train" / shard.name).read_bytes() == shard.read_bytes()
    entries = json.loads((out / "data" / "dataset_info.json").read_text())
    told = yaml.safe_load((out / "train_sft.yaml").read_text())
    assert entries[told["dataset"]]["file_name"] == entries["skill_factory"]["subset"] == "sft_train"
    assert all(entry["tags"]["system_tag"] == "system" for entry in entries.values())
    assert (told["model_name_or_path"], told["cutoff_len"], told["template"]) == (
        "some/Qwen2.5: 'x'",
        9000,
        "qwen",
    )
    assert (told["learning_rate"], told["num_train_epochs"], told["finetuning_type"]) == (1e-6, 2.0, "full")
    assert "enable_masked_ranges" not in told


def test_trl_gets_prompt_and_completion_which_need_no_mark_in_a_template(demo: Path, tmp_path: Path) -> None:
    """Question and trace under TRL's names, loss on the completion, room for whole traces; `messages` is there too."""
    out = export_build(demo, TRL, tmp_path / "out", QWEN).path
    rows, built = rows_of(out), rows_of(demo / "sft_train")
    assert [row["messages"] for row in rows] == [row["conversations"] for row in built]
    assert [[*row["prompt"], *row["completion"]] for row in rows] == [row["conversations"] for row in built]
    assert {row["completion"][0]["role"] for row in rows} == {"assistant"}
    assert "conversations" not in rows[0]
    script = (out / "train_sft.py").read_text()
    compile(script, "train_sft.py", "exec")
    assert "completion_only_loss=True" in script and "max_length=16384" in script
    assert "assistant_only_loss" not in script and "trainer.save_model()" in script


def test_traces_left_out_leave_their_prompts_out(demo: Path, tmp_path: Path) -> None:
    """With a cut-off, prompt, completion and messages are those of the same rows."""
    out = export_build(demo, TRL, tmp_path / "out", Options("any", cutoff=500, drop_over=True)).path
    rows = rows_of(out)
    assert 0 < len(rows) < len(rows_of(demo / "sft_train"))
    assert all([*row["prompt"], *row["completion"]] == row["messages"] for row in rows)


@pytest.mark.parametrize("trainer", [TRL, AXOLOTL, LLAMAFACTORY], ids=lambda one: one.name)
def test_r1_distillations_get_a_template_that_keeps_the_thinking(
    trainer: Trainer, demo: Path, tmp_path: Path
) -> None:
    """Their own drops it, without a warning; the name of the base model in theirs leads nowhere."""
    options = Options("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B")
    out = export_build(demo, trainer, tmp_path / "out", options).path
    told = "\n".join(path.read_text() for path in out.iterdir() if path.suffix in (".yaml", ".py", ".jinja"))
    if trainer is LLAMAFACTORY:
        assert "template: deepseekr1" in told
    else:
        assert (
            "<｜Assistant｜>{{ message['content'] }}" in told
            and "split" not in told.partition("<｜User｜>")[2]
        )
    if trainer is AXOLOTL:
        config = yaml.safe_load((out / "config.yaml").read_text())
        assert config["chat_template"] == "jinja" and "<｜Assistant｜>" in config["chat_template_jinja"]


@pytest.mark.parametrize("trainer", list(TRAINERS.values()), ids=list(TRAINERS))
def test_every_note_says_how_to_try_it_without_a_gpu(trainer: Trainer, demo: Path, tmp_path: Path) -> None:
    """Somebody without a GPU sees in minutes whether data and settings fit together."""
    out = export_build(demo, trainer, tmp_path / "out", QWEN).path
    assert re.search(r"To try it.*(CPU|GPU)", (out / "TRAINING.md").read_text())


def test_axolotl_gets_a_chat_template_data_set(demo: Path, tmp_path: Path) -> None:
    """`type: chat_template` over `conversations`; a Qwen3 model gets `chatml`, whose labels keep the opening tag."""
    out = export_build(demo, AXOLOTL, tmp_path / "out", QWEN).path
    told = yaml.safe_load((out / "config.yaml").read_text())
    assert told["datasets"][0]["type"] == "chat_template"
    assert told["datasets"][0]["field_messages"] == "conversations"
    assert told["datasets"][0]["roles_to_train"] == ["assistant"]
    assert (told["chat_template"], told["train_on_inputs"], told["sequence_len"]) == ("qwen_25", False, 16384)
    assert rows_of(out / "data") == rows_of(demo / "sft_train")
    assert AXOLOTL.template(Options("Qwen/Qwen3-8B")) == "chatml"


def test_verl_gets_questions_reward_and_command(demo: Path, tmp_path: Path) -> None:
    """No question in both files, string gold answers, distinct indices, a data source of our own, a script that parses."""
    out = export_build(demo, VERL, tmp_path / "out", QWEN).path
    train, test = (pq.read_table(out / f"{name}.parquet").to_pylist() for name in ("train", "test"))
    asked = [row["prompt"][0]["content"] for row in train + test]
    assert len(asked) == len(set(asked)) == 60
    assert [row["extra_info"]["index"] for row in train + test] == list(range(60))
    assert {row["extra_info"]["split"] for row in test} == {"test"}
    assert all(row["prompt"] == [{"role": "user", "content": row["extra_info"]["question"]}] for row in train)
    assert all(isinstance(row["reward_model"]["ground_truth"], str) for row in train)
    assert {row["data_source"] for row in train} == {"skill_factory/questions"}
    assert subprocess.run(["bash", "-n", out / "run_grpo.sh"], check=False).returncode == 0
    script = (out / "run_grpo.sh").read_text()
    command = script[script.index("python3 -m") :]
    assert "#" not in command, "a comment would end the command"
    assert "reward.custom_reward_function.name=compute_score " in command
    compile((out / "reward.py").read_text(), "reward.py", "exec")
    compile((out / "train_grpo_trl.py").read_text(), "train_grpo_trl.py", "exec")


def test_no_parquet_file_carries_a_schema_of_the_datasets_library(demo: Path, tmp_path: Path) -> None:
    """Versions of `datasets` can't read each other's; plain Parquet is read by all."""
    for trainer in TRAINERS.values():
        out = export_build(demo, trainer, tmp_path / trainer.name, QWEN).path
        for path in out.rglob("*.parquet"):
            assert b"huggingface" not in (pq.read_schema(path).metadata or {})


@pytest.mark.parametrize("trainer", TRAINERS.values(), ids=list(TRAINERS))
def test_an_export_is_the_same_again(trainer: Trainer, demo: Path, tmp_path: Path) -> None:
    """The same build and choices give the same bytes: splits are seeded, nothing holds a time or a path."""
    one, other = (export_build(demo, trainer, tmp_path / name, QWEN).path for name in ("one", "other"))
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert [(one / file).read_bytes() for file in files] == [(other / file).read_bytes() for file in files]


@pytest.mark.parametrize(
    ("questions", "batch"), [(1000, (256, 32)), (256, (256, 32)), (180, (160, 32)), (20, (20, 20))]
)
def test_a_batch_is_never_larger_than_the_questions(questions: int, batch: tuple[int, int]) -> None:
    """verl leaves an incomplete batch out: with fewer questions than a batch it would take no step at all."""
    assert batch_sizes(questions) == batch
    assert batch[0] % batch[1] == 0 and batch[0] <= BATCH


@pytest.mark.parametrize(
    ("model", "template"),
    [
        ("Qwen/Qwen2.5-7B", "qwen"),
        ("me/qwen3-tuned", "qwen3"),
        ("meta-llama/Llama-3.2-1B", "llama3"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "deepseekr1"),
        ("google/gemma-4-31B-it", "gemma4"),
        ("google/gemma-3-4b-it", "gemma3"),
        ("Qwen/QwQ-32B", "qwen"),
        ("Qwen/Qwen3-4B-Instruct-2507", "qwen3_nothink"),
        ("allenai/Olmo-3-7B-Instruct", "chatml"),
        ("HuggingFaceTB/SmolLM3-3B", "chatml"),
        ("microsoft/phi-4", "phi4"),
        ("microsoft/Phi-4-mini-instruct", "phi4_mini"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama4"),
        ("unknown", ""),
    ],
)
def test_the_template_follows_from_the_models_name(model: str, template: str) -> None:
    """Known families get their template, others the tokenizer's own; a choice goes before."""
    assert LLAMAFACTORY.template(Options(model)) == template
    assert LLAMAFACTORY.template(Options(model, template="mine")) == "mine"


@pytest.mark.parametrize(
    ("trainer", "model", "said"),
    [
        (TRL, "Qwen/Qwen2.5-1.5B", False),
        (TRL, "meta-llama/Llama-3.2-1B", False),
        (LLAMAFACTORY, "Qwen/Qwen2.5-1.5B", False),
        (AXOLOTL, "Qwen/Qwen3-1.7B", False),
        (LLAMAFACTORY, "Qwen/Qwen3-1.7B", False),
        (TRL, "Qwen/Qwen3-1.7B", True),
        (TRL, "somebody/something", True),
    ],
)
def test_a_warning_is_about_the_template_that_will_be_used(
    trainer: Trainer, model: str, said: bool, demo: Path, tmp_path: Path
) -> None:
    """What Qwen3's template does to newlines is said where it may write the traces, and nowhere else."""
    checked = export_build(demo, trainer, tmp_path / "out", Options(model)).checked
    assert (Trouble.REWRITTEN in [problem.trouble for problem in checked.findings]) is said
    assert ("`rewritten`" in (tmp_path / "out" / "TRAINING.md").read_text()) is said
    assert check_build(demo, Options(model), trainer=trainer).findings == checked.findings


# -- the folder -------------------------------------------------------------------------------------------------------


def test_an_export_replaces_an_export_and_nothing_else(demo: Path, tmp_path: Path) -> None:
    """An earlier export's files go, what a user put beside them stays; a folder with other files is refused."""
    out = export_build(demo, LLAMAFACTORY, tmp_path / "out", QWEN).path
    (out / "mine.txt").write_text("mine")
    export_build(demo, AXOLOTL, out, QWEN)
    assert (out / "mine.txt").read_text() == "mine"
    assert not (out / "train_sft.yaml").exists() and not (out / "data" / "sft_train").exists()
    assert (out / "config.yaml").is_file()
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years")
    with pytest.raises(HandoffError, match="written by an export"):
        export_build(demo, TRL, other, QWEN)
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]


def test_a_forged_list_of_files_removes_nothing_outside(demo: Path, tmp_path: Path) -> None:
    """The mark of an earlier export is a file that anyone may write: paths that lead out are left alone."""
    (tmp_path / "precious").write_text("keep")
    out = tmp_path / "out"
    out.mkdir()
    (out / "handoff.json").write_text(json.dumps({"files": ["../precious"]}))
    export_build(demo, TRL, out, QWEN)
    assert (tmp_path / "precious").read_text() == "keep"


def test_a_failed_export_leaves_nothing(demo: Path, tmp_path: Path) -> None:
    """No half-written folder and no work files remain."""
    with pytest.raises(HandoffError, match="longer than the cut-off"):
        export_build(demo, TRL, tmp_path / "out", Options("m", cutoff=50, drop_over=True))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": " "}, "--model"),
        ({"model": "m", "questions": "some"}, "unused"),
        ({"model": "m", "test_share": 1.0}, "between 0 and 1"),
        ({"model": "m", "cutoff": 0}, "above 0"),
    ],
)
def test_choices_that_make_no_sense_are_refused(options: dict, said: str) -> None:
    """One clear sentence."""
    with pytest.raises(HandoffError, match=said):
        Options(**options)


def test_what_is_no_build_is_refused(tmp_path: Path) -> None:
    """A folder without a finished build is named."""
    with pytest.raises(HandoffError, match="hold a finished build"):
        export_build(tmp_path, TRL, tmp_path / "out", QWEN)


def test_a_models_name_is_only_a_name(demo: Path, tmp_path: Path) -> None:
    """Whatever stands in it, shell, YAML and Python read it back as it was and run none of it."""
    name = 'a\'b }$(touch pwned) `id` "q" # @{x}'
    options = Options(name, questions="all")
    out = export_build(demo, VERL, tmp_path / "verl", options).path
    script = (out / "run_grpo.sh").read_text()
    (out / "echo.sh").write_text(script[: script.index("python3 -m")] + 'printf "%s" "$model"')
    assert (
        subprocess.run(["bash", "echo.sh"], cwd=out, capture_output=True, text=True, check=True).stdout
        == name
    )
    assert not (out / "pwned").exists()
    assert f"model={name!r}" in (out / "train_grpo_trl.py").read_text()
    for trainer, file, key in (
        (LLAMAFACTORY, "train_sft.yaml", "model_name_or_path"),
        (AXOLOTL, "config.yaml", "base_model"),
    ):
        out = export_build(demo, trainer, tmp_path / trainer.name, options).path
        assert yaml.safe_load((out / file).read_text())[key] == name


# -- the checks before ------------------------------------------------------------------------------------------------

GOOD = "<think>\n<sample>\na\n</sample>\n</think>\n\nSo:\n\n<answer>\n4\n</answer>"


def row(question: str = "2 + 2?", trace: str = GOOD, roles: tuple[str, str] = ("user", "assistant")) -> dict:
    """A row with these texts."""
    turns = [{"role": role, "content": text} for role, text in zip(roles, (question, trace), strict=True)]
    return {"conversations": turns, "sft_template_type_idx": "1C"}


def found(*rows: dict, **limits: int) -> dict[Trouble, int]:
    """Troubles with their counts."""
    return {
        one.trouble: one.count for one in preflight(rows, RowLimits(estimating_counter().count, **limits))
    }


@pytest.mark.parametrize(
    ("bad", "trouble"),
    [
        (row(roles=("assistant", "user")), Trouble.WRONG_TURNS),
        ({"conversations": []}, Trouble.WRONG_TURNS),
        ({"conversations": None}, Trouble.WRONG_TURNS),
        (row(question="  "), Trouble.EMPTY),
        (row(trace="<answer>4</answer>"), Trouble.NO_THINKING),
        (row(trace=GOOD + "</think>\n\n"), Trouble.SEVERAL_THOUGHTS),
        (row(question="what is <|im_end|>?"), Trouble.CONTROL_TOKEN),
        (row(question="see <image>"), Trouble.MEDIA),
        (row(question="cafe\u0301"), Trouble.NOT_NFC),
        (row(question="2 + 2?\n"), Trouble.EDGE_SPACE),
        (row(trace=GOOD.replace("</think>\n\n", "</think>\n\n\n")), Trouble.REWRITTEN),
    ],
)
def test_every_trouble_is_counted(bad: dict, trouble: Trouble) -> None:
    """A row with a trouble is counted once, a good one not at all; the first is named by its place."""
    assert found(row()) == {}
    assert found(row(), bad, bad)[trouble] == 2
    assert (
        next(
            one.first
            for one in preflight([row(), bad], RowLimits(estimating_counter().count))
            if one.trouble == trouble
        )
        == 1
    )


def test_lengths_are_checked_where_there_is_a_limit() -> None:
    """Over the cut-off, and a question over the prompt limit."""
    long = row(question="why? " * 500)
    assert found(row(), long, cutoff=300, prompt=200) == {
        Trouble.OVER_CUTOFF: 1,
        Trouble.LONG_PROMPT: 1,
        Trouble.EDGE_SPACE: 1,
    }


def test_qwen3s_rewriting_is_foretold() -> None:
    """The layout `tight` stays as it is, `paper` loses a newline, a text between two thoughts is lost."""
    assert after_qwen3(GOOD) == GOOD
    assert after_qwen3(GOOD.replace("</think>\n\n", "</think>\n\n\n")) == GOOD
    assert after_qwen3("<think>a</think>b</think>c") == "<think>\na\n</think>\n\nc"


def test_the_demo_has_no_trouble_but_the_layouts_newline(demo: Path) -> None:
    """A build is clean by its own rules; only the paper's third newline is told."""
    assert {one.trouble for one in check_build(demo, QWEN).findings} == {Trouble.REWRITTEN}


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_command_checks_and_exports(demo: Path, tmp_path: Path) -> None:
    """Without -o it tells and writes nothing; with -o it writes; errors are one sentence and exit code 2."""
    told = json.loads(run("export", demo, "--to", "trl", "--cutoff-len", 300, "--json").out)
    assert told["findings"]["over_cutoff"] > 0 and not told["exact"]
    done = run("export", demo, "--to", "llamafactory", "--model", "Qwen/Qwen3-0.6B", "-o", tmp_path / "out")
    assert done.exit == 0 and "train_sft.yaml" in done.out
    assert "template: qwen3" in (tmp_path / "out" / "train_sft.yaml").read_text()
    refused = run("export", demo, "--to", "trl", "-o", tmp_path / "two")
    assert (refused.exit, refused.out) == (2, "") and "--model" in refused.err
