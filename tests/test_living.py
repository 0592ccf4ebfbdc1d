"""The living trace: what a change did to a trace is told truly, and a control that is called idle changes nothing."""

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import build_partition
from skill_factory.build.prepare import ready_recipe
from skill_factory.formats import FORMATS
from skill_factory.insight.living.html import living_html
from skill_factory.insight.living.idle import idle
from skill_factory.insight.living.moved import Fate, Said, moved, sentence
from skill_factory.insight.living.question import (
    alone,
    changed_questions,
    first_to_show,
    judged_otherwise,
    longest,
    questions_in,
    rows_of,
    told,
)
from skill_factory.judge.facts import read
from skill_factory.judge.judge import judge
from skill_factory.model import Trace
from skill_factory.recipe.model import Recipe
from skill_factory.sources import open_source
from skill_factory.sources.columns import CANONICAL
from skill_factory.work.looking import first_bytes

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CODES = list(FORMATS)


@cache
def data() -> tuple[pa.Table, Recipe]:
    """The demo's rows and a recipe for them."""
    source = open_source("demo:12")
    recipe = ready_recipe(source, Recipe())
    return first_bytes(source, recipe.columns, 10_000_000).cast(CANONICAL), recipe


def recipes() -> st.SearchStrategy[Recipe]:
    """Recipes over the demo that differ in what the page Choose can change."""
    return st.builds(
        lambda **changes: data()[1].changed(
            {path.replace("__", "."): value for path, value in changes.items()}
        ),
        traces__formats=st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True).map(tuple),
        traces__attempts=st.integers(1, 5),
        traces__repeats=st.integers(1, 2),
        traces__sample_attempts=st.just(False),
        balance__drop_duplicates=st.booleans(),
        filters__ban=st.sampled_from([(), ("check",)]),
        filters__reflection_chars=st.sampled_from([(0, 0), (0, 200)]),
    )


def traces(recipe: Recipe) -> list[Trace]:
    """All traces of the demo under a recipe."""
    return list(build_partition(data()[0], recipe).traces)


def ids(trace: Trace | None) -> list[int]:
    """The responses that a trace shows, in order."""
    return [response.id for response in trace.plan.order] if trace else []


@few
@given(recipes(), recipes(), st.integers(0, 11))
def test_every_attempt_is_accounted_for(before: Recipe, after: Recipe, place: int) -> None:
    """What stayed, came and moved is the new trace in its order; with what went, it is also all of the old one."""
    question = questions_in(data()[0], before)[place]
    old, new = told(data()[0], before, question).traces, told(data()[0], after, question).traces
    a, b = (longest(one) if one else None for one in (old, new))
    change = moved(a, b)
    here = [step.card.text for step in change.steps if step.fate is not Fate.WENT]
    assert here == ([attempt.response.text for attempt in b.plan.attempts] if b else [])
    assert change.count(Fate.STAYED) + change.count(Fate.MOVED) == len({*ids(a)} & {*ids(b)})
    assert change.count(Fate.WENT) == len({*ids(a)} - {*ids(b)})
    assert change.count(Fate.CAME) == len({*ids(b)} - {*ids(a)})
    assert sentence(change)


def test_nothing_moves_where_nothing_changed() -> None:
    """A trace compared with itself stays, and the page says so."""
    trace = longest(traces(data()[1]))
    change = moved(trace, trace)
    assert change.still and {step.fate for step in change.steps} == {Fate.STAYED}
    assert sentence(change) == "The last change leaves this trace as it is."


def test_a_lost_reflection_is_told_on_its_attempt() -> None:
    """The same attempts without reflections: each stayed, each lost what was said of it."""
    rows, recipe = data()
    bare = recipe.changed({"traces.formats": ("no_reflection",)})
    question = first_to_show(rows, recipe)
    a, b = (longest(told(rows, one, question).traces) for one in (recipe, bare))
    change = moved(a, b)
    assert {step.fate for step in change.steps} == {Fate.STAYED}
    assert {step.said for step in change.steps} == {Said.WENT}
    assert sentence(change) == f"{len(a.plan.order)} attempts have no reflection any more."
    assert "− gone" in living_html(change)


def test_a_question_without_traces_says_why() -> None:
    """More attempts than responses: the reason is that of the ledger, and the attempts are shown as gone."""
    rows, recipe = data()
    question = first_to_show(rows, recipe)
    before = longest(told(rows, recipe, question).traces)
    now = told(rows, recipe.changed({"traces.attempts": 40}), question)
    assert (
        now.traces == ()
        and now.why == "it has fewer kept responses than a trace has attempts (N)"
        and now.kept <= now.read
    )
    change = moved(before, None)
    assert {step.fate for step in change.steps} == {Fate.WENT}
    assert sentence(change) == "This question gives no trace any more."


def test_what_is_told_of_a_question_is_what_the_build_writes() -> None:
    """The traces of a question from its own rows are letter for letter those of the whole build."""
    rows, recipe = data()
    every = traces(alone(recipe))
    for question in questions_in(rows, recipe)[:8]:
        mine = [trace.text for trace in every if trace.plan.question.id == question]
        assert [trace.text for trace in told(rows, recipe, question).traces] == mine
        assert len({*rows_of(rows, question)["question"].to_pylist()}) == 1


@few
@given(recipes(), recipes())
def test_a_question_where_it_matters_is_one_that_changes(before: Recipe, after: Recipe) -> None:
    """Each question that is named has other traces than before, and no other question has."""
    rows = data()[0]
    named = {*changed_questions(rows, before, after)}
    for question in questions_in(rows, after):
        texts = [[trace.text for trace in told(rows, one, question).traces] for one in (before, after)]
        labels = [[trace.plan.label for trace in told(rows, one, question).traces] for one in (before, after)]
        assert (question in named) == (texts[0] != texts[1] or labels[0] != labels[1])


def test_a_filter_s_questions_are_found_without_reading() -> None:
    """Every question whose traces a length limit changes is among those that the judgements name."""
    rows, recipe = data()
    after = recipe.changed({"filters.response_chars": (0, 700)})
    facts = read(rows, recipe).facts
    named = judged_otherwise(facts, judge(facts, recipe), judge(facts, after), 0)
    assert {*changed_questions(rows, recipe, after)} <= {*named} and named
    assert len(named) < len(np.unique(facts.question_id))


CHANGED: dict[str, Any] = {
    "traces.sample_attempts": True,
    "traces.distinct_variants": True,
    "balance.drop_duplicates": None,
    "balance.per_question": 1,
    "filters.ban": ("check",),
    "filters.ban_substrings": True,
    "filters.reflection_chars": (0, 100),
    "filters.block_tags": "escape",
    "cutoff.action": "drop",
}
"""What a control that is called idle is set to."""


@few
@given(recipes())
def test_an_idle_control_changes_no_trace(recipe: Recipe) -> None:
    """Whatever the recipe: setting a control that is greyed out gives the same traces, letter for letter."""
    facts = read(data()[0], recipe).facts
    usual = [trace.digest for trace in traces(recipe)]
    for path, why in idle(recipe, facts).items():
        assert why.endswith(".") and why[0].isupper()
        if path.startswith("phrases.add."):
            changes: dict[str, Any] = {
                "phrases.add": {path.rpartition(".")[2]: ("Well now, here we go once more.",)}
            }
        else:
            now = getattr(getattr(recipe, path.split(".")[0]), path.split(".")[1])
            changes = {path: not now if CHANGED[path] is None else CHANGED[path]}
        if path == "traces.sample_attempts" and recipe.traces.attempts < 2:
            continue  # refused by the recipe itself
        assert [trace.digest for trace in traces(recipe.changed(changes))] == usual, path


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"traces.formats": ("*C_full",)}, "traces.sample_attempts"),
        ({"traces.formats": ("*C",), "traces.attempts": 2}, "traces.sample_attempts"),
        ({"traces.formats": ("algorithm1",)}, "traces.distinct_variants"),
        ({"columns.reflections": (), "traces.formats": ("no_reflection",)}, "filters.ban"),
        ({}, "cutoff.action"),
        ({}, "balance.drop_duplicates"),
        ({"traces.formats": ("0C",)}, "balance.per_question"),
        ({}, "phrases.add.backtrack"),
    ],
)
def test_a_control_without_effect_is_named(changes: dict[str, Any], path: str) -> None:
    """The controls that a first-time user tried in vain."""
    assert path in idle(data()[1].changed(changes))


def test_a_control_with_effect_is_not_greyed_out() -> None:
    """Drawn numbers of attempts, variants and duplicates count as soon as a format uses them."""
    recipe = data()[1].changed(
        {"traces.formats": ("*C", "*C*IC"), "traces.attempts": 4, "cutoff.tokens": 100}
    )
    assert not {
        "traces.sample_attempts",
        "traces.distinct_variants",
        "balance.drop_duplicates",
        "cutoff.action",
    } & {*idle(recipe)}
    assert "phrases.add.backtrack" not in idle(recipe)


def test_hostile_text_stays_text() -> None:
    """Tags in the data are shown as they are."""
    rows, recipe = data()
    bad = "<img src=x onerror=alert(1)>"
    table = rows.set_column(
        rows.schema.get_field_index("response"),
        "response",
        pa.array([f"{bad} {text}" for text in rows["response"].to_pylist()], pa.large_string()),
    )
    question = first_to_show(table, recipe)
    trace = longest(told(table, recipe, question).traces)
    shown = living_html(moved(trace, None)) + living_html(moved(None, trace))
    assert "<img" not in shown and "&lt;img" in shown
