"""The queue of labels in doubt on Look: all witnesses side by side, and a person's decision kept in the recipe."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skill_factory.ui.look.look import DOUBTS
from tests.studio import with_source, words, workspace
from tests.test_app_look import part


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)


def raw(path: Path) -> Path:
    """Twenty questions with four responses each, of which one label is turned round."""
    dice = random.Random(1)
    rows = [
        {
            "question": f"What is {n} + {n}?", "answer": str(2 * n), "response": f"I add. <answer>{answer}</answer> {take}",
            "correct": (answer == 2 * n) != (n == 7 and take == 0), "reflections": [f"<verdict>{'Correct' if answer == 2 * n else 'Incorrect'}</verdict>"],
        }
        for n in range(20) for take in range(4) for answer in [2 * n + (dice.random() < 0.3)]
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_a_label_in_doubt_is_corrected_and_taken_back(tmp_path: Path) -> None:
    """The planted one stands first with its witnesses; the decision goes to the recipe by the response's ids."""
    app = part(with_source(str(raw(tmp_path / "raw.parquet")), "4_Look", None), DOUBTS)
    app.radio(key="look.witnesses").set_value("Everything").run()
    assert not app.exception
    table = app.dataframe[0].value
    assert len(table) == 1 and table["Row"][0] == 29
    assert "1 label in doubt" in words(app)
    app.button(key="look.correct").click().run()
    corrections = workspace(app).recipe.labels.corrections
    assert len(corrections) == 1 and len(next(iter(corrections))) == 33
    assert "No label of the first" in words(app) and "1 label decided by you" in words(app)
    app.button(key="look.undecide").click().run()
    assert workspace(app).recipe.labels.corrections == {}
    assert len(app.dataframe[0].value) == 1


def test_without_gold_answers_the_others_still_speak(tmp_path: Path) -> None:
    """Twins and critiques find the planted label; nothing is graded, and nothing fails."""
    path = tmp_path / "raw.parquet"
    pq.write_table(pq.read_table(raw(path)).drop_columns(["answer"]), path)
    app = part(with_source(str(path), "4_Look", None), DOUBTS)
    app.radio(key="look.witnesses").set_value("Everything").run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table["Row"][0] == 29 and set(table["Our grade"]) == {"? no decision"}
