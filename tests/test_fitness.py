"""The fitness report: four lights that say what was counted, the proposed N with its reason, what is possible."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.prepare import settled_columns
from skill_factory.formats import FORMATS
from skill_factory.insight.fitness import Fitness, fitness
from skill_factory.insight.opinion import MOST_ATTEMPTS
from skill_factory.insight.readiness import Finding, Light, Step
from skill_factory.judge.facts import read
from skill_factory.judge.judge import judge, reach
from skill_factory.judge.source_facts import all_facts
from skill_factory.judge.trials import answers_found
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources.canonical import canonical, tally_rows
from skill_factory.sources.columns import CANONICAL
from skill_factory.sources.files import FileSource
from tests.make_raw import FIELDS, Row, row, verdict

DATA = Path(__file__).parents[1].parent / "shared" / "data"
MAPPED = Recipe(columns=Columns(**{field: field for field in FIELDS}))
BARE = MAPPED.changed({"columns.reflections": ()})


def report(rows: list[Row], recipe: Recipe = MAPPED) -> Fitness:
    found = canonical(rows, recipe.columns)
    facts = read(found.table.cast(CANONICAL), recipe).facts
    return fitness(facts, judge(facts, recipe), tally_rows(found), recipe)


def question(name: str, right: int, wrong: int, **more: object) -> list[Row]:
    """Different responses to one question, `right` of them right, each with a reflection that judges it correctly."""
    return [
        row(name, f"{name} try {k} <answer>{k}</answer>", k < right, extracted=str(k), **more)  # type: ignore[arg-type]
        for k in range(right + wrong)
    ]


def topic(found: Fitness, name: str) -> Finding:
    return next(one for one in found.findings if one.topic == name)


GOOD = [one for k in range(9) for one in question(f"q{k}", 3, 3)]


def test_good_data_show_four_green_lights() -> None:
    """Several answers, both labels, final answers and reflections that judge correctly: nothing left to do."""
    found = report(GOOD)
    assert [one.topic for one in found.findings] == [
        "Several answers",
        "Labels",
        "Final answers",
        "Reflections",
    ]
    assert {one.light for one in found.findings} == {Light.GOOD}
    assert {one.step for one in found.findings} == {Step.NONE}
    assert found.light is Light.GOOD
    assert topic(found, "Labels").headline == "50 % of the responses are right"
    assert topic(found, "Reflections").numbers[0] == ("reflections", "54, 1.0 per response")


def test_one_answer_per_question_can_show_no_retry() -> None:
    """The one light that can't be green is red, and N = 1 is what is left."""
    found = report([one for k in range(5) for one in question(f"q{k}", 1, 0)])
    groups = topic(found, "Several answers")
    assert groups.light is Light.MISSING
    assert groups.headline == "No question has several answers"
    assert groups.meaning.startswith("With one answer per question, a trace can't show a retry")
    assert groups.step is Step.MORE_ANSWERS
    assert found.proposal.attempts == 1
    assert dict(found.proposal.changes) == {"traces.attempts": 1}


def test_equal_responses_are_one_answer() -> None:
    """The same text twice gives no retry."""
    found = report([row("q", "same <answer>1</answer>", True, extracted="1")] * 2)
    assert topic(found, "Several answers").light is Light.MISSING


def test_only_right_answers_fix_no_mistake() -> None:
    """Without a wrong answer no trace can show a mistake corrected; said, not refused."""
    labels = topic(report(question("q", 3, 0)), "Labels")
    assert labels.light is Light.CARE
    assert "no trace can show a mistake corrected" in labels.meaning


def test_no_right_answer_is_the_end() -> None:
    """Every trace ends right: with no right answer nothing can be made, and grading is the next step."""
    found = report(question("q", 0, 4))
    assert (topic(found, "Labels").light, topic(found, "Labels").step) == (Light.MISSING, Step.GRADE)
    assert found.proposal.attempts == 0
    assert found.proposal.reason == "No response is labelled right, so no trace can be made yet."
    assert dict(found.proposal.changes) == {}


def test_rows_without_a_label_are_counted() -> None:
    """Unlabelled rows are lost; many of them turn the light."""
    rows = [*GOOD, *(row(f"n{k}", "r", None) for k in range(6))]
    labels = topic(report(rows), "Labels")
    assert labels.light is Light.CARE
    assert ("rows without a label", "6") in labels.numbers


@pytest.mark.parametrize(
    ("without", "light"), [(0, Light.GOOD), (5, Light.GOOD), (20, Light.CARE), (54, Light.MISSING)]
)
def test_missing_final_answers(without: int, light: Light) -> None:
    """A few cut-off responses are the rule; many turn the light, and the answer rule is the step."""
    rows = [
        {**one, "response": "no end", "extracted_answer": None} | {"response": f"no end {k}"}
        if k < without
        else one
        for k, one in enumerate(GOOD)
    ]
    answers = topic(report(rows), "Final answers")
    assert answers.light is light
    assert ("responses without one", f"{without:,}") in answers.numbers or not without
    assert answers.step is (Step.ANSWER_RULE if without else Step.NONE)


def test_no_reflections_leave_the_bare_format() -> None:
    """Without a column of reflections: the to-do says how many responses need some, the bare format is proposed."""
    found = report(GOOD, BARE)
    reflections = topic(found, "Reflections")
    assert (reflections.light, reflections.step) == (Light.MISSING, Step.REFLECT)
    assert reflections.headline == "No column holds reflections"
    assert "54 responses" in reflections.todo
    assert found.proposal.changes["traces.formats"] == ("no_reflection",)
    assert set(found.possible) == {"no_reflection"}


def test_a_column_of_empty_lists_counts_as_none() -> None:
    """A mapped column without one reflection is unmapped by the proposal, instead of dropping everything."""
    found = report([{**one, "reflections": []} for one in GOOD])
    assert topic(found, "Reflections").headline == "The reflections are empty"
    assert found.proposal.attempts == 5
    assert found.proposal.changes["columns.reflections"] == ()


def test_reflections_that_never_say_right_or_wrong() -> None:
    """Reflections without a verdict ask for a verdict rule."""
    reflections = topic(report([{**one, "reflections": ["looks odd"]} for one in GOOD]), "Reflections")
    assert (reflections.light, reflections.step) == (Light.MISSING, Step.VERDICT_RULE)
    assert reflections.headline == "54 of 54 reflections give no verdict"


def test_a_judge_that_errs_costs_responses() -> None:
    """A model that calls everything right judges no better than chance, and the light says so instead of staying green."""
    found = report([{**one, "reflections": [verdict(True)]} for one in GOOD])
    reflections = topic(found, "Reflections")
    assert reflections.light is Light.CARE
    assert reflections.headline == "The reflections call nearly everything right"
    assert ("on right responses", "100 %") in reflections.numbers
    assert ("on wrong responses", "0 %") in reflections.numbers
    assert "Always saying “right” would reach 50 %" in reflections.meaning


# -- the proposed N ------------------------------------------------------------------------------------------------


def test_n_is_not_beaten_by_another() -> None:
    """Nine questions at 2, three at 4, two at 5: N = 2 corrects most mistakes with most questions, and the reason says so."""
    rows = [one for k in range(9) for one in question(f"q{k}", 1, 4 if k < 2 else 3 if k < 3 else 1)]
    proposed = report(rows).proposal
    assert proposed.attempts == 2
    assert proposed.reason == (
        "9 questions can be used and give about 18 traces, 9 with a mistake corrected; N = 3 would use 3 questions and "
        "give about 9 traces, 6 with a mistake corrected."
    )


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_proposed_n_can_always_be_built(pools: list[tuple[int, int]]) -> None:
    """A proposed N ≥ 1 leaves usable questions, is at most 5, and no other N gives more of everything."""
    rows = [one for k, (right, wrong) in enumerate(pools) for one in question(f"q{k}", right, wrong)]
    if not rows:
        return
    found = report(rows)
    recipe = MAPPED.changed(dict(found.proposal.changes))
    table = canonical(rows, recipe.columns).table.cast(CANONICAL)
    facts = read(table, recipe).facts
    usable = reach(judge(facts, recipe), recipe, FORMATS["*C_full"].needs)
    n = found.proposal.attempts
    assert 0 <= n <= MOST_ATTEMPTS
    assert n == 0 or usable[n - 1] > 0
    rows_of = {row.attempts: row for row in found.opinion.table}
    for other in rows_of.values():
        mine = rows_of[n]
        assert not (
            other.questions > mine.questions
            and other.traces > mine.traces
            and other.corrected > mine.corrected
        )
    assert all(count <= len(facts.question_id) for count in found.possible.values())


# -- real data -----------------------------------------------------------------------------------------------------


def of_file(name: str) -> Fitness:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"needs {name}, which is not beside this repository")
    source = FileSource.open(str(path))
    recipe = Recipe(columns=settled_columns(source, Columns()))
    found = all_facts(source, recipe)
    return fitness(found.facts, judge(found.facts, recipe), found.rows, recipe)


def test_real_reflections_of_mathematics() -> None:
    """268 questions with real reflections: N = 2 gives more questions, traces and corrected mistakes than N = 3."""
    found = of_file("raw_realcritic_math.parquet")
    assert found.proposal.attempts == 2
    assert found.proposal.reason.startswith("229 questions can be used and give about 458 traces")
    assert "N = 3 would use 98 questions" in found.proposal.reason
    assert topic(found, "Reflections").headline == "90 % of the reflections have the correct verdict"


def test_real_answers_without_reflections() -> None:
    """3,500 Countdown answers, half cut off, no reflections: usable without reflections, and the to-do is exact."""
    found = of_file("raw_countdown.parquet")
    assert topic(found, "Final answers").light is Light.CARE
    assert "3,500 responses" in topic(found, "Reflections").todo
    assert found.proposal.changes["traces.formats"] == ("no_reflection",)
    assert found.proposal.attempts >= 2


def test_solutions_of_four_models_need_another_answer_rule() -> None:
    """GSM8K solutions hold no answer tag: the light is red and names the step."""
    found = of_file("gsm8k_example_model_solutions.jsonl")
    answers = topic(found, "Final answers")
    assert (answers.headline, answers.step) == ("No response has a final answer", Step.ANSWER_RULE)
    assert found.proposal.attempts == 0


def test_each_answer_rule_is_tried_alone() -> None:
    """The trials say how often each rule finds an answer."""
    rows = [
        row("q", r"so \boxed{4}", True, extracted=None, answer="4"),
        row("q", "so <answer>5</answer>", False, extracted="5", answer="4"),
    ]
    table = canonical(rows, MAPPED.columns).table.cast(CANONICAL)
    assert answers_found(table) == {
        "column": (1, 2),
        "tag": (1, 2),
        "boxed": (1, 2),
        "stated": (1, 2),
        "gold": (1, 2),
    }
