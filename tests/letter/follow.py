"""Export as a person would, then paste each command of the notes into a shell, in a fresh folder."""

import os
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from skill_factory.trainers.options import family_of
from tests import command
from tests.letter import notes
from tests.letter.cases import Case
from tests.letter.data import ENVIRONMENTS

SECONDS = 1_200


@dataclass(frozen=True)
class Tried:
    """What became of a command: `ran`, or why it wasn't run, or what went wrong."""

    trainer: str
    versions: str
    loss: str
    build: str
    model: str
    command: str
    said: str
    fault: bool


@dataclass(frozen=True)
class Place:
    """Where a case is tried: the build, the model, and a folder to work in."""

    build: Path
    model: Path
    work: Path


def versions(case: Case) -> str:
    """The versions of a case's packages, as its environment names them."""
    asked = f"from importlib.metadata import version as v; print(', '.join(f'{{p}} {{v(p)}}' for p in {case.packages!r}))"
    program = ENVIRONMENTS / case.environment / "bin" / "python"
    return subprocess.run([program, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()


def export(case: Case, place: Place) -> Path:
    """The export, by the command line, in a fresh folder."""
    out = place.work / "exported"
    source = () if place.build.name != "chinese" else ("--source", place.build.parent / "数据.parquet")
    # Byte tokens make a trace five times as long as a real tokenizer does, and an epoch takes minutes enough.
    words = ["--model", place.model, "--epochs", "1", "--cutoff-len", "16384"]
    words += ["--loss", case.loss, "--tokenizer", place.model] if case.loss else []
    done = command.run("export", place.build, "--to", case.trainer, "-o", out, *words, *source)
    assert done.exit == 0, done.err
    return out


def in_shell(line: str, folder: Path, environment: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """A line in a shell of its own, with the environment's programs first on the path, as `activate` leaves it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HF_", "VIRTUAL_ENV"))}
    told = {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(environment),
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(cache),
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "AXOLOTL_DO_NOT_TRACK": "1",
    }
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=kept | told,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def follow(case: Case, place: Place, keep: Path | None = None) -> list[Tried]:
    """What became of each command of the notes, and of the notes themselves."""
    out, told = export(case, place), versions(case)
    text = (out / "TRAINING.md").read_text(encoding="utf-8")
    tried = []

    def add(line: str, said: str, fault: bool) -> None:
        where = (case.trainer, told, case.loss, place.build.name, place.model.name)
        tried.append(Tried(*where, line, said, fault))

    for problem in faults_of(text, place.model.name):
        add("TRAINING.md", problem, True)
    for one in notes.commands(text):
        line = one.text.partition(" #")[0].strip()
        if notes.re.fullmatch(case.elsewhere, line):
            continue
        if why := case.why_not(line):
            add(line, why, False)
            continue
        said = _tried(line, case, out, place, keep)
        add(line, said or "ran", bool(said))
    return tried


def faults_of(text: str, model: str) -> list[str]:
    """What is wrong with notes before anything is run."""
    found = [
        f"{word} has to be replaced in `{one.text}`"
        for one in notes.commands(text)
        for word in notes.placeholders(one.text)
    ]
    # The notes of a model of unknown family may name several.
    mine = family_of(model)
    strange = {one for one in notes.families(text) if not mine.startswith(one)} if mine else set()
    return found + [f"speaks of {family}, and the model is a {mine}" for family in sorted(strange)]


def _tried(line: str, case: Case, out: Path, place: Place, keep: Path | None) -> str:
    """What went wrong with a command; empty if nothing did."""
    trains = case.leaves and ("train" in line) and "preprocess" not in line
    shutil.rmtree(out / "saves", ignore_errors=True)
    environment, begun = (ENVIRONMENTS / case.environment).resolve(), time.monotonic()
    try:
        done = in_shell(line, out, environment, place.work / "cache")
    except subprocess.TimeoutExpired:
        return f"not finished after {SECONDS} seconds"
    if keep:
        name = "-".join(
            (case.trainer, case.environment, case.loss, place.build.name, place.model.name, shlex.quote(line))
        )
        log = f"$ {line}   # {time.monotonic() - begun:.0f} s, exit {done.returncode}\n{done.stdout}\n--\n{done.stderr}"
        (keep / f"{name.replace('/', '_')[:200]}.log").write_text(log, encoding="utf-8")
    if done.returncode:
        lines = [one for one in (done.stderr or done.stdout).splitlines() if one.strip()]
        # Where the environments lie on this machine is nobody's business.
        last = lines[-1].replace(str(ENVIRONMENTS.resolve()), ".trainers") if lines else ""
        return f"exit {done.returncode}: {last[:300]}"
    return "" if not trains or (out / case.leaves).is_file() else f"leaves no {case.leaves}"
