"""The data doctor on the page Data: what words mean is asked in place, and hostile names are only text."""

import json
from pathlib import Path

import pytest

from tests.studio import with_source, words, workspace
from tests.test_opinion import critic


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)


def test_three_words_are_given_their_meaning_in_place(tmp_path: Path) -> None:
    """Known words are picked already; the unknown one is left out or picked, and then the labels can be read."""
    evil = "maybe ![x](https://evil.example/x)"
    rows = [
        {
            "question": one["question"],
            "response": one["response"],
            "label": evil if place % 4 == 3 else "correct" if one["correct"] else "incorrect",
            "reflection": one["reflections"][0],
        }
        for place, one in enumerate(critic(30, 0.9, 0.1, each=1))
    ]
    path = tmp_path / "words.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    app = with_source(str(path))
    assert "First settle this." in words(app)
    assert not any(evil in str(one.value) for one in [*app.caption, *app.markdown])
    app.button(key="cause.use").click().run()
    columns = workspace(app).recipe.columns
    assert (columns.label_rule, columns.right, columns.wrong) == ("words", ("correct",), ("incorrect",))
    assert "First settle this." not in words(app)
    assert not app.exception
