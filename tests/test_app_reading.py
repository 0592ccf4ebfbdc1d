"""Reading all of a large source beside the pages: started once, told how far, lost and failed readings are mended."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.sources.demo.rows import write_demo
from skill_factory.ui.frame import exact_tables
from tests.studio import links, with_source, words


@pytest.fixture
def sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page Data with a source that is too large for a sample, and nobody who reads the rest."""
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("skill_factory.judge.source_facts.sample_facts.__defaults__", (60_000,))
    asked: list[str] = []
    monkeypatch.setattr(exact_tables, "start", lambda name, *_: asked.append(name))
    path = tmp_path / "raw.parquet"
    write_demo(path, 120, 5)
    app = with_source(str(path))
    app.session_state["asked"] = asked
    return app


def name_of(app: AppTest) -> str:
    kept = app.session_state["_kept"]
    return str(kept["sample"][0])


def test_numbers_of_a_sample_are_marked(sampled: AppTest) -> None:
    """About so many, from a sample; and the strip says that the rest is being read."""
    assert links(sampled)[0].startswith("about **")
    assert links(sampled)[1].startswith("about **")
    assert "from a sample" in words(sampled)


def test_a_reading_that_failed_is_said_once_and_not_started_again(
    sampled: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was ended from outside leaves a sentence; the same data are not read in a circle."""
    monkeypatch.undo()
    ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(137)"], text=True)
    ended.wait()
    name = name_of(sampled)
    readers = exact_tables._readers()
    readers[name] = ended
    assert "stopped before the end" in exact_tables.progress(name).error
    before = dict(readers)
    sampled.run()
    assert exact_tables._readers() == before
    exact_tables.forget_failed()
    assert name not in exact_tables._readers()


def test_a_reading_that_another_session_ended_is_noticed(sampled: AppTest) -> None:
    """Nobody reads it: the strip says so, and begins anew."""
    asked: list[str] = sampled.session_state["asked"]
    assert exact_tables.progress(name_of(sampled)).lost
    assert len(asked) > 1
