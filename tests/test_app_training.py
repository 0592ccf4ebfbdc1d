"""Finish → Train: a training that outlives the page, its loss and its samples; a fake Python stands for that with TRL."""

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.build import pipeline
from skill_factory.errors import BuildFolderError
from skill_factory.recipe.model import Recipe
from skill_factory.training.plan import Method, Place
from skill_factory.work import builds, trainings
from skill_factory.work.builds import Job
from skill_factory.work.home import new_place
from skill_factory.work.process import State
from tests.studio import open_app, words

FAKE = r"""
import json, os, pathlib, signal, sys, time
out = pathlib.Path(sys.argv[1]).parent
log = (out / "log.jsonl").open("a")
def say(event, **values):
    line = json.dumps({"event": event, **values})
    print(line, flush=True); log.write(line + "\n"); log.flush()
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
saved = out / "fake-checkpoint"
first = int(saved.read_text()) if saved.exists() else 0
say("start", step=first, steps=6, parameters=100, trained=100, device="a fake")
text = "<think>\n<sample>\n2+2=5\n<answer>5</answer>\n</sample>\n<reflect>\nThat is <verdict>incorrect</verdict>\n</reflect>\n" \
    "<sample>\n2+2=4\n<answer>4</answer>\n</sample>\n</think>\n\n<answer>4</answer>"
say("sample", step=first, question="2+2?", text=text, ended=True)
for step in range(first + 1, 7):
    while step == 4 and not asked and not first:
        time.sleep(0.02)  # so that a test can look at it
    say("step", step=step, loss=3.0 - step / 10, tokens=50, tokens_per_second=20.0, seconds_left=5.0)
    if asked:
        saved.write_text(str(step)); say("saved", step=step); say("end", how="stopped", step=step); sys.exit(130)
(out / "model").mkdir(); (out / "model" / "README.md").write_text("trained")
say("end", how="trained", step=6)
"""


def fake_python(folder: Path) -> Path:
    """A Python that says that it has TRL, and trains as the fake does."""
    (folder / "fake.py").write_text(FAKE, encoding="utf-8")
    python = folder / "python"
    # Asked for its version of TRL it names one; asked to run the script it runs the fake.
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && exec echo \'"1.16.0"\'\nexec {sys.executable} {folder}/fake.py "$1"\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    return python


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)
    monkeypatch.setenv("SKILL_FACTORY_TRAINER", str(fake_python(tmp_path)))
    (tmp_path / "Tiny-1M").mkdir()


def build() -> Job:
    """A finished build."""
    job = builds.start("demo:12", "The demo", Recipe())
    wait(lambda: builds.status(job).state is State.DONE)
    return job


def wait(what: object, seconds: float = 60) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)


def finish(job: Job) -> AppTest:
    """Finish with this build, as its link opens it."""
    app = open_app()
    app.query_params["job"] = job.id
    return app.switch_page("pages/5_Finish.py").run()


@pytest.mark.long
def test_a_training_is_started_watched_stopped_and_resumed_on_the_page(tmp_path: Path) -> None:
    """What it takes is shown before the button; loss, sample and time left while it runs; another session sees the same."""
    job = build()
    app = finish(job)
    assert "its training takes appears here" in words(app)
    app.text_input(key="fit.model").set_value(str(tmp_path / "Tiny-1M")).run()
    assert [one.label for one in app.metric if one.label in ("Tokens", "Steps")] == ["Tokens", "Steps"]
    assert "Memory: ≈" in words(app) and "Time: " in words(app)
    app.button(key="fit.start").click().run()
    wait(lambda: trainings.status(job).seen.step == 3)
    app = finish(job)
    assert not app.exception and "Loss 2.900 at first, 2.700 now" in words(app)
    assert "2 attempts, 1 verdict (0 correct), an answer" in words(app)
    app.button(key="fit.stop").click().run()
    wait(lambda: trainings.status(job).state is State.STOPPED)
    app = finish(job)
    assert "stopped at step 4; the checkpoint of step 4 is kept" in words(app)
    app.button(key="fit.resume").click().run()
    wait(lambda: trainings.status(job).state is State.DONE)
    app = finish(job)
    assert not app.exception and "Tiny\\-1M is trained" in words(app)
    assert list(trainings.status(job).seen.curve) == [1, 2, 3, 4, 5, 6]
    trainings.forget(job)
    assert trainings.status(job) is None and builds.status(job).state is State.DONE


@pytest.mark.long
def test_a_training_that_was_killed_says_so_and_resumes(tmp_path: Path) -> None:
    """Its own lines of progress aren't a reason; what is asked again with the same plan is the same training."""
    job = build()
    plan = trainings.plan_for(job, model=str(tmp_path / "Tiny-1M"))
    trainings.start(job, plan)
    wait(lambda: trainings.status(job).seen.step == 3)
    pid = int((job.path / "train" / "process").read_text().split()[0])
    os.killpg(pid, 9)
    wait(lambda: trainings.status(job).state is State.FAILED)
    assert trainings.status(job).said == trainings.ENDED
    trainings.start(job, plan)
    wait(lambda: trainings.status(job).seen.step == 3 and trainings.status(job).running)
    with pytest.raises(BuildFolderError, match="still running"):
        builds.forget(job)
    trainings.stop(job)
    wait(lambda: trainings.status(job).state is State.STOPPED)


def test_the_command_says_only_what_differs() -> None:
    """It is what anyone could type; the price of a job was agreed to on the page."""
    job = Job("x", Path("there"), "demo:3", "The demo", "", 0.0)
    plan = trainings.plan_for(
        job, model="user/small", lora=True, place=Place.JOBS, to="user/new", flavor="l4x1"
    )
    assert trainings.command(plan) == [
        *("train", "there/data", "--out", "there/train/out", "--model", "user/small", "--on", "hf-jobs"),
        *("--flavor", "l4x1", "--to", "user/new", "--lora", "--json", "--yes"),
    ]
    grpo = trainings.plan_for(job, model="m", method=Method.GRPO, source=("raw.parquet",))
    assert trainings.words(grpo)[-4:] == ["--method", "grpo", "--source", "raw.parquet"]


def shown(job: Job) -> AppTest:
    """The part of the page, alone."""

    def part(id: str) -> None:
        from skill_factory.ui.finish import train_run
        from skill_factory.work import builds

        train_run.train_it(builds.find(id))

    app = AppTest.from_function(part, args=(job.id,), default_timeout=60).run()
    assert not app.exception, app.exception
    return app


@pytest.fixture
def made() -> Job:
    """A finished build in its place, made in this process."""
    path = new_place("builds")
    pipeline.build("demo:12", path / "data", Recipe())
    (path / "recipe.toml").write_text(Recipe().to_toml(), encoding="utf-8")
    job = Job(path.name, path, "demo:12", "The demo", Recipe().fingerprint(), time.time())
    known = {name: value for name, value in asdict(job).items() if name not in ("id", "path")}
    (path / "job.json").write_text(json.dumps(known), encoding="utf-8")
    return job


def test_what_a_training_takes_stands_before_its_button(made: Job, tmp_path: Path) -> None:
    """Tokens, steps, memory and time; a model that doesn't fit can't be started."""
    app = shown(made)
    assert "its training takes appears here" in words(app)
    app.text_input(key="fit.model").set_value(str(tmp_path / "Tiny-1M")).run()
    assert [one.label for one in app.metric] == ["Tokens", "Steps"] and not app.button(
        key="fit.start"
    ).disabled
    assert "Memory: ≈" in words(app) and "Time: " in words(app)
    (tmp_path / "Large-900B").mkdir()
    app.text_input(key="fit.model").set_value(str(tmp_path / "Large-900B")).run()
    assert "doesn't fit" in words(app) and app.button(key="fit.start").disabled


def test_a_training_that_stopped_shows_its_curve_and_its_sample(made: Job, tmp_path: Path) -> None:
    """From what lies on disk, as after a restart of the server."""
    plan = trainings.plan_for(made, model=str(tmp_path / "Tiny-1M"))
    (made.path / "train" / "out").mkdir(parents=True)
    (made.path / "train" / "asked.json").write_text(json.dumps(asdict(plan)), encoding="utf-8")
    start = {"event": "start", "step": 0, "steps": 6, "parameters": 9, "trained": 9, "device": "cpu"}
    text = "<think>\n<sample>\n2+2=5\n<answer>5</answer>\n</sample>\n</think>\n\n<answer>5</answer>"
    events = [
        start,
        {"event": "sample", "step": 0, "question": "2+2?", "text": text, "ended": True},
        *({"event": "step", "step": step, "loss": 3 - step / 10, "tokens": 9} for step in (1, 2, 3)),
        {"event": "saved", "step": 3},
        {"event": "end", "how": "stopped", "step": 3},
    ]
    lines = "".join(json.dumps(event) + "\n" for event in events)
    (made.path / "train" / "out" / "log.jsonl").write_text(lines, encoding="utf-8")
    app = shown(made)
    assert "stopped at step 3; the checkpoint of step 3 is kept" in words(app)
    assert "Loss 2.900 at first, 2.700 now" in words(app) and "1 attempt, no verdicts, an answer" in words(
        app
    )
    assert app.button(key="fit.resume").label == "Resume"


def test_a_shared_server_trains_nothing_itself(made: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and offers the Hub's machines to whoever is signed in."""
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    app = shown(made)
    assert "nothing is trained on it" in words(app) and "fit.place" not in [one.key for one in app.radio]
