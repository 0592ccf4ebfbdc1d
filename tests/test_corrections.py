"""A label that a person corrected stays corrected: in the facts, in every rebuild, and counted in the card."""

import json
from pathlib import Path

import pytest

from skill_factory.build.pipeline import build
from skill_factory.draws import text_id
from skill_factory.errors import RecipeError
from skill_factory.judge.corrections import correction_key
from skill_factory.judge.source_facts import all_facts
from skill_factory.recipe.model import Recipe, recipe_from_toml
from skill_factory.sources import open_source


def raw(path: Path) -> Path:
    """Four questions with two responses each; the response “same” answers two of them."""
    rows = [
        {
            "question": f"What is {n}?",
            "answer": "4",
            "response": text,
            "correct": text != "no",
            "reflections": [],
        }
        for n in range(4)
        for text in ("same" if n < 2 else f"it is {n} <answer>4</answer>", "no")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


COLUMNS = {
    "columns.question": "question",
    "columns.answer": "answer",
    "columns.response": ["response"],
    "columns.correct": ["correct"],
}
PLAIN = Recipe().changed({**COLUMNS, "traces.formats": ["no_reflection"], "traces.attempts": 1})


def key(question: str, response: str) -> str:
    """The name of a response in the recipe."""
    return correction_key(text_id(question), text_id(response))


def test_a_correction_changes_one_response_of_one_question(tmp_path: Path) -> None:
    """The same text under another question keeps its label; the facts say which label was changed."""
    source = open_source(str(raw(tmp_path / "raw.jsonl")))
    corrections = {
        key("What is 0?", "same"): False,
        key("What is 9?", "same"): False,
        key("What is 1?", "same"): True,
    }
    recipe = Recipe().changed({**COLUMNS, "labels.corrections": corrections})
    facts = all_facts(source, recipe).facts
    assert facts.response_correct.tolist() == [False, False, True, False, True, False, True, False]
    assert facts.response_corrected.tolist() == [True, *[False] * 7]


def test_a_rebuild_keeps_corrections_and_the_card_counts_them(tmp_path: Path) -> None:
    """Written in recipe.toml, read back from it, and said with both directions in the card and the report."""
    corrections = {key("What is 2?", "no"): True, key("What is 3?", "it is 3 <answer>4</answer>"): False}
    recipe = PLAIN.changed({"labels.corrections": corrections})
    first = build(str(raw(tmp_path / "raw.jsonl")), tmp_path / "one", recipe, workers=1)
    card = (tmp_path / "one" / "README.md").read_text(encoding="utf-8")
    assert "2 stored labels of the source were corrected by a person, 1 to right and 1 to wrong" in card
    assert first.report["corrections"] == {"right": 1, "wrong": 1}
    again = recipe_from_toml((tmp_path / "one" / "recipe.toml").read_text(encoding="utf-8"))
    assert again.labels.corrections == corrections
    plain = build(str(tmp_path / "raw.jsonl"), tmp_path / "two", PLAIN, workers=1)
    assert "corrections" not in plain.report
    assert "corrected by a person" not in (tmp_path / "two" / "README.md").read_text(encoding="utf-8")


def test_a_recipe_without_corrections_is_the_recipe_it_was() -> None:
    """The field that came later leaves older fingerprints as they were."""
    tree = Recipe().model_dump(mode="json")
    assert tree["labels"] == {"corrections": {}}
    assert Recipe().fingerprint() == Recipe().changed({"labels.corrections": {}}).fingerprint()
    assert (
        Recipe().fingerprint()
        != Recipe().changed({"labels.corrections": {"0" * 16 + "-" + "1" * 16: True}}).fingerprint()
    )


def test_a_correction_is_named_by_two_ids() -> None:
    """Anything else is refused with what was found."""
    with pytest.raises(RecipeError, match="two ids of 16 hexadecimal digits"):
        Recipe().changed({"labels.corrections": {"abc": True}})
