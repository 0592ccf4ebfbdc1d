"""The frame: every page opens whole when it is opened first, says what is missing, and survives its own faults."""

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from skill_factory.recipe.model import Recipe, load_recipe, new_recipe
from skill_factory.recipe.share import packed
from skill_factory.ui.frame.serving import elsewhere
from skill_factory.ui.frame.workspace import sentence as as_markdown
from tests.studio import ROOT, SMALL, links, open_app, with_source, words, workspace

PAGES = {
    "1_Start": "Turn a model's attempts into training traces",
    "2_Data": "Data",
    "3_Choose": "Choose",
    "4_Look": "Look",
    "5_Finish": "Finish",
}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILL_FACTORY_HOSTED", raising=False)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opened_first_has_its_title_and_no_fault(page: str) -> None:
    """Without data each page says in words what it will show; nothing fails."""
    app = open_app(page)
    assert [one.value for one in app.title] == [PAGES[page]]
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("page", [page for page in PAGES if page != "1_Start"])
def test_a_page_without_data_links_to_the_missing_step(page: str) -> None:
    """There is a way to the data from every page that needs some."""
    app = open_app(page)
    doors = [one.key for one in app.button]
    assert "door.demo" in doors or any("Start" in label for label in links(app))


@pytest.mark.parametrize("page", PAGES)
def test_the_strip_is_on_every_page_with_data(page: str) -> None:
    """Questions, traces and what they show stand on every page, each a link."""
    app = with_source(page=page) if page != "2_Data" else with_source()
    strip = links(app)[:4]
    assert not app.exception
    assert "questions**" in strip[0] and "traces**" in strip[1]
    assert "show a mistake corrected" in strip[2]
    assert "over 16,384 tokens" in strip[3]


def test_the_strip_follows_the_recipe() -> None:
    """Fewer attempts, fewer traces: the strip says what the outlook says."""
    app = with_source()
    before = links(app)[1]
    app.session_state["workspace"].recipe = workspace(app).recipe.changed({"traces.attempts": 1})
    app.run()
    assert links(app)[1] != before


def test_a_link_opens_its_recipe() -> None:
    """?recipe= gives the recipe that was shared; the data are not in it."""
    recipe = load_recipe("paper").changed({"traces.seed": 7})
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["recipe"] = packed(recipe)
    app.run()
    assert workspace(app).recipe == recipe
    assert workspace(app).source == ""


def test_a_broken_link_is_said_and_the_page_works() -> None:
    """A link that was cut shows a sentence and leaves the recipe alone."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["recipe"] = packed(Recipe())[:-4]
    app.run()
    assert "The recipe in the link can't be read" in words(app)
    assert workspace(app).recipe == new_recipe()


def test_a_recipe_that_names_its_data_offers_to_open_them() -> None:
    """A shared recipe of the demo is one click away from its data."""
    recipe = Recipe().changed({"traces.attempts": 2})
    recipe = recipe.model_copy(
        update={"source": recipe.source.model_copy(update={"kind": "demo", "name": "40"})}
    )
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["recipe"] = packed(recipe)
    app.run()
    app.button(key="door.recipe").click().run()
    assert workspace(app).source == "demo:40"
    assert workspace(app).recipe.traces.attempts == 2


def test_an_unexpected_fault_is_an_apology_with_an_id(caplog: pytest.LogCaptureFixture) -> None:
    """The visitor sees no traceback but an id, and the log has the details under the same id."""
    app = with_source()
    app.session_state["workspace"].recipe = "no recipe at all"
    app.run()
    assert not app.exception
    said = app.error[0].value
    number = said.rsplit(" ", 1)[1].rstrip(".")
    assert "isn't your fault" in said
    assert any(number in record.getMessage() and record.exc_info for record in caplog.records)


def test_a_broken_source_is_a_sentence(tmp_path: Path) -> None:
    """A file that went away after it was chosen shows its sentence, on the page and not in the strip."""
    path = tmp_path / "raw.jsonl"
    path.write_text(
        '{"question": "q", "response": "r <answer>1</answer>", "correct": true, "reflections": ["<verdict>Correct</verdict>"]}\n'
    )
    app = with_source(str(path))
    path.unlink()
    app.session_state["_kept"] = {}
    app.run()
    assert not app.exception
    assert any("raw" in one.value for one in app.error)


# -- a real server -------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server that nobody has opened yet, with its own agent interface for reading pages without a browser."""
    import os
    import socket
    import subprocess
    import sys

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(ROOT / "app.py"),
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
        "--server.headless",
        "true",
        "--server.enableAgentApi",
        "true",
        "--server.fileWatcherType",
        "none",
    ]
    env = {**os.environ, "SKILL_FACTORY_HOME": str(tmp_path / "home")}
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def test_a_deep_link_on_a_cold_server_opens_the_page_in_its_frame(server: str) -> None:
    """The first visitor of a server may come by a deep link: the page has its frame and its title all the same."""
    import json

    request = urllib.request.Request(
        f"{server}/_stcore/agent/interact",
        data=json.dumps({"page": "Look"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    answer = urllib.request.urlopen(request, timeout=60).read().decode()
    assert "Look" in answer
    assert "Finish" in answer, "the navigation is missing"
    assert SMALL not in answer


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("It is read from `my_column`.", "It is read from `my_column`\\."),
        ("`a` and *b*", "`a` and \\*b\\*"),
        ("A cell holds ` and [a](b)", "A cell holds \\` and \\[a\\]\\(b\\)"),
        ("`a\n\n# b`", "`a  # b`"),
    ],
)
def test_a_sentence_sets_what_stands_between_its_backticks_as_code(sentence: str, shown: str) -> None:
    """All else is shown as it is, also what the data brings."""
    assert as_markdown(sentence).replace("\\.", ".") == shown.replace("\\.", ".")


@pytest.mark.parametrize(
    ("path", "query", "leads"),
    [
        ("/nonsense", "", "/?nopage=1"),
        ("/nonsense", "work=abc", "/?work=abc&nopage=1"),
        ("/Data/more", "", "/?nopage=1"),
        ("/data", "work=abc", "/Data?work=abc"),
        ("/FINISH/", "", "/Finish"),
        ("/difference", "", "/Difference"),
        *(
            (path, "", "")
            for path in ("/", "/Data", "/Suite", "/Start", "/favicon.png", "/_stcore/health", "/media/1")
        ),
    ],
)
def test_a_wrong_address_leads_to_a_page(path: str, query: str, leads: str) -> None:
    """Capitals don't matter, what isn't a page leads to Start, the work in the address goes along; all else is left alone."""
    assert elsewhere(path, query) == leads


def test_start_says_that_there_is_no_such_page() -> None:
    """Once, and the address no longer says so."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["nopage"] = "1"
    assert "There is no page at that address" in words(app.run())
    assert "nopage" not in app.query_params
    assert "There is no page at that address" not in words(app.run())
