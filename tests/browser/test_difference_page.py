"""Two builds compared in a real browser: what only one of them holds, an example of it, and what differs in the recipes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from skill_factory.reasons import Level
from skill_factory.work import builds
from tests.browser.studio import Studio, Visitor
from tests.browser.test_journeys import built

pytestmark = [pytest.mark.browser, pytest.mark.long]
HEAD, ROW = 36, 66
"""Pixels of the list's head and of one of its rows."""


def number(visitor: Visitor, label: str) -> int:
    """The number under a metric's label."""
    box: Locator = visitor.page.get_by_test_id("stMetric").filter(has_text=label)
    expect(box).to_have_count(1)
    return int(box.get_by_test_id("stMetricValue").inner_text().replace(",", ""))


def test_two_builds_of_the_demo_are_compared(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From Earlier builds in two clicks: rows of either alone, an example that is opened, and N as Choose calls it."""
    studio = own_studio()
    monkeypatch.setenv("SKILL_FACTORY_HOME", str(studio.home))
    visitor = visit(studio)
    visitor.demo()
    visitor.go("Finish")
    built(visitor)
    visitor.go("Choose")
    visitor.page.get_by_role("slider").first.press("ArrowLeft")
    visitor.still()
    visitor.go("Finish")
    # The first build is ready too, so the new number of traces is what says that the second one is.
    label = visitor.page.get_by_role("button", name="Build ").first.inner_text()
    visitor.press("Build ")
    visitor.sees(f"{label.partition('Build ')[2]} from")
    visitor.still()
    visitor.page.get_by_text("Earlier builds").first.click()
    visitor.page.get_by_role("link", name="Compare two builds").click()
    visitor.titled("Compare two builds")
    visitor.sees("in both have other traces")

    new, old = (builds.ledger(job)[Level.TRACES].kept for job in builds.recent())
    both = number(visitor, "Traces in both")
    assert both + number(visitor, "Traces only in the first") == old
    assert both + number(visitor, "Traces only in the second") == new
    expect(visitor.page.get_by_text("Maximum attempts (N)").first).to_be_attached()
    opened = visitor.page.get_by_text("of the first build")
    expect(opened).to_be_visible()
    expect(visitor.page.locator(".sf-final").first).to_be_visible()
    before, listed = opened.inner_text(), visitor.page.locator(".st-key-difference-examples").first
    # The rows of a list are drawn on a canvas: the second one, at its mark.
    listed.scroll_into_view_if_needed()
    listed.click(position={"x": 16, "y": HEAD + ROW * 1.5})
    expect(opened).not_to_have_text(before)
    expect(visitor.page.locator(".sf-final").first).to_be_visible()
