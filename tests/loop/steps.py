"""The steps of the loop: what each runs, and where its result lies."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.command import ROOT

SERVING = Path(os.environ.get("SKILL_FACTORY_TRAINERS", ROOT / ".trainers")) / "serve"
OURS = (sys.executable, "-m", "skill_factory")


@dataclass(frozen=True)
class Arm:
    """One recipe of the comparison: its name, what it changes, and the options that say so."""

    name: str
    what: str
    options: tuple[str, ...]


ARMS = (
    Arm("paper", "the paper's recipe", ()),
    Arm("no_reflections", "no reflections", ("--format", "no_reflection")),
    Arm("any_order", "no order", ("--format", "random")),
)


def ours(*words: str | Path, seconds: int = 1_800) -> str:
    """Standard output of a command of ours."""
    done = subprocess.run(
        [*OURS, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip()[-2_000:]}")
    return done.stdout


def make_raw(folder: Path, questions: int, asked: int) -> tuple[Path, Path]:
    """Raw data of the world of sums, and questions that aren't in it."""
    raw, other, held = folder / "raw.parquet", folder / "other.parquet", folder / "held_out.parquet"
    ours("demo", "--world", "sums", "--questions", str(questions), "--out", raw)
    ours("demo", "--world", "sums", "--questions", str(2 * asked), "--seed", "1", "--out", other)
    known = pq.read_table(raw, columns=["question"])["question"].unique()
    unseen = pq.read_table(other, columns=["question", "answer"]).filter(
        pc.invert(pc.is_in(pc.field("question"), known))
    )
    pq.write_table(
        unseen.group_by(["question", "answer"], use_threads=False).aggregate([]).slice(0, asked), held
    )
    return raw, held


def build_arm(arm: Arm, raw: Path, folder: Path, attempts: int) -> Path:
    """The build of an arm."""
    out = folder / f"build-{arm.name}"
    ours("build", raw, "--out", out, "--attempts", str(attempts), *arm.options)
    return out


def write_traces(builds: Sequence[Path], folder: Path) -> list[Path]:
    """Question and response of each trace as JSON lines, as many of every build: the smallest sets the size."""
    tables = [
        pa.concat_tables(map(pq.read_table, sorted(build.rglob("train-*.parquet")))) for build in builds
    ]
    size = min(table.num_rows for table in tables)
    paths = []
    for build, table in zip(builds, tables, strict=True):
        path = folder / f"{build.name}.jsonl"
        turns = table["conversations"].slice(0, size).to_pylist()
        lines = (json.dumps([user["content"], assistant["content"]]) for user, assistant in turns)
        path.write_text("\n".join(lines), encoding="utf-8")
        paths.append(path)
    return paths


def train(traces: Path, out: Path, minutes: float, seed: int) -> subprocess.Popen[bytes]:
    """The training of a model, begun; it takes one core."""
    words = [SERVING / "bin" / "python", ROOT / "tests" / "loop" / "train.py", traces, out]
    options = ["--minutes", str(minutes), "--seed", str(seed)]
    with (out.parent / f"{out.name}.log").open("w") as log:
        return subprocess.Popen(
            [*words, *options], stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"}
        )


SAMPLING = ("--temperature", "1", "--top-p", "1", "--top-k", "none", "--repetition-penalty", "none")


def evaluate(model: Path, held: Path, out: Path, samples: int, most_tokens: int) -> None:
    """Outputs of a model for the questions that it has not seen."""
    # Some models of this size never end; what the limit cuts off is counted.
    limits = ("--max-tokens", str(most_tokens), "--concurrency", "8")
    model_here = ("--serve", "--program", SERVING / "bin" / "transformers", "--model", model)
    asked = ("--samples", str(samples), "--task", "number", "--json")
    ours("evaluate", held, "--out", out, *model_here, *asked, *SAMPLING, *limits)


def measured(outputs: Sequence[Path], baseline: str) -> dict[str, Any]:
    """The figures of all runs."""
    found: dict[str, Any] = json.loads(
        ours("measure", *outputs, "--baseline", baseline, "--task", "number", "--json")
    )
    return found


def next_build(outputs: Path, folder: Path) -> dict[str, Any]:
    """Round two: the outputs become raw data, and the raw data a build."""
    raw = folder / "round-two.parquet"
    ours("harvest", outputs, "--out", raw, "--task", "number", "--json")
    seen = json.loads(ours("inspect", raw, "--json"))
    usable = max((int(n) for n, questions in seen["usable_questions"].items() if questions), default=0)
    if not usable:
        return {"rows": pq.read_metadata(raw).num_rows, "traces": 0, "attempts": 0}
    done = json.loads(ours("build", raw, "--out", folder / "build-round-two", "--attempts", "2", "--json"))
    return {"rows": pq.read_metadata(raw).num_rows, "traces": done["traces"], "attempts": 2}
