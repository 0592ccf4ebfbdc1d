"""Data: what the rows look like, what is doubtful with one thing to press, and a control for each rule of reading."""

import json
from pathlib import Path
from typing import Any

import pytest

from skill_factory.recipe.model import Recipe
from tests.make_raw import Row
from tests.studio import links, with_source, words, workspace


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)
    return tmp_path / "home"


def thinking(path: Path, **more: Any) -> Path:
    """Responses of a reasoning model, with critiques."""
    rows: list[Row] = [
        {
            "question": f"What is {q} + 7?",
            "answer": str(q + 7),
            "response": f"<think>\nHm {k}.\n</think>\n\nTry {k}. <answer>{q + 7 + k % 2}</answer>",
            "correct": k % 2 == 0,
            "reflections": [f"I see {k}. <verdict>{'Correct' if k % 2 == 0 else 'Incorrect'}</verdict>"],
            **more,
        }
        for q in range(6)
        for k in range(4)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_think_rule_is_proposed_and_can_be_changed(tmp_path: Path) -> None:
    """What stands behind the thinking is taken by itself; the control says how often each choice finds something."""
    app = with_source(str(thinking(tmp_path / "raw.jsonl")))
    assert workspace(app).recipe.columns.think == "after"
    control = app.selectbox(key="reading.think")
    assert "What stands behind the thinking (24 of 24)" in control.options
    control.set_value("both").run()
    assert workspace(app).recipe.columns.think == "both"
    assert "**N = 4**" in words(app)


def test_a_doubt_is_fixed_by_one_press(tmp_path: Path) -> None:
    """Thinking that is left names its cause; pressing takes it off, and the doubt is gone."""
    app = with_source(str(thinking(tmp_path / "raw.jsonl")))
    app.selectbox(key="reading.think").set_value("").run()
    assert "they contain <think> … </think>" in words(app).replace("\\", "")
    app.button(key="doubt.press.drop_block_tags").click().run()
    assert workspace(app).recipe.columns.think == "after"
    assert "they contain <think>" not in words(app).replace("\\", "")


def test_no_light_is_green_that_should_name_a_drop(tmp_path: Path) -> None:
    """While thinking drops every response, the light about what texts hold is not green and says what to press."""
    app = with_source(str(thinking(tmp_path / "raw.jsonl")))
    app.selectbox(key="reading.think").set_value("").run()
    said = words(app)
    assert "**Final answers** · missing" in said
    assert "24 of 24 responses are dropped" in said and "--think after" in said


def test_the_labels_of_a_column_that_is_picked_are_read(tmp_path: Path) -> None:
    """Picking a column by hand proposes the words that mean right in it."""
    path = thinking(tmp_path / "raw.jsonl", judged="fail", checked="pass")
    app = with_source(str(path))
    app.selectbox(key="columns.correct").set_value("judged").run()
    assert workspace(app).recipe.columns.label_rule == "words"
    assert workspace(app).recipe.columns.wrong == ("fail",)


def test_a_known_format_is_named(tmp_path: Path) -> None:
    """The page says what the data look like and where right and wrong come from; its rules are in force."""
    rows = [
        {
            "input": f"user\n{q}+1?\nassistant\n",
            "output": f"{k}: <answer>{q + 1 + k}</answer>",
            "gts": str(q + 1),
            "score": 1 - 2 * k,
            "step": 5,
        }
        for q in range(4)
        for k in range(2)
    ]
    path = tmp_path / "5.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    app = with_source(str(path))
    assert "This looks like **verl rollout log**" in words(app)
    recipe = workspace(app).recipe
    assert (recipe.columns.question_rule, recipe.columns.label_rule) == ("chat", "words")
    for rule in ("question", "response", "label", "answer"):
        assert app.selectbox(key=f"reading.{rule}").value is not None
    app.button(key="preset.leave").click().run()
    assert "This looks like" not in words(app)
    columns = workspace(app).recipe.columns
    assert (columns.guess, columns.question, columns.response, columns.prompt_variant) == (
        "names",
        "input",
        ("output",),
        "",
    )


def test_the_strip_names_what_has_to_be_settled_first(tmp_path: Path) -> None:
    """Below the navigation of every page stands the cause that Data names; once it is settled, it is gone."""
    path = thinking(tmp_path / "raw.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text(
        "".join(json.dumps({**row, "correct": not row["correct"]}) + "\n" for row in rows), encoding="utf-8"
    )
    app = with_source(str(path), page="3_Choose")
    assert "But right and wrong look exchanged" in links(app)
    clean = with_source(str(thinking(tmp_path / "clean.jsonl")), page="3_Choose")
    assert not any(label.startswith("But ") for label in links(clean))


def test_reflections_that_give_the_answer_away_are_counted_and_decided_on(tmp_path: Path) -> None:
    """Next to the chart of reflections stands how many state the gold answer; what is chosen there goes to the recipe."""
    rows = [
        {
            "question": f"{q}+1?",
            "answer": str(q + 1),
            "response": f"{k}: <answer>{q + 1 + k}</answer>",
            "correct": k == 0,
            "reflections": [
                f"<verdict>{'Correct' if k == 0 else 'Incorrect'}</verdict> The correct answer is {q + 1}."
            ],
        }
        for q in range(4)
        for k in range(2)
    ]
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    app = with_source(str(path), page="3_Choose")
    app.segmented_control(key="choose.section").set_value("Reflections").run()
    assert "4 of 4 reflections on wrong responses state the gold answer." in words(app)
    app.selectbox(key="filters.given_away").set_value("cut").run()
    assert workspace(app).recipe.filters.given_away == "cut"
    assert "0 of 4 reflections on wrong responses state the gold answer." in words(app)


def test_the_verdict_rule_and_the_language_are_controls(tmp_path: Path) -> None:
    """A verdict in a style of its own is found and can be changed; so can the language of the phrases."""
    path = tmp_path / "raw.jsonl"
    rows = [json.loads(line) for line in thinking(path).read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["reflections"] = [f"I see.\nConclusion: {'right' if row['correct'] else 'wrong'}"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    app = with_source(str(path))
    assert workspace(app).recipe.verdicts.rule == "regex"
    assert app.selectbox(key="reading.verdict").value == "named"
    app.selectbox(key="phrases.language").set_value("de").run()
    assert workspace(app).recipe.phrases.language == "de"


def test_proposals_go_with_the_data_they_were_made_for(tmp_path: Path) -> None:
    """Other data get the usual rules again, unless a person changed them."""
    path = tmp_path / "raw.jsonl"
    rows = [json.loads(line) for line in thinking(path).read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["reflections"] = [f"I see.\nConclusion: {'right' if row['correct'] else 'wrong'}"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    app = with_source(str(path))
    app.text_input(key="door.path").set_value("demo:40").run()
    assert workspace(app).recipe.verdicts == Recipe().verdicts


def test_what_was_left_out_of_an_attempt_can_be_seen(tmp_path: Path) -> None:
    """The trace view shows the thinking that the rule left out, folded, with its length."""
    app = with_source(str(thinking(tmp_path / "raw.jsonl")), page="4_Look")
    (toggle,) = [one for one in app.toggle if one.label == "Show what was left out of the attempts"]
    toggle.set_value(True).run()
    assert any("characters left out" in one.label for one in app.expander)
    assert any(one.value.startswith("Hm ") for one in app.text)
