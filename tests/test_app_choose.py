"""Choose: every control changes the recipe and a number beside it; every chart answers in words."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.formats import FORMATS
from skill_factory.ui.choose.choice_charts import SECTIONS
from tests.make_raw import row, write_jsonl
from tests.studio import links, with_source, words, workspace


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))


@pytest.fixture
def app(_own_home: None) -> AppTest:
    """Choose, with the demo."""
    return with_source(page="3_Choose")


def traces(app: AppTest) -> str:
    """The number of traces in the strip."""
    return links(app)[1]


def titles(app: AppTest) -> str:
    return "\n".join(one.value for one in app.markdown)


def test_fewer_attempts_are_fewer_traces(app: AppTest) -> None:
    """The slider is the recipe's N; strip, button and chart title follow."""
    before = traces(app)
    app.segmented_control(key="choose.section").set_value("Yield").run()
    app.slider(key="traces.attempts").set_value(2).run()
    assert workspace(app).recipe.traces.attempts == 2
    assert traces(app) != before
    assert "N = 2" in titles(app)
    assert app.button(key="choose.next").label.startswith("Look at the ")


def test_every_format_says_what_it_would_give(app: AppTest) -> None:
    """A picture, how many questions, how many traces, and under its help why not more."""
    for code in FORMATS:
        box = app.checkbox(key=f"traces.formats.{code}")
        assert "traces" in titles(app)
        assert "Questions that can't give one" in box.proto.help


def test_a_second_format_adds_traces_and_the_last_one_stays(app: AppTest) -> None:
    """Formats add up; a recipe without any is refused where the formats stand."""
    app.checkbox(key="traces.formats.0C").check().run()
    assert workspace(app).recipe.traces.formats == ("*C_full", "0C")
    app.checkbox(key="traces.formats.*C_full").uncheck().run()
    assert workspace(app).recipe.traces.formats == ("0C",)
    app.checkbox(key="traces.formats.0C").uncheck().run()
    assert workspace(app).recipe.traces.formats == ("0C",)
    assert app.checkbox(key="traces.formats.0C").value
    assert "at least one format" in words(app)


NUMBERS = [
    ("traces.repeats", 2),
    ("balance.min_wrong", 1),
    ("balance.per_question", 1),
    ("balance.max_traces", 10),
    ("traces.seed", 5),
    ("cutoff.tokens", 900),
]


@pytest.mark.parametrize(("path", "number"), NUMBERS)
def test_a_number_goes_into_the_recipe(app: AppTest, path: str, number: int) -> None:
    """Each number field is a field of the recipe by the same name."""
    app.number_input(key=path).set_value(number).run()
    assert workspace(app).recipe.flat()[path] == number
    assert not app.exception


@pytest.mark.parametrize("path", ["traces.repeats", "balance.per_question", "balance.max_traces"])
def test_limits_and_repeats_change_the_number_of_traces(app: AppTest, path: str) -> None:
    """What changes how much comes out shows in the strip at once."""
    before = traces(app)
    app.number_input(key=path).set_value(2).run()
    assert traces(app) != before


@pytest.mark.parametrize(
    "path", ["traces.distinct_variants", "traces.sample_attempts", "filters.ban_substrings", "output.lineage"]
)
def test_a_switch_goes_into_the_recipe(app: AppTest, path: str) -> None:
    """Each switch is a field of the recipe by the same name; where it would do nothing, it waits for what it needs."""
    if path == "traces.sample_attempts":
        app.checkbox(key="traces.formats.*C").check().run()
    if path == "filters.ban_substrings":
        app.text_input(key="filters.ban").set_value("fresh").run()
    before = workspace(app).recipe.flat()[path]
    app.toggle(key=path).set_value(not before).run()
    assert workspace(app).recipe.flat()[path] is not before


def test_distinct_variants_bound_the_attempts(app: AppTest) -> None:
    """Four prompt variants can't give five different ones: the title says which N is the last with any."""
    app.segmented_control(key="choose.section").set_value("Yield").run()
    app.toggle(key="traces.distinct_variants").set_value(True).run()
    assert "the largest N that works is 4" in titles(app).replace("\\", "")
    assert app.button(key="choose.next").disabled


def test_banned_words_are_a_list(app: AppTest) -> None:
    """Words by commas, spaces around them and repeats left out; each drop is counted."""
    app.text_input(key="filters.ban").set_value(" total , fresh,total,").run()
    assert workspace(app).recipe.filters.ban == ("total", "fresh")
    app.session_state["chart.drops.numbers"] = True
    app.segmented_control(key="choose.section").set_value("Dropped").run()
    assert "it contains a banned word" in list(app.dataframe[0].value["Why"])


def test_lengths_are_limits_of_both_ends(app: AppTest) -> None:
    """From and to are two fields of one setting."""
    app.number_input(key="filters.response_chars.1").set_value(400).run()
    assert workspace(app).recipe.filters.response_chars == (0, 400)
    app.number_input(key="filters.response_chars.0").set_value(50).run()
    assert workspace(app).recipe.filters.response_chars == (50, 400)


def test_a_label_can_have_a_limit_of_its_own(app: AppTest) -> None:
    """A limit for one label; 0 takes it away again."""
    app.number_input(key="balance.label_limits.1C").set_value(3).run()
    assert workspace(app).recipe.balance.label_limits == {"1C": 3}
    app.number_input(key="balance.label_limits.1C").set_value(0).run()
    assert workspace(app).recipe.balance.label_limits == {}


def test_own_phrases_join_the_book_and_a_bad_one_is_refused_there(app: AppTest) -> None:
    """One a line; a phrase with a tag is refused with its reason, and the recipe keeps what it had."""
    app.text_area(key="phrases.add.generic").set_value("Once more.\n\nAnd again.").run()
    assert workspace(app).recipe.phrases.add == {"generic": ("Once more.", "And again.")}
    app.text_area(key="phrases.add.generic").set_value("Now <b>").run()
    assert workspace(app).recipe.phrases.add == {"generic": ("Once more.", "And again.")}
    assert "without < and >" in words(app).replace("\\", "")


def test_the_window_leaves_questions_out_and_is_undone_in_one_click(app: AppTest) -> None:
    """The pass-rate window counts at once; on the chart of right and wrong one button takes it back."""
    before = traces(app)
    app.slider(key="balance.pass_rate").set_value((0.3, 0.7)).run()
    assert workspace(app).recipe.balance.pass_rate == (0.3, 0.7)
    assert traces(app) != before
    app.segmented_control(key="choose.section").set_value("Right and wrong").run()
    assert "30% to 70%" in words(app)
    app.button(key="window.whole").click().run()
    assert workspace(app).recipe.balance.pass_rate == (0.0, 1.0)


TABLES = {
    "Yield": ["chart.yield"],
    "Dropped": ["chart.drops"],
    "Right and wrong": ["chart.balance", "chart.labels"],
    "Reflections": ["chart.reflections"],
}


@pytest.mark.parametrize("section", list(TABLES))
def test_every_section_answers_in_words_and_has_its_table(app: AppTest, section: str) -> None:
    """A sentence with numbers, a chart that has it as its name, and the table behind it."""
    app.segmented_control(key="choose.section").set_value(section).run()
    assert not app.exception and not app.error
    charts = app.get("vega_lite_chart")
    assert charts
    assert all(one.proto.alt and any(sign.isdigit() for sign in one.proto.alt) for one in charts)
    for key in TABLES[section]:
        app.session_state[f"{key}.numbers"] = True
    app.run()
    assert len(app.dataframe) >= len(charts)


def test_the_recommended_recipe_is_one_click(app: AppTest) -> None:
    """What the data suggest is said with its reason; after a change one click brings it back."""
    assert app.button(key="recommended.use").disabled
    app.slider(key="traces.attempts").set_value(1).run()
    app.button(key="recommended.use").click().run()
    assert workspace(app).recipe.traces.attempts == 5
    assert "Recommended: Retry until right" in titles(app)


def test_a_shipped_recipe_keeps_the_data(app: AppTest) -> None:
    """Another recipe changes the choices and not the source or its columns."""
    columns = workspace(app).recipe.columns
    app.button(key="preset.algorithm1").click().run()
    assert workspace(app).recipe.traces.formats == ("algorithm1",)
    assert workspace(app).recipe.columns == columns
    assert workspace(app).source


def test_data_without_reflections_says_what_can_be_done(tmp_path: Path) -> None:
    """The section about reflections says in words that there are none, and links to Data."""
    rows = [
        {k: v for k, v in row(f"q{q}", f"try {k} <answer>{k}</answer>", k < 2).items() if k != "reflections"}
        for q in range(4)
        for k in range(4)
    ]
    path = tmp_path / "bare.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    app = with_source(str(path), page="3_Choose")
    app.segmented_control(key="choose.section").set_value("Reflections").run()
    assert not app.exception
    assert "This data has no reflections" in titles(app)
    assert any("what you can do" in label for label in links(app))


def test_text_of_the_data_is_shown_as_it_is(tmp_path: Path) -> None:
    """A prompt variant named like Markdown or HTML is shown letter by letter."""
    evil = "![x](http://127.0.0.1:9/p.png) <b>bold</b> [l](javascript:alert(1))"
    rows = [
        row(f"q{q}", f"try {q} {k} <answer>{k}</answer>", k < 2, variant=evil)
        for q in range(3)
        for k in range(4)
    ]
    app = with_source(str(write_jsonl(rows, tmp_path / "evil.jsonl")), page="3_Choose")
    for section in SECTIONS:
        app.segmented_control(key="choose.section").set_value(section).run()
        assert not app.exception
        assert "](http" not in titles(app).replace("\\]\\(", "")


# -- the living trace ----------------------------------------------------------------------------------------------


def panel(app: AppTest) -> str:
    """The living trace."""
    return next(
        one.proto.body
        for one in app.get("html")
        if "sf-living" in one.proto.body and "<style" not in one.proto.body
    )


def test_the_living_trace_moves_with_the_controls(app: AppTest) -> None:
    """It begins without marks; another N brings and takes attempts, and the strip says what it costs."""
    assert "Attempt 1 of 5" in panel(app) and "+ new" not in panel(app) and "− gone" not in panel(app)
    app.slider(key="traces.attempts").set_value(4).run()
    assert not app.exception
    assert "Attempt 1 of 4" in panel(app) and "− gone" in panel(app)
    assert any("sf-delta" in one.proto.body and "traces" in one.proto.body for one in app.get("html"))
    app.checkbox(key="traces.formats.*C*IC").check().run()
    assert "+ new" in panel(app) or "moved" in panel(app)


def test_a_question_is_pinned_and_one_where_it_matters_is_found(app: AppTest) -> None:
    """A change that leaves the pinned question alone is shown on another one, and the way back is one click."""
    living = app.session_state["living"]
    pinned = living.question
    app.toggle(key="living.pin").set_value(True).run()
    app.number_input(key="filters.response_chars.1").set_value(700).run()
    app.button(key="living.matters").click().run()
    assert not app.exception
    found = app.session_state["living"]
    assert found.pinned == pinned
    assert (found.was and found.was.digest) != (found.shown and found.shown.digest)
    app.button(key="living.other").click().run()
    if app.session_state["living"].question != pinned:
        app.button(key="living.back").click().run()
    assert app.session_state["living"].question == pinned


def test_a_control_that_does_nothing_is_greyed_out_and_says_why(app: AppTest) -> None:
    """As soon as a format uses it, it can be moved."""
    assert app.toggle(key="traces.sample_attempts").disabled
    assert "Does nothing now: the chosen format makes traces of a fixed number of attempts" in words(app)
    app.checkbox(key="traces.formats.*C").check().run()
    assert not app.toggle(key="traces.sample_attempts").disabled
