"""What the front door costs: thinking taken off, JSON with long lists, Parquet in tiny row groups. `python -m tests.bench.front_door`."""

import json
import random
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.measure import ROOT, Job, Measured, measure

WORK = ROOT / ".bench"
OURS = [sys.executable, "-m", "skill_factory"]
THOUGHT = "<think>\nLet me see what is asked, and try it step by step before I answer.\n</think>\n\n"
RESPONSES = "model_responses__mutated_prompts"
LISTED, QUESTIONS = 10_000, 100
"""Responses in a row of the JSON file, and its rows: 127 MB."""
WORDS = [
    "the",
    "sum",
    "of",
    "these",
    "numbers",
    "is",
    "so",
    "that",
    "we",
    "add",
    "each",
    "part",
    "and",
    "then",
    "carry",
    "on",
    "to",
    "get",
]


def thinking(raw: Path) -> Path:
    """The same rows, each response with thinking before it, made once."""
    path = raw.with_name(f"{raw.stem}-thinking.parquet")
    if path.is_file():
        return path
    source = pq.ParquetFile(raw)
    with pq.ParquetWriter(path.with_suffix(".partial"), source.schema_arrow) as writer:
        for group in range(source.num_row_groups):
            table = source.read_row_group(group)
            lists = [[THOUGHT + text for text in one] for one in table[RESPONSES].to_pylist()]
            place = table.schema.get_field_index(RESPONSES)
            field = table.schema.field(place)
            writer.write_table(table.set_column(place, field, pa.array(lists, field.type)))
    path.with_suffix(".partial").rename(path)
    return path


def long_lists() -> Path:
    """One JSON array, each row a question with ten thousand samples, made once."""
    path = WORK / "long-lists.json"
    if path.is_file():
        return path
    draw = random.Random(0)
    with path.with_suffix(".partial").open("w", encoding="utf-8") as file:
        for q in range(QUESTIONS):
            said = [draw.randint(0, 9) for _ in range(LISTED)]
            samples = [
                f"Attempt {k}: {' '.join(draw.choices(WORDS, k=18))} <answer>{n}</answer>"
                for k, n in enumerate(said)
            ]
            row = {"question": f"What is sum number {q}?", "gt_answer": "3", "samples": samples, "is_corrects": [n == 3 for n in said]}  # fmt: skip
            file.write(("," if q else "[") + json.dumps(row))
        file.write("]")
    path.with_suffix(".partial").rename(path)
    return path


def in_groups(raw: Path, rows: int) -> Path:
    """The first 20,000 rows in row groups of so many, made once."""
    path = WORK / f"groups-of-{rows}.parquet"
    if not path.is_file():
        table = pq.ParquetFile(raw).read().slice(0, 20_000)
        pq.write_table(table, path.with_suffix(".partial"), row_group_size=rows)
        path.with_suffix(".partial").rename(path)
    return path


def inspected(path: Path) -> Job:
    """A first look at a file."""
    return Job([*OURS, "inspect", str(path)])


def section(raw: Path, without: Measured, thought: Measured, runs: int) -> list[str]:
    """The figures as a part of the page; `without` and `thought` are builds of the same rows."""
    lists, ten, one = measure(
        inspected(long_lists()), inspected(in_groups(raw, 10)), inspected(in_groups(raw, 20_000)), runs=runs
    )
    size = long_lists().stat().st_size / 1e6
    return [
        "## The front door",
        "",
        "| what | measured | wanted |",
        "| --- | ---: | ---: |",
        f"| building 100,000 rows whose responses begin with thinking, × the time without | **{thought.wall / without.wall:.2f}** | ≤ 1.3 |",
        f"| a first look at {size:,.0f} MB of JSON with lists of {LISTED:,}, seconds | **{lists.wall:.1f}** | ≤ 19 |",
        f"| its peak memory, MB | **{lists.peak / 1e6:.0f}** | ≤ 300 |",
        f"| a first look at row groups of ten, × one group | **{ten.wall / one.wall:.2f}** | ≤ 2 |",
        "",
    ]


if __name__ == "__main__":
    from tests.bench.__main__ import build, made

    WORK.mkdir(exist_ok=True)
    rows = made(100_000)
    plain, with_thinking = measure(build(rows), build(thinking(rows)), runs=3)
    print("\n".join(section(rows, plain, with_thinking, 3)))
