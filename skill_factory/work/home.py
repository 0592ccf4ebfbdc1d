"""Where the app keeps its work between runs: below `SKILL_FACTORY_HOME`, else in the platform's cache folder."""

import os
import secrets
import shutil
import sys
import time
from pathlib import Path

from skill_factory.errors import BuildFolderError


def home() -> Path:
    """The folder, created if it isn't there; only its owner can read it. Errors: BuildFolderError if it can't be created."""
    try:
        folder = Path(os.environ.get("SKILL_FACTORY_HOME") or _cache() / "skill-factory")
        # Only for its owner: data, answers and names lie here.
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError) as error:  # the latter: the system doesn't know this user's home
        raise _unusable(error) from None
    return folder


def _unusable(error: Exception) -> BuildFolderError:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    where = error.filename if isinstance(error, OSError) and error.filename else "its usual place"
    return BuildFolderError(
        f"The app can't keep its work in {where}: {said}. Set SKILL_FACTORY_HOME to a folder that can be written."
    )


def place(kind: str) -> Path:
    """The folder for one kind of work (`builds`, `uploads`, `facts`)."""
    folder = home() / kind
    try:
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unusable(error) from None
    return folder


def new_place(kind: str) -> Path:
    """A new folder with an unguessable name: on a shared server the name is the key."""
    folder = place(kind) / secrets.token_urlsafe(18)
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise _unusable(error) from None
    return folder


def forget_old(kind: str, days: float) -> None:
    """Delete the files and folders of a kind that are older than so many days."""
    # By the time of the last write, so that what is still used can be kept by touching it.
    before = time.time() - days * 86_400
    for path in place(kind).iterdir():
        if path.stat().st_mtime < before:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
