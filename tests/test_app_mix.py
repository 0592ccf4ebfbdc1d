"""Data: several sources mixed on the page, each with its own columns and recipe, in shares that are said before they are built."""

import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.errors import RecipeError
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.model import Recipe, recipe_from_toml
from skill_factory.ui.finish.downloads import page
from skill_factory.ui.frame.mixed.parts import Mix, Part, mix_from_json, name_for
from skill_factory.ui.frame.workspace import Workspace
from skill_factory.work import builds
from skill_factory.work.builds import Job
from tests.make_raw import make_rows
from tests.studio import ROOT, SMALL, links, open_app, with_source, words, workspace


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)
    return tmp_path / "home"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A file with columns of its own."""
    lines = [
        {
            "problem": row["question"],
            "gold": row["answer"],
            "attempt": row["response"],
            "is_right": row["correct"],
            "checks": row["reflections"],
        }
        for row in make_rows(30, responses=6, reflections=2, seed=4)
    ]
    path = tmp_path / "sums.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


@pytest.fixture
def app(other: Path) -> AppTest:
    """The demo, and a file beside it."""
    app = with_source()
    app.text_input(key="beside.path").set_value(str(other)).run()
    assert not app.exception
    return app


def names(app: AppTest) -> list[str]:
    """What the sources are called."""
    mix = workspace(app).mix
    return list(mix.names) if mix else []


def finished(app: AppTest, seconds: float = 60) -> Job:
    """The build that the page started, once it has ended."""
    job = builds.find(workspace(app).job)
    assert job is not None
    end = time.monotonic() + seconds
    while builds.status(job).state in builds.ACTIVE and time.monotonic() < end:
        time.sleep(0.1)
    return job


def two() -> Workspace:
    """A workspace of two sources, of which the second is shown."""
    first = Part("puzzles", 3.0, SMALL, "Demo: puzzles", Recipe().changed({"traces.attempts": 2}))
    recipe = Recipe().changed({"traces.seed": 7, "clean.holdout": 0.1})
    return Workspace(source="demo:sums:40", label="sums", recipe=recipe, mix=Mix((first, Part("sums")), 1))


def test_a_mixture_of_the_page_is_the_mixture_that_is_built() -> None:
    """Weights and recipes are those of the sources; what a mixture shares is that of the shown one, and so is what is held out."""
    whole = two().whole
    assert whole is not None
    mixture = whole.mixture()
    assert [(one.name, one.weight, one.recipe.traces.attempts) for one in mixture.sources] == [
        ("puzzles", 3, 2),
        ("sums", 1, 5),
    ]
    assert mixture.seed == 7
    assert (mixture.clean.holdout, [one.clean.holdout for one in mixture.recipes]) == (0.1, [0, 0])
    with pytest.raises(RecipeError, match=r"balance\.max_traces"):
        whole.with_part(0, recipe=Recipe().changed({"balance.max_traces": 5, "traces.seed": 7})).mixture()


def test_what_is_kept_of_a_mixture_brings_it_back() -> None:
    """As JSON and back nothing is lost; which source is shown is kept, and isn't work of its own."""
    mine = two()
    told = json.loads(json.dumps(asdict(mine.version)))
    assert mix_from_json(told["mix"], recipe_from_toml) == mine.whole
    other = replace(mine, mix=replace(mine.whole or Mix((), 0), at=0), source=SMALL, label="Demo: puzzles")
    other.recipe = mine.whole.parts[0].recipe if mine.whole else Recipe()
    assert other.version.same_work(mine.version)
    heavier = replace(mine, mix=mine.mix.with_part(0, amount=4.0) if mine.mix else None)
    assert not heavier.version.same_work(mine.version)
    assert mine.version.sources == ("demo:sums:40", SMALL, "demo:sums:40")
    assert mine.version.title == "puzzles and sums"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Demo: 60 sums", "60 sums"),
        ("user/name", "name"),
        ("a=b.jsonl", "a b"),
        ("", "source"),
        ("maths.parquet", "maths 2"),
    ],
)
def test_a_source_is_named_by_its_data(label: str, name: str) -> None:
    """Short, without what the command line couldn't take, and different from the others."""
    assert name_for(label, ("maths",)) == name


@pytest.mark.long
def test_a_second_source_is_added_and_both_are_built(app: AppTest) -> None:
    """Each keeps its columns and N; the shares stand on the page before the build, and are those of the build."""
    assert names(app) == ["60 Countdown puzzles", "sums"]
    assert workspace(app).recipe.columns.question == "problem"
    app.number_input(key="sources.amount.0").set_value(3.0).run()
    said = words(app)
    assert "2 sources, mixed" in said
    assert "it could give 260" in said
    mine = workspace(app).recipe.traces.attempts
    app.switch_page("pages/3_Choose.py").run()
    app.slider(key="traces.attempts").set_value(2).run()
    app.selectbox(key="mixed.shown").set_value(0).run()
    assert app.slider(key="traces.attempts").value == 5 != 2 <= mine

    app.switch_page("pages/5_Finish.py").run()
    label = app.button(key="build.start").label
    table = app.dataframe[0].value
    assert list(table["Source"]) == names(app)
    app.button(key="build.start").click().run()
    job = finished(app)
    app.run()
    assert not app.exception
    mixture, report = job.recipe, builds.report(job)
    assert isinstance(mixture, Mixture)
    assert report is not None, builds.status(job).said
    assert [one.recipe.traces.attempts for one in mixture.sources] == [5, 2]
    assert f"Build {report['traces']:,} traces of 2 sources" == label
    given = [part["ledger"]["traces"]["kept"] for part in report["by_source"].values()]
    assert [f"{n:,}" for n in given] == list(table["Traces"])
    assert abs(given[0] - 3 * given[1]) < 4
    assert "traces from" in words(app)
    assert "The recipe has changed" not in words(app)


def test_a_source_that_is_too_small_says_by_how_much(app: AppTest) -> None:
    """Numbers of traces: what is missing, of which source, and no build until it fits."""
    app.segmented_control(key="sources.by").set_value("count").run()
    app.number_input(key="sources.amount.1").set_value(100_000).run()
    has = int(words(app).split("sums can give ")[1].split(" ")[0].replace(",", ""))
    assert f"{100_000 - has:,} fewer than the 100,000 asked for" in words(app).replace("\\", "")
    app.switch_page("pages/5_Finish.py").run()
    assert not [button for button in app.button if button.key == "build.start"]
    assert "fewer than the 100,000" in words(app).replace("\\", "")
    assert links(app)[:2] == ["**2 sources**", "But they can't be mixed yet"]
    app.switch_page("pages/2_Data.py").run()
    app.number_input(key="sources.amount.1").set_value(has).run()
    assert "fewer than" not in words(app)


@pytest.mark.long
def test_on_finish_the_strip_is_that_of_all_sources(app: AppTest) -> None:
    """Elsewhere it speaks of the source that is shown; where all are built, of their traces and shares, as the button does."""
    assert app.selectbox(key="mixed.shown").value == 1
    app.switch_page("pages/5_Finish.py").run()
    assert not app.exception
    traces = app.button(key="build.start").label.removeprefix("Build ").removesuffix(" of 2 sources")
    shown = links(app)[:3]
    assert shown[:2] == ["**2 sources**", f"**{traces}**"]
    shares = list(app.dataframe[0].value["Share"])
    assert shown[2] == " · ".join(
        f"**{share}** {name}" for share, name in zip(shares, names(app), strict=True)
    )


@pytest.mark.long
def test_undo_redo_and_reload_know_the_mixture(app: AppTest) -> None:
    """A source added, a weight and a name are steps back and forth; which source is shown isn't one; F5 brings all back."""
    app.number_input(key="sources.amount.0").set_value(7.0).run()
    app.text_input(key="sources.name.1").set_value("mine").run()
    kept = workspace(app).kept
    assert kept is not None
    steps = kept.undoable
    app.button(key="sources.show.0").click().run()
    shown = workspace(app).kept
    assert shown is not None
    assert (workspace(app).source, shown.undoable) == (SMALL, steps)

    again = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    again.query_params["work"] = kept.id
    again.switch_page("pages/2_Data.py").run()
    assert not again.exception
    assert workspace(again).whole == workspace(app).whole
    assert again.number_input(key="sources.amount.0").value == 7

    app.button(key="kept.undo").click().run()
    assert names(app)[1] == "sums"
    app.button(key="kept.undo").click().run()
    assert app.number_input(key="sources.amount.0").value == 1
    app.button(key="kept.undo").click().run()
    assert workspace(app).mix is None
    for _ in range(3):
        app.button(key="kept.redo").click().run()
    assert names(app)[1] == "mine"
    assert not app.exception


@pytest.mark.long
def test_a_source_is_taken_out(app: AppTest) -> None:
    """Of two, the other stays, as if it had been alone."""
    app.button(key="sources.out.1").click().run()
    assert workspace(app).mix is None
    assert workspace(app).source == SMALL
    assert "sources, mixed" not in words(app)
    assert not app.exception


@pytest.mark.long
def test_three_sources_share_what_a_mixture_shares(app: AppTest) -> None:
    """A third one comes beside them; the seed and the held-out share are one for all, N is each one's own."""
    app.text_input(key="beside.path").set_value("demo:sums:40").run()
    assert len(names(app)) == 3
    app.switch_page("pages/3_Choose.py").run()
    app.slider(key="clean.holdout").set_value(0.1).run()
    whole = workspace(app).whole
    assert whole is not None
    mixture = whole.mixture()
    assert mixture.clean.holdout == 0.1
    assert not any(one.clean.asks for one in mixture.recipes)
    assert not app.exception


@pytest.mark.long
def test_a_source_that_cant_be_opened_leaves_the_others(app: AppTest) -> None:
    """The sentence stands at the door, and nothing has changed."""
    before = workspace(app).whole
    app.text_input(key="beside.path").set_value("nowhere.parquet").run()
    assert "nowhere.parquet" in words(app).replace("\\", "")
    assert workspace(app).whole == before


@pytest.mark.long
def test_the_link_of_a_build_brings_its_sources_back(app: AppTest) -> None:
    """In a new session the build's address shows the build, and its sources are those of the pages."""
    app.switch_page("pages/5_Finish.py").run()
    app.button(key="build.start").click().run()
    job = finished(app)
    again = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    again.query_params["job"] = job.id
    again.switch_page("pages/5_Finish.py").run()
    assert not again.exception
    assert "are ready" in words(again)
    again.switch_page("pages/2_Data.py").run()
    assert names(again) == names(app)
    again.switch_page("pages/5_Finish.py").run()
    assert not again.exception
    assert "The recipe has changed" not in words(again)
    assert "<title>" in page(job, "")
    start = open_app()
    assert any(button.key == f"build.open.{job.id}" for button in start.button)


@pytest.mark.long
def test_a_mixture_is_saved_and_opened_as_a_file(home: Path) -> None:
    """Start opens `mix.toml`, with a recipe for each source, and saves it again; a file that it can't know is named."""
    text = (
        '[[sources]]\nname = "puzzles"\nfrom = "demo:30"\ncount = 20\n[sources.traces]\nattempts = 2\n'
        '[[sources]]\nname = "sums"\nfrom = "demo:sums:30"\ncount = 10\n'
    )
    app = open_app()
    app.file_uploader(key="recipe.file").set_value(("mix.toml", text.encode(), "application/toml")).run()
    assert not app.exception
    whole = workspace(app).whole
    assert whole is not None
    mixture = whole.mixture()
    assert [(one.name, one.count, one.recipe.traces.attempts) for one in mixture.sources] == [
        ("puzzles", 20, 2),
        ("sums", 10, 5),
    ]
    app.switch_page("pages/2_Data.py").run()
    assert "**30 traces in all.**" in words(app)
    lost = mixture.with_recipes(
        tuple(one.changed({"source.kind": "file"}) for one in mixture.recipes)
    ).to_toml()
    app = open_app()
    app.file_uploader(key="recipe.file").set_value(("mix.toml", lost.encode(), "application/toml")).run()
    assert "The source 'puzzles' is a file" in words(app).replace("\\", "")
    assert workspace(app).mix is None
