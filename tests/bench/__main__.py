"""`make bench [SIZE="--large"]`: our build beside the obvious way, the least there is to do, and itself at other sizes."""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from skill_factory.generate.limits import Limits
from tests.bench import experiment, front_door
from tests.bench.beside import table
from tests.bench.grading import figures
from tests.bench.measure import ROOT, Job, Measured, measure, row, stamp
from tests.bench.measuring import MILLION, measured_outputs, measuring_section
from tests.bench_generate import slots

TOOLS = ROOT.parent / "shared" / "tools"
PAGE = ROOT / "docs" / "benchmarks.md"
WORK = ROOT / ".bench"
SEED = 0
PYTHON = sys.executable
OURS = [PYTHON, "-m", "skill_factory"]


def main() -> None:
    """Measure, write the page, and keep the figures beside it for the next run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--large", action="store_true", help="4,000,000 rows too: half an hour and 20 GB of disk"
    )
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    if not TOOLS.is_dir():
        raise SystemExit(
            "The yardstick and the data maker are not beside this checkout; nothing was measured."
        )
    WORK.mkdir(exist_ok=True)
    raw = {rows: made(rows) for rows in (1_000, 100_000, 400_000, *((4_000_000,) if args.large else ()))}
    main_raw = str(raw[400_000])
    yardstick = Job([PYTHON, str(TOOLS / "baseline.py"), main_raw, str(WORK / "baseline.parquet")])
    least = Job(
        [
            PYTHON,
            "-m",
            "tests.bench.read_and_write",
            main_raw,
            str(WORK / "out-400000"),
            str(WORK / "copy.parquet"),
        ]
    )
    imports = Job([PYTHON, "-c", "import skill_factory.build.pipeline, skill_factory.build.engines.local"])
    preview = Job([*OURS, "preview", main_raw, "--questions", "20", "--json"])
    inspect = Job([*OURS, "inspect", main_raw])
    built = {}
    built[400_000], baseline_took, least_took, preview_took, inspect_took = measure(
        build(raw[400_000]), yardstick, least, preview, inspect, runs=args.runs
    )
    built[100_000], thought = measure(
        build(raw[100_000]), build(front_door.thinking(raw[100_000])), runs=args.runs
    )
    built[1_000], imports_took, help_took = measure(
        build(raw[1_000]), imports, Job([*OURS, "--help"]), runs=5
    )
    measured, plain_read = measured_outputs((20_000, 200_000, *((MILLION,) if args.large else ())), args.runs)
    if args.large:
        [built[4_000_000]] = measure(build(raw[4_000_000]), runs=args.runs)
    small = {"help": help_took, "imports": imports_took, "preview": preview_took, "inspect": inspect_took}
    phases = json.loads(
        subprocess.check_output([PYTHON, "-m", "tests.bench.phases", str(raw[100_000])], cwd=ROOT)
    )
    asked = [slots(10_000, 0.05, 64, Limits().concurrency) for _ in range(args.runs)]
    PAGE.write_text(
        page(
            dict(sorted(built.items())),
            baseline_took,
            least_took,
            small,
            phases,
            figures(SEED),
            asked,
            front_door.section(raw[100_000], built[100_000], thought, args.runs)
            + experiment.section(TOOLS, made(experiment.ROWS), raw[400_000], built[400_000], args.runs)
            + measuring_section(measured, plain_read),
        ),
        encoding="utf-8",
    )
    print(PAGE.read_text(encoding="utf-8"))


def made(rows: int) -> Path:
    """Raw data of so many rows (8 responses a question, 4 reflections each), made once."""
    path = WORK / f"raw-{rows}.parquet"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        subprocess.run(
            [PYTHON, str(TOOLS / "make_raw.py"), str(partial), str(rows // 8), "8", "4", str(SEED)],
            check=True,
        )
        partial.rename(path)
    return path


def build(raw: Path) -> Job:
    """Our build with everything on, as users run it."""
    out = WORK / f"out-{raw.stem.partition('-')[2]}"
    return Job([*OURS, "build", str(raw), "--out", str(out), "--json"], lambda: shutil.rmtree(out, True))


def page(
    built: dict[int, Measured],
    baseline: Measured,
    least: Measured,
    small: dict[str, Measured],
    phases: dict[str, float],
    hostile: list[tuple[str, float, float, float]],
    asked: list[dict[str, Any]],
    measuring: list[str],
) -> str:
    """The page, ratios first."""
    main_build = built[400_000]
    ratios = [
        (
            "the obvious way (pandas, everything in memory) takes",
            baseline.wall / main_build.wall,
            "× our time",
            "≥ 6",
        ),
        (
            "our build takes",
            main_build.wall / least.wall,
            "× reading the mapped columns and writing the result alone",
            "≤ 2.5",
        ),
        ("the obvious way needs", baseline.peak / main_build.peak, "× our memory", ""),
        ("memory at 400,000 rows is", main_build.peak / built[100_000].peak, "× that at 100,000", "< 1.5"),
        (
            "a preview of 20 questions takes",
            small["preview"].wall / main_build.wall,
            "of the build's time",
            "≤ 0.2",
        ),
        (
            "a first look (`inspect`) takes",
            small["inspect"].wall / main_build.wall,
            "of the build's time",
            "≤ 0.1",
        ),
        (
            "1,000 rows take",
            built[1_000].wall / small["imports"].wall,
            "× the time of importing the libraries",
            "≤ 1.5",
        ),
    ]
    if large := built.get(4_000_000):
        ratios.append(("4,000,000 rows take", large.wall / main_build.wall, "× the time of 400,000", "≤ 11"))
    lines = [
        "# Speed and memory",
        "",
        "Written by `make bench`; nothing here is typed. Times move with the machine, ratios count: what is compared runs in",
        "turn, round after round, and the medians are shown. Memory is the peak proportional set size of the whole process",
        "tree, in a run of its own. The data are synthetic: 8 responses a question, 4 reflections each, about 2.8 kB of text",
        "a row. Lineage, ledger and digests on.",
        "",
        stamp(SEED),
        "",
        "| what | ratio | | wanted |",
        "| --- | ---: | --- | --- |",
        *(f"| {name} | **{ratio:.2f}** | {unit} | {wanted} |" for name, ratio, unit, wanted in ratios),
        "",
        "| run | wall | CPU | of it the system's | peak memory | runs |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(row(f"build, {rows:,} rows", one) for rows, one in built.items()),
        row("the obvious way, 400,000 rows", baseline),
        row("read the mapped columns, write the result", least),
        row("preview of 20 questions from 400,000 rows", small["preview"]),
        row("inspect of 400,000 rows", small["inspect"]),
        row("importing the libraries", small["imports"]),
        row("`--help`", small["help"]),
        "",
        "## Where the time goes",
        "",
        "100,000 rows in one process, judging run on its own:",
        "",
        "| phase | seconds | share |",
        "| --- | ---: | ---: |",
        *(
            f"| {name} | {seconds:.2f} | {seconds / sum(phases.values()):.0%} |"
            for name, seconds in phases.items()
        ),
        "",
        *measuring,
        "## Asking a model",
        "",
        "A server of its own process answers each request in 50 ms and takes 64 at a time; `generate reflections` asks it",
        f"with its usual {Limits().concurrency} in flight. Medians of {len(asked)} runs.",
        "",
        "| what | measured | wanted |",
        "| --- | ---: | ---: |",
        f"| slots kept busy | **{_median(asked, 'busy'):.0%}** | ≥ 90% |",
        f"| requests a second | {_median(asked, 'requests_per_second'):,.0f} | |",
        f"| processor time of a request | {_median(asked, 'processor_ms_per_request'):.2f} ms | |",
        "",
        "## Grading answers made to be slow",
        "",
        "Milliseconds of processor time for one output, libraries loaded. Algebra takes longest when the gold answer is as",
        "long as the answer and equal to it, so that all points are compared; the search for the slowest starts from there.",
        "",
        "| what | median | 95th percentile | worst |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {name} | {median:.1f} | {most:.1f} | {worst:.1f} |" for name, median, most, worst in hostile),
        "",
        "## Grading beside math-verify",
        "",
        "Pairs whose truth is known: the clear ones from outside, where they are at hand, and drawn ones of a grammar that",
        "knows nothing of the reader (`python -m tests.bench.beside`). math-verify is made for LaTeX and reads no words.",
        "",
        *table(SEED),
        "",
        (Path(__file__).parent / "tried.md").read_text(encoding="utf-8"),
    ]
    return "\n".join(lines)


def _median(runs: list[dict[str, Any]], name: str) -> float:
    return statistics.median(one[name] for one in runs)


if __name__ == "__main__":
    main()
