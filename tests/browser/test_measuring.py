"""Outputs → figures → one output taken apart → raw data on the page Data, as a visitor clicks it."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.studio import Studio, Visitor, context
from tests.planted_outputs import plant

pytestmark = pytest.mark.browser


def test_outputs_are_measured_and_become_raw_data(browser: Browser, studio: Studio, tmp_path: Path) -> None:
    """Nothing fetched from outside, no fault on the way, and the lights of Data judge what was harvested."""
    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in plant(40, seed=1).rows), encoding="utf-8")
    visitor = Visitor(context(browser).new_page(), studio)
    visitor.open()
    visitor.go("Measure")
    field = visitor.page.get_by_label("or paths on this computer")
    field.fill(str(path))
    field.press("Enter")
    visitor.sees("160 outputs of 1 run, 40 questions")
    visitor.sees("Attempts per output")
    visitor.sees("verdicts are true")
    visitor.sees("Attempt 1 of")
    visitor.page.get_by_text("Broke a right answer").first.click()
    visitor.still()
    visitor.sees("Attempt 2 of")
    visitor.press("Make raw data from")
    visitor.titled("Data")
    visitor.sees("harvest.parquet")
    visitor.still()
    expect(visitor.page.get_by_text("questions have several answers").first).to_be_visible()
    assert visitor.faults == [] and visitor.outside == []
