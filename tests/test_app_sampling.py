"""Sample and measure: a trained model is asked on the page Measure, and its outputs are measured there."""

import random
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.work import makings
from tests.model_server import ModelServer
from tests.studio import open_app, with_source, words


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
