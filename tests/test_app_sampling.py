"""Sample and measure: a trained model is asked on the page Measure, and its outputs are measured there."""

import json
import random
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.build import pipeline
from skill_factory.recipe.model import Recipe
from skill_factory.sources import open_source
from skill_factory.ui.frame.workspace import Workspace
from skill_factory.work import makings, trainings
from skill_factory.work.builds import Job
from skill_factory.work.home import new_place
from tests.model_server import ModelServer
from tests.served_model import program_in
from tests.studio import ROOT, open_app, with_source, words


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)


def trained(prompt: str, rng: random.Random) -> str:
    """A model that tries, judges, and tries again."""
    number = rng.randrange(100)
    attempt = f"<sample>\nI add.\n<answer>{number}</answer>\n</sample>\n"
    judged = "<reflect>\nNo.\n<verdict>Incorrect</verdict>\n</reflect>\n"
    return f"<think>\n{attempt}{judged}{attempt}</think>\n\n<answer>{number}</answer>"


def asked(app: AppTest, url: str, model: str, button: str = "sampling.whole") -> AppTest:
    """The page once the model has been asked and its outputs are measured."""
    app.text_input(key="sampling.url").set_value(url)
    app.text_input(key="sampling.model").set_value(model)
    app.number_input(key="sampling.samples").set_value(2)
    app.button(key=button).click().run(timeout=60)
    end = time.monotonic() + 60
    while any(makings.status(made).running for made in makings.recent()) and time.monotonic() < end:
        time.sleep(0.2)
    return app.run(timeout=60).run(timeout=60)


def test_a_model_is_asked_and_measured(tmp_path: Path) -> None:
    """Address and name, one press: the figures stand below; a second model stands beside the first."""
    app = with_source("demo:sums:6", page="6_Measure")
    with ModelServer(trained) as server:
        asked(app, server.url, "base")
        assert not app.exception and not app.error
        assert "12 outputs of 1 run, 6 questions" in words(app)
        asked(app, server.url, "tuned")
    assert not app.exception and not app.error
    assert "24 outputs of 2 runs, 6 questions" in words(app)
    assert "tuned was asked, and its outputs are measured below" in words(app)


def test_without_questions_it_says_where_to_open_them() -> None:
    """A sentence and a link to Data."""
    app = open_app("6_Measure")
    assert "questions of your own" in words(app)
    assert not app.exception and "sampling.whole" not in {one.key for one in app.button}


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    """In one sentence, and the form stays as it was filled in."""
    app = asked(with_source("demo:sums:6", page="6_Measure"), "http://127.0.0.1:9/v1", "base")
    assert app.error and not app.exception
    assert app.text_input(key="sampling.model").value == "base"


def test_a_missing_name_is_asked_for(tmp_path: Path) -> None:
    """Nothing is started without the model's name."""
    app = with_source("demo:sums:6", page="6_Measure")
    app.text_input(key="sampling.url").set_value("http://127.0.0.1:9/v1")
    app.button(key="sampling.whole").click().run(timeout=60)
    assert "Name the model, as its server knows it." in app.error[0].value
    assert not makings.recent()


def trained_build(base: Path, holdout: float) -> Job:
    """A build with a model that was trained on it, as both lie on disk."""
    path = new_place("builds")
    pipeline.build("demo:sums:30", path / "data", Recipe().changed({"clean.holdout": holdout}))
    job = Job(path.name, path, "demo:sums:30", "The sums", "", time.time())
    known = {name: value for name, value in asdict(job).items() if name not in ("id", "path")}
    (path / "job.json").write_text(json.dumps(known), encoding="utf-8")
    model = trainings.model_folder(job)
    model.mkdir(parents=True)
    plan = trainings.plan_for(job, model=str(base))
    (path / "train" / "asked.json").write_text(json.dumps(asdict(plan)), encoding="utf-8")
    settings = {"id": "1", "model": str(base)}
    (model.parent / "training.json").write_text(json.dumps(settings), encoding="utf-8")
    end = {"event": "end", "how": "trained", "step": 3}
    (model.parent / "log.jsonl").write_text(json.dumps(end) + "\n", encoding="utf-8")
    return job


def measure_with(job: Job) -> AppTest:
    """Measure, as it opens from the build's training."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.session_state["workspace"] = Workspace(job=job.id)
    return app.switch_page("pages/6_Measure.py").run()


@pytest.mark.long
def test_a_trained_model_is_handed_over_and_asked_beside_its_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One press: both are served one after the other and asked the held-out questions; no path is a run's name."""
    (tmp_path / "Tiny-1M").mkdir()
    golds = {row["question"]: row["answer"] for row in open_source("demo:sums:30").head(240)}
    monkeypatch.setenv("SKILL_FACTORY_SERVER", str(program_in(tmp_path / "bin", golds)))
    app = measure_with(trained_build(tmp_path / "Tiny-1M", 0.2))
    app.button(key="sampling.pilot").click().run(timeout=60)
    end = time.monotonic() + 60
    while "Tiny\\-1M\\-trained was asked" not in words(app) and time.monotonic() < end:
        assert not app.error and not app.exception
        time.sleep(0.3)
        app.run(timeout=60)
    assert "outputs of 2 runs" in words(app) and "**Tiny\\-1M\\-trained**" in words(app)
    assert [Path(made.asked.model).name for made in makings.recent()] == ["model", "Tiny-1M"]


def test_a_build_that_holds_nothing_out_is_a_doubt(tmp_path: Path) -> None:
    """The questions of its own source were trained on, so the figures would look better than they are."""
    app = measure_with(trained_build(tmp_path / "Tiny-1M", 0.0))
    assert "questions of your own" in words(app)  # its source isn't open here
    job = trained_build(tmp_path / "Tiny-1M", 0.0)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.session_state["workspace"] = Workspace(job=job.id, source="demo:sums:30", label="The sums")
    app = app.switch_page("pages/6_Measure.py").run()
    assert "The model was trained on questions of this build" in app.warning[0].value


def test_what_cannot_be_served_here_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is missing, and a computer without a server; the form is filled in all the same."""
    monkeypatch.setenv("PATH", "")
    base = tmp_path / "nowhere" / "Tiny-1M"
    app = measure_with(trained_build(base, 0.2))
    assert "the model hasn't seen them" in words(app) and not app.warning
    assert app.text_input(key="sampling.base").value == str(base)
    app.button(key="sampling.pilot").click().run(timeout=60)
    assert "No inference server is installed here" in app.error[0].value
    monkeypatch.setenv("SKILL_FACTORY_SERVER", str(program_in(tmp_path / "bin", {})))
    app.button(key="sampling.pilot").click().run(timeout=60)
    assert "There is no folder" in app.error[0].value and not makings.recent()
