"""One Chromium and one server for the tests in a browser; those that need another server start their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.studio import Studio, Visitor, context, launched


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with launched() as found:
        yield found


@pytest.fixture(scope="session")
def studio(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A server that the tests share."""
    with Studio(tmp_path_factory.mktemp("studio") / "home") as running:
        yield running


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """A new visitor of a studio: `visit(studio, dark=True)`. At the end nothing has been fetched from elsewhere."""
    contexts = []
    visitors: list[Visitor] = []

    def make(studio: Studio, **options: int) -> Visitor:
        made = context(browser, **options)  # type: ignore[arg-type]
        contexts.append(made)
        visitors.append(Visitor(made.new_page(), studio))
        return visitors[-1]

    yield make
    for one in contexts:
        one.close()
    for visitor in visitors:
        assert visitor.outside == [], "the page asked for something outside this machine"
        assert visitor.faults == []


@pytest.fixture
def visitor(visit: Callable[..., Visitor], studio: Studio) -> Visitor:
    """A visitor of the shared studio."""
    return visit(studio)


@pytest.fixture
def own_studio(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    """A studio of the test's own: `own_studio(HF_ENDPOINT=…)`."""
    running: list[Studio] = []

    def make(**variables: str) -> Studio:
        running.append(Studio(tmp_path / f"studio{len(running)}" / "home", **variables))
        running[-1].home.parent.mkdir()
        running[-1].start()
        return running[-1]

    yield make
    for one in running:
        one.stop()
