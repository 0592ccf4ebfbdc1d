"""Every page in Chromium under the server's content policy: charts, downloads, uploads and dialogs, light and dark."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.studio import POLICY, Studio, Visitor, context
from tests.browser.test_journeys import built, saved
from tests.make_raw import make_rows
from tests.planted_outputs import plant
from tests.torture.cases import as_jsonl

pytestmark = pytest.mark.browser


def test_what_the_policy_forbids_is_seen(browser: Browser, studio: Studio) -> None:
    """An address elsewhere, asked for by a script of the page, is refused, and the tests hear of it."""
    with context(browser) as visited:
        visitor = Visitor(visited.new_page(), studio)
        visitor.open()
        assert visitor.faults == []
        visitor.page.evaluate("() => fetch('http://127.0.0.1:9/x').catch(() => 0)")
        visitor.page.wait_for_timeout(200)
        assert visitor.faults and all(POLICY in one for one in visitor.faults)


def uploaded(visitor: Visitor, path: Path) -> None:
    """Choose a file of one's own on Start."""
    visitor.open()
    visitor.page.get_by_role("tab", name="My file").click()
    visitor.page.set_input_files("input[type=file] >> nth=0", str(path))
    visitor.titled("Data")
    visitor.sees("Which column holds what")


@pytest.mark.parametrize(
    ("hosted", "dark"),
    [
        pytest.param("0", False, id="home", marks=pytest.mark.long),
        pytest.param("1", True, id="shared-dark"),
    ],
)
def test_pages_want_nothing_that_the_policy_forbids(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], tmp_path: Path, hosted: str, dark: bool
) -> None:
    """An upload becomes a build that is downloaded and deleted again; outputs are measured; no page asks for more."""
    raw, outputs = tmp_path / "mine.jsonl", tmp_path / "run.jsonl"
    raw.write_bytes(as_jsonl([dict(row) for row in make_rows(12, 6, 2, seed=3)]))
    outputs.write_text("".join(json.dumps(row) + "\n" for row in plant(20, seed=1).rows), encoding="utf-8")
    visitor = visit(own_studio(SKILL_FACTORY_HOSTED=hosted), dark=dark)
    uploaded(visitor, raw)
    visitor.go("Choose")
    for chart in ("Right and wrong", "Dropped"):
        visitor.page.get_by_test_id("stMain").get_by_text(chart, exact=True).first.click()
        expect(
            visitor.page.get_by_test_id("stVegaLiteChart").first.locator("svg, canvas").first
        ).to_be_visible()
    visitor.go("Look")
    visitor.sees("Attempt 1")
    visitor.go("Finish")
    built(visitor)
    visitor.page.get_by_role("tab", name="Download").click()
    for button in ("Parquet", "Recipe"):
        assert saved(visitor, button, tmp_path / button).stat().st_size > 100
    visitor.go("Measure")
    visitor.page.set_input_files("input[type=file] >> nth=0", str(outputs))
    visitor.sees("80 outputs of 1 run, 20 questions")
    expect(visitor.page.get_by_test_id("stVegaLiteChart").first.locator("svg, canvas").first).to_be_visible()
    visitor.still()
    assert visitor.faults == []
