"""The data doctor on the page Data: what words mean is asked in place, and hostile names are only text."""

import json
from pathlib import Path

import pytest

from skill_factory.recipe.model import Recipe
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


def test_the_number_of_attempts_is_suited_once_the_labels_can_be_read(tmp_path: Path) -> None:
    """Words of unknown meaning give no N; as soon as a press settles them, N suits the data and traces are counted."""
    rows = [
        {
            "question": f"What is {q} + {q}?",
            "response": f"Attempt {k}: <answer>{2 * q + k}</answer>",
            "label": "gruen" if k == 0 else "rot",
        }
        for q in range(8)
        for k in range(2)
    ]
    path = tmp_path / "colours.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    app = with_source(str(path), recipe=Recipe().changed({"columns.correct": ("label",)}))
    assert "First settle this." in words(app)
    app.button(key="cause.word.gruen").click().run()
    assert workspace(app).recipe.traces.attempts == 2
    assert not app.exception


def test_the_next_step_is_a_press_and_names_no_option(tmp_path: Path) -> None:
    """Reflections that give the answer away: cutting them is one press beside the sentence, without an option in it."""
    rows = [
        {
            "question": f"What is {q} + 200?",
            "answer": str(q + 200),
            "response": f"Attempt {k}: <answer>{q + 200 + k}</answer>",
            "correct": k == 0,
            "reflection": f"The answer is {q + 200}. <verdict>{'Correct' if k == 0 else 'Incorrect'}</verdict>",
        }
        for q in range(110)
        for k in range(2)
    ]
    path = tmp_path / "given.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    app = with_source(str(path))
    assert "--given" not in words(app)
    app.button(key="doubt.next.gives_away_answer").click().run()
    assert workspace(app).recipe.filters.given_away == "cut"
    assert not app.exception


def test_what_is_doubtful_is_told_once(tmp_path: Path) -> None:
    """Responses that come twice: said once as a reason and counted once in its card, and not a third time at the rules."""
    rows = [
        {
            "question": f"What is {q} + {q}?",
            "response": f"That is <answer>{2 * q + (k == 0)}</answer>",
            "correct": k > 0,
        }
        for q in range(40)
        for k in range(4)
    ]
    path = tmp_path / "again.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    said = words(with_source(str(path))).replace("\\", "")
    assert said.count("are dropped: ") == 2, said
