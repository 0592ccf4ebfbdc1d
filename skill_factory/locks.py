"""Locks on files: one process at a time holds one, and it dies with its process. What the system lacks, `filelock` knows."""

from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

MODE = 0o644


def take(path: Path) -> BaseFileLock | None:
    """Hold the lock of that file until it is released or this process ends; None where another holds it. Errors: OSError."""
    lock = FileLock(path, mode=MODE)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def held(path: Path) -> bool:
    """Whether a process holds the lock of that file; a file that isn't there is held by nobody."""
    if not path.exists():
        return False
    lock = take(path)
    if lock is not None:
        lock.release()
    return lock is None
