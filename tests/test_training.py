"""Training a model on a build: what is asked for, what it takes, the folder, and what the script says. Without TRL."""

import json
import signal
import struct
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from skill_factory import api
from skill_factory.build.pipeline import build
from skill_factory.cli.main import main
from skill_factory.errors import HandoffError, HubError, TrainingError
from skill_factory.recipe.model import Recipe
from skill_factory.trainers import TRL, VERL, Options, export_build
from skill_factory.training import Method, Place, Plan, estimate_training, prepare, read_log, run_here
from skill_factory.training.events import Sample, events_of, seen_of
from skill_factory.training.facts import ModelFacts, model_facts
from skill_factory.training.machines import Trainer, _published, this_computer
from skill_factory.training.pythons import command_for
from skill_factory.training.samples import counted, marked_sample
from skill_factory.training.takes import event_line
from tests import chats

SMALL = ModelFacts(1_000_000_000, layers=16, width=2048, vocabulary=50_000, tied=True)
GPU = Trainer("l4x1", "L4", 121e12, 24_000_000_000, 0.8)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small build of the demo."""
    path = tmp_path_factory.mktemp("training") / "build"
    build("demo:20", path, Recipe())
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model's configuration and the head of its weights; nobody loads it."""
    path = tmp_path_factory.mktemp("models") / "small"
    path.mkdir()
    head = {"__metadata__": {"format": "pt"}, "a": {"shape": [10, 20]}, "b": {"shape": [7]}}
    text = json.dumps(head).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    config = {"num_hidden_layers": 3, "hidden_size": 20, "vocab_size": 10, "tie_word_embeddings": False}
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return path


def plan_of(built: Path, model: Path, out: Path, **more: Any) -> Plan:
    """A plan for that build and model."""
    return Plan(str(built), str(model), out=str(out), **more)


# -- what is asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"model": " "}, "Name the model"),
        ({"report_to": "paper"}, "--report-to takes none, trackio"),
        ({"epochs": 0}, "must be above 0"),
        ({"method": Method.GRPO, "generations": 1}, "outputs of a question above 1"),
        ({"minutes": -1}, "can't be below 0"),
        ({"to": "nobody"}, "USER/NAME"),
        ({"place": Place.JOBS}, "say where the model goes: --to"),
        ({"place": Place.JOBS, "to": "a/b", "model": "."}, "which a rented machine can't read"),
    ],
)
def test_a_plan_that_doesn_t_hold_together_is_one_sentence(wrong: dict[str, Any], says: str) -> None:
    """What was wrong and what to do, before anything is read."""
    with pytest.raises((TrainingError, HubError), match=says):
        Plan(**({"data": "build", "model": "user/model"} | wrong))


def test_learning_rates_are_those_of_the_method() -> None:
    """The paper's for all weights, larger ones for an adapter, and what a person says before both."""
    base = Plan("build", "user/model")
    assert base.learning_rate == 1e-6
    assert replace(base, lora=True).learning_rate == 2e-4
    assert replace(base, method=Method.GRPO, lora=True).learning_rate == 1e-5
    assert replace(base, rate=0.1).learning_rate == 0.1


# -- what it takes ---------------------------------------------------------------------------------------------------


def test_sizes_are_read_from_the_heads_of_the_weights(model: Path, tmp_path: Path) -> None:
    """Nothing is loaded; a name that states a size is the last resort."""
    found = model_facts(str(model))
    assert found == ModelFacts(207, 3, 20, 10, False) and found.multiplied == 7
    assert model_facts(str(tmp_path)) is None
    named = tmp_path / "Tiny-1.5B-Instruct"
    named.mkdir()
    assert (model_facts(str(named)) or SMALL).parameters == 1_500_000_000


def test_tokens_and_steps_are_counted() -> None:
    """By epochs, batch and cut-off; a limit on steps limits both."""
    lengths = np.array([100, 200, 300, 5_000, 400], np.int32)
    plan = Plan("build", "user/model", epochs=2, batch=2, cutoff=1_000)
    takes = estimate_training(plan, lengths, SMALL, GPU)
    assert (takes.traces, takes.steps, takes.tokens, takes.over) == (5, 6, 4_000, 1)
    without = estimate_training(replace(plan, drop_over=True), lengths, SMALL, GPU)
    assert (without.traces, without.steps, without.tokens) == (4, 4, 2_000)
    few = estimate_training(replace(plan, steps=1), lengths, SMALL, GPU)
    assert (few.steps, few.tokens) == (1, 800)


def test_time_and_memory_follow_the_model_and_the_machine() -> None:
    """More weights, longer traces and a slower machine take more; an adapter takes less; what isn't known isn't told."""
    plan, lengths = Plan("build", "user/model"), np.full(1_000, 2_000, np.int32)
    takes = estimate_training(plan, lengths, SMALL, GPU)
    twice = estimate_training(plan, lengths, replace(SMALL, parameters=2_000_000_000), GPU)
    longer = estimate_training(plan, 2 * lengths, SMALL, GPU)
    slower = estimate_training(plan, lengths, SMALL, replace(GPU, speed=60e12))
    adapter = estimate_training(replace(plan, lora=True), lengths, SMALL, GPU)
    seconds = [one.seconds or 0 for one in (adapter, takes, twice, longer, slower)]
    assert seconds[0] < seconds[1] < min(seconds[2:])
    memory = [one.memory or 0 for one in (adapter, takes, twice)]
    assert memory[0] < 16e9 < memory[1] < memory[2] and takes.fits and not twice.fits
    assert takes.minutes >= 2 * (takes.seconds or 0) / 60 and takes.dollars == pytest.approx(
        0.8 * (takes.seconds or 0) / 3600
    )
    blind = estimate_training(plan, lengths, None, GPU)
    assert (blind.seconds, blind.memory, blind.fits, blind.minutes) == (None, None, True, 30)
    assert estimate_training(plan, lengths, SMALL, replace(GPU, speed=0.0)).seconds is None
    assert not takes.rough and estimate_training(plan, lengths, ModelFacts(7), GPU).rough


def test_this_computer_is_measured() -> None:
    """Its speed is measured now, its memory asked for."""
    here = this_computer()
    assert here.speed > 1e9 and here.memory > 1e9 and here.name.startswith("this computer")


# -- the folder ------------------------------------------------------------------------------------------------------


def test_the_folder_holds_all_that_the_script_needs(built: Path, model: Path, tmp_path: Path) -> None:
    """Question and trace apart, the script with its packages in its head, settings and card; and again the same."""
    out = tmp_path / "out"
    made = prepare(plan_of(built, model, out, lora=True, report_to="trackio"))
    assert {path.name for path in out.iterdir()} == {"data", "train_sft.py", "training.json"}
    (data,) = made.data
    assert {"prompt", "completion"} <= set(pq.read_schema(data).names) and len(made.lengths) > 50
    head = made.script.read_text(encoding="utf-8").partition('"""')[0]
    assert '"trl==1.16.0"' in head and '"peft>=' in head and '"trackio"' in head
    assert "recipe: `" in made.settings["card"] and str(model.parent) not in made.settings["card"]
    assert made.settings["files"]["recipe.toml"] == (built / "recipe.toml").read_text(encoding="utf-8")
    assert (
        prepare(plan_of(built, model, out, lora=True, save_minutes=1)).settings["id"] == made.settings["id"]
    )
    with pytest.raises(TrainingError, match=r"another training \(lora: True there, False now\)"):
        prepare(plan_of(built, model, out))


def test_an_export_is_trained_on_as_it_is(built: Path, model: Path, tmp_path: Path) -> None:
    """What `export` wrote for TRL, and for a reward; the wrong method is a sentence."""
    options = Options(model="user/model")
    export_build(built, TRL, tmp_path / "trl", options)
    export_build(built, VERL, tmp_path / "verl", options)
    assert len(prepare(plan_of(tmp_path / "trl", model, tmp_path / "a")).lengths) > 50
    grpo = prepare(plan_of(tmp_path / "verl", model, tmp_path / "b", method=Method.GRPO))
    assert [path.name for path in grpo.data] == ["reward.py", "train.parquet"]
    with pytest.raises(HandoffError, match=r"questions for a reward\. Train on it with --method grpo"):
        prepare(plan_of(tmp_path / "verl", model, tmp_path / "c"))
    with pytest.raises(HandoffError, match=r"traces\. Train on it with --method sft"):
        prepare(plan_of(tmp_path / "trl", model, tmp_path / "d", method=Method.GRPO))


def test_a_build_is_made_ready_for_a_reward(built: Path, model: Path, tmp_path: Path) -> None:
    """Its questions are read again, and the reward lies beside them."""
    made = prepare(plan_of(built, model, tmp_path / "out", method=Method.GRPO))
    assert [path.name for path in made.data] == ["reward.py", "train.parquet"] and not made.exact
    assert made.script.name == "train_grpo.py"


def test_somebody_s_files_stay(built: Path, model: Path, tmp_path: Path) -> None:
    """A folder that holds anything else is refused; one where a run was killed while it wrote is used."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"don't belong to a training \(letter.txt\)"):
        prepare(plan_of(built, model, tmp_path / "letters"))
    (tmp_path / "killed" / "data").mkdir(parents=True)
    (tmp_path / "killed" / "data" / "train-00000-of-00001.parquet").write_bytes(b"half")
    assert len(prepare(plan_of(built, model, tmp_path / "killed")).lengths) > 50


def test_an_arm_is_named_in_the_card(built: Path, model: Path, tmp_path: Path) -> None:
    """An arm's folder lies in its suite's; the card names both."""
    suite = tmp_path / "orders"
    (suite / "arms").mkdir(parents=True)
    (suite / "suite.toml").write_text("", encoding="utf-8")
    build("demo:20", suite / "arms" / "random", Recipe())
    card = prepare(plan_of(suite / "arms" / "random", model, tmp_path / "out")).settings["card"]
    assert "dataset: `orders`" in card and "arm of its suite: `random`" in card


def test_held_out_questions_are_the_samples(model: Path, tmp_path: Path) -> None:
    """A build that holds questions out gives them to the samples: the model hasn't seen them."""
    recipe = Recipe().changed({"clean.holdout": 0.2, "columns.answer": "answer"})
    build("demo:20", tmp_path / "build", recipe)
    asked = prepare(plan_of(tmp_path / "build", model, tmp_path / "out")).settings["ask"]
    trained = set()
    for row in pq.read_table(tmp_path / "out" / "data", columns=["prompt"]).column(0).to_pylist():
        trained.add(row[0]["content"])
    assert asked and not trained & set(asked)


def test_samples_are_graded_where_a_trace_has_the_answer(built: Path, model: Path, tmp_path: Path) -> None:
    """The first questions of the data with the answers of their traces; neither leaves with the model."""
    settings = prepare(plan_of(built, model, tmp_path / "out")).settings
    question, gold = next(iter(settings["golds"].items()))
    right = Sample(
        3,
        question,
        f"<think>\n<sample>\n<answer>{gold}</answer>\n</sample>\n</think>\n\n<answer>{gold}</answer>",
        True,
    )
    assert marked_sample(right, gold).marks == (1,) and marked_sample(right, gold).final == 1
    assert question not in settings["files"]["training.json"]


def test_a_conversation_is_trained_and_asked_with_its_turns(model: Path, tmp_path: Path) -> None:
    """Prompts hold calls as messages, tools stand beside them, lengths count both, held-out ones are asked as messages."""
    raw = chats.write(tmp_path / "raw.jsonl", chats.rows(questions=30, tools=[chats.TOOL]))
    recipe = Recipe().changed({"clean.holdout": 0.2, "traces.attempts": 2, "traces.layout": "tight"})
    build(str(raw), tmp_path / "build", recipe)
    made = prepare(plan_of(tmp_path / "build", model, tmp_path / "out"))
    assert "tools" in pq.read_schema(made.data[0]).names and min(made.lengths) > 40
    for text in made.settings["ask"]:
        turns = json.loads(text)
        assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]


# -- what the script says --------------------------------------------------------------------------------------------


def said(event: str, **values: Any) -> str:
    """One line of the script."""
    return json.dumps({"event": event, **values})


BEGIN = {"steps": 4, "parameters": 100, "trained": 100, "device": "cpu"}


def test_a_step_that_was_trained_again_counts_once() -> None:
    """After a kill the curve continues from the checkpoint; torn lines and words of libraries are passed over."""
    lines = [
        said("start", step=0, **BEGIN),
        *(said("step", step=step, loss=4.0 - step, tokens=10) for step in (1, 2, 3)),
        '{"event": "step", "step": 4, "lo',
        "{'loss': 3}",
        said("start", step=2, **BEGIN),
        said("step", step=3, loss=0.5, tokens=10, tokens_per_second=7.0, seconds_left=2.0),
        said("sample", step=3, question="q", text="<think>", ended=False),
        said("saved", step=3),
    ]
    seen = seen_of(events_of(lines))
    assert seen.curve == {1: 3.0, 2: 2.0, 3: 0.5} and seen.tokens == 30 and seen.loss == 0.5
    assert (seen.share, seen.saved, seen.how, seen.seconds_left) == (0.75, 3, "", 2.0)
    assert [one.text for one in seen.samples] == ["<think>"]
    assert [event_line(event) for event in events_of(lines)][4:6] == [
        "resumed after step 2: 4 steps on cpu, 100 of 100 weights are trained",
        "step 3 · loss 0.5000 · 7 tokens/s · 2 s left",
    ]


def test_a_sample_is_measured_as_an_output() -> None:
    """Attempts and verdicts by the rules of `measure`."""
    text = (
        "<think>\n<sample>\n1+1=3 <answer>3</answer>\n</sample>\n<reflect>\nThat is wrong. <verdict>incorrect</verdict>\n"
        "</reflect>\n<sample>\n1+1=2 <answer>2</answer>\n</sample>\n</think>\n\n<answer>2</answer>"
    )
    found = counted(text)
    assert found.attempts == 2 and found.words.startswith("2 attempts, ") and "an answer" in found.words
    assert counted("nothing of the kind").words == "no attempts, no verdicts, no answer"


# -- here ------------------------------------------------------------------------------------------------------------

FAKE = """
import json, signal, sys, time
def say(event, **values): print(json.dumps({"event": event, **values}), flush=True)
say("start", step=0, steps=2, parameters=1, trained=1, device="cpu")
{body}
"""


def fake(tmp_path: Path, body: str) -> list[str]:
    """A process in place of the script."""
    path = tmp_path / "fake.py"
    path.write_text(FAKE.replace("{body}", body), encoding="utf-8")
    return [sys.executable, str(path)]


def test_the_script_is_listened_to_until_its_end(built: Path, model: Path, tmp_path: Path) -> None:
    """Every event is passed on as it comes; the exit code is the script's."""
    prepared, heard = prepare(plan_of(built, model, tmp_path / "out")), []
    body = 'print("a library speaks"); say("step", step=1, loss=1.0); say("end", how="expired", step=1); sys.exit(75)'
    assert run_here(prepared, fake(tmp_path, body), heard.append) == 75
    assert [event["event"] for event in heard] == ["start", "step", "end"]


def test_training_is_a_function_too(built: Path, model: Path, tmp_path: Path) -> None:
    """Of the Python API: prepared once, run by a Python with TRL, here a fake one."""
    body = 'say("step", step=2, loss=0.5); say("end", how="trained", step=2)'
    words = " ".join(fake(tmp_path, f'log = open("{tmp_path}/out/log.jsonl", "w"); sys.stdout = log; {body}'))
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exec echo \'"1.16.0"\'\nexec {words}\n', encoding="utf-8")
    python.chmod(0o755)
    seen = api.train(api.prepare_training(plan_of(built, model, tmp_path / "out")), str(python))
    assert (seen.how, seen.loss) == ("trained", 0.5)


def test_ctrl_c_reaches_the_script(built: Path, model: Path, tmp_path: Path) -> None:
    """It may save before it ends."""
    prepared, heard = prepare(plan_of(built, model, tmp_path / "out")), []
    body = (
        "def stop(*_): say('end', how='stopped', step=0); sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop); say('saved', step=0); time.sleep(60)"
    )

    def hear(event: Any) -> None:
        heard.append(event["event"])
        if event["event"] == "saved":
            signal.raise_signal(signal.SIGINT)

    assert run_here(prepared, fake(tmp_path, body), hear) == 130
    assert heard == ["start", "saved", "end"]


def test_a_script_that_fails_says_why(built: Path, model: Path, tmp_path: Path) -> None:
    """Its last sentence, and where the rest is; a kill is told as what it mostly is."""
    prepared = prepare(plan_of(built, model, tmp_path / "out"))
    with pytest.raises(TrainingError, match=r"no such model The whole message is in .*trainer.log"):
        run_here(prepared, fake(tmp_path, "sys.exit('no such model')"), lambda event: None)
    with pytest.raises(TrainingError, match="ran out of memory"):
        run_here(prepared, fake(tmp_path, "import os; os.kill(os.getpid(), 9)"), lambda event: None)


def test_two_don_t_train_in_one_folder(built: Path, model: Path, tmp_path: Path) -> None:
    """The second is told so."""
    prepared = prepare(plan_of(built, model, tmp_path / "out"))

    def second(event: Any) -> None:
        with pytest.raises(TrainingError, match="being trained by another process"):
            run_here(prepared, fake(tmp_path, ""), print)

    assert run_here(prepared, fake(tmp_path, ""), second) == 0


def test_a_python_without_trl_is_told_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named or not; with uv on the path uv is taken, since the script names its packages itself."""
    with pytest.raises(TrainingError, match="doesn't have torch and TRL; install a newer one there"):
        command_for(sys.executable)
    with pytest.raises(TrainingError, match="no Python at"):
        command_for(str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TrainingError, match="Install uv"):
        command_for()
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\n", encoding="utf-8")
    uv.chmod(0o755)
    assert command_for() == [str(uv), "run", "--quiet"]


def test_the_command_estimates_and_refuses_in_one_sentence(
    built: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--estimate` writes nothing; a Python without TRL is exit 2; a shared server trains nothing at all."""
    out = tmp_path / "out"
    words = ["train", str(built), "--model", str(model), "--out", str(out)]
    assert main([*words, "--estimate", "--json"]) == 0
    told, said = capsys.readouterr()
    takes = json.loads(told)["estimate"]
    assert takes["steps"] > 10 and takes["tokens"] > 1_000 and takes["seconds"] > 0
    assert "Memory: about" in said and not out.exists()
    assert main([*words, "--python", sys.executable]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1 and read_log(out).steps == 0
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    assert main(words) == 2 and "nothing is trained on it" in capsys.readouterr().err


def test_an_accelerator_is_known_by_its_whole_name() -> None:
    """An L40 isn't an L4, and what isn't in the list is not known."""
    assert _published("NVIDIA A100-SXM4-80GB")[0] > 0 and _published("Nvidia L4")[0] > 0
    assert _published("NVIDIA L40") == _published("NVIDIA T400") == (0.0, 0)
