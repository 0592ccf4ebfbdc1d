"""The app as a visitor has it: a server in a process of its own, and Chromium in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30_000
"""Milliseconds for anything that has to appear; two cores may be shared with other tests."""
POLICY = "Content Security Policy"
"""What Chromium says on its console where the page wanted what `serve.py` forbids."""
expect.set_options(timeout=PATIENCE)


def chromium() -> str:
    """Where Chromium is. Missing, it fails where CI is set and is skipped loudly elsewhere."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        said = "No Chromium: `sh tests/browser/install.sh` installs Debian's. Nothing was tried in a browser."
        pytest.fail(said) if os.environ.get("CI") else pytest.skip(said)
    return found


class Studio:
    """A server of the app on a free port with a home of its own; a context manager."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home, self._variables = home, variables
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(ROOT / "serve.py"),
            "--server.port",
            str(self.port),
            "--server.address",
            "127.0.0.1",
            "--server.headless",
            "true",
            "--server.fileWatcherType",
            "none",
        ]
        with (self.home.parent / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdout=log, stderr=log
            )
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1)
                return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("the server did not start")

    def stop(self) -> None:
        """End the server, as its owner would."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def kill(self) -> None:
        """End the server as a crash would: `kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def _environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "SPACE_"))}
        # Nobody's stored login, and a Hub that nobody answers for unless a test gives one.
        fenced = {
            "HF_HOME": str(self.home.parent / "hf"),
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "SKILL_FACTORY_HOME": str(self.home),
        }
        return {**kept, **fenced, **self._variables}


class Visitor:
    """A tab, and every address that it asked for."""

    def __init__(self, page: Page, studio: Studio) -> None:
        self.page, self.studio = page, studio
        self.asked: list[str] = []
        self.faults: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", self._note)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _listen(self, said: ConsoleMessage) -> None:
        if POLICY in said.text:
            self.faults.append(said.text)

    def _note(self, request: Request) -> None:
        self.asked.append(request.url)

    @property
    def outside(self) -> list[str]:
        """Addresses that are not the studio's."""
        return [
            one
            for one in self.asked
            if urlsplit(one).scheme in ("http", "https", "ws") and urlsplit(one).port != self.studio.port
        ]

    def open(self, path: str = "", title: str = "") -> None:
        """Open an address of the app and wait for its title."""
        self.page.goto(f"{self.studio.url}/{path}")
        self.titled(title) if title else self.page.wait_for_selector("h1")

    def titled(self, title: str) -> None:
        """Wait until the page has this title."""
        expect(self.page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()

    def go(self, step: str) -> None:
        """Follow the navigation on top to a step."""
        self.page.get_by_test_id("stTopNavLink").filter(has_text=step).first.click()
        self.titled(step)

    def press(self, name: str) -> None:
        """Press a button by its words."""
        self.page.get_by_role("button", name=name).first.click()

    def sees(self, words: str) -> None:
        """Wait until the page shows these words."""
        expect(self.page.get_by_text(words).first).to_be_visible()

    def demo(self) -> None:
        """Two clicks from nothing to data: the demo."""
        self.open()
        self.press("Try the demo")
        self.titled("Data")

    def still(self) -> None:
        """Wait until the app has finished running."""
        self.page.wait_for_timeout(300)
        expect(self.page.get_by_test_id("stStatusWidget")).to_have_count(0)


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium, without any traffic of its own."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


def context(browser: Browser, width: int = 1280, height: int = 800, dark: bool = False) -> BrowserContext:
    """A browser of a visitor's own: nothing of other visitors is in it."""
    scheme = "dark" if dark else "light"
    return browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, accept_downloads=True
    )
