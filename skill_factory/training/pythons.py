"""Which Python here can run the script: one with TRL, or uv, which makes one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from skill_factory.errors import TrainingError

OLDEST = (1, 0)
"""TRL's version from which on the script's settings exist; 1.16 is the one that is tested."""
OWN = "SKILL_FACTORY_TRAINER"
"""Environment variable: the Python with TRL, where none is named."""
_ASK = (
    "import json; from importlib.util import find_spec; from importlib.metadata import version\n"
    "print(json.dumps(version('trl') if find_spec('trl') and find_spec('torch') else ''))"
)


def command_for(given: str = "", more: tuple[str, ...] = ()) -> list[str]:
    """
    The words before the script's path: of the named Python (or SKILL_FACTORY_TRAINER), of the one that runs this, or of uv.

    `more` are packages beside TRL that the training needs. Errors: TrainingError that says what to install.
    """
    if given := given or os.environ.get(OWN, ""):
        return [_checked(given, more)]
    if _trl_of(sys.executable) >= OLDEST and not _missing(sys.executable, more):
        return [sys.executable]
    if uv := shutil.which("uv"):
        return [uv, "run", "--quiet", *(word for name in more for word in ("--with", name))]
    raise TrainingError(
        "Training needs TRL, which this Python doesn't have. Install uv (https://docs.astral.sh/uv), which fetches it by "
        "itself, or name a Python that has it: --python PATH."
    )


def _checked(python: str, more: tuple[str, ...]) -> str:
    # A folder is an environment; the link inside must stay as it is, or the environment would be left.
    path = Path(python).expanduser()
    path = path / "bin" / "python" if path.is_dir() else path
    found = shutil.which(str(path)) or ""
    if not found:
        raise TrainingError(
            f"There is no Python at {python}. Give its path, or the folder of its environment."
        )
    if (version := _trl_of(found)) < OLDEST:
        has = f"has TRL {'.'.join(map(str, version))}" if version else "doesn't have torch and TRL"
        raise TrainingError(f"{python} {has}; install a newer one there: pip install torch 'trl>=1.16'.")
    if missing := _missing(found, more):
        raise TrainingError(
            f"{python} doesn't have {' and '.join(missing)}; install it there: pip install {' '.join(missing)}."
        )
    return str(Path(found).absolute())


def _trl_of(python: str) -> tuple[int, ...]:
    """The version of TRL that a Python has; empty without it."""
    said = _ask(python, _ASK)
    parts = str(said or "").split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def _missing(python: str, names: tuple[str, ...]) -> list[str]:
    code = f"import json; from importlib.util import find_spec; print(json.dumps([n for n in {list(names)!r} if not find_spec(n)]))"
    found = _ask(python, code) if names else []
    return found if isinstance(found, list) else list(names)


def _ask(python: str, code: str) -> object:
    try:
        done = subprocess.run(
            [python, "-c", code],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
