"""Every page by axe-core, the engine behind most accessibility checks: nothing serious, in light and in dark."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.studio import Studio, Visitor
from tests.browser.test_journeys import built
from tests.test_app_training import fake_python

pytestmark = pytest.mark.browser

PAGES = ("Choose", "Look", "Finish", "Measure")
"""The pages behind Start and Data, with the demo as their data."""
BESIDE = {"Suite": "Compare arms", "Difference": "Compare two builds"}
"""The pages that aren't steps, each with its title."""


BOTH = [pytest.param(False, id="light"), pytest.param(True, id="dark", marks=pytest.mark.long)]


@pytest.mark.parametrize("dark", BOTH)
def test_no_page_has_a_serious_finding(studio: Studio, visit: Callable[..., Visitor], dark: bool) -> None:
    """Names, roles, contrast, headings and order: axe finds nothing serious or critical on any page."""
    visitor = visit(studio, dark=dark)
    # The example on Start fades in; half faded, nothing has its contrast yet.
    visitor.page.emulate_media(reduced_motion="reduce")
    visitor.open()
    visitor.still()
    found = {"Start": serious(visitor)}
    visitor.demo()
    visitor.still()
    found["Data"] = serious(visitor)
    for page in PAGES:
        visitor.go(page)
        visitor.still()
        found[page] = serious(visitor)
    for page in BESIDE:
        found[page] = serious(beside(visitor, page))
    assert not any(found.values()), found


@pytest.mark.long
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_two_builds_compared_have_no_serious_finding(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], dark: bool
) -> None:
    """The same with something to compare: numbers, differing fields of the recipe, examples."""
    visitor = visit(own_studio(), dark=dark)
    visitor.demo()
    visitor.go("Finish")
    built(visitor)
    visitor.go("Choose")
    visitor.page.get_by_text("Right at once").first.click()
    visitor.still()
    visitor.go("Finish")
    built(visitor)
    beside(visitor, "Difference")
    visitor.sees("Kept and dropped")
    visitor.sees("The same on the command line")
    visitor.still()
    assert serious(visitor) == []


@pytest.mark.long
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_mixture_has_no_serious_finding(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], dark: bool
) -> None:
    """Two sources on Data, on Choose with the way to the other one, on Finish before the build and after it."""
    visitor = visit(own_studio(), dark=dark)
    two_demos(visitor)
    found = {"Data": serious(visitor)}
    for page in ("Choose", "Finish"):
        visitor.go(page)
        visitor.still()
        found[page] = serious(visitor)
    built(visitor)
    visitor.still()
    found["built"] = serious(visitor)
    assert not any(found.values()), found


@pytest.mark.long
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_training_has_no_serious_finding(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], tmp_path: Path, dark: bool
) -> None:
    """Train before a model is named, with what it takes, while it runs with its loss and a sample, and stopped."""
    (tmp_path / "Tiny-1M").mkdir()
    visitor = visit(own_studio(SKILL_FACTORY_TRAINER=str(fake_python(tmp_path))), dark=dark)
    visitor.demo()
    visitor.go("Finish")
    built(visitor)
    visitor.page.get_by_role("tab", name="Train").click()
    visitor.still()
    found = {"empty": serious(visitor)}
    estimated(visitor, str(tmp_path / "Tiny-1M"))
    found["estimated"] = serious(visitor)
    visitor.page.locator(".st-key-fit-start button").first.click()
    visitor.sees("2 attempts, 1 verdict")
    found["running"] = serious(visitor)
    visitor.page.locator(".st-key-fit-stop button").first.click()
    visitor.sees("is kept")
    visitor.still()
    found["stopped"] = serious(visitor)
    assert not any(found.values()), found


def two_demos(visitor: Visitor) -> None:
    """The demo, and the other one beside it."""
    visitor.demo()
    visitor.press("Add another source")
    visitor.still()
    visitor.page.get_by_role("button", name="Add the demo").last.click()
    visitor.sees("2 sources, mixed")
    visitor.still()


def estimated(visitor: Visitor, model: str) -> None:
    """Name a model under Train, and wait for what its training takes."""
    field = visitor.page.get_by_role("textbox", name="Model to train").first
    field.fill(model)
    field.press("Enter")
    visitor.sees("Memory: ")
    visitor.still()


def test_axe_sees_what_is_wrong(visitor: Visitor) -> None:
    """A button without a name, put on the page by the test, is a finding: the check can fail."""
    visitor.open()
    visitor.still()
    visitor.page.evaluate("() => document.body.append(document.createElement('button'))")
    assert [rule for rule, _ in serious(visitor)] == ["button-name"]


def beside(visitor: Visitor, page: str) -> Visitor:
    """Open a page that isn't a step, in the same workspace."""
    work = parse_qs(urlsplit(visitor.page.url).query)["work"][0]
    visitor.open(f"{page}?work={work}", BESIDE[page])
    visitor.still()
    return visitor


def serious(visitor: Visitor) -> list[tuple[str, str]]:
    """The rules that are broken seriously, each with the first element that breaks it."""
    violations = Axe().run(visitor.page).response["violations"]
    return [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]
