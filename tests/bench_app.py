"""How quickly the page follows a moved slider at 1,000,000 reflections, in a real browser: `python -m tests.bench_app`.

From the key press to the new numbers on the page, chart title and strip, over many moves; the bound is 250 ms at the
95th percentile on two cores.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from skill_factory.demo import write_demo
from tests.browser.studio import Studio, Visitor, context, launched

ROOT = Path(__file__).parents[1]
BOUND = 250.0
REFLECTIONS_PER_QUESTION = 32

TIMED = """
([key, n]) => new Promise(resolve => {
  const began = performance.now();
  const wanted = `N = ${n}`;
  const main = document.querySelector('[data-testid="stMain"]');
  const there = () => [...main.querySelectorAll('[data-testid="stMarkdown"] strong')]
    .some(one => one.textContent.includes('can be used') && one.textContent.includes(wanted) ||
                 one.textContent.startsWith(`At ${wanted} `));
  const look = () => there() ? resolve(performance.now() - began) : requestAnimationFrame(look);
  const slider = main.querySelector('[data-testid="stSlider"] input');
  window.sfKey = key;
  look();
})
"""


def main() -> None:
    """Measure, print, and end with 1 where the bound is missed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--reflections", type=int, default=1_000_000)
    asked.add_argument("--moves", type=int, default=60)
    given = asked.parse_args()
    folder = ROOT / ".bench"
    folder.mkdir(exist_ok=True)
    questions = given.reflections // REFLECTIONS_PER_QUESTION
    source = folder / f"demo-{questions}.parquet"
    if not source.exists():
        print(f"Writing {questions:,} questions …", file=sys.stderr)
        write_demo(source, questions, 0)
    times = measured(source, folder, given.moves)
    p95 = statistics.quantiles(times, n=20)[-1]
    told = {
        "reflections": questions * REFLECTIONS_PER_QUESTION, "moves": len(times),
        "median_ms": round(statistics.median(times)), "p95_ms": round(p95), "bound_ms": BOUND,
    }  # fmt: skip
    print(json.dumps(told))
    sys.exit(1 if p95 > BOUND else 0)


def measured(source: Path, folder: Path, moves: int) -> list[float]:
    """Milliseconds of each move of the slider of N, back and forth."""
    with launched() as browser, Studio(folder / "home") as studio:
        opened = context(browser)
        visitor = Visitor(opened.new_page(), studio)
        visitor.open()
        visitor.page.get_by_role("tab", name="My file").click()
        visitor.page.get_by_role("textbox", name="or its path on this computer").fill(str(source))
        visitor.page.keyboard.press("Enter")
        visitor.titled("Data")
        visitor.go("Choose")
        wait_until_exact(visitor)
        handle = visitor.page.get_by_test_id("stSlider").first.get_by_role("slider")
        handle.focus()
        n, step, times = 5, -1, []
        for _ in range(moves):
            step = -step if n + step not in range(2, 9) else step
            n += step
            key = "ArrowRight" if step > 0 else "ArrowLeft"
            waiting = visitor.page.evaluate_handle(f"window.sfTimed = ({TIMED.strip()})(['{key}', {n}]); 0")
            visitor.page.keyboard.press(key)
            times.append(float(visitor.page.evaluate("window.sfTimed")))
            waiting.dispose()
            visitor.page.wait_for_timeout(250)
        opened.close()
    return times[5:]


def wait_until_exact(visitor: Visitor, seconds: float = 300) -> None:
    """Wait until all of the source has been read."""
    until = time.monotonic() + seconds
    while visitor.page.get_by_text("from a sample").count():
        if time.monotonic() > until:
            raise TimeoutError("the source was not read in time")
        visitor.page.wait_for_timeout(500)
    visitor.still()


if __name__ == "__main__":
    main()
