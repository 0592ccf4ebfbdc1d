"""Two recipes side by side: differences are complete, numbers are those of each alone, questions are the same."""

import pytest

from skill_factory.build.pipeline import preview
from skill_factory.build.prepare import ready_recipe
from skill_factory.insight.compare import (
    OF_THE_DATA,
    Difference,
    differences,
    labels,
    measures,
    on_the_same_data,
    pairs,
    prospects,
    readable,
)
from skill_factory.judge.first_questions import first_rows
from skill_factory.judge.source_facts import all_facts
from skill_factory.recipe.model import Columns, Recipe, load_recipe
from skill_factory.sources import open_source


def test_equal_recipes_do_not_differ_whatever_the_data() -> None:
    """Source and columns say what the data are, so they are no difference between recipes."""
    other = Recipe().model_copy(update={"columns": Columns(question="frage")})
    assert differences(Recipe(), other) == []
    assert on_the_same_data(Recipe(), other) == other


def test_every_changed_field_is_named_with_both_values() -> None:
    """What was changed is what is listed, in words."""
    changes = {"traces.attempts": 3, "traces.distinct_variants": True, "filters.ban": ["idea", "fast"]}
    changes |= {"balance.label_limits": {"1C": 10}, "verdicts.rule": "column"}
    found = differences(Recipe(), Recipe().changed(changes))
    assert {one.field for one in found} == set(changes)
    assert Difference("traces.attempts", "5", "3") in found
    assert Difference("traces.distinct_variants", "no", "yes") in found
    assert Difference("filters.ban", "none", "idea, fast") in found
    assert Difference("balance.label_limits", "none", "1C: 10") in found
    assert not any(field.startswith(OF_THE_DATA) for field in changes)


@pytest.mark.parametrize(
    ("value", "said"), [("", "none"), (0, "0"), (True, "yes"), ([0.0, 1.0], "0.0, 1.0"), ({}, "none")]
)
def test_values_are_told_as_people_read_them(value: object, said: str) -> None:
    """Yes and no, none for what is empty, lists with commas."""
    assert readable(value) == said


def test_numbers_are_those_that_each_recipe_gives_alone() -> None:
    """Questions and traces under both equal the build's own; shares add up to all traces."""
    source = open_source("demo:60")
    mine = ready_recipe(source, Recipe().changed({"traces.attempts": 3}))
    other = on_the_same_data(load_recipe("ablation_no_order"), mine)
    facts = all_facts(source, mine).facts
    left, right = prospects(facts, mine), prospects(facts, other)
    rows = {one.name: one for one in measures(left, right)}
    made = preview(source, mine, questions=1000).traces
    assert rows["Traces"].left == len(made)
    assert rows["Questions used"].left == len({one.plan.question.id for one in made})
    assert rows["Traces"].right == len(preview(source, other, questions=1000).traces)
    assert rows["Average attempts per trace"].left == 2
    for side in ("left", "right"):
        assert sum(getattr(one, side) for one in rows.values() if one.is_share) == pytest.approx(1)
    assert {label: n for label, n, _ in labels(left, right) if n} == left.by_label
    assert ("random", 0, right.traces) in labels(left, right)


def test_the_same_question_stands_on_both_sides() -> None:
    """Both sides are made from the same rows, each as its own preview makes them; an unused question has no traces."""
    source = open_source("demo:60")
    mine = ready_recipe(source, Recipe().changed({"traces.attempts": 2}))
    other = mine.changed({"traces.attempts": 8, "traces.seed": 7})
    rows, _ = first_rows(source, mine, 30)
    found = pairs(rows, mine, other)
    assert [one.question_id for one in found if one.left] == list(
        dict.fromkeys(trace.plan.question.id for trace in preview(source, mine, questions=30).traces)
    )[: len([one for one in found if one.left])]
    for one in found:
        assert {trace.plan.question.text for trace in one.left + one.right} == {one.question}
        assert len(one.left) in (0, 2) and len(one.right) in (0, 8)
    assert any(not one.right for one in found)


def test_the_shipped_ablations_differ_from_the_paper_in_what_they_name() -> None:
    """Each ablation differs from the paper's recipe in what its name says."""
    paper = load_recipe("paper")
    assert "filters.variants" in [one.field for one in differences(paper, load_recipe("ablation_no_variety"))]
    assert "traces.formats" in [one.field for one in differences(paper, load_recipe("ablation_no_order"))]
