"""Pictures of every page, light and dark, wide and narrow, into docs/screenshots: `python -m tests.screenshots`."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.studio import Studio, Visitor, context, launched
from tests.hub import Hub

OUT = Path(__file__).parents[1] / "docs" / "screenshots"
SECTIONS = ("Yield", "Dropped", "Right and wrong", "Reflections")


def main() -> None:
    """Take all pictures; names given as arguments limit it to those pages."""
    wanted = {name.lower() for name in sys.argv[1:]}
    OUT.mkdir(parents=True, exist_ok=True)
    with launched() as browser, tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "studio" / "home"
        home.parent.mkdir()
        with Hub(Path(folder) / "hub") as hub, Studio(home, HF_ENDPOINT=hub.url) as studio:
            for dark in (False, True):
                wide(browser, studio, dark, wanted)
            narrow(browser, studio, wanted)


def wide(browser: Browser, studio: Studio, dark: bool, wanted: set[str]) -> None:
    """The journey with the demo at 1280 × 800."""
    theme = "dark" if dark else "light"
    opened = context(browser, dark=dark)
    visitor = Visitor(opened.new_page(), studio)

    def take(name: str) -> None:
        if wanted and name.partition("-")[0] not in wanted:
            return
        visitor.still()
        for waiting in ("stSkeleton", "stSpinner"):
            expect(visitor.page.get_by_test_id(waiting)).to_have_count(0)
        visitor.page.wait_for_timeout(1500)
        visitor.page.screenshot(path=OUT / f"{name}-{theme}.png")

    visitor.open()
    take("start")
    visitor.press("Try the demo")
    visitor.titled("Data")
    take("data")
    visitor.go("Choose")
    visitor.page.wait_for_selector(".sf-living")
    visitor.page.get_by_role("slider").first.press("ArrowLeft")
    visitor.page.wait_for_selector(".sf-went, .sf-came")
    take("choose-living-trace")
    visitor.page.get_by_role("slider").first.press("ArrowRight")
    for section in SECTIONS:
        visitor.page.get_by_test_id("stMain").get_by_text(section, exact=True).first.click()
        take(f"choose-{section.lower().replace(' ', '-')}")
    visitor.go("Look")
    visitor.sees("Attempt 1")
    take("look")
    visitor.page.get_by_test_id("stMain").get_by_text("Review", exact=True).first.click()
    visitor.page.wait_for_selector("#review")
    take("look-review")
    visitor.go("Finish")
    visitor.page.get_by_role("button", name="Build ").wait_for()
    take("finish-before")
    visitor.press("Build ")
    visitor.sees("are ready")
    take("finish")
    publish(visitor, f"countdown-{theme}", take)
    for part in ("Train", "Download"):
        visitor.page.get_by_role("tab", name=part).click()
        take(f"finish-{part.lower()}")
    opened.close()


def publish(visitor: Visitor, name: str, take: Callable[[str], None]) -> None:
    """The form, and what stands there afterwards."""
    visitor.page.get_by_role("tab", name="Publish").click()
    for field, text in (("Access token", "hf_alice"), ("Name", name)):
        box = visitor.page.get_by_role("textbox", name=field)
        box.fill(text)
        box.press("Enter")
        visitor.still()
    visitor.sees("will be created")
    take("finish-publish")
    visitor.press(f"Publish to alice/{name}")
    visitor.sees("is published.")
    take("finish-published")


def narrow(browser: Browser, studio: Studio, wanted: set[str]) -> None:
    """Start and the trace view on a phone."""
    opened = context(browser, width=390, height=844)
    visitor = Visitor(opened.new_page(), studio)
    visitor.open()
    visitor.still()
    visitor.page.wait_for_timeout(1000)
    if not wanted or "start" in wanted:
        visitor.page.screenshot(path=OUT / "start-phone.png")
    visitor.press("Try the demo")
    visitor.titled("Data")
    visitor.page.get_by_role("link", name="show a mistake").click()
    visitor.titled("Look")
    visitor.sees("Attempt 1")
    visitor.still()
    visitor.page.wait_for_timeout(1000)
    if not wanted or "look" in wanted:
        visitor.page.screenshot(path=OUT / "look-phone.png")
    opened.close()


if __name__ == "__main__":
    main()
