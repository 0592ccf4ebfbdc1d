"""An experiment in a real browser: three arms of a recipe built, compared, and published as one repository."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.browser.studio import Studio, Visitor
from tests.browser.test_publishing import call_it, sign_in
from tests.hub import Hub

pytestmark = [pytest.mark.browser, pytest.mark.long]
ARMS = ("no_reflections", "no_order")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A fresh Hub; at the end nothing was asked of it that it doesn't know."""
    with Hub(tmp_path / "hub") as running:
        yield running
    assert not running.broken, running.broken[0]


def test_three_arms_are_built_compared_and_published(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], hub: Hub
) -> None:
    """From Choose: two arms beside the recipe, a table of equal sizes, a config for each in one repository; a reload keeps it."""
    known = {name: value for name, value in hub.env().items() if name.startswith("HF_") and name != "HF_HOME"}
    visitor = visit(own_studio(**known))
    visitor.demo()
    visitor.go("Choose")
    visitor.page.get_by_role("link", name="Compare arms").first.click()
    visitor.titled("Compare arms")
    chosen = visitor.page.get_by_test_id("stMultiSelect")
    chosen.get_by_label("Clear all").click()
    visitor.sees("Choose at least one arm")
    for arm in ARMS:
        title = arm.replace("_", " ").capitalize()
        chosen.get_by_role("combobox").fill(title)
        visitor.page.get_by_role("option", name=title, exact=True).click()
        visitor.still()
    visitor.page.keyboard.press("Escape")
    visitor.press("Build 3 arms")
    visitor.sees("3 arms are ready, from the same")
    visitor.page.reload()
    visitor.sees("3 arms are ready, from the same")
    sign_in(visitor)
    call_it(visitor, "my-arms")
    visitor.sees("alice/my-arms will be created")
    visitor.press("Publish to alice/my-arms")
    visitor.sees("is published.")
    card = hub.read("alice/my-arms", "README.md").decode()
    configs = yaml.safe_load(card.split("---")[1])["configs"]
    assert {one["config_name"] for one in configs} >= {"base", *ARMS}
