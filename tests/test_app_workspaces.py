"""The app keeps what is worked on: in files that hold no token, found by its address, undone and redone on every page."""

import json
import os
import shutil
import time
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.recipe.model import Recipe
from skill_factory.recipe.share import packed
from skill_factory.ui.frame import cleanup, loading
from skill_factory.work import builds, quota
from skill_factory.work.home import new_place
from skill_factory.work.kept import workspaces
from skill_factory.work.kept.workspaces import Version
from tests.make_raw import make_rows, write_jsonl
from tests.studio import ROOT, open_app, with_source, words, workspace

TOKEN = "hf_" + "SecretOfAlice" * 2


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)
    return tmp_path / "home"


def opened_at(page: str = "", **address: str) -> AppTest:
    """The app in a new tab with an address."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run() if not page else app.switch_page(f"pages/{page}.py").run()


def named(app: AppTest) -> str:
    """The workspace in the address."""
    value = app.query_params["work"]
    return value if isinstance(value, str) else str(value[0])


def test_a_new_tab_has_what_the_address_names_and_never_a_token(home: Path) -> None:
    """Data, recipe, name: all come back, undone and redone too; no file below the home holds the token."""
    app = with_source().switch_page("pages/3_Choose.py").run()
    workspace(app).token, workspace(app).user = TOKEN, "alice"
    chosen = workspace(app).recipe.traces.attempts
    app.slider(key="traces.attempts").set_value(chosen - 1).run()
    app.slider(key="traces.attempts").set_value(chosen - 2).run()
    name = named(app)
    kept = workspaces.find(name)
    assert kept is not None and kept.version.source == workspace(app).source
    assert (kept.undoable, kept.page) == (2, "Choose")

    app.button(key="kept.undo").click().run()
    assert workspace(app).recipe.traces.attempts == chosen - 1
    assert app.slider(key="traces.attempts").value == chosen - 1

    later = opened_at(work=name)
    assert workspace(later).recipe == workspace(app).recipe
    assert workspace(later).source == workspace(app).source
    assert (workspace(later).token, workspace(later).user) == ("", "")
    later.button(key="kept.redo").click().run()
    assert workspace(later).recipe.traces.attempts == chosen - 2

    app.run()  # the first tab follows, and says so
    assert workspace(app).recipe.traces.attempts == chosen - 2
    assert "You changed this workspace in another tab" in words(app)
    app.run()
    assert "in another tab" not in words(app)

    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [path for path in files if b"SecretOfAlice" in path.read_bytes()] == []


def test_nothing_is_kept_of_somebody_who_only_looks(home: Path) -> None:
    """Start alone makes no folder; a link that leads nowhere is said, and the app works."""
    app = opened_at(work="x" * 24)
    assert "The workspace of this link isn't here any more" in words(app)
    assert "work" not in app.query_params
    assert workspaces.recent() == []


def test_a_torn_workspace_is_said_and_shown_as_far_as_it_can_be_read() -> None:
    """Not a crash: the version before, and a sentence."""
    recipe = Recipe().changed({"traces.attempts": 3})
    kept = workspaces.new(Version("demo:60", "Demo", recipe.to_toml(), {}, True))
    kept = workspaces.keep(kept, Version("demo:60", "Demo", Recipe().to_toml(), {}, True), "", 0)
    (kept.path / f"{kept.listed[1]}.json").write_bytes(b"")
    app = opened_at(work=kept.id)
    assert not app.exception
    assert workspace(app).recipe == recipe
    assert "couldn't be read from the disk" in words(app)


def test_an_upload_that_is_gone_is_asked_for_and_the_work_goes_on(tmp_path: Path) -> None:
    """One field to press; the recipe, the decisions and the address stay."""
    path = write_jsonl(make_rows(30), tmp_path / "mine.jsonl")
    app = open_app()
    app.file_uploader(key="door.file").upload(path.name, path.read_bytes(), "application/jsonl").run()
    mine = workspace(app)
    mine.recipe = mine.recipe.changed({"traces.seed": 77, "balance.exclude": ("0" * 16,)})
    app.run()
    name = named(app)
    shutil.rmtree(Path(mine.source).parent)
    later = opened_at("3_Choose", work=name)
    assert [one.value for one in later.title] == ["Choose"]
    assert "mine.jsonl** isn't here any more" in words(later).replace("\\", "")
    later.file_uploader(key="again.file").upload(path.name, path.read_bytes(), "application/jsonl").run()
    assert not later.error
    after = workspace(later).recipe
    assert (after.traces.seed, after.balance.exclude) == (77, ("0" * 16,))
    assert after.columns == mine.recipe.columns
    assert Path(workspace(later).source).read_bytes() == path.read_bytes()


def test_a_build_s_link_opens_its_data_on_every_page(home: Path) -> None:
    """Look opened with `?job=` shows the traces of that build's recipe instead of asking for data."""
    recipe = Recipe().changed({"traces.attempts": 2})
    at = new_place(builds.KIND)
    job = builds.Job(at.name, at, "demo:40", "Demo: 40 Countdown puzzles", recipe.fingerprint(), time.time())
    builds.note(job)
    (at / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    app = opened_at("3_Choose", job=job.id)
    assert not app.error and not app.exception
    assert (workspace(app).source, workspace(app).recipe.traces.attempts) == ("demo:40", 2)
    builds.rename(job, " My  first one ")
    again = builds.find(job.id)
    assert again is not None and again.title == "My first one"


def test_start_lists_renames_and_deletes_what_was_worked_on() -> None:
    """By name, the latest first; deleting asks, says what is lost, and the tab starts over."""
    app = with_source().switch_page("pages/1_Start.py").run()
    name = named(app)
    assert "Continue where you left off" in words(app)
    app.text_input(key=f"continue.name.{name}").set_value("For alice").run()
    assert "For alice" in words(app)
    later = opened_at("3_Choose")  # a page in a new tab, without an address
    later.button(key="kept.continue").click().run()
    assert later.title[0].value == "Choose" and workspace(later).source == workspace(app).source
    app.button(key=f"continue.delete.{name}").click().run()
    assert not app.exception
    assert "Continue where you left off" not in words(app)
    assert workspaces.recent() == [] and workspace(app).source == ""
    assert "work" not in app.query_params


def test_the_tour_is_skipped_for_good_with_one_click() -> None:
    """Offered on the first visit, gone after one press, in later visits too."""
    app = open_app()
    assert "New here?" in words(app)
    app.button(key="tour.skip").click().run()
    assert "New here?" not in words(app)
    assert "New here?" not in words(open_app())


def test_the_tour_leads_over_four_pages() -> None:
    """Each page has its card, the last one ends it."""
    app = with_source()
    app.session_state["tour.at"] = True  # as after the press on Start, here with a smaller demo
    app.run()
    for number, title in enumerate(("Data", "Choose", "Look", "Finish"), 1):
        assert app.title[0].value == title
        assert f"{number} of 4 · {title}" in words(app)
        app.button(key="tour.next" if number < 4 else "tour.end").click().run()
    assert "of 4 ·" not in words(app)


# -- a shared server -----------------------------------------------------------------------------------------------


def test_somebody_else_s_workspace_is_a_copy_from_the_first_change_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hosted: what its owner has stays as it is; nothing is written before the other changes something."""
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    version = Version("demo:60", "Demo", Recipe().to_toml(), {}, True)
    owned = workspaces.new(version, "somebody", name="Mine")
    app = opened_at("3_Choose", work=owned.id)
    assert "You opened somebody else's workspace" in words(app)
    assert named(app) == owned.id and workspace(app).kept is None
    app.slider(key="traces.attempts").set_value(2).run()
    copy = workspace(app).kept
    assert copy is not None and copy.id != owned.id and copy.owner not in ("", "somebody")
    assert (copy.name, named(app)) == ("Copy of Mine", copy.id)
    untouched = workspaces.find(owned.id)
    assert untouched is not None and untouched.version == version


def test_a_shared_server_forgets_workspaces_that_nobody_opens(home: Path) -> None:
    """With uploads and builds, after the same time."""
    old, new = workspaces.new(Version("demo")), workspaces.new(Version("demo"))
    os.utime(old.path, (1_000_000, 1_000_000))
    cleanup._remove_old(1.0)
    assert workspaces.find(old.id) is None and workspaces.find(new.id) is not None


def test_at_home_the_upload_of_a_workspace_stays(home: Path) -> None:
    """However old, as long as a workspace names it."""
    used, unused = new_place("uploads"), new_place("uploads")
    workspaces.new(Version(str(used / "raw.csv")))
    for folder in (used, unused):
        os.utime(folder, (1_000_000, 1_000_000))
    workspaces.forget_uploads(days=30)
    assert used.exists() and not unused.exists()


def test_workspaces_count_in_a_visitor_s_share_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the uploads and builds that they name, each once; beyond the share, one sentence. At home there is none."""
    upload = new_place("uploads")
    (upload / "raw.csv").write_bytes(b"x" * 50_000)
    for _ in range(3):
        workspaces.new(Version(str(upload / "raw.csv")), "me")
    held = quota.taken("me")
    assert 50_000 < held < 60_000
    assert quota.taken("other") == 0
    monkeypatch.setattr(quota, "SHARE", 51_000)
    monkeypatch.setattr(quota, "WORKSPACES", 4)
    quota.check_room_for_work("me")
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    assert "your share of" in quota.refusal(10, 10_000, "me")
    quota.check_room_for_work("other")
    monkeypatch.setattr(quota, "WORKSPACES", 3)
    with pytest.raises(Exception, match="3 workspaces"):
        quota.check_room_for_work("me")


def test_an_archive_counts_as_it_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small zip of much text takes as much of a visitor's share as that text."""
    upload = new_place("uploads") / "raw.zip"
    row = json.dumps({"question": "q", "response": "a " * 50_000, "correct": True})
    with zipfile.ZipFile(upload, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.jsonl", row)
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    loading.check_given(str(upload))
    workspaces.new(Version(str(upload)), "me")
    assert upload.stat().st_size < 5_000 and 100_000 < quota.taken("me") < 110_000


def test_what_can_t_be_kept_is_said_and_stays_in_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the share the work goes on, the page says that it isn't kept, and a shared recipe stays in the address."""
    monkeypatch.setattr(quota, "WORKSPACES", 0)
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    recipe = Recipe().changed({"traces.attempts": 2})
    app = opened_at(recipe=packed(recipe))
    assert workspace(app).recipe == recipe
    assert "which is the maximum" in words(app)
    assert "recipe" in app.query_params and "work" not in app.query_params
