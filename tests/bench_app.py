"""How the app feels at a million reflections: first numbers, and a filter moved. `make bench-app` writes docs/benchmarks-app.md."""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.studio import Studio, Visitor, context, launched

ROOT = Path(__file__).parents[1]
TOOLS = ROOT.parent / "shared" / "tools"
PAGE = ROOT / "docs" / "benchmarks-app.md"
WORK = ROOT / ".bench"
SEED = 0
ROUNDS, MOVES, LIVES = 5, 80, 40

# From the key that moves the slider to the first change of the strip's numbers, both seen by the page itself.
WATCH = """() => {
  window.moved = [];
  window.pressed = 0;
  addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
  const shown = () => document.querySelector('[data-testid="stMain"]').innerText.split('\\n').slice(0, 5).join('|');
  let last = shown();
  new MutationObserver(() => {
    const now = shown();
    if (now !== last) {
      last = now;
      if (window.pressed) { window.moved.push(performance.now() - window.pressed); window.pressed = 0; }
    }
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""

# From the Enter that chooses a file to the first numbers of the strip, both seen by the page itself.
FIRST = """() => {
  window.pressed = window.first = 0;
  addEventListener('keydown', event => { if (event.key === 'Enter') window.pressed = performance.now(); }, true);
  const shown = () => document.querySelector('[data-testid="stMain"]').innerText.split('Data')[0];
  new MutationObserver(() => {
    if (window.pressed && !window.first && /[0-9] question/.test(shown())) window.first = performance.now() - window.pressed;
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def main() -> None:
    """Measure and write the page."""
    if not TOOLS.is_dir():
        raise SystemExit("The data maker is not beside this checkout; nothing was measured.")
    WORK.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        launched() as browser,
        Studio(Path(place) / "home") as studio,
    ):
        made = context(browser)
        first, opened, exact = [], [], []
        for k in range(ROUNDS):
            visitor = Visitor(made.new_page(), studio)
            first.append(first_numbers(visitor, raw(400_000)))
            wait_for_exact(visitor)
            visitor.page.close()
            visitor = Visitor(made.new_page(), studio)
            opened.append(first_numbers(visitor, raw(250_000)))
            exact.append(wait_for_exact(visitor))
            if k < ROUNDS - 1:
                visitor.page.close()
        moves = move(visitor, MOVES)
        lives = {}
        visitor = Visitor(made.new_page(), studio)
        visitor.demo()
        lives["on the demo"] = living(visitor, LIVES)
        again = [reload(visitor) for _ in range(ROUNDS)]
        visitor = Visitor(made.new_page(), studio)
        first_numbers(visitor, raw(100_000))
        wait_for_exact(visitor)
        lives["at 100,000 rows"] = living(visitor, LIVES)
        listed, decided = reviews(visitor, LIVES // 2)
    PAGE.write_text(page(first, opened, exact, moves, lives, again, listed, decided), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


def raw(rows: int) -> Path:
    """Raw data of so many rows, 4 reflections each: 250,000 rows hold a million reflections."""
    path = WORK / f"raw-{rows}.parquet"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        command = [
            sys.executable,
            str(TOOLS / "make_raw.py"),
            str(partial),
            str(rows // 8),
            "8",
            "4",
            str(SEED),
        ]
        subprocess.run(command, check=True)
        partial.rename(path)
    return path


def first_numbers(visitor: Visitor, source: Path) -> float:
    """Seconds from choosing a file to the first numbers of the strip."""
    os.utime(source)  # a file that was read before is known
    visitor.open()
    visitor.page.get_by_role("tab", name="My file").click()
    field = visitor.page.get_by_label("Or a path on this computer")
    field.fill(str(source))
    visitor.page.wait_for_timeout(1_000)
    visitor.page.evaluate(FIRST)
    field.press("Enter")
    visitor.page.wait_for_function("() => window.first", timeout=60_000)
    return float(visitor.page.evaluate("() => window.first")) / 1000


def wait_for_exact(visitor: Visitor) -> float:
    """Seconds until the numbers are those of the whole source."""
    start = time.monotonic()
    visitor.page.wait_for_timeout(
        1_000
    )  # the strip says first what it has, and then that it is from a sample
    visitor.page.wait_for_function(
        "() => !/from a sample/.test(document.querySelector('[data-testid=\"stMain\"]').innerText)",
        timeout=300_000,
    )
    return time.monotonic() - start


def move(visitor: Visitor, times: int) -> list[float]:
    """Seconds from a key that moves N to the change of the numbers, for each of some moves."""
    visitor.go("Choose")
    page: Page = visitor.page
    slider = page.get_by_role("slider").first
    slider.wait_for()
    page.wait_for_timeout(3_000)
    page.evaluate(WATCH)
    for k in range(times):
        known = len(page.evaluate("() => window.moved"))
        slider.press("ArrowLeft" if k % 4 < 2 else "ArrowRight")
        page.wait_for_function(f"() => window.moved.length > {known}", timeout=20_000)
        # Each move starts from rest: the charts below the numbers are drawn when the script has ended.
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=20_000)
        page.wait_for_timeout(700)
    return [milliseconds / 1000 for milliseconds in page.evaluate("() => window.moved")]


# From the key that moves the slider to the first change of the living trace, both seen by the page itself.
LIVING = """() => {
  window.moved = [];
  window.pressed = 0;
  addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
  const shown = () => (document.querySelector('.sf-living') || document.body).innerText;
  let last = shown();
  new MutationObserver(() => {
    const now = shown();
    if (now !== last) {
      last = now;
      if (window.pressed) { window.moved.push(performance.now() - window.pressed); window.pressed = 0; }
    }
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def living(visitor: Visitor, times: int) -> list[float]:
    """Seconds from a key that moves N to the trace that is put together again, for each of some moves."""
    visitor.go("Choose")
    page: Page = visitor.page
    slider = page.get_by_role("slider").first
    slider.wait_for()
    page.wait_for_selector(".sf-living")
    page.wait_for_timeout(3_000)
    page.evaluate(LIVING)
    for k in range(times):
        known = len(page.evaluate("() => window.moved"))
        slider.press("ArrowLeft" if k % 4 < 2 else "ArrowRight")
        page.wait_for_function(f"() => window.moved.length > {known}", timeout=20_000)
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=20_000)
        page.wait_for_timeout(700)
    return [milliseconds / 1000 for milliseconds in page.evaluate("() => window.moved")]


def reload(visitor: Visitor) -> float:
    """Seconds from F5 to the strip's numbers, which the new session reads from the workspace on disk."""
    start = time.monotonic()
    visitor.page.reload(wait_until="commit")
    visitor.page.wait_for_selector(".st-key-strip a", timeout=60_000)
    return time.monotonic() - start


def reviews(visitor: Visitor, times: int) -> tuple[float, list[float]]:
    """Seconds until the list of a review stands there, and from each A to the next trace."""
    visitor.go("Look")
    page: Page = visitor.page
    page.wait_for_selector("#trace")
    began = time.monotonic()
    page.get_by_test_id("stMain").get_by_text("Review", exact=True).first.click()
    page.wait_for_selector("#review", timeout=120_000)
    listed = time.monotonic() - began
    page.wait_for_timeout(2_000)
    page.evaluate(LIVING.replace(".sf-living", "#review"))
    for _ in range(times):
        known = len(page.evaluate("() => window.moved"))
        page.keyboard.press("a")
        page.wait_for_function(f"() => window.moved.length > {known}", timeout=20_000)
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=20_000)
        page.wait_for_timeout(300)
    return listed, [milliseconds / 1000 for milliseconds in page.evaluate("() => window.moved")]


def page(
    first: list[float],
    opened: list[float],
    exact: list[float],
    moves: list[float],
    lives: dict[str, list[float]],
    again: list[float],
    listed: float,
    decided: list[float],
) -> str:
    """The page."""
    at_95 = statistics.quantiles(moves, n=20)[-1]
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True).strip()
    cores = len(os.sched_getaffinity(0))
    median = statistics.median
    rows = [
        (
            f"first numbers of 400,000 rows (Parquet) after choosing the file, median of {ROUNDS}",
            f"{median(first):.2f} s",
            "≤ 1 s",
        ),
        (
            f"first numbers of 250,000 rows with 1,000,000 reflections, median of {ROUNDS}",
            f"{median(opened):.2f} s",
            "≤ 1 s",
        ),
        ("the slowest of all these", f"{max(first + opened):.2f} s", ""),
        (
            f"exact numbers of 1,000,000 reflections, after that, median of {ROUNDS}",
            f"{median(exact):.1f} s",
            "",
        ),
        (
            f"N moved at 1,000,000 reflections, median of {len(moves)}",
            f"{statistics.median(moves) * 1000:.0f} ms",
            "",
        ),
        (
            f"N moved at 1,000,000 reflections, 95th percentile of {len(moves)}",
            f"{at_95 * 1000:.0f} ms",
            "≤ 250 ms",
        ),
        *(
            (
                f"N moved to the living trace put together again, {where}, median of {len(times)}",
                f"{median(times) * 1000:.0f} ms",
                "≤ 300 ms",
            )
            for where, times in lives.items()
        ),
        (
            f"a reload of Choose on the demo to the numbers of the workspace, median of {len(again)}",
            f"{median(again):.2f} s",
            "",
        ),
        ("the list of a review of 100,000 rows, with its first trace open, once", f"{listed:.1f} s", ""),
        (
            f"a trace accepted to the next one open, at 100,000 rows, median of {len(decided)}",
            f"{median(decided) * 1000:.0f} ms",
            "",
        ),
    ]
    lines = [
        "# How the app feels",
        "",
        "Written by `make bench-app`; nothing here is typed. Measured in Chromium by the page itself, from the key that",
        "moves the slider to the change of the numbers. One visitor, server and browser on the same machine.",
        "",
        f"Commit {commit}, seed {SEED}, {cores} cores, load {os.getloadavg()[0]:.1f} at the end, Python {platform.python_version()}.",
        "",
        "| what | measured | wanted |",
        "| --- | ---: | ---: |",
        *(f"| {name} | **{figure}** | {wanted} |" for name, figure, wanted in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
