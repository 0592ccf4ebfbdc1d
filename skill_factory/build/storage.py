"""Folders on disk and in object stores: the few operations that differ between the two.

A folder is a `Path`, or, for an address such as `s3://bucket/folder`, a path of universal-pathlib with the same methods.
On a disk a file appears whole by a rename (`whole_files.py`); in an object store every put is whole.
"""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from skill_factory import whole_files
from skill_factory.errors import BuildFolderError


def folder_at(address: str | Path) -> Path:
    """The folder at a path or address. Errors: BuildFolderError if it can't be reached, or its client isn't installed."""
    if isinstance(address, Path) or "://" not in address:
        return Path(address)
    try:
        from upath import UPath

        folder: Any = UPath(address)
        # The first request shows whether address, client and credentials work, before hours of building.
        folder.exists()
    except (ImportError, ValueError) as error:
        raise BuildFolderError(
            f"Can't write to {address}: {error}. Install the missing client, e.g. pip install universal-pathlib s3fs."
        ) from None
    except Exception as error:
        # The clients of object stores have no errors in common, so any of them is the reason.
        raise BuildFolderError(
            f"Can't reach {address}: {error}. Check the address and your credentials."
        ) from None
    return folder  # type: ignore[no-any-return]


def on_disk(path: Path) -> bool:
    """Whether a folder or file is on a disk of this machine."""
    return isinstance(path, Path)


def write_whole(path: Path, text: str) -> None:
    """Write a small text file whole or not at all."""
    if on_disk(path):
        whole_files.write_whole(path, text)
    else:
        path.write_bytes(text.encode())


@contextmanager
def written_whole(path: Path) -> Iterator[Any]:
    """A binary file that appears whole at the end."""
    with whole_files.written_whole(path) if on_disk(path) else path.open("wb") as file:
        yield file


def move(source: Path, target: Path) -> None:
    """Move a file within a disk or a store, replacing what is there."""
    if on_disk(source):
        os.replace(source, target)
    else:
        source.fs.mv(source.path, target.path)  # type: ignore[attr-defined]


def remove_tree(path: Path) -> None:
    """Remove a folder and everything in it, if it exists."""
    if on_disk(path):
        # Removing files that the system still holds in memory takes a while, so several go at once.
        with ThreadPoolExecutor() as pool, suppress(OSError):
            list(pool.map(lambda file: file.unlink(missing_ok=True), path.glob("*.*")))
        shutil.rmtree(path, ignore_errors=True)
    elif path.exists():
        path.fs.rm(path.path, recursive=True)  # type: ignore[attr-defined]
