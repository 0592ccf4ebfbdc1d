"""Pages of a shared server: what a visitor gives is read, tried, graded and measured in a child, never in the server."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.errors import SourceError
from skill_factory.grading import Task
from skill_factory.grading.labelling import LabelReport
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources.demo.source import DemoSource
from skill_factory.sources.files import FileSource
from skill_factory.ui.frame import held
from skill_factory.ui.frame.workspace import Workspace
from skill_factory.ui.measure import chosen_outputs
from skill_factory.work.home import new_place
from skill_factory.work.looking import Described
from skill_factory.work.wire import pack, unpack
from tests.make_raw import make_rows
from tests.planted_outputs import plant
from tests.studio import entered, open_app, words, workspace

HERE = "the server itself has opened a visitor's data"


@pytest.fixture(autouse=True)
def _shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared server whose own process can't open any source; its children can."""
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")

    def opened_here(*_: Any) -> Any:
        raise AssertionError(HERE)

    monkeypatch.setattr(FileSource, "open", opened_here)
    monkeypatch.setattr(DemoSource, "named", opened_here)


def uploaded(rows: list[dict[str, Any]], name: str = "mine.jsonl") -> str:
    """The place of an upload that holds these rows."""
    path = new_place("uploads") / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def disputed() -> list[dict[str, Any]]:
    """Raw rows of which the first has a wrong label."""
    rows = [dict(row) for row in make_rows(12, 6, 2, seed=3)]
    label = next(name for name in rows[0] if isinstance(rows[0][name], bool))
    return [{**rows[0], label: not rows[0][label]}, *rows[1:]]


@pytest.mark.parametrize("source", ["demo", "upload"])
def test_pages_say_what_children_found(source: str) -> None:
    """Report, rules of reading, charts and traces stand there, and nothing was opened here."""
    app = entered("demo:60" if source == "demo" else uploaded(disputed()), "2_Data")
    for page in ("2_Data", "3_Choose", "4_Look"):
        if page != "2_Data":
            app.switch_page(f"pages/{page}.py").run()
        assert not app.exception and not app.error, (page, [one.value for one in app.error])
        assert workspace(app).recipe.columns.response
        assert app.session_state["_kept"]["source"][1].raw.__class__ is Described


def test_rules_of_reading_are_tried_in_a_child() -> None:
    """Each rule has its choices with what they find, and another column is settled there too."""
    app = entered(uploaded(disputed()), "2_Data")
    assert any(one.key == "reading.verdict" for one in app.selectbox)
    before = workspace(app).recipe.columns
    question = next(one for one in app.selectbox if one.key == "columns.question")
    question.select(next(one for one in question.options if one not in ("not there", before.question))).run()
    assert not app.exception
    assert workspace(app).recipe.columns.question != before.question


def test_labels_in_doubt_are_found_in_a_child() -> None:
    """The queue of the page Look and the sample of grading are a child's."""
    from skill_factory.work import limited, looking
    from skill_factory.work.looking import Address

    app = entered(uploaded(disputed()), "2_Data")
    mine = workspace(app)
    columns = {k: v for k, v in mine.recipe.columns.model_dump(exclude={"verdicts"}).items() if v}
    found = limited.run(looking.doubted_labels, Address(mine.source), columns, mine.recipe.verdicts, 200)
    assert [one.response.row for one in found][:1] == [0]
    report = limited.run(looking.graded, Address(mine.source), "number", "auto", columns, 200, 5)
    assert report.task is Task.NUMBER and report.responses


def measured(given: list[str]) -> AppTest:
    """The page Measure after some outputs were chosen."""
    app = open_app("6_Measure")
    workspace(app).outputs = tuple(given)
    return app.run()


def test_outputs_are_measured_and_harvested_in_a_child() -> None:
    """Figures, one output taken apart, and the harvest as the chosen data."""
    app = measured([uploaded(plant(30, seed=1).rows, "base.jsonl")])
    assert not app.exception and not app.error, [one.value for one in app.error]
    assert "120 outputs of 1 run, 30 questions" in words(app)
    app.button(key="measure.harvest").click().run(timeout=120)
    assert not app.exception and not app.error, [one.value for one in app.error]
    assert workspace(app).source.endswith("harvest.parquet")


def test_what_all_sessions_hold_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outputs of whoever looked first are let go for those of the next, and read again when wanted."""
    monkeypatch.setattr(held, "ALL", 150_000)
    first = measured([uploaded(plant(30, seed=1).rows, "base.jsonl")])
    second = measured([uploaded(plant(30, seed=2).rows, "tuned.jsonl")])
    assert "measure" in second.session_state["_kept"] and "measure" not in first.session_state["_kept"]
    assert "120 outputs of 1 run" in words(first.run())
    assert "measure" not in second.session_state["_kept"]


@pytest.mark.parametrize("field", ["question", "answer", "response"])
def test_outputs_that_a_page_can_t_hold_are_refused(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of their texts is long, and on a shared server sooner."""
    monkeypatch.setattr(chosen_outputs, "MOST_HOSTED", 400_000)
    rows = [dict(row) for row in plant(30, seed=1).rows]
    app = measured([uploaded([{**row, field: f"{row[field]}{' x' * 5_000}"} for row in rows], "long.jsonl")])
    assert "too much for a page" in words(app)


def test_no_path_of_the_server_is_measured() -> None:
    """A folder of the server that looks like a name of the Hub isn't opened either."""
    app = open_app("6_Measure")
    for given in ("tests/torture", "skill_factory/ui", "/etc/passwd"):
        workspace(app).outputs = (given,)
        app.run()
        assert "doesn't open files from its own disk" in words(app), given


def test_data_that_can_t_be_opened_leave_the_rules_of_those_before() -> None:
    """A refused source takes nothing away: neither the chosen data nor what was proposed for them."""
    app = entered(uploaded(disputed()), "2_Data")
    before = workspace(app)

    def choose(text: str) -> None:
        from skill_factory.ui.frame import loading

        loading.choose(text)

    door = AppTest.from_function(choose, args=(uploaded([], "empty.jsonl"),), default_timeout=120)
    door.session_state["workspace"] = Workspace(
        source=before.source,
        recipe=before.recipe.changed({"answers.rules": ("boxed",)}),
        proposed={"answers.rules": ("boxed",)},
    )
    door.run()
    assert door.exception
    after = workspace(door)
    assert (after.source, after.recipe.answers.rules) == (before.source, ("boxed",))
    assert after.proposed == {"answers.rules": ("boxed",)}


@pytest.mark.parametrize("task", [Task.AUTO, Task.MATH])
def test_a_report_of_grading_travels_by_the_name_of_its_task(task: Task) -> None:
    """Functions never travel: the other end looks the task up."""
    report = LabelReport(task, "auto", Columns(question="q"))
    assert unpack(pack(report)) == report
    with pytest.raises(SourceError):
        unpack(pack(Recipe()).replace(b"skill_factory.recipe.model", b"skill_factory.recipe.nomode"))


def test_a_review_and_the_living_trace_are_a_child_s_to_make() -> None:
    """Traces are listed, read and decided about, and a moved control shows its trace, with nothing opened here."""
    app = entered(uploaded(disputed()), "3_Choose")
    app.slider(key="traces.attempts").set_value(2).run()
    assert not app.exception and not app.error
    assert app.session_state["living"].shown is not None
    app.button(key="living.matters").click().run()
    app.session_state["look.part"] = "Review"
    app.switch_page("pages/4_Look.py").run()
    assert not app.exception and not app.error, [one.value for one in app.error]
    app.button(key="review.accept").click().run()
    app.button(key="review.reject").click().run()
    review = workspace(app).recipe.review
    assert (len(review.accepted), len(review.rejected)) == (1, 1)
    assert not app.exception and not app.error
