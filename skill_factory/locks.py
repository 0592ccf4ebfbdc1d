"""Locks on files: one process at a time holds a lock, and the lock ends with its process, also where `fcntl` is missing."""

from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

MODE = 0o644


def take(path: Path) -> BaseFileLock | None:
    """Hold the lock on a file until it is released or this process ends; None if another holds it. Errors: OSError."""
    lock = FileLock(path, mode=MODE)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def held(path: Path) -> bool:
    """Whether a process holds the lock on a file; a missing file is held by nobody."""
    if not path.exists():
        return False
    lock = take(path)
    if lock is not None:
        lock.release()
    return lock is None
