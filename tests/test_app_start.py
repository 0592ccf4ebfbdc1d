"""Start: what comes out, what is needed, three doors, and recipes to open, save and share."""

from pathlib import Path

import pytest

from skill_factory.recipe.model import load_recipe, recipe_from_toml
from skill_factory.recipe.share import unpacked
from skill_factory.ui.frame.glossary import GLOSSARY
from tests.make_raw import make_rows, write_jsonl, write_parquet
from tests.studio import open_app, with_source, words, workspace


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)
    return tmp_path / "home"


def test_start_shows_a_real_trace_and_what_is_needed() -> None:
    """One trace in which a mistake is corrected, and the three things that the data must hold."""
    app = open_app()
    example = next(one.proto.body for one in app.get("html") if "sf-card" in one.proto.body)
    assert "Attempt 1 of 2" in example and "✗" in example and "✓" in example
    assert "several answers of a model" in words(app)
    assert "reflections" in words(app)


def test_the_demo_is_one_click() -> None:
    """Try the demo: the page Data opens with its report."""
    app = open_app()
    app.button(key="door.demo").click().run(timeout=60)
    assert app.title[0].value == "Data"
    assert workspace(app).source == "demo"
    assert workspace(app).recipe.columns.question == "question"


def test_the_demo_has_a_choice_of_worlds() -> None:
    """Sums and comparisons instead of Countdown: Data names what was opened."""
    app = open_app()
    app.segmented_control(key="door.demo.world").set_value("sums").run(timeout=60)
    app.button(key="door.demo").click().run(timeout=60)
    assert (workspace(app).source, app.title[0].value) == ("demo:sums", "Data")
    assert "500 sums and comparisons" in words(app)


def test_an_upload_is_kept_where_a_build_finds_it(tmp_path: Path, home: Path) -> None:
    """An uploaded file lands in a folder of its own with a name that nobody can guess."""
    path = write_jsonl(make_rows(30), tmp_path / "my answers (1).jsonl")
    app = open_app()
    app.file_uploader(key="door.file").upload(path.name, path.read_bytes(), "application/jsonl").run()
    kept = Path(workspace(app).source)
    assert kept.read_bytes() == path.read_bytes()
    assert kept.parent.parent == home / "uploads"
    assert len(kept.parent.name) >= 20
    assert workspace(app).label == path.name
    assert app.title[0].value == "Data"


def test_an_unreadable_upload_is_a_sentence(tmp_path: Path) -> None:
    """A file that is not what its name says is refused on the spot, and nothing is chosen."""
    app = open_app()
    app.file_uploader(key="door.file").upload("raw.parquet", b"not parquet", "application/octet-stream").run()
    assert "can't be read as parquet" in app.error[0].value
    assert workspace(app).source == ""


@pytest.mark.parametrize("path", ["/etc", "app.py", "../", "skill_factory/ui", "~"])
def test_a_shared_server_opens_no_path_of_its_own(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosted: no field for paths, and a path in the Hub's field is refused too."""
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    app = open_app()
    assert "door.path" not in [one.key for one in app.text_input]
    app.text_input(key="door.hub.name").set_value(f"./{path}" if "/" not in path else path)
    app.button[[one.label for one in app.button].index("Find")].click().run()
    assert "doesn't open files from its own disk" in words(app)
    assert workspace(app).source == ""


def test_a_missing_path_is_a_sentence() -> None:
    """A path that is not there is said where it was typed."""
    app = open_app()
    app.text_input(key="door.path").set_value("./gone.parquet").run()
    assert "gone.parquet" in app.error[0].value
    assert workspace(app).source == ""


def test_a_shipped_recipe_is_taken_and_keeps_the_columns() -> None:
    """Taking the paper's recipe changes the choices and leaves data and columns."""
    app = with_source(page="1_Start")
    before = workspace(app).recipe
    app.selectbox(key="preset").set_value("paper").run()
    after = workspace(app).recipe
    assert after.filters == load_recipe("paper").filters
    assert (after.columns, after.source) == (before.columns, before.source)


def test_a_saved_recipe_opens_again() -> None:
    """A TOML file is taken; a broken one is a sentence and changes nothing."""
    toml = load_recipe("paper").changed({"traces.seed": 11}).to_toml()
    app = open_app()
    app.file_uploader(key="recipe.file").upload("mine.toml", toml.encode(), "application/toml").run()
    assert workspace(app).recipe == recipe_from_toml(toml)
    app.file_uploader(key="recipe.file").upload(
        "bad.toml", b"[traces]\nattempts = 0", "application/toml"
    ).run()
    assert "attempts" in app.error[0].value
    assert workspace(app).recipe == recipe_from_toml(toml)


def test_the_link_to_share_opens_this_recipe() -> None:
    """What the page gives to copy unpacks to the recipe of the session."""
    app = with_source(page="1_Start")
    link = next(one.value for one in app.code if "?recipe=" in one.value)
    assert unpacked(link.partition("?recipe=")[2]) == workspace(app).recipe


def test_on_a_space_the_link_is_the_direct_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside the Hub's frame the page does not see its own address."""
    monkeypatch.setenv("SPACE_HOST", "alice-studio.example")
    link = next(one.value for one in open_app().code if "?recipe=" in one.value)
    assert link.startswith("https://alice-studio.example/?recipe=")


def test_every_word_of_the_trade_has_one_line() -> None:
    """The glossary stands on Start, each entry a line."""
    said = words(open_app())
    assert all(f"**{word}**" in said for word in GLOSSARY)
    assert all(len(line) <= 130 for line in GLOSSARY.values())


def test_other_data_leave_what_was_excluded_behind(tmp_path: Path) -> None:
    """Ids that were rejected by hand belonged to the data before; the other choices stay."""
    app = with_source()
    mine = workspace(app)
    mine.recipe = mine.recipe.changed({"balance.exclude": ("0" * 16,), "traces.repeats": 2})
    other = write_parquet(make_rows(30), tmp_path / "other.parquet")
    app.text_input(key="door.path").set_value(str(other)).run()
    assert workspace(app).recipe.balance.exclude == ()
    assert workspace(app).recipe.traces.repeats == 2
