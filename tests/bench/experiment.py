"""What an experiment costs: a mixture beside the builds of its sources, a suite beside one build, questions beside benchmarks."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.bench.measure import ROOT, Job, Measured, measure

WORK = ROOT / ".bench"
OURS = [sys.executable, "-m", "skill_factory"]
ROWS = 200_000
OWN, BENCHMARKS, EACH = 100_000, 20, 1_000
WORDS = 2_000
"""Different words in the questions that are compared."""


def second(tools: Path, rows: int) -> Path:
    """Raw data of so many rows whose questions are others than those of `made` with the same number, made once."""
    path = WORK / f"raw-{rows}-b.parquet"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        words = [sys.executable, str(tools / "make_raw.py"), str(partial), str(rows // 8), "8", "4", "1"]
        subprocess.run(words, check=True)
        partial.rename(path)
    return path


def job(name: str, *words: str) -> Job:
    """A command of ours that writes a folder of this name, as users run it."""
    out = WORK / f"out-{name}"
    return Job([*OURS, *words, "--out", str(out), "--json"], lambda: shutil.rmtree(out, True))


def mixtures(first: Path, other: Path) -> dict[str, Path]:
    """Two mixtures: all that both sources give, and a tenth of one beside all of the other."""
    paths = {}
    for name, weights in (("all of both", (1, 1)), ("a tenth of one", (10, 1))):
        tables = (
            f"[[sources]]\nname = {path.stem!r}\nfrom = {str(path)!r}\nweight = {weight}\n"
            for path, weight in zip((first, other), weights, strict=True)
        )
        paths[name] = WORK / f"mix-{weights[0]}.toml"
        paths[name].write_text("\n".join(tables), encoding="utf-8")
    return paths


def benchmarks() -> tuple[Path, Path]:
    """Questions, and a folder of benchmarks that share one in a hundred with them, made once."""
    own, folder = WORK / "questions.jsonl", WORK / "benchmarks"
    if own.is_file() and folder.is_dir():
        return own, folder
    draw = random.Random(0)
    vocabulary = [f"word{k}" for k in range(WORDS)]

    def question() -> str:
        return (
            f"{' '.join(draw.choices(vocabulary, k=40))} {draw.randrange(10**6)} and {draw.randrange(10**6)}"
        )

    texts = [question() for _ in range(OWN)]
    answered = (
        {"question": text, "response": f"I take it to be <answer>{k}</answer>", "correct": k % 2 == 0}
        for text in texts
        for k in range(2)
    )
    _write(own, answered)
    folder.mkdir(exist_ok=True)
    for k in range(BENCHMARKS):
        few = [*draw.sample(texts, EACH // 100), *(question() for _ in range(EACH - EACH // 100))]
        _write(folder / f"benchmark-{k:02d}.jsonl", ({"question": text} for text in few))
    return own, folder


def _write(path: Path, rows: Iterable[dict[str, object]]) -> None:
    lines = (json.dumps(row) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def section(tools: Path, first: Path, main_raw: Path, main_build: Measured, runs: int) -> list[str]:
    """The lines of the page, ratios first."""
    other = second(tools, ROWS)
    mixed = mixtures(first, other)
    builds = [job("a", "build", str(first)), job("b", "build", str(other))]
    mixes = [job(f"mix-{k}", "build", "--recipe", str(path)) for k, path in enumerate(mixed.values())]
    a, b, *took = measure(*builds, *mixes, runs=runs)
    [suite] = measure(job("suite", "ablate", str(main_raw), "--suite", "paper"), runs=runs)
    own, folder = benchmarks()
    bare = ("build", str(own), "--format", "no_reflection", "--attempts", "2")
    plain, against = measure(job("own", *bare), job("against", *bare, "--against", str(folder)), runs=runs)
    compared = f"{OWN:,} questions against {BENCHMARKS} benchmarks of {EACH:,}"
    return [
        "## Experiments",
        "",
        "| what | measured | wanted |",
        "| --- | ---: | ---: |",
        *(
            f"| a mixture, {name}, × the builds of its two sources of {ROWS:,} rows | "
            f"**{one.wall / (a.wall + b.wall):.2f}** | ≤ 1.15 |"
            for name, one in zip(mixed, took, strict=True)
        ),
        f"| its memory, × that of the larger build | **{took[0].peak / max(a.peak, b.peak):.2f}** | |",
        f"| the paper's suite, × one build | **{suite.wall / main_build.wall:.2f}** | ≤ 2.5 |",
        f"| {compared}, seconds beyond the build | **{against.wall - plain.wall:.0f}** | ≤ 60 |",
        f"| its peak memory, GB | **{against.peak / 1e9:.2f}** | ≤ 1 |",
        "",
    ]
