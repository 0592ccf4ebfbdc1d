"""From a published file to its build without typing: chosen, then at most three clicks. `make test-long` takes all formats."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.studio import PATIENCE, Visitor
from tests.test_front_door import ANSWERS, FOUND, GRADE, LABELS, SCHEMAS, beside

pytestmark = [pytest.mark.browser, beside]
MOST = 3
CHOSEN = (
    "14-openthoughts3.parquet",
    "27-verl-rollouts-step100.jsonl",
    "39-german.csv",
)
"""For every run: a set without labels, a log, and a spreadsheet in another language."""
CAN = sorted(name for name, (_, _, needs) in FOUND.items() if ANSWERS not in needs)
"""What can give a trace: without a final answer none ends."""
NAMES = CAN if os.environ.get("SKILL_FACTORY_LONG") else CHOSEN


class Clicks:
    """A visitor whose clicks are counted."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.made = visitor, 0

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press a button by its words, once it is there and the app is still."""
        button = self.visitor.page.get_by_role("button", name=name).first
        expect(button).to_be_enabled(timeout=2 * PATIENCE)
        self.visitor.still()
        button.click()
        self.made += 1


@pytest.mark.parametrize("name", NAMES)
def test_a_published_format_is_built_after_three_clicks(name: str, visitor: Visitor) -> None:
    """The file is chosen; what it lacks is one press, or two where it has to be seen; the next starts the build."""
    visitor.open()
    visitor.page.get_by_role("tab", name="My file").click()
    visitor.still()
    visitor.page.set_input_files("input[type=file] >> nth=0", str(SCHEMAS / name))
    visitor.titled("Data")
    clicks, needs = Clicks(visitor), FOUND[name][2]
    if LABELS in needs:
        clicks.press("Count every response as right")
    if GRADE in needs:
        clicks.press("Grade the responses")
        clicks.press("Yes, grade all responses")
        visitor.sees("responses graded:")
    clicks.press(re.compile(r"^Build [\d,]+ trace"))
    visitor.titled("Finish")
    assert clicks.made <= MOST
    expect(visitor.page.get_by_text(re.compile("traces? from .* ready"))).to_be_visible(timeout=2 * PATIENCE)
    visitor.still()
    visitor.go("Look")
    visitor.sees("Attempt 1")


def test_every_format_is_tried_or_lacks_its_answers() -> None:
    """The list follows the schemas: nothing is left out but what no trace can end with."""
    assert set(CHOSEN) <= set(CAN)
    assert {Path(name).stem[:2] for name in FOUND} - {name[:2] for name in CAN} == {"18", "26", "34"}
