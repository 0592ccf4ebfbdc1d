"""The workbench in a real browser: the living trace beside its controls, a review by keyboard, maths as it is read."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.studio import Visitor
from tests.browser.test_journeys import built, with_path
from tests.make_raw import row, verdict, write_jsonl

pytestmark = pytest.mark.browser
REVIEWED = 30


def test_the_living_trace_moves_when_n_moves_and_stays_in_view(visitor: Visitor) -> None:
    """One step of the slider: attempts come and go, the strip says what it costs, and both stay while controls scroll."""
    page = visitor.page
    visitor.demo()
    visitor.go("Choose")
    panel = page.locator(".sf-living")
    expect(panel.get_by_text("Attempt 1 of 5")).to_be_visible()
    visitor.still()
    page.get_by_role("slider").first.press("ArrowLeft")
    expect(panel.get_by_text("Attempt 1 of 4")).to_be_visible()
    expect(panel.locator(".sf-went").first).to_be_visible()
    expect(page.locator(".sf-delta")).to_have_text("−452 traces")
    page.mouse.move(250, 500)
    page.mouse.wheel(0, 3_000)
    page.wait_for_timeout(500)
    for shown in (page.locator(".st-key-strip"), panel.get_by_text("Attempt 1 of 4")):
        expect(shown).to_be_in_viewport()


def test_a_question_where_a_filter_matters_is_one_click_away(visitor: Visitor) -> None:
    """A control that does nothing is greyed out; a banned word is shown where it takes something away."""
    page = visitor.page
    visitor.demo()
    visitor.go("Choose")
    expect(page.locator(".sf-living")).to_be_visible()
    page.get_by_text("Variants and repeats").click()
    visitor.sees("Does nothing now: the chosen format makes traces of a fixed number of attempts")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_role("textbox", name="Banned words").fill("fresh")
    page.keyboard.press("Enter")
    visitor.still()
    visitor.press("Show me one where this matters")
    expect(page.locator(".sf-living .sf-change").first).to_be_visible()


@pytest.mark.long
def test_another_part_of_look_begins_empty(visitor: Visitor) -> None:
    """When the first control of Review appears, nothing of the trace that was shown before stands beside it."""
    page = visitor.page
    visitor.demo()
    visitor.go("Look")
    visitor.sees("Attempt 1")
    visitor.still()
    page.get_by_test_id("stMain").get_by_text("Review", exact=True).first.click()
    seen = page.wait_for_function(
        "() => document.querySelector('.st-key-review-order')"
        " && (document.querySelector('.st-key-look-which, .st-key-look-list') ? 'a ghost' : 'empty')"
    )
    assert seen.json_value() == "empty"
    page.wait_for_selector("#review")


def test_thirty_traces_are_reviewed_by_keyboard_and_the_build_follows(visitor: Visitor) -> None:
    """A and R decide, J and K walk; what was rejected is missing from the build, which says how many were read."""
    page = visitor.page
    visitor.demo()
    visitor.go("Look")
    page.get_by_test_id("stMain").get_by_text("Review", exact=True).first.click()
    place = page.get_by_test_id("stCaptionContainer").get_by_text("Trace ")
    expect(place.first).to_contain_text("Trace 1 of 2,260")
    visitor.sees("Attempt 1 of")
    for k in range(REVIEWED):
        page.keyboard.press("r" if k % 3 == 2 else "a")
        expect(place.first).to_contain_text(f"Trace {k + 2} of 2,260")
        # A key counts for the trace that is drawn, so the next one waits for it.
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    visitor.sees("30 traces reviewed, 10 rejected")
    page.keyboard.press("k")
    expect(place.first).to_contain_text(f"Trace {REVIEWED} of 2,260")
    page.keyboard.press("j")
    expect(place.first).to_contain_text(f"Trace {REVIEWED + 1} of 2,260")
    expect(page.get_by_role("link", name="2,250 traces")).to_be_visible()
    visitor.go("Finish")
    built(visitor)
    report = max(visitor.studio.home.rglob("report.json"), key=lambda path: path.stat().st_mtime)
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["traces"] == 2_250 and told["review"] == {"accepted": 20, "rejected": 10}
    assert told["ledger"]["traces"]["dropped"]["rejected"] == 10
    assert "30 traces reviewed, 10 rejected" in (report.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.long
def test_maths_is_set_and_its_source_is_one_click_away(visitor: Visitor, tmp_path: Path) -> None:
    """Under Read a fraction is a fraction; the raw text has every sign as it was written."""
    rows = [
        row(
            f"What is $\\frac{{{q}}}{{2}}$?",
            f"**Try {k}**: \\[ x = \\frac{{{q}}}{{2}} \\] <answer>{q}/{k + 1}</answer>",
            k < 3,
            [f"Checked $x^2$ again. {verdict(k < 3)}"],
        )
        for q in range(4)
        for k in range(6)
    ]
    with_path(visitor, str(write_jsonl(rows, tmp_path / "maths.jsonl")))
    visitor.go("Look")
    page = visitor.page
    expect(page.locator(".sf .sf-mf").first).to_be_visible()
    page.get_by_text("Raw text", exact=True).first.click()
    expect(page.get_by_text("\\frac{").first).to_be_visible()
