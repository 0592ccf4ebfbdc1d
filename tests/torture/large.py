"""Inputs that are small on disk or simple in kind and huge in memory: each in a process of its own, measured."""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.command import ROOT, report
from tests.torture.score import Score
from tests.torture.trying import peak

MEMORY = 2_500_000_000
SECONDS = 300
ROW = {
    "question": "q",
    "response": "<answer>1</answer>",
    "correct": True,
    "reflections": ["<verdict>Correct</verdict>"],
}
MEGA = b"a" * 1_000_000


def large(folder: Path, small: bool) -> Score:
    """Every large input through `inspect` and `build`; `small` takes the quick ones alone."""
    score = Score(
        "Large and packed inputs", f"a right build or one sentence, below {MEMORY / 1e9:g} GB and {SECONDS} s"
    )
    worst_memory, worst_seconds = (0, ""), (0.0, "")
    for name, make in INPUTS.items():
        if small and name not in QUICK:
            continue
        source = make(folder)
        for word in ("inspect", "build"):
            wrong, held, took = measured(word, source, folder)
            score.note(f"{name}, {word}", wrong)
            worst_memory = max(worst_memory, (held, f"{name}, {word}"))
            worst_seconds = max(worst_seconds, (took, f"{name}, {word}"))
        source.unlink()
    score.figures["most memory"] = f"{worst_memory[0] / 1e6:,.0f} MB ({worst_memory[1]})"
    score.figures["longest"] = f"{worst_seconds[0]:,.0f} s ({worst_seconds[1]})"
    return score


def measured(word: str, source: Path, folder: Path) -> tuple[str, int, float]:
    """Run a command on a source → what is wrong, bytes held at most, seconds."""
    out = folder / "out"
    words = [word, str(source), "--attempts", "1", "--json"] + (
        ["--out", str(out), "--fresh", "--workers", "1"] if word == "build" else []
    )
    code = "import sys; from tests.torture.large import inside; sys.exit(inside(sys.argv[1:]))"
    began = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"longer than {SECONDS} s", 0, float(SECONDS)
    took = time.monotonic() - began
    lines = done.stderr.strip().splitlines() or [""]
    held = int(lines.pop().removeprefix("PEAK ")) if lines[-1].startswith("PEAK ") else MEMORY
    if done.returncode not in (0, 2) or "Traceback" in done.stderr:
        return f"exit {done.returncode}: {done.stderr[-300:]}", held, took
    if done.returncode == 2 and (not lines or lines[-1].rstrip()[-1:] not in (".", "?", "`")):
        return f"no sentence: {done.stderr[-300:]}", held, took
    if held > MEMORY:
        return f"{held / 1e6:,.0f} MB", held, took
    if word == "build" and done.returncode == 0:
        ledger = report(out)["ledger"]
        if any(one["read"] != one["kept"] + sum(one["dropped"].values()) for one in ledger.values()):
            return "read is not kept + dropped", held, took
    return "", held, took


def inside(words: list[str]) -> int:
    """The command, and its peak of memory as the last line of standard error."""
    from skill_factory.cli.main import main

    code = main(words)
    print(f"PEAK {peak()}", file=sys.stderr)
    return code


# -- the inputs ----------------------------------------------------------------------------------------------------


def packed(name: str, head: bytes, fill: bytes, times: int) -> Callable[[Path], Path]:
    """A text file that packs to nearly nothing."""

    def make(folder: Path) -> Path:
        path = folder / name
        is_gzip = name.endswith(".gz")
        with gzip.open(path, "wb", 6) if is_gzip else pa.output_stream(str(path), compression="zstd") as sink:
            sink.write(head)
            for _ in range(times):
                sink.write(fill)
        return path

    return make


def repeated(column: str) -> Callable[[Path], Path]:
    """A Parquet file in whose dictionary a text of 10 MB stands once, and 100,000 rows point at it."""

    def make(folder: Path) -> Path:
        rows = 100_000
        once = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["b" * 10_000_000]))
        columns = {
            "question": pa.array([f"q{k // 10}" for k in range(rows)]),
            "response": pa.array([f"<answer>{k}</answer>" for k in range(rows)]),
            "correct": pa.array([True] * rows),
            "reflections": pa.array([["<verdict>Correct</verdict>"]] * rows),
        }
        lists = pa.LargeListArray.from_arrays(pa.array(range(rows + 1), pa.int64()), once)
        columns[column] = lists if column == "reflections" else once
        path = folder / f"repeated-{column}.parquet"
        pq.write_table(pa.table(columns), path, compression="zstd", dictionary_pagesize_limit=1 << 30)
        return path

    return make


def lines(name: str, rows: Callable[[int], dict[str, object]], count: int) -> Callable[[Path], Path]:
    """JSON Lines of so many rows."""

    def make(folder: Path) -> Path:
        path = folder / f"{name}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for k in range(count):
                file.write(json.dumps({**ROW, **rows(k)}) + "\n")
        return path

    return make


INPUTS: dict[str, Callable[[Path], Path]] = {
    "one line of 3 GB in .gz": packed("line.jsonl.gz", b'{"question":"', MEGA, 3000),
    "one line of 3 GB in .zst": packed("line.jsonl.zst", b'{"question":"', MEGA, 3000),
    "one CSV line of 3 GB in .gz": packed("line.csv.gz", b"question,response,correct\n", MEGA, 3000),
    "one CSV cell of 3 GB in .gz": packed(
        "cell.csv.gz", b'question,response,correct\n"', b"a\n" * 500_000, 3000
    ),
    "900 million empty objects in .json.gz": packed("objects.json.gz", b"[", b"{}," * 300_000, 3000),
    "3 GB of spaces in .json.gz": packed("spaces.json.gz", b"", b" " * 1_000_000, 3000),
    "a million columns": packed(
        "columns.csv.gz", b",".join(b"c%d" % k for k in range(1_000_000)) + b"\n1", b",1", 999_999
    ),
    "100 million brackets": packed("deep.jsonl.gz", b'{"question":', b"[" * 1_000_000, 100),
    "responses that repeat 10 MB in Parquet": repeated("response"),
    "reflections that repeat 10 MB in Parquet": repeated("reflections"),
    "an unmapped column that repeats 10 MB in Parquet": repeated("other"),
    "30 cells of 10 MB": lines(
        "cells",
        lambda k: {"question": f"q{k % 3}", "response": f"{k} {'x' * 10_000_000} <answer>{k}</answer>"},
        30,
    ),
    "one question with 100,000 responses": lines(
        "many", lambda k: {"response": f"{k} <answer>{k}</answer>", "correct": k % 3 == 0}, 100_000
    ),
    "a million questions": lines("tiny", lambda k: {"question": f"q{k}"}, 1_000_000),
    "30 million rows in .gz": packed("rows.jsonl.gz", b"", (json.dumps(ROW) + "\n").encode() * 10_000, 3000),
}
QUICK = {"one line of 3 GB in .zst", "responses that repeat 10 MB in Parquet"}


if __name__ == "__main__":
    import tempfile

    found = large(Path(tempfile.mkdtemp()), len(sys.argv) > 1)
    print(found.tried, found.lost, found.figures)
