"""Folders on disk and in object stores: the few operations that differ between the two.

A place is a `Path`, or, for an address such as `s3://bucket/folder`, a path of universal-pathlib with the same
methods. On a disk a file appears whole by a rename; in an object store every put is whole.
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


def place(address: str | Path) -> Path:
    """The place of an address. Errors: BuildFolderError where what reads such addresses is not installed."""
    if isinstance(address, Path) or "://" not in address:
        return Path(address)
    try:
        from upath import UPath

        found: Any = UPath(address)
        found.exists()
    except (ImportError, ValueError) as error:
        raise BuildFolderError(
            f"Can't write to {address}: {error}. Install what is missing, e.g. pip install universal-pathlib s3fs."
        ) from None
    except Exception as error:
        # The stores' clients have no errors in common; whatever they say is the reason.
        raise BuildFolderError(f"Can't reach {address}: {error}. Check address and credentials.") from None
    return found  # type: ignore[no-any-return]


def on_disk(path: Path) -> bool:
    """Whether a place is on a disk of this machine."""
    return isinstance(path, Path)


def write_whole(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    if on_disk(path):
        whole_files.write_whole(path, text)
    else:
        path.write_bytes(text.encode())


@contextmanager
def written_whole(path: Path) -> Iterator[Any]:
    """A binary file that appears at its end, whole."""
    with whole_files.written_whole(path) if on_disk(path) else path.open("wb") as file:
        yield file


def move(source: Path, target: Path) -> None:
    """Put a file to another place of the same kind, over what may be there."""
    if on_disk(source):
        os.replace(source, target)
    else:
        source.fs.mv(source.path, target.path)  # type: ignore[attr-defined]


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, if it is there."""
    if on_disk(path):
        # Files that the system still holds in memory take their time, and go side by side.
        with ThreadPoolExecutor() as pool, suppress(OSError):
            list(pool.map(lambda file: file.unlink(missing_ok=True), path.glob("*.*")))
        shutil.rmtree(path, ignore_errors=True)
    elif path.exists():
        path.fs.rm(path.path, recursive=True)  # type: ignore[attr-defined]
