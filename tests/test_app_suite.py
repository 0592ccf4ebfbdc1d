"""Suite: arms around the chosen recipe, built on the page, compared in a table."""

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.recipe.model import new_recipe
from skill_factory.work import suites
from tests.studio import links, with_source, words

SUITE = """
recipe = "paper"
[one_at_a_time]
"traces.attempts" = [2]
"""


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))


@pytest.fixture
def app(_own_home: None) -> AppTest:
    """Suite, with the demo; the recipe holds some questions out."""
    recipe = new_recipe().changed({"clean.holdout": 0.2})
    return with_source("demo:40", page="7_Suite", recipe=recipe)


def built(app: AppTest, seconds: float = 60) -> AppTest:
    """The page once the suite that it started has ended."""
    job = suites.find(app.session_state["suite.job"])
    assert job is not None
    end = time.monotonic() + seconds
    while suites.status(job).state in suites.ACTIVE and time.monotonic() < end:
        time.sleep(0.2)
    return app.run()


def test_choose_leads_to_it(_own_home: None) -> None:
    """The page isn't a step of its own: Choose offers it."""
    choose = with_source("demo:40", page="3_Choose")
    assert any(label.startswith("Compare arms") for label in links(choose))


def test_three_arms_are_built_and_compared(app: AppTest) -> None:
    """The paper's arms around the recipe at hand; some are taken; the table stands on the page, and how to publish."""
    assert not app.exception
    arms = app.dataframe[0].value
    assert ["No reflections", "no_reflections"] in arms[["Arm", "In files"]].to_numpy().tolist()
    app.multiselect[0].set_value(["no_reflections", "no_order"]).run()
    assert app.button(key="suite.start").label == "Build 3 arms"
    app.button(key="suite.start").click().run()
    app = built(app)
    assert not app.exception
    assert "3 arms are ready" in words(app), words(app)
    table = app.dataframe[0].value
    assert list(table["arm"]) == ["base", "no_reflections", "no_order"]
    assert len(set(table["traces"])) == len(set(table["questions"])) == 1
    assert "measure --suite" in words(app)
    assert "in none of the arms" in words(app)


def test_no_arm_is_nothing_to_compare(app: AppTest) -> None:
    """Without arms there is no button."""
    app.multiselect[0].set_value([]).run()
    assert "at least one arm" in words(app)
    assert not [button for button in app.button if button.key == "suite.start"]


def test_a_file_of_ones_own(app: AppTest) -> None:
    """A suite file takes the columns of the data at hand; a wrong one says what is wrong."""
    app.segmented_control(key="suite.which").set_value("A suite file").run()
    app.file_uploader(key="suite.file").set_value(("mine.toml", SUITE.encode(), "application/toml")).run()
    assert not app.exception
    assert app.button(key="suite.start").label == "Build 2 arms"
    app.file_uploader(key="suite.file").set_value(("mine.toml", b"grids = 3", "application/toml")).run()
    assert "no key 'grids'" in words(app)


def test_a_suite_that_fails_says_why(app: AppTest) -> None:
    """An error of use is a sentence; the arms can be changed."""
    app.segmented_control(key="suite.which").set_value("A suite file").run()
    text = '[one_at_a_time]\n"traces.attempts" = [900]\n'
    app.file_uploader(key="suite.file").set_value(("mine.toml", text.encode(), "application/toml")).run()
    app.button(key="suite.start").click().run()
    app = built(app)
    assert "No arm but the base" in words(app)
    app.button(key="suite.change").click().run()
    assert app.segmented_control(key="suite.which")
