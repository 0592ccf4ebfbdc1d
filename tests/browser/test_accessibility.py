"""Every page by axe-core, the engine behind most accessibility checks: nothing serious, in light and in dark."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.studio import Studio, Visitor
from tests.browser.test_journeys import built

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
