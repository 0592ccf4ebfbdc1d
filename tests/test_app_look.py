"""The page Look: each trace can be reached and rejected, each drop can be read, two recipes can be compared."""

from html import escape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.build.pipeline import preview
from skill_factory.build.prepare import ready_recipe
from skill_factory.insight.browse import LEVELS, reasons_of
from skill_factory.judge.judge import judge
from skill_factory.judge.source_facts import all_facts
from skill_factory.model import hex_id
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.sources import open_source
from skill_factory.ui.look.look import DOUBTS, FATES, LESSONS, RECIPES, REVIEW
from tests.make_raw import row, verdict, write_parquet
from tests.studio import SMALL, open_app, with_source, words, workspace


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)


def look(source: str = SMALL, recipe: Recipe | None = None) -> AppTest:
    """The page with a source."""
    return with_source(source, "4_Look", recipe)


def part(app: AppTest, name: str) -> AppTest:
    """The page at one of its parts."""
    app.session_state["look.part"] = name
    return app.run()


def html(app: AppTest) -> str:
    """All HTML of the page's own."""
    return "\n".join(one.proto.body for one in app.get("html"))


def tables(app: AppTest) -> list[list[str]]:
    """The columns' names of each table on the page."""
    return [list(one.value.columns) for one in app.dataframe]


def shown(app: AppTest) -> str:
    """The id of the trace on the page."""
    return str(app.session_state["look.at"])


def test_without_data_it_says_what_it_will_show() -> None:
    """A sentence and a way to the data, and no fault."""
    app = open_app("4_Look")
    assert not app.exception
    assert "the traces exactly as the build will write them" in words(app)


def test_it_shows_what_the_build_will_write() -> None:
    """The listed traces are the preview's, in its order, and the one shown corrects a mistake."""
    app = look()
    assert not app.exception
    made = preview(SMALL).traces
    assert app.session_state["look.ids"] == [hex_id(one.id) for one in made]
    trace = next(one for one in made if hex_id(one.id) == shown(app))
    truths = [one.response.correct for one in trace.plan.attempts]
    assert truths[-1] and not all(truths)
    assert f"Attempt 1 of {len(truths)}" in html(app)
    assert trace.text in [one.value for one in app.code]


def test_one_walks_through_the_traces() -> None:
    """Next and back undo each other, random goes elsewhere, and the ends meet."""
    app = look()
    ids, first = app.session_state["look.ids"], shown(app)
    app.button(key="look.next").click().run()
    assert shown(app) == ids[ids.index(first) + 1]
    app.button(key="look.previous").click().run()
    assert shown(app) == first
    app.button(key="look.random").click().run()
    assert shown(app) in ids and shown(app) != first
    app.session_state["look.at"] = ids[-1]
    app.run().button(key="look.next").click().run()
    assert shown(app) == ids[0]


def test_a_trace_is_read_in_three_ways() -> None:
    """As cards, letter by letter, or the question alone."""
    app = look()
    app.segmented_control(key="trace.way").set_value("Raw text").run()
    assert "&lt;think&gt;" in html(app) and "Attempt 1 of" not in html(app)
    app.segmented_control(key="trace.way").set_value("Question only").run()
    assert "sf-question" in html(app) and "&lt;think&gt;" not in html(app)


def test_a_trace_type_chooses_its_traces() -> None:
    """A choice of format and trace type leaves the traces of that type."""
    app = look()
    kinds = [one for one in app.selectbox(key="look.kind").options if "3C" in one]
    app.selectbox(key="look.kind").select_index(app.selectbox(key="look.kind").options.index(kinds[0])).run()
    assert app.session_state["look.ids"] == [
        hex_id(one.id) for one in preview(SMALL).traces if one.plan.label == "3C"
    ]
    assert "Attempt 1 of 3" in html(app)


def test_a_question_is_found_by_words_and_by_id() -> None:
    """The traces of the question that was looked for, by its words or its id; what is not there is said."""
    every = preview(SMALL, questions=1000).traces
    last = every[-1].plan.question
    wanted = [hex_id(one.id) for one in every if one.plan.question.id == last.id]
    app = look()
    for asked in (last.text.upper(), hex_id(last.id)):
        app.text_input(key="look.find").set_value(asked).run()
        assert app.session_state["look.ids"] == wanted
    app.text_input(key="look.find").set_value("no such words").run()
    assert "No question with “no such words” gives a trace" in words(app)
    assert not app.exception


def test_a_trace_is_rejected_and_brought_back() -> None:
    """It goes into the recipe's review, leaves the page, and comes back in one click."""
    app = look()
    first, before = shown(app), app.session_state["look.ids"]
    app.button(key="look.reject").click().run()
    assert len(workspace(app).recipe.review.rejected) == 1
    assert app.session_state["look.ids"] == [one for one in before if one != first]
    assert shown(app) == before[before.index(first) + 1]
    app.button(key="look.undo").click().run()
    assert workspace(app).recipe.review.rejected == ()
    assert app.session_state["look.ids"] == before


def test_a_question_is_rejected_with_all_its_traces() -> None:
    """All traces of the question leave; all that was rejected comes back at once."""
    app = look()
    before = app.session_state["look.ids"]
    app.button(key="look.reject_question").click().run()
    app.button(key="look.reject").click().run()
    recipe = workspace(app).recipe
    assert len(recipe.balance.exclude) == len(recipe.review.rejected) == 1
    assert len(set(app.session_state["look.ids"]) & set(before)) == len(before) - 6
    app.button(key="look.undo_all").click().run()
    assert app.session_state["look.ids"] == before


def test_a_recipe_that_gives_nothing_says_where_to_go() -> None:
    """No trace, no fault: a sentence and a link."""
    app = look(recipe=Recipe().changed({"traces.attempts": 40}))
    assert not app.exception
    assert "fewer attempts or another format" in words(app)


def test_hostile_data_stay_text(tmp_path: Path) -> None:
    """Tags and scripts of the data are escaped in everything of the page's own HTML."""
    bad = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    rows = [
        row(f"Q {bad}", f"{bad} {n} <answer>{n}</answer>", n % 2 == 0, [verdict(n % 2 == 0, bad)])
        for n in range(6)
    ]
    app = look(str(write_parquet(rows, tmp_path / "rows.parquet")), Recipe().changed({"traces.attempts": 3}))
    for name in ("", FATES, DOUBTS, RECIPES):
        if name:
            part(app, name)
        assert not app.exception
        assert "<script" not in html(app) and "<img" not in html(app)
    assert "&lt;script&gt;" in html(app)


def test_the_charts_say_their_answer() -> None:
    """What the traces teach and how many are too long, each with the sentence as its name."""
    app = part(look(), LESSONS)
    assert not app.exception
    assert "of the traces show a mistake corrected" in words(app)
    assert "16,384 tokens" in words(app)
    assert len(app.get("vega_lite_chart")) == 2


@pytest.mark.parametrize("level", LEVELS)
def test_what_was_dropped_is_listed_with_its_reason(level: Level) -> None:
    """Each reason of a level lists as many things as the core counts, and a search narrows the list."""
    source = open_source(SMALL)
    recipe = ready_recipe(source, Recipe())
    judgement = judge(all_facts(source, recipe).facts, recipe)
    app = part(look(), FATES)
    app.session_state["look.level"] = level
    app.run()
    for reason, number in reasons_of(level, judgement).items():
        app.radio(key=f"look.fate.{level.value}").set_value(reason).run()
        noun = level.value if number > 1 else level.value[:-1]
        assert f"**{number:,} {noun} dropped: {sentence(level, reason)}" in words(app)
        assert len(app.dataframe[0].value) == min(200, number)
        assert escape(sentence(level, reason)) in html(app)
    app.text_input(key="look.words").set_value("no such words").run()
    assert "contains “no such words”" in words(app)
    assert not app.exception


def test_a_click_on_choose_opens_those_texts() -> None:
    """What a bar of the drops chart asks for is what stands there."""
    app = look()
    app.session_state["look.dropped"] = ("reflections", "wrong_verdict")
    app.run()
    assert app.radio(key="look.fate.reflections").value == "wrong_verdict"
    assert "its verdict contradicts the response's label" in words(app)
    app.button(key="look.its_traces").click().run()
    assert len(app.text_input(key="look.find").value) == 16


def test_rows_that_cannot_be_read_are_listed(tmp_path: Path) -> None:
    """With their number and what was found."""
    rows = [row("Q", f"{n} <answer>{n}</answer>", True) for n in range(5)] + [
        row(" ", "x <answer>1</answer>", True)
    ]
    app = part(look(str(write_parquet(rows, tmp_path / "rows.parquet"))), FATES)
    app.session_state["look.level"] = Level.ROWS
    app.run()
    assert "1 row of 6 can't be read" in words(app)
    assert app.dataframe[0].value["Row"].tolist() == [6]


def test_labels_in_doubt_are_listed_and_left_out() -> None:
    """The most contradicted first; more reflections asked for, fewer labels in doubt; a question can be left out."""
    app = part(look(), DOUBTS)
    assert not app.exception
    before = len(app.dataframe[0].value)
    assert app.dataframe[0].value["Reflections against it"][0] == "4 of 4"
    assert "Response, labelled" in html(app)
    app.number_input(key="look.reflections").set_value(4).run()
    assert 0 < len(app.dataframe[0].value) <= before
    app.button(key="look.doubts.reject").click().run()
    assert len(workspace(app).recipe.balance.exclude) == 1
    assert app.button(key="look.doubts.reject").disabled
    app.number_input(key="look.reflections").set_value(50).run()
    assert "No label is contradicted" in words(app)


def test_two_recipes_stand_side_by_side() -> None:
    """Numbers of both, the fields that differ, the same question under both; the other can be taken."""
    app = part(look(recipe=Recipe().changed({"traces.attempts": 3})), RECIPES)
    app.selectbox(key="compare.with").set_value("ablation_no_reflections").run()
    assert not app.exception
    assert "Compare at my N = 3" in [one.label for one in app.toggle]
    assert "Maximum attempts (N)" not in [
        value for table in app.dataframe for value in table.value.iloc[:, 0].tolist()
    ]
    assert ["Number", "Yours", "The other"] in tables(app) and ["Field", "Yours", "The other"] in tables(app)
    assert html(app).count("sf-final") >= 2
    app.button(key="compare.use").click().run()
    assert workspace(app).recipe.traces.formats == ("no_reflection",)
    assert app.session_state["compare.kept"].traces.attempts == 3


def test_a_recipe_with_other_filters_is_compared_on_a_sample() -> None:
    """The paper's banned words need another reading of the texts; the comparison stands all the same."""
    app = part(look(), RECIPES)
    app.selectbox(key="compare.with").set_value("paper").run()
    assert not app.exception
    assert "Banned words" in [value for table in app.dataframe for value in table.value.iloc[:, 0].tolist()]


def test_mine_set_aside_is_compared_with_what_it_became() -> None:
    """Set aside, changed and compared: the change is the only difference."""
    app = part(look(), RECIPES)
    app.button(key="compare.keep").click().run()
    workspace(app).recipe = workspace(app).recipe.changed({"traces.repeats": 2})
    app.selectbox(key="compare.with").set_value("The recipe I set aside").run()
    fields = next(one.value for one in app.dataframe if "Field" in one.value.columns)
    assert fields.values.tolist() == [["Repeats", "2", "1"]]


# -- the review ----------------------------------------------------------------------------------------------------


def review() -> AppTest:
    """The page at the review."""
    return part(look(), REVIEW)


def test_a_decision_goes_into_the_recipe_and_the_next_trace_opens() -> None:
    """Accept, reject, a note; the list stays as it was begun, and says what was decided."""
    app = review()
    assert not app.exception and "none reviewed yet" in words(app)
    before = list(app.dataframe[0].value["Attempts"])
    app.button(key="review.accept").click().run()
    app.button(key="review.reject").click().run()
    app.text_input(key="review.note").set_value("Look again.").run()
    kept = workspace(app).recipe.review
    assert (len(kept.accepted), len(kept.rejected), list(kept.notes.values())) == (1, 1, ["Look again."])
    assert not {*kept.accepted, *kept.rejected} & {*kept.notes}
    shown_list = app.dataframe[0].value
    assert list(shown_list["Attempts"]) == before
    assert list(shown_list["Review"][:3]) == ["✓ accepted", "✗ rejected", " ✎"]
    assert "2 traces reviewed, 1 rejected" in words(app)
    app.button(key="review.refresh").click().run()
    assert list(app.dataframe[0].value["Review"][:2]) == [" ✎", ""]


def test_the_review_lists_every_trace_and_any_page_of_it() -> None:
    """The order by risk, pages, a kind of trace, a search: the open trace is always in the list."""
    app = review()
    every = len(preview(SMALL, questions=1000).traces)
    assert f"**{every:,} traces to review" in words(app) and f"of {every:,}" in words(app)
    app.button(key="review.page_next").click().run()
    assert "Trace **41** of" in words(app)
    app.selectbox(key="review.only").set_value("3C").run()
    assert all(len(path.split()) == 3 for path in app.dataframe[0].value["Attempts"])
    question = preview(SMALL).traces[0].plan.question
    app.selectbox(key="review.only").set_value("").run()
    app.text_input(key="review.words").set_value(hex_id(question.id)).run()
    assert len({*app.dataframe[0].value["Question"]}) == 1 and not app.exception


def test_a_label_is_corrected_where_it_is_read() -> None:
    """The correction is recipe data, and the trace is made again with it."""
    app = review()
    app.button(key="review.correct.1").click().run()
    assert len(workspace(app).recipe.labels.corrections) == 1
    assert not app.exception


def test_a_dropped_reflection_is_read_beside_its_response() -> None:
    """In Kept and dropped, what a reflection judges stands beside it."""
    app = part(look(), FATES)
    app.segmented_control(key="look.level").set_value(Level.REFLECTIONS).run()
    assert "sf-beside" in html(app) and "Dropped: " in html(app) and not app.exception
