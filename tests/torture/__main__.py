"""`python -m tests.torture [--short] [--seed N]`: try everything, print what was lost, write docs/reliability.md.

The short form tries a little of each and writes nothing. The exit code is 1 where anything was lost.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.command import ROOT
from tests.torture.cases import DATA, case
from tests.torture.crowd import crowd, load
from tests.torture.faults import World, accidents, builds_killed, pushes_killed, servers_killed
from tests.torture.large import large
from tests.torture.score import Score
from tests.torture.supply import audited, licences
from tests.torture.text import texts
from tests.torture.trying import SECONDS, as_process, many

PAGE = ROOT / "docs" / "reliability.md"
MEMORY = 1_000_000_000
"""Bytes that trying small inputs may take at most."""


def mutated(folder: Path, seed: int, count: int) -> Score:
    """Mutated inputs through inspect, preview and build."""
    score = Score(
        "Mutated inputs",
        f"a right build, or one sentence and exit 2; within {SECONDS} s and {MEMORY / 1e9:g} GB",
    )
    found = many(seed, count, folder / "cases")
    for one in found:
        score.note(one["name"], one["wrong"] or ("too much memory" if one["peak"] > MEMORY else ""))
    past = sum(one["mapped"] for one in found)
    score.figures |= {
        "got past column mapping": f"{past:,} ({past / len(found):.0%})",
        "slowest": f"{max(one['seconds'] for one in found):.1f} s",
        "most memory": f"{max(one['peak'] for one in found) / 1e6:,.0f} MB",
        "real files of others among them": "yes" if DATA.is_dir() else "no, they are not here",
    }
    if past * 4 < len(found):
        score.lost.append("less than a quarter got past column mapping")
    return score


def processes(folder: Path, seed: int, count: int, of: int) -> Score:
    """Some of them, drawn by the seed, as a user would run them."""
    score = Score(
        "Mutated inputs as real processes",
        "a right build, or one sentence and exit 2; no file left elsewhere",
    )
    for number in sorted(random.Random(seed).sample(range(of), count)):
        one = case(seed, number)
        score.note(one.name, as_process(one, folder / "process"))
    return score


def everything(folder: Path, seed: int, short: bool) -> list[Score]:
    """Every kind of attack and accident, one after the other."""
    rng = random.Random(seed)
    world: list[World] = []

    def theirs() -> World:
        if not world:
            (folder / "world").mkdir()
            world.append(World(folder / "world", 300 if short else 1500))
        return world[0]

    kinds: list[Callable[[], list[Score]]] = [
        lambda: crowd(folder / "crowd", 4, 2) if short else crowd(folder / "crowd", 50, 5),
        lambda: [] if short else [load(folder / "load", 20, 8)],
        lambda: [mutated(folder, seed, 120 if short else 2000)],
        lambda: [processes(folder, seed, 4 if short else 200, 120 if short else 2000)],
        lambda: [large(folder, short)],
        lambda: [] if short else [texts(folder / "texts")],
        lambda: [builds_killed(theirs(), rng, 2 if short else 50)],
        lambda: [pushes_killed(theirs(), rng, 1 if short else 20)],
        lambda: [] if short else [servers_killed(theirs(), rng, 10)],
        lambda: [accidents(theirs())],
        lambda: [licences(), audited(folder)],
    ]
    done: list[Score] = []
    for kind in kinds:
        began = time.monotonic()
        for score in kind():
            done.append(score)
            print(
                f"{score.name}: {score.tried:,} tried, {len(score.lost):,} lost {score.skipped}".rstrip(),
                flush=True,
            )
            for lost in score.lost[:20]:
                print(f"    {lost[:400]}", flush=True)
        print(f"    {time.monotonic() - began:,.0f} s", flush=True)
    return done


def page(scores: list[Score], seed: int, seconds: float) -> str:
    """docs/reliability.md: every figure in it is of this run."""
    lines = [
        "# Tried under attack and accident",
        "",
        "Written by `make torture`; every figure is of its last run. *Lost* counts cases in which the promise did not hold.",
        "",
        f"- Seed {seed}; commit {commit()}; {time.strftime('%Y-%m-%d', time.gmtime())}; {seconds / 60:.0f} minutes",
        f"- {machine()}",
        "",
        "| what | tried | survived | lost |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.name} | {one.tried:,} | {one.survived:,} | {len(one.lost):,} |"
        for one in scores
        if one.tried
    ]
    for one in scores:
        lines += ["", f"## {one.name}", "", f"Promised: {one.promise}."]
        lines += [f"Not tried: {one.skipped}"] if one.skipped else []
        lines += [""] * bool(one.figures) + [f"- {name}: {figure}" for name, figure in one.figures.items()]
        lines += [""] * bool(one.lost) + [
            f"- **Lost:** `{lost[:160].replace('`', ' ')}`" for lost in one.lost[:10]
        ]
    return "\n".join(lines) + "\n"


def commit() -> str:
    """The commit, and whether the code on disk was another."""
    words = (
        ["git", "rev-parse", "--short", "HEAD"],
        ["git", "status", "--porcelain", "--untracked-files=no", "skill_factory", "pages"],
    )
    head, changed = (
        subprocess.run(w, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() for w in words
    )
    return f"{head or 'unknown'}{' with changes on top' if changed else ''}"


def machine() -> str:
    """Processor, cores, memory, system and Python."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    name = next(
        (line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{name}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GB; {platform.system()}, Python {platform.python_version()}"


def main() -> int:
    """Everything, or a little of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--short", action="store_true", help="a little of each; writes nothing")
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        scores = everything(Path(folder), given.seed, given.short)
    if not given.short:
        PAGE.write_text(page(scores, given.seed, time.monotonic() - began), encoding="utf-8")
    return int(any(one.lost for one in scores))


if __name__ == "__main__":
    sys.exit(main())
