"""The page Measure: outputs, how they were read, figures, one output taken apart, and round two."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from tests.planted_outputs import Skill, plant
from tests.studio import ROOT, open_app, words, workspace


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def two(tmp_path: Path) -> str:
    """Paths of two runs, as a visitor types them."""
    base = jsonl(tmp_path / "base.jsonl", plant(30, seed=1).rows)
    return f"{base} {jsonl(tmp_path / 'tuned.jsonl', plant(30, seed=2, skill=Skill(right=0.6)).rows)}"


def measured(paths: str) -> AppTest:
    """The page after a path was typed."""
    app = open_app("6_Measure")
    return app.text_input(key="measure.path").set_value(paths).run()


def html(app: AppTest) -> str:
    return "\n".join(one.proto.body for one in app.get("html"))


def test_without_outputs_it_says_what_it_will_show() -> None:
    """A sentence, the ways to choose, and no fault."""
    app = open_app("6_Measure")
    assert not app.exception and not app.error
    assert "can its verdicts be trusted" in words(app)
    assert [one.label for one in app.expander][:1] == ["Outputs to measure"]


def test_a_reload_measures_the_same_outputs(two: str) -> None:
    """What was chosen lies in the workspace, so its address brings the figures back."""
    name = measured(two).query_params["work"]
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["work"] = name if isinstance(name, str) else name[0]
    app.run()
    later = app.switch_page("pages/6_Measure.py").run()
    assert not later.exception and "240 outputs of 2 runs, 30 questions" in words(later)


def test_figures_stand_before_charts_and_lists(two: str) -> None:
    """What was measured, the figures of both runs, the charts' sentences, and the comparison."""
    app = measured(two)
    assert not app.exception and not app.error
    said = words(app)
    assert "240 outputs of 2 runs, 30 questions" in said
    labels = [one.label for one in app.metric]
    assert labels.count("Attempts per output") == 2 and "F1 of *incorrect*" in labels
    assert "verdicts are true" in said and "Going on fixed" in said and "is right most often" in said
    assert "tuned minus base" in said


def test_one_output_is_taken_apart(two: str) -> None:
    """Coloured by the trace view: each attempt graded, each verdict true or not."""
    shown = html(measured(two))
    assert "Attempt 1 of" in shown and "Final answer" in shown
    assert "verdict: correct" in shown or "verdict: incorrect" in shown


@pytest.mark.parametrize(
    "kind", ["Broke a right answer", "Verdict wrong", "Stopped too early", "Went round in circles"]
)
def test_lists_hold_what_they_say(two: str, kind: str) -> None:
    """As many outputs as the list's name counts, and one of them taken apart."""
    app = measured(two)
    app.radio(key="measure.kind").set_value(kind).run()
    assert not app.exception
    label = next(one for one in app.radio(key="measure.kind").options if one.startswith(kind))
    listed = next(one.value for one in app.dataframe if "Attempts" in one.value.columns)
    assert f"({len(listed):,})" in label
    if kind == "Broke a right answer":
        assert all("✓ ✗" in row for row in listed["Attempts"])


def test_two_runs_stand_side_by_side_on_one_question(two: str) -> None:
    """The same question, an output of each."""
    app = measured(two)
    app.session_state["measure.way"] = "Two runs side by side"
    app.run()
    assert not app.exception
    shown = html(app)
    assert 'id="measured-left"' in shown and 'id="measured-right"' in shown
    assert len(app.selectbox(key="measure.question").options) == 30


@pytest.mark.long
def test_the_attempts_of_one_run_become_raw_data(two: str) -> None:
    """The base model's attempts may not be wanted in the next dataset: the trained one's are taken alone."""
    app = measured(two)
    every = app.button(key="measure.harvest").label
    runs = [Path(one).stem for one in two.split()]
    app.session_state["measure.whose"] = runs[1]
    app.run()
    assert app.button(key="measure.harvest").label != every
    app.button(key="measure.harvest").click().run()
    assert not app.exception and not app.error
    assert set(pq.read_table(workspace(app).source)["run"].to_pylist()) == {runs[1]}


def test_outputs_become_raw_data_on_the_page_data(two: str) -> None:
    """The button makes the next round's raw data, and Data opens them with their columns mapped."""
    app = measured(two)
    app.button(key="measure.harvest").click().run()
    assert not app.exception and not app.error
    mine = workspace(app)
    assert mine.label == "harvest.parquet"
    assert mine.recipe.columns.reflections and mine.recipe.columns.correct


def test_the_chosen_data_can_be_measured(two: str) -> None:
    """What was opened on Data is one click away."""
    app = open_app()
    app.text_input(key="door.path").set_value(two.split()[0]).run()
    app = app.switch_page("pages/6_Measure.py").run()
    app.button(key="measure.mine").click().run()
    assert not app.exception and "120 outputs of 1 run" in words(app)


def test_a_file_without_outputs_is_one_sentence(tmp_path: Path) -> None:
    """No traceback, and the ways to choose stay."""
    app = measured(str(jsonl(tmp_path / "odd.jsonl", [{"a": 1}])))
    assert not app.exception
    assert "No column holds outputs" in app.error[0].value
    assert app.text_input(key="measure.path").value


def test_outputs_without_gold_are_counted_and_the_rest_is_said(tmp_path: Path) -> None:
    """A dash where a figure can't be had, and the reason."""
    rows = [{k: v for k, v in one.items() if k != "answer"} for one in plant(10).rows]
    app = measured(str(jsonl(tmp_path / "plain.jsonl", rows)))
    assert not app.exception
    assert {one.label: one.value for one in app.metric}["Final answer right"] == "–"
    assert any("no gold answer" in one.value for one in app.info)


def test_on_a_shared_server_no_path_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads and the Hub are the ways there."""
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    app = open_app("6_Measure")
    assert not app.exception
    assert "measure.path" not in [one.key for one in app.text_input]


def test_charts_are_sound_altair(two: str) -> None:
    """Each chart fits Altair's schema, with and without numbers."""
    from skill_factory.api import measure
    from skill_factory.measure.shown import chart_data, output_charts

    rows = [{**one, "step": 10 * (k % 3)} for k, one in enumerate(plant(30).rows)]
    found = measure(str(jsonl(Path(two.split()[0]), rows)))
    one = found.runs["base"]
    tables = {
        output_charts.series_chart: output_charts.series_table(found.series, "base"),
        output_charts.verdict_chart: output_charts.verdict_table(chart_data.verdict_cells(one)),
        output_charts.moves_chart: output_charts.moves_table(chart_data.moves_by_attempt(found.table)),
        output_charts.cost_chart: output_charts.cost_table(chart_data.costs(found)),
    }
    for chart, table in tables.items():
        assert len(table), chart
        assert chart(table).to_dict()


def test_data_offers_to_measure_a_models_traces(two: str) -> None:
    """Outputs with attempts, opened as data: measured in one click, or turned into raw data that the lights accept."""
    app = open_app()
    app.text_input(key="door.path").set_value(two.split()[0]).run()
    assert any("This looks like a model's traces" in one.value for one in app.info)
    app.button(key="data.harvest").click().run()
    assert not app.exception and workspace(app).label == "harvest.parquet"
    assert not any("This looks like a model's traces" in one.value for one in app.info)
