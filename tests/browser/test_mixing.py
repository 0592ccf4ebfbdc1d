"""Experiments in a real browser: two sources mixed in the shares asked for, and a leak decided by a click."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from skill_factory.sources.demo.rows import write_demo
from skill_factory.sources.demo.worlds import world_named
from tests.browser.studio import Visitor
from tests.browser.test_journeys import built, saved, with_path

pytestmark = [pytest.mark.browser, pytest.mark.long]
COUNT_NAMES = (
    "() => { window.most = 0; setInterval(() => { const names = document.querySelectorAll('.st-key-kept').length;"
    " window.most = Math.max(window.most, names) }, 20) }"
)
"""Keeps in `window.most` how often the workspace's name stood in the strip at once."""


def report_of(visitor: Visitor, tmp_path: Path) -> dict[str, dict[str, dict[str, dict[str, dict[str, int]]]]]:
    """The report of the build that Finish shows."""
    visitor.page.get_by_role("tab", name="Download").click()
    text = saved(visitor, "Report", tmp_path / "report.json").read_text(encoding="utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def test_two_sources_are_mixed_with_the_shares_as_asked(visitor: Visitor, tmp_path: Path) -> None:
    """The demo, a file beside it, weights of three to one: what the page says beforehand is what is built; a reload keeps it."""
    write_demo(tmp_path / "sums.parquet", 60, world=world_named("sums"))
    visitor.demo()
    visitor.press("Add another source")
    visitor.still()
    visitor.page.get_by_role("textbox", name="Or a path on this computer").last.fill(
        str(tmp_path / "sums.parquet")
    )
    visitor.page.evaluate(COUNT_NAMES)
    visitor.page.keyboard.press("Enter")
    visitor.sees("2 sources, mixed")
    visitor.still()
    assert visitor.page.evaluate("window.most") == 1, "the workspace's name stood there twice"
    weight = visitor.page.get_by_role("spinbutton", name="Weight").first
    weight.fill("3")
    weight.press("Enter")
    expect(visitor.page.get_by_text("75 %").first).to_be_visible()
    visitor.still()
    said = visitor.page.get_by_text(" in all.").first.inner_text()
    visitor.page.reload()
    visitor.sees("2 sources, mixed")
    assert visitor.page.get_by_text(" in all.").first.inner_text() == said
    visitor.go("Finish")
    strip = visitor.page.locator(".st-key-strip a").filter(has_text="traces").first
    expect(strip).to_have_text(said.removesuffix(" in all."))
    built(visitor)
    report = report_of(visitor, tmp_path)
    kept = [part["ledger"]["traces"]["kept"] for part in report["by_source"].values()]
    assert f"{sum(kept):,}" in said  # type: ignore[arg-type]
    assert abs(kept[0] - 3 * kept[1]) <= 4  # type: ignore[operator]
    visitor.page.get_by_role("link", name="Start").first.click()
    visitor.sees("Earlier builds")


def test_a_planted_leak_is_decided_by_a_click(visitor: Visitor, tmp_path: Path) -> None:
    """A benchmark asks a question of the data: it is shown beside its twin, kept by a click, left out by another, then built."""
    write_demo(tmp_path / "own.parquet", 40, world=world_named("sums"))
    asked = pq.read_table(tmp_path / "own.parquet")["question"].to_pylist()[-1]
    rows = [asked.upper(), "Why is the sky over the northern sea so pale in winter?"]
    text = "\n".join(json.dumps({"question": row}) for row in rows)
    (tmp_path / "bench.jsonl").write_text(text, encoding="utf-8")
    with_path(visitor, str(tmp_path / "own.parquet"))
    visitor.page.get_by_text("Is it in a benchmark?").click()
    visitor.still()
    visitor.page.locator("input[type=file]").last.set_input_files(str(tmp_path / "bench.jsonl"))
    visitor.sees("1 question of 40 is in a benchmark")
    visitor.sees("In bench.jsonl")
    visitor.sees("1 question left out and 0 kept")
    visitor.press("Keep this question")
    visitor.sees("no questions left out and 1 kept")
    visitor.press("Leave this question out")
    visitor.sees("1 question left out and 0 kept")
    visitor.go("Finish")
    built(visitor)
    assert report_of(visitor, tmp_path)["ledger"]["questions"]["dropped"]["contaminated"] == 1
