"""`python -m tests.torture [PART …] [--short] [--seed N]`: try everything, print what was lost, write docs/reliability.md.

The figures lie in docs/reliability.json, so that one part can be tried again alone. The short form tries a little of
each and writes nothing. The exit code is 1 where anything was lost.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.command import ROOT
from tests.torture.cases import DATA, case
from tests.torture.crowd import crowd, load
from tests.torture.faults import World, accidents, builds_killed, pushes_killed, servers_killed
from tests.torture.large import large
from tests.torture.meaning import meaning
from tests.torture.score import Score
from tests.torture.siege import repositories, siege
from tests.torture.supply import audited, licences
from tests.torture.text import texts
from tests.torture.trying import SECONDS, as_process, many

PAGE, FIGURES = ROOT / "docs" / "reliability.md", ROOT / "docs" / "reliability.json"
Tried = dict[str, Any]
"""When, where and on what a part was tried, and its scores."""
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


Part = Callable[[], list[Score]]


def parts(folder: Path, seed: int, short: bool) -> dict[str, Part]:
    """Every kind of attack and accident by its name, in the order in which they are tried."""
    world: list[World] = []

    def theirs() -> World:
        if not world:
            (folder / "world").mkdir()
            world.append(World(folder / "world", 300 if short else 1500))
        return world[0]

    def rng(name: str) -> random.Random:
        return random.Random(f"{seed}/{name}")

    few: dict[str, Part] = {
        "visitors": lambda: crowd(folder / "crowd", 4, 2) if short else crowd(folder / "crowd", 50, 5),
        "files": lambda: [mutated(folder, seed, 120 if short else 2000)],
        "processes": lambda: [processes(folder, seed, 4 if short else 200, 120 if short else 2000)],
        "large": lambda: [large(folder, short)],
        "builds": lambda: [builds_killed(theirs(), rng("builds"), 2 if short else 50)],
        "pushes": lambda: [pushes_killed(theirs(), rng("pushes"), 1 if short else 20)],
        "accidents": lambda: [accidents(theirs())],
        "siege": lambda: siege(folder / "siege", short),
        "repositories": lambda: [repositories(folder / "repositories", seed, 12 if short else 200)],
        "meaning": lambda: [meaning(folder / "meaning", seed, 20 if short else 500)],
        "supply": lambda: [licences(), audited(folder)],
    }
    long: dict[str, Part] = {
        "load": lambda: [load(folder / "load", 20, 8)],
        "texts": lambda: [texts(folder / "texts")],
        "servers": lambda: [servers_killed(theirs(), rng("servers"), 10)],
    }
    return few if short else few | long


def tried(name: str, part: Part, seed: int) -> Tried:
    """What a part came to; what was lost is printed."""
    began = time.monotonic()
    scores = part()
    seconds = time.monotonic() - began
    for score in scores:
        print(
            f"{score.name}: {score.tried:,} tried, {len(score.lost):,} lost {score.skipped}".rstrip(),
            flush=True,
        )
        for lost in score.lost[:20]:
            print(f"    {lost[:400]}", flush=True)
    print(f"    {name}: {seconds:,.0f} s", flush=True)
    return {
        "seed": seed,
        "commit": commit(),
        "day": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine(),
        "seconds": round(seconds),
        "scores": [asdict(score) for score in scores],
    }


def page(found: dict[str, Tried]) -> str:
    """docs/reliability.md: every figure in it is of the run that is named beside it."""
    scores = [(Score(**one), run) for run in found.values() for one in run["scores"]]
    lines = [
        "# Tried under attack and accident",
        "",
        "Written by `make torture`, from what it measured. *Lost* counts cases in which the promise did not hold.",
        "",
        "| what | tried | survived | lost |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.name} | {one.tried:,} | {one.survived:,} | {len(one.lost):,} |"
        for one, _ in scores
        if one.tried
    ]
    machines = dict.fromkeys(run["machine"] for run in found.values())
    lines += ["", *(f"Machine: {one}." for one in machines)]
    for one, run in scores:
        lines += ["", f"## {one.name}", "", f"Promised: {one.promise}."]
        lines += ["", f"Not tried: {one.skipped}"] if one.skipped else []
        lines += [
            "",
            f"- seed {run['seed']}, commit {run['commit']}, {run['day']}, {run['seconds']:,} s with what was tried beside it",
        ]
        lines += [f"- {name}: {figure}" for name, figure in one.figures.items()]
        lines += [f"- **lost:** `{lost[:160].replace('`', ' ')}`" for lost in one.lost[:10]]
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
    """Everything, a part of it, or a little of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("part", nargs="*", help="some parts alone; default: all")
    asked.add_argument("--short", action="store_true", help="a little of each; writes nothing")
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    lost = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        known = parts(Path(folder), given.seed, given.short)
        if unknown := set(given.part) - set(known):
            asked.error(f"no part {min(unknown)}; there are {', '.join(known)}")
        found: dict[str, Tried] = (
            json.loads(FIGURES.read_text(encoding="utf-8")) if given.part and FIGURES.is_file() else {}
        )
        for name in given.part or known:
            found[name] = tried(name, known[name], given.seed)
            lost += sum(len(one["lost"]) for one in found[name]["scores"])
            if not given.short:
                found = {one: found[one] for one in known if one in found}
                FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
                PAGE.write_text(page(found), encoding="utf-8")
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
