"""`train --on here` for real: a small model from scratch, killed and resumed, its loss curve continued."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from skill_factory.build.pipeline import build
from skill_factory.recipe.model import Recipe
from skill_factory.training import Place, Plan, Prepared, prepare
from skill_factory.training.events import Seen, events_of, read_log
from tests.hub import Hub
from tests.trainers.test_trainers import ENVIRONMENTS, ROOT, in_trl, run_in, whole

pytestmark = [pytest.mark.trainers, in_trl, whole]
HERE = Path(__file__).parent
PYTHON = ENVIRONMENTS.resolve() / "trl"
STEPS = 8


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of short traces, and a model from scratch whose tokens are their words."""
    path = tmp_path_factory.mktemp("training")
    build("demo:24", path / "build", Recipe().changed({"traces.layout": "tight", "traces.attempts": 2}))
    (traces,) = (path / "build" / "sft_train").glob("*.parquet")
    run_in("trl", "python", HERE / "word_model.py", traces, path / "model")
    return path


def words(place: Path, out: str, *more: object) -> list[str]:
    """The command; a checkpoint follows each step."""
    given = ("train", place / "build", "--model", place / "model", "--out", place / out, "--python", PYTHON)
    short = ("--steps", STEPS, "--learning-rate", "1e-2", "--save-minutes", 0, "--sample-tokens", 24)
    return [sys.executable, "-m", "skill_factory", *map(str, (*given, *short, *more))]


def environment() -> dict[str, str]:
    """Offline, on one core, so that sums are added in the same order each time."""
    return {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def train(place: Path, out: str, *more: object) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        words(place, out, *more),
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def start(place: Path, out: str) -> subprocess.Popen[bytes]:
    """Start it in a session of its own."""
    return subprocess.Popen(words(place, out), cwd=place, env=environment(), start_new_session=True)


def wait_for(what: Callable[[], bool], running: subprocess.Popen[bytes]) -> None:
    """Wait until something is so, while the command runs."""
    until = time.monotonic() + 300
    while not what():
        assert running.poll() is None and time.monotonic() < until
        time.sleep(0.005)


def events(folder: Path) -> list[dict]:
    """All that the script has said."""
    path = folder / "log.jsonl"
    return list(events_of(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def test_a_training_that_is_killed_continues_its_curve(place: Path) -> None:
    """Killed before the first checkpoint, after one, and while one is written: the losses are those of a run left alone."""
    assert (done := train(place, "alone")).returncode == 0, done.stderr
    alone = read_log(place / "alone")
    killed = place / "killed"
    checkpoints = killed / "checkpoints"

    def half() -> bool:
        """Whether a checkpoint is being written: it isn't marked as whole yet."""
        return any(
            not (path / "whole.json").exists() and int(path.name.rpartition("-")[2]) >= 5
            for path in checkpoints.glob("checkpoint-*")
        )

    moments: list[Callable[[], bool]] = [
        lambda: any(one["event"] == "start" for one in events(killed)),
        lambda: read_log(killed).saved >= 3,
        half,
    ]
    for moment in moments:
        running = start(place, "killed")
        wait_for(moment, running)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert (done := train(place, "killed")).returncode == 0, done.stderr
    now, begun = read_log(killed), [one["step"] for one in events(killed) if one["event"] == "start"]
    assert begun[:2] == [0, 0] and 3 <= begun[2] < begun[3] < STEPS
    _same_curve(now, alone)
    assert now.how == "trained" and (killed / "model" / "README.md").is_file()


def _same_curve(now: Seen, alone: Seen) -> None:
    assert list(now.curve) == list(range(1, STEPS + 1)) == list(alone.curve)
    assert list(now.curve.values()) == pytest.approx(list(alone.curve.values()), rel=1e-4)
    assert now.tokens == alone.tokens and alone.curve[STEPS] < alone.curve[1] - 0.5
    assert [one.text for one in now.samples] == [one.text for one in alone.samples]


def test_ctrl_c_stops_after_a_checkpoint(place: Path) -> None:
    """Its exit code is that of Ctrl-C, the next run resumes at that step, and a trained folder is left alone."""
    running = start(place, "stopped")
    wait_for(lambda: read_log(place / "stopped").step >= 2, running)
    os.kill(running.pid, signal.SIGINT)
    assert running.wait(timeout=120) == 130
    seen = read_log(place / "stopped")
    assert seen.how == "stopped" and seen.saved == seen.step >= 2
    done = train(place, "stopped", "--json")
    assert done.returncode == 0 and f"resumed after step {seen.step}" in done.stderr
    told = json.loads(done.stdout)
    assert told["ending"] == "trained" and told["step"] == STEPS
    again = train(place, "stopped")
    assert again.returncode == 0 and "trained already" in again.stderr
    _same_curve(read_log(place / "stopped"), read_log(place / "alone"))


def test_the_model_names_where_it_comes_from(place: Path) -> None:
    """Dataset, recipe, script and figures stand in its card, the recipe and the settings beside it; no path of this machine."""
    model = place / "alone" / "model"
    card = (model / "README.md").read_text(encoding="utf-8")
    assert "dataset: `build`" in card and "recipe: `" in card and f"{STEPS} steps" in card and "loss " in card
    assert (model / "recipe.toml").read_text(encoding="utf-8") == (
        place / "build" / "recipe.toml"
    ).read_text()
    assert {"train_sft.py", "training.json"} <= {path.name for path in model.iterdir()}
    assert all(str(place) not in path.read_text(encoding="utf-8") for path in model.glob("*.[jmtp][sdoy]*"))


def test_another_training_isn_t_mixed_in(place: Path) -> None:
    """The same folder with another learning rate: one sentence, exit 2, nothing is lost."""
    done = train(place, "alone", "--learning-rate", "1e-3")
    assert done.returncode == 2 and "learning_rate: 0.01 there, 0.001 now" in done.stderr
    assert (place / "alone" / "model").is_dir()


def test_a_job_s_checkpoint_is_resumed_from_the_repository(place: Path, tmp_path: Path) -> None:
    """On a rented machine nothing stays but the repository: the next job fetches its checkpoint and ends at the same loss."""
    with Hub(tmp_path / "hub") as hub:
        files = {path.name: path.read_bytes() for path in (place / "model").iterdir()}
        hub.seed("alice/Tiny-0.5B", files, kind="model")
        given = {"rate": 1e-2, "steps": STEPS, "save_minutes": 0.0, "sample_tokens": 0}
        plan = Plan(str(place / "build"), "alice/Tiny-0.5B", place=Place.JOBS, to="alice/skilled", **given)
        training = prepare(replace(plan, out=str(tmp_path / "sent")))
        first, second = job(hub, training, tmp_path / "one", until=3), job(hub, training, tmp_path / "two")
        assert first.saved >= 3 and hub.repo("alice/skilled", "model").private
        assert second.how == "trained" and min(second.curve) > 3
        alone = read_log(place / "alone")
        assert second.curve == pytest.approx({step: alone.curve[step] for step in second.curve}, rel=1e-4)
        left = hub.files("alice/skilled", kind="model")
        assert {"README.md", "model.safetensors", "train_sft.py", "recipe.toml"} <= set(left)
        assert not any(path.startswith("checkpoints/") for path in left)
        assert b'base_model: "alice/Tiny-0.5B"' in hub.read("alice/skilled", "README.md", kind="model")


def job(hub: Hub, training: Prepared, machine: Path, until: int = 0) -> Seen:
    """What the Hub runs: the script with its arguments on an empty machine, killed once a checkpoint of `until` is sent."""
    machine.mkdir()
    sent = [training.folder / "training.json", *training.data]
    running = subprocess.Popen(
        [str(PYTHON / "bin" / "python"), str(training.script), *map(str, sent)],
        cwd=machine,
        env={**hub.env("alice", xet=False), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    if until:
        wait_for(lambda: hub.count("commit", status=200) > 2 * until, running)
        running.kill()
    assert bool(running.wait(timeout=600)) is bool(until), hub.broken
    return read_log(machine)


def test_two_steps_of_grpo_then_killed_and_resumed(place: Path) -> None:
    """The build's own questions and reward; its rewards are told, and a second run with `--lora` trains few weights."""
    given = ("--method", "grpo", "--steps", 2, "--batch", 1, "--generations", 2, "--completion-len", 16)
    running = subprocess.Popen(
        words(place, "grpo", *given), cwd=place, env=environment(), start_new_session=True
    )
    wait_for(lambda: read_log(place / "grpo").saved >= 1, running)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    done = train(place, "grpo", *given)
    assert done.returncode == 0 and "resumed after step 1" in done.stderr, done.stderr
    seen = read_log(place / "grpo")
    assert list(seen.curve) == list(seen.rewards) == [1, 2] and seen.how == "trained"
    card = (place / "grpo" / "model" / "README.md").read_text(encoding="utf-8")
    assert "GRPO" in card and "reward " in card


def test_an_adapter_trains_few_weights(place: Path) -> None:
    """`--lora`: the model's own weights stay, the adapter lies in the folder."""
    done = train(place, "lora", "--lora", "--steps", 2)
    assert done.returncode == 0, done.stderr
    seen = read_log(place / "lora")
    assert 0 < seen.trained < seen.parameters
    assert (place / "lora" / "model" / "adapter_model.safetensors").is_file()
