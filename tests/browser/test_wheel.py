"""The package as people install it: a wheel in an empty environment builds the demo and opens the app."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from skill_factory import __version__
from tests.browser.studio import ROOT, Studio, Visitor, context

UV = Path(sys.executable).with_name("uv")


def uv(*words: object, **variables: str) -> str:
    """Run uv and give what it printed."""
    line = [str(UV), *map(str, words)]
    done = subprocess.run(
        line,
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy, so that no build folder is left in it."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "checkout"
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in files.splitlines():
        if name.startswith(("skill_factory/", "pyproject", "README", "LICENSE", "requirements.txt")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    uv("build", "--wheel", "--quiet", "--out-dir", folder / "dist", copy)
    (made,) = (folder / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`skill-factory` of an environment that holds the wheel and what it requires, and nothing else."""
    place = tmp_path_factory.mktemp("empty") / "venv"
    uv("venv", "--quiet", "--python", sys.executable, place)
    uv("pip", "install", "--quiet", "--python", place / "bin" / "python", wheel)
    return place / "bin" / "skill-factory"


def elsewhere(command: Path, *words: object, cwd: Path) -> str:
    """What the installed command prints, far from the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HF_"))}
    done = subprocess.run(
        [command, *map(str, words)],
        cwd=cwd,
        env=kept,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_command_builds_the_demo(command: Path, tmp_path: Path) -> None:
    """All shipped data (phrases, presets, words, templates) are in the wheel."""
    assert elsewhere(command, "--version", cwd=tmp_path).split() == ["skill-factory", __version__]
    elsewhere(command, "build", "demo:40", "--out", "out", "--recipe", "paper", cwd=tmp_path)
    elsewhere(command, "lint", "out", cwd=tmp_path)
    for trainer in ("llamafactory", "trl", "axolotl", "verl"):
        elsewhere(command, "export", "out", "--to", trainer, "--model", "m", "-o", trainer, cwd=tmp_path)


def test_uvx_runs_it_without_an_installation(wheel: Path) -> None:
    """`uvx --from WHEEL skill-factory` is the shortest way to try it."""
    said = uv("tool", "run", "--python", sys.executable, "--from", wheel, "skill-factory", "--version")
    assert said.split()[-1] == __version__


class Installed(Studio):
    """The app as the installed command starts it."""

    command: Path

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.home.parent / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.command, "app", "--no-browser", "--port", str(self.port)],
                cwd=self.home.parent,
                env={**self._environment(), "PYTHONPATH": ""},
                stdout=log,
                stderr=log,
            )
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1)
                return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("the installed app did not start")


@pytest.fixture
def installed(command: Path, tmp_path: Path) -> Iterator[Installed]:
    """The installed app, started and stopped."""
    app = Installed(tmp_path / "home")
    app.command = command
    app.start()
    yield app
    app.stop()


def test_the_installed_app_shows_its_pages_in_its_theme(browser: Browser, installed: Installed) -> None:
    """From Start over the demo to Finish and back by a deep link, in our colours, asking nothing from outside."""
    with context(browser) as visited:
        visitor = Visitor(visited.new_page(), installed)
        visitor.demo()
        for step in ("Choose", "Look", "Finish"):
            visitor.go(step)
        button = visitor.page.get_by_test_id("stBaseButton-primary").first
        accent = button.evaluate("one => getComputedStyle(one).backgroundColor")
        assert accent == "rgb(15, 110, 102)"
        visitor.open("Data", title="Data")
        assert visitor.faults == [] and visitor.outside == []
