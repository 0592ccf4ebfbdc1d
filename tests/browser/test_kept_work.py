"""Work is never lost: a reload, a killed server, the browser's back, a second tab and a colleague's link, on every page."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from skill_factory.recipe.model import Recipe
from skill_factory.recipe.share import packed
from tests.browser.studio import Studio, Visitor
from tests.make_raw import make_rows, write_jsonl

pytestmark = pytest.mark.browser
PLACE = "document.querySelector('[data-testid=\"stMain\"]').scrollTop"
"""How far down the page is scrolled."""


def attempts(visitor: Visitor, number: int) -> None:
    """Wait until the slider on Choose shows so many attempts."""
    expect(visitor.page.get_by_role("slider").first).to_have_value(str(number))


def kept(visitor: Visitor) -> str:
    """What stands on the disk of the workspace in the address."""
    name = parse_qs(urlsplit(visitor.page.url).query).get("work", ["none"])[0]
    path = visitor.studio.home / "workspaces" / name / "now.json"
    now = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return f"{name} {now.get('versions')} {now.get('at')}"


def moved(visitor: Visitor, number: int) -> None:
    """Move the slider by one with the keyboard, and wait until that is on the disk."""
    before, slider = kept(visitor), visitor.page.get_by_role("slider").first
    slider.press("ArrowLeft" if number < int(slider.input_value()) else "ArrowRight")
    attempts(visitor, number)
    for _ in range(300):
        if kept(visitor) != before:
            break
        visitor.page.wait_for_timeout(100)
    assert kept(visitor) != before
    visitor.still()


def undo(visitor: Visitor, name: str = "Undo") -> None:
    """Press the button in the strip."""
    button = visitor.page.locator(f".st-key-kept-{name.lower()} button").first
    visitor.still()
    expect(button).to_be_enabled()
    button.click()


def traces(visitor: Visitor) -> str:
    """The strip's number of traces."""
    found = visitor.page.locator(".st-key-strip a").filter(has_text="trace").first
    expect(found).to_be_visible()
    visitor.still()
    return str(found.inner_text())


def test_a_reload_and_a_killed_server_bring_every_page_back(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor]
) -> None:
    """In mid-work: the same page, the same data, the same recipe, after F5 and after `kill -9` of the server."""
    studio = own_studio()
    visitor = visit(studio)
    visitor.demo()
    visitor.go("Choose")
    moved(visitor, 4)
    before = traces(visitor)
    for page in ("Data", "Choose", "Look", "Finish"):
        visitor.go(page)
        visitor.still()
        assert "work=" in visitor.page.url
        visitor.page.reload()
        visitor.titled(page)
        assert traces(visitor) == before
        studio.kill()
        studio.start()
        visitor.page.reload()
        visitor.titled(page)
        assert traces(visitor) == before
        if page == "Choose":
            attempts(visitor, 4)
    visitor.open(visitor.page.url.removeprefix(studio.url + "/").replace("Finish", ""))
    visitor.sees("Continue where you left off")


@pytest.mark.long
def test_a_reload_shows_each_page_where_one_was(visit: Callable[..., Visitor], studio: Studio) -> None:
    """Scrolled down, F5 leads back to the same place; a page that one goes to by the navigation begins at its top."""
    visitor = visit(studio)
    visitor.demo()
    visitor.sees("What was counted")
    visitor.still()
    visitor.page.mouse.move(600, 500)
    visitor.page.mouse.wheel(0, 500)
    visitor.page.wait_for_function(f"{PLACE} > 450")
    before = visitor.page.evaluate(PLACE)
    visitor.page.reload()
    visitor.titled("Data")
    visitor.page.wait_for_function(f"Math.abs({PLACE} - {before}) < 2")
    visitor.still()
    assert abs(visitor.page.evaluate(PLACE) - before) < 2
    visitor.go("Look")
    visitor.still()
    assert visitor.page.evaluate(PLACE) == 0


def test_changes_are_undone_and_redone_in_every_tab(visit: Callable[..., Visitor], studio: Studio) -> None:
    """Ten changes back and forth over a reload; the other tab follows and says so; the browser's back keeps it all."""
    visitor = visit(studio)
    visitor.demo()
    visitor.go("Choose")
    attempts(visitor, 5)
    for number in (4, 3, 2, 3, 4, 5, 6, 5, 4, 3):
        moved(visitor, number)
    for number in (4, 5, 6, 5, 4, 3, 2):
        undo(visitor)
        attempts(visitor, number)
    visitor.page.reload()
    visitor.titled("Choose")
    for number in (3, 4, 5):
        undo(visitor)
        attempts(visitor, number)
    undo(visitor, "Redo")
    attempts(visitor, 4)
    visitor.still()

    other = Visitor(visitor.page.context.new_page(), studio)
    other.page.goto(visitor.page.url)
    attempts(other, 4)
    other.still()
    moved(other, 3)
    attempts(visitor, 3)
    visitor.sees("You changed this workspace in another tab.")
    assert other.faults == []

    visitor.go("Look")
    visitor.still()
    visitor.page.go_back()
    visitor.titled("Choose")
    attempts(visitor, 3)


def test_an_upload_is_found_again_and_asked_for_when_it_is_gone(
    visit: Callable[..., Visitor], studio: Studio, tmp_path: Path
) -> None:
    """After a reload the file is there; once it is deleted, uploading it again continues with the same recipe."""
    path = write_jsonl(make_rows(60), tmp_path / "mine.jsonl")
    visitor = visit(studio)
    visitor.open()
    visitor.page.get_by_role("tab", name="My file").click()
    visitor.page.set_input_files("input[type=file] >> nth=0", str(path))
    visitor.titled("Data")
    visitor.go("Choose")
    visitor.still()
    number = int(visitor.page.get_by_role("slider").first.input_value()) - 1
    moved(visitor, number)
    visitor.page.reload()
    visitor.titled("Choose")
    attempts(visitor, number)
    before = traces(visitor)
    for folder in (studio.home / "uploads").iterdir():
        if (folder / "mine.jsonl").exists():
            shutil.rmtree(folder)
    visitor.page.reload()
    visitor.titled("Choose")
    visitor.sees("mine.jsonl isn't here any more")
    visitor.page.set_input_files("input[type=file] >> nth=0", str(path))
    attempts(visitor, number)
    assert traces(visitor) == before


@pytest.fixture
def shared_studio(browser: Browser, tmp_path: Path) -> Iterator[Studio]:
    """A server for strangers, with its door around it."""
    (tmp_path / "shared").mkdir()
    with Studio(tmp_path / "shared" / "home", SKILL_FACTORY_HOSTED="1") as running:
        yield running


@pytest.mark.long
def test_a_colleague_gets_a_copy(shared_studio: Studio, visit: Callable[..., Visitor]) -> None:
    """On a shared server a link shows what its owner has, and what the other changes stays with the other."""
    owner, colleague = visit(shared_studio), visit(shared_studio)
    owner.demo()
    owner.go("Choose")
    attempts(owner, 5)
    moved(owner, 4)
    link = owner.page.url
    colleague.page.goto(link)
    colleague.titled("Choose")
    attempts(colleague, 4)
    colleague.sees("You opened somebody else's workspace.")
    assert colleague.page.url == link
    moved(colleague, 3)
    assert colleague.page.url != link
    colleague.page.reload()
    attempts(colleague, 3)
    shared_studio.kill()
    shared_studio.start()
    owner.page.reload()
    attempts(owner, 4)
    owner.page.locator(".st-key-kept").get_by_role("button").first.click()
    owner.sees("deleted when nobody has opened the workspace for 24 hours")
    owner.page.keyboard.press("Escape")
    owner.open()
    assert (
        owner.page.get_by_role("button", name="Delete", exact=True).count() == 1
    )  # the colleague's isn't listed


@pytest.mark.parametrize("page", ["Data", "Choose", "Look", "Finish"])
def test_a_recipe_link_opens_the_page_that_it_names(page: str, visitor: Visitor) -> None:
    """The data comes with it where the recipe names it; what is changed afterwards survives a reload."""
    recipe = Recipe().changed({"traces.attempts": 2, "source.kind": "demo", "source.name": "60"})
    visitor.open(f"{page}?recipe={packed(recipe)}", page)
    traces(visitor)
    visitor.still()
    assert "recipe=" not in visitor.page.url and "work=" in visitor.page.url
    if page == "Choose":
        attempts(visitor, 2)
        moved(visitor, 1)
        visitor.page.reload()
        attempts(visitor, 1)
