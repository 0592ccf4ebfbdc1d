"""Every page by axe-core, the engine behind most accessibility checks: nothing serious, in light and in dark."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.studio import Studio, Visitor

pytestmark = pytest.mark.browser

PAGES = ("Choose", "Look", "Finish", "Measure")
"""The pages behind Start and Data, with the demo as their data."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_has_a_serious_finding(studio: Studio, visit: Callable[..., Visitor], dark: bool) -> None:
    """Names, roles, contrast, headings and order: axe finds nothing serious or critical on any page."""
    visitor = visit(studio, dark=dark)
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
    assert not any(found.values()), found


def test_axe_sees_what_is_wrong(visitor: Visitor) -> None:
    """A button without a name, put on the page by the test, is a finding: the check can fail."""
    visitor.open()
    visitor.still()
    visitor.page.evaluate("() => document.body.append(document.createElement('button'))")
    assert [rule for rule, _ in serious(visitor)] == ["button-name"]


def serious(visitor: Visitor) -> list[tuple[str, str]]:
    """The rules that are broken seriously, each with the first element that breaks it."""
    violations = Axe().run(visitor.page).response["violations"]
    return [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]
