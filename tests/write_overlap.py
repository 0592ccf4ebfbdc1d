"""Writes the tables of docs/clean.md: `python -m tests.write_overlap`. They take a minute, so no test makes them again."""

import json
import random
import resource
import tempfile
import time
from pathlib import Path

from skill_factory.judge.facts import text_ids
from skill_factory.overlap.benchmarks import opened
from skill_factory.overlap.ruling import Overlap, overlap_of
from skill_factory.recipe.clean_parts import Clean
from tests.planted import EDITS, real_questions
from tests.write_docs import ROOT
from tests.write_grading import filled

PAGE = ROOT / "docs" / "clean.md"
SEEDS = range(5)
LEAKS = 100
OWN, BENCHMARKS, EACH = 100_000, 20, 1_000


def benchmark(folder: Path, questions: list[str], name: str = "benchmark") -> str:
    """A file with these questions."""
    path = folder / f"{name}.jsonl"
    lines = (json.dumps({"question": text}) + "\n" for text in questions)
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


def compared(own: list[str], given: str) -> Overlap:
    """What a benchmark asks too."""
    texts = list(dict.fromkeys(own))
    return overlap_of([(text_ids(texts), texts)], opened(Clean(), [given]), False)


def found_table(real: dict[str, list[str]], folder: Path) -> str:
    """For each set the share of leaks found, by how they were edited, and the share of others that were flagged."""
    lines = [
        "| questions | " + " | ".join(f"{level}, found" for level in EDITS) + " | disjoint halves, flagged |",
        "| --- |" + " ---: |" * (len(EDITS) + 1),
    ]
    for name, questions in sorted(real.items()):
        hits, flagged, every = dict.fromkeys(EDITS, 0), 0, 0
        for seed in SEEDS:
            draw = random.Random(seed)
            mixed = draw.sample(questions, len(questions))
            own, others = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
            given = benchmark(folder, others)
            flagged += len(compared(own, given).contaminated)
            every += len(own)
            for level, edit in EDITS.items():
                leaks = [edit(text, draw) for text in draw.sample(others, LEAKS)]
                pairs = compared([*own, *leaks], given).pairs
                hits[level] += len({pair.question for pair in pairs} & set(leaks))
        cells = [f"{hits[level] / (LEAKS * len(SEEDS)):.1%}" for level in EDITS]
        lines.append(f"| {len(questions):,} of {name} | {' | '.join(cells)} | {flagged / every:.1%} |")
    return "\n".join(lines)


def made(real: dict[str, list[str]], draw: random.Random) -> str:
    """A question that sounds like a real one: a quarter of its words and all of its numbers are others."""
    words = draw.choice(real["GSM8K"] if draw.random() < 0.8 else real["MATH"]).split()
    others = draw.choice(real["GSM8K"]).split()
    return " ".join(
        str(draw.randrange(2, 500))
        if word.isdigit()
        else draw.choice(others)
        if draw.random() < 0.25
        else word
        for word in words
    )


def speed_sentence(real: dict[str, list[str]], folder: Path) -> str:
    """Seconds and memory for many questions against many benchmarks."""
    draw = random.Random(0)
    own = [made(real, draw) for _ in range(OWN)]
    (folder / "many").mkdir()
    for k in range(BENCHMARKS):
        leaks = draw.sample(own, EACH // 100)
        benchmark(folder / "many", [*leaks, *(made(real, draw) for _ in range(EACH - len(leaks)))], f"b{k}")
    began = time.perf_counter()
    compared(own, str(folder / "many"))
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return (
        f"{OWN:,} questions against {BENCHMARKS} benchmarks of {EACH:,}: {seconds:.0f} seconds on one core, and "
        f"{memory:.1f} GB of memory at most, with the making of the questions."
    )


if __name__ == "__main__":
    real = real_questions()
    if not real:
        raise SystemExit("The public sets are not beside this checkout; nothing was measured.")
    with tempfile.TemporaryDirectory() as place:
        tables = {"found": found_table(real, Path(place)), "speed": speed_sentence(real, Path(place))}
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")
