"""Benchmarks on the page Data: what they ask too is shown side by side, left out, and kept again in one click."""

import json
from pathlib import Path

import pytest

from skill_factory.judge.facts import text_ids
from skill_factory.model import hex_id
from skill_factory.sources import open_source
from skill_factory.ui.data.benchmark_view import GIVEN
from tests.studio import with_source, words, workspace


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)


def test_a_planted_leak_is_decided_by_one_click(tmp_path: Path) -> None:
    """Both questions are left out at once, one is kept by a click, and all of it is taken back by another."""
    asked = list(dict.fromkeys(row["question"] for row in open_source("demo:40").head(320)))[:2]
    names = sorted(hex_id(int(one)) for one in text_ids(asked))
    path = tmp_path / "bench.jsonl"
    path.write_text(
        "".join(json.dumps({"question": text.upper()}) + "\n" for text in asked), encoding="utf-8"
    )
    app = with_source("demo:40", "2_Data", None)
    app.session_state[GIVEN] = [str(path)]
    app.run()
    assert not app.exception
    clean = workspace(app).recipe.clean
    assert sorted(clean.drop) == names
    assert [(one.name, len(one.digest), one.decided) for one in clean.against] == [("bench.jsonl", 64, True)]
    assert "2 questions of 40 are in a benchmark" in words(app)
    app.button(key="benchmarks.decide").click().run()
    assert set(workspace(app).recipe.clean.keep) < set(names)
    assert "1 question left out and 1 kept" in words(app)
    app.button(key="benchmarks.undo").click().run()
    clean = workspace(app).recipe.clean
    assert (clean.against, clean.drop, clean.keep) == ((), (), ())


def test_a_file_without_questions_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """What can't be read is said on the page, and nothing is left out."""
    path = tmp_path / "odd.jsonl"
    path.write_text('{"a": 1, "b": 2}\n', encoding="utf-8")
    app = with_source("demo:40", "2_Data", None)
    app.session_state[GIVEN] = [str(path)]
    app.run()
    assert not app.exception
    assert any("can be told to hold its questions" in error.value for error in app.error)
    assert workspace(app).recipe.clean.drop == ()
