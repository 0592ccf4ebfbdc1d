"""How long `measure` takes on outputs, and what memory. `python -m tests.bench.measuring` adds 1,000,000 and writes its part of the page."""

import subprocess
import sys
from pathlib import Path

from tests.bench.measure import ROOT, Job, Measured, measure, row, stamp

MILLION = 1_000_000
WORK = ROOT / ".bench"
PAGE = ROOT / "docs" / "benchmarks.md"
TITLE = "## Measuring outputs"
OURS = [sys.executable, "-m", "skill_factory"]


def outputs_made(outputs: int) -> Path:
    """Outputs of a run, 4 kB each with 2.5 attempts, made once."""
    path = WORK / f"outputs-{outputs}.parquet"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        subprocess.run(
            [sys.executable, "-m", "tests.bench.outputs", str(partial), str(outputs)], check=True, cwd=ROOT
        )
        partial.rename(path)
    return path


def measured_outputs(sizes: tuple[int, ...], runs: int) -> tuple[dict[int, Measured], Measured]:
    """`measure` at some sizes, and a plain read of the largest in two processes."""
    paths = {size: str(outputs_made(size)) for size in sizes}
    jobs = [Job([*OURS, "measure", path, "--json"]) for path in paths.values()]
    reading = Job([sys.executable, "-m", "tests.bench.outputs", "--read", paths[sizes[-1]]])
    *took, plain_read = measure(*jobs, reading, runs=runs)
    return dict(zip(sizes, took, strict=True)), plain_read


def measuring_section(measured: dict[int, Measured], plain_read: Measured) -> list[str]:
    """Time and memory of `measure`, ratios first."""
    (small, least), (large, most) = next(iter(measured.items())), list(measured.items())[-1]
    return [
        TITLE,
        "",
        "Outputs of 4 kB with 2.5 attempts, 16 a question; all figures with their intervals.",
        "",
        "| what | ratio | wanted |",
        "| --- | ---: | ---: |",
        f"| measuring {large:,} outputs takes, × a plain read in two processes | **{most.wall / plain_read.wall:.1f}** | |",
        f"| {large:,} outputs take, × the time of {small:,} | **{most.wall / least.wall:.1f}** | ≤ {large / small:.0f} |",
        f"| memory at {large:,}, in GB | **{most.peak / 1e9:.2f}** | ≤ 1.5 |",
        "",
        "| run | wall | CPU | of it the system's | peak memory | runs |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(row(f"measure, {outputs:,} outputs", one) for outputs, one in measured.items()),
        row(f"read {large:,} outputs", plain_read),
        "",
    ]


def main() -> None:
    """Measure up to a million outputs, once each, and put the figures where the page tells of them."""
    WORK.mkdir(exist_ok=True)
    lines = measuring_section(*measured_outputs((20_000, 200_000, MILLION), runs=1))
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(TITLE)
    after = rest.partition("\n## ")[2]
    mine = "\n".join([lines[0], "", f"Written by `python -m tests.bench.measuring`. {stamp(0)}", *lines[1:]])
    PAGE.write_text(f"{before}{mine}\n## {after}", encoding="utf-8")
    print(mine)


if __name__ == "__main__":
    main()
