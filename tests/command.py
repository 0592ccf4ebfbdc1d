"""Runs the real command in a process of its own, and reads what it left in a build folder."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from tests.make_raw import Row

ROOT = Path(__file__).parents[1]


EVERY_TRACE = ("--set", "balance.drop_duplicates=false")
"""Options for tests that count what is drawn: equal draws stay."""


@dataclass(frozen=True)
class Run:
    """What a run of the command left: exit code, standard output, standard error."""

    exit: int
    out: str
    err: str


def run(*words: object, cwd: Path | None = None, **variables: str) -> Run:
    """Run `python -m skill_factory WORDS` as a user would, with `variables` added to the environment."""
    return python("-m", "skill_factory", *words, cwd=cwd, **variables)


def python(*words: object, cwd: Path | None = None, **variables: str) -> Run:
    """Run this interpreter on `words`; the repository is importable from any folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", **variables}
    line = [sys.executable, *map(str, words)]
    done = subprocess.run(
        line, cwd=cwd or ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return Run(done.returncode, done.stdout, done.stderr)


def build(source: object, out: Path, *options: object, **variables: str) -> Row:
    """`build SOURCE --out OUT OPTIONS --json`, which must succeed → the one JSON object that it prints."""
    done = run("build", source, "--out", out, *options, "--json", **variables)
    assert done.exit == 0, f"exit {done.exit}: {done.err[-2000:]}"
    return json.loads(done.out)


def report(folder: Path) -> Row:
    """The report of a build folder."""
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def shards(folder: Path) -> list[Path]:
    """The shards of a build folder in written order."""
    return sorted((folder / "sft_train").glob("*.parquet"))


def traces(folder: Path) -> list[Row]:
    """All rows of a build folder in written order."""
    return [row for shard in shards(folder) for row in pq.ParquetFile(shard).read().to_pylist()]


def digest(folder: Path) -> dict[str, str]:
    """Every file of a folder by its path inside it → the hash of its bytes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
