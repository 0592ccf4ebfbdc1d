"""Pages in a real browser: opened first on a cold server, in the dark, on a phone, and with texts that would like to run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.studio import Studio, Visitor
from tests.browser.test_journeys import with_path
from tests.make_raw import row, write_jsonl

pytestmark = pytest.mark.browser

TITLES = {
    "Start": "Turn a model's attempts into training traces",
    "Data": "Data",
    "Choose": "Choose",
    "Look": "Look",
    "Finish": "Finish",
}


@pytest.mark.parametrize("address", ["Start", "Data", "Choose", "Look", "Finish"])
def test_a_deep_link_on_a_cold_server_has_title_and_navigation(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], address: str
) -> None:
    """The first visitor of a server comes by a deep link: the page has its frame all the same."""
    visitor = visit(own_studio())
    visitor.open(address, TITLES[address])
    links = visitor.page.get_by_test_id("stTopNavLink")
    expect(links).to_contain_text(["Start", "Data", "Choose", "Look", "Finish"])


def luminance(colour: str) -> float:
    """Of a CSS colour `rgb(r, g, b)`, from 0 to 1."""
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_can_be_read(visit: Callable[..., Visitor], studio: Studio, dark: bool) -> None:
    """The page follows the system's setting, and its text has a contrast of 4.5 to 1 at least."""
    visitor = visit(studio, dark=dark)
    visitor.demo()
    back, front = visitor.page.evaluate(
        "() => { const app = getComputedStyle(document.querySelector('.stApp'));"
        " return [app.backgroundColor, getComputedStyle(document.querySelector('h1')).color] }"
    )
    assert (luminance(back) < 0.2) is dark
    high, low = sorted((luminance(back), luminance(front)), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize("address", ["Start", "Look"])
def test_a_phone_has_no_sideways_scrolling(
    visit: Callable[..., Visitor], studio: Studio, address: str
) -> None:
    """At 390 pixels Start and the trace view fit."""
    visitor = visit(studio, width=390, height=844)
    visitor.demo()
    if address == "Look":
        visitor.page.get_by_role("link", name="show a mistake").click()
        visitor.titled("Look")
        visitor.sees("Attempt 1")
    else:
        visitor.open("", TITLES["Start"])
    visitor.still()
    wide = visitor.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 390


HOSTILE = (
    "<script>window.ran = 1</script><img src='http://127.0.0.1:9/a.png' onerror='window.ran = 2'>"
    "![p](http://127.0.0.1:9/b.png) [l](javascript:window.ran=3) <a href='javascript:window.ran=4'>x</a>"
)


def test_text_of_the_data_is_shown_and_never_runs(visitor: Visitor, tmp_path: Path) -> None:
    """Script, picture with a handler, Markdown picture and link: all are text, nothing runs, nothing is fetched."""
    rows = [
        row(
            f"Question {q} {HOSTILE}",
            f"try {k} {HOSTILE} <answer>{k}{HOSTILE}</answer>",
            k < 3,
            [f"Hm. {HOSTILE} <verdict>{'Correct' if k < 3 else 'Incorrect'}</verdict>"],
            variant=HOSTILE,
        )
        for q in range(4)
        for k in range(6)
    ]
    with_path(visitor, str(write_jsonl(rows, tmp_path / "hostile.jsonl")))
    for step in ("Data", "Choose", "Look", "Finish"):
        visitor.go(step)
        visitor.still()
        assert visitor.page.evaluate("() => window.ran") is None
    visitor.press("Build ")
    visitor.sees("are ready")
    visitor.go("Look")
    expect(visitor.page.get_by_text("<script>window.ran = 1</script>").first).to_be_attached()
    assert visitor.page.locator("img[src*='127.0.0.1:9']").count() == 0
    assert visitor.page.locator("a[href^='javascript']").count() == 0
    assert visitor.page.evaluate("() => window.ran") is None


def test_a_brush_on_the_chart_sets_the_window(visitor: Visitor) -> None:
    """Dragging across the chart of right and wrong leaves the other questions out, and the strip follows."""
    visitor.demo()
    visitor.go("Choose")
    strip = visitor.page.get_by_role("link", name="questions").first
    before = strip.text_content()
    visitor.page.get_by_test_id("stMain").get_by_text("Right and wrong", exact=True).first.click()
    chart = visitor.page.get_by_test_id("stVegaLiteChart").first
    expect(chart.locator("svg, canvas").first).to_be_visible()
    visitor.still()
    visitor.page.wait_for_timeout(1000)  # the chart may be drawn once more, and has no place meanwhile
    expect(chart).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] * 0.4
    visitor.page.mouse.move(box["x"] + box["width"] * 0.4, middle)
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + box["width"] * 0.7, middle, steps=8)
    visitor.page.mouse.up()
    visitor.sees("Used: questions with")
    expect(strip).not_to_have_text(before or "")


def test_a_click_on_a_dropped_bar_leads_to_its_texts(visitor: Visitor) -> None:
    """The bar that is clicked names its reason, and one click shows those texts on Look."""
    visitor.demo()
    visitor.go("Choose")
    visitor.page.get_by_test_id("stMain").get_by_text("Dropped", exact=True).first.click()
    chart = visitor.page.get_by_test_id("stVegaLiteChart").first
    bar = chart.locator(
        "path[aria-roledescription='bar'][aria-label*='no correct response'], path[aria-label*='none of its kept']"
    ).first
    expect(bar).to_be_visible()
    visitor.still()
    bar.click()
    visitor.sees("questions dropped")
    visitor.press("Read them on Look")
    visitor.titled("Look")
    visitor.sees("none of its kept responses is right")
