"""`python -m tests.matrix [3.11 …]`: the main job under every Python that can be had here, and in homes that aren't usual.

Each version gets an environment of its own in .matrix/ from requirements.txt alone. What can't be tried here is named with
its reason; the exit code is 1 where anything failed.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.command import ROOT

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
UNIT = (
    "tests/test_home.py",
    "tests/test_recipe.py",
    "tests/test_patterns.py",
    "tests/test_promises.py",
    "tests/test_turns.py",
)
UV = ROOT / ".venv" / "bin" / "uv"


def interpreter(version: str) -> str:
    """Where a Python of that version is, pyenv's too; else its number, which uv may know how to get."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    kept = sorted(pyenv.glob(f"{version}.*/bin/python"))
    return str(kept[-1]) if kept else shutil.which(f"python{version}") or version


def environment(version: str) -> tuple[Path | None, str]:
    """The interpreter of an environment with what the app requires and nothing else; or why there is none."""
    place = ROOT / ".matrix" / version
    python = place / "bin" / "python"
    for words in (
        [UV, "venv", "--quiet", "--allow-existing", "--python", interpreter(version), place],
        [
            UV,
            "pip",
            "install",
            "--quiet",
            "--python",
            python,
            "-r",
            ROOT / "requirements.txt",
            "pytest",
            "hypothesis",
            "websockets",
        ],
    ):
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
        if done.returncode:
            return None, (done.stderr.strip().splitlines() or ["it can't be had"])[-1][:160]
    return python, ""


def homes(folder: Path) -> Iterator[tuple[str, Mapping[str, str | None]]]:
    """(what is odd, environment) of homes and clocks; None takes a variable away."""
    yield "as usual", {}
    spaced = folder / "a home with späces"
    spaced.mkdir()
    yield "a home with spaces", {"HOME": str(spaced)}
    yield "no HOME", {"HOME": None}
    yield "a home that can't be written", {"HOME": "/proc/nobody", "SKILL_FACTORY_HOME": str(folder / "work")}


def works(python: Path, folder: Path, variables: Mapping[str, str | None], before: list[str]) -> str:
    """Why a build of the demo, stopped by nothing and then asked for again, didn't do; empty where it did."""
    given = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        **{name: text for name, text in variables.items() if text is not None},
    }
    for name in (name for name, text in variables.items() if text is None):
        given.pop(name, None)
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    for _ in range(2):
        words = [*before, str(python), "-m", "skill_factory", "build", "demo:20", "--out", str(out)]
        done = subprocess.run(
            words, cwd=ROOT, env=given, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode:
            return (done.stderr.strip() or f"exit {done.returncode}")[-300:]
    return ""


def main() -> int:
    """Every version × home; then the unit tests of each version."""
    failed = 0
    print(f"{platform.system()} {platform.machine()}")
    if platform.system() != "Darwin":
        print(
            "macOS: not tried, this machine has another system; the workflow for the public CI runs the same command there"
        )
    for version in sys.argv[1:] or VERSIONS:
        python, why = environment(version)
        if python is None:
            print(f"{version}: not tried, {why}")
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tries = [(what, variables, []) for what, variables in homes(folder)]
            if shutil.which("faketime"):
                tries.append(("a clock set back ten years", {}, ["faketime", "-f", "-10y"]))
            else:
                print(f"{version}, a clock set back: not tried, `faketime` isn't installed")
            for what, variables, before in tries:
                wrong = works(python, folder, variables, before)
                failed += bool(wrong)
                print(f"{version}, {what}: {wrong or 'fine'}", flush=True)
        done = subprocess.run(
            [python, "-m", "pytest", "-q", "-x", *UNIT], cwd=ROOT, capture_output=True, text=True, check=False
        )
        failed += bool(done.returncode)
        print(f"{version}, tests: {(done.stdout.strip().splitlines() or ['none ran'])[-1]}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
