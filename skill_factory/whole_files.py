"""Files that appear whole or not at all: written beside their place under another name, then renamed onto it.

A reader never sees half a file, and a process that is killed leaves the earlier file as it was. A rename within a folder
is the one step that every system does at once. Something other than a file, such as `/dev/stdout`, is written to
directly, since a rename would put a file in its place.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

SUFFIX = ".partial"
"""Ends the name of a file that is being written; one that is left was its writer's last."""


@contextmanager
def replaced_whole(path: Path) -> Iterator[Path]:
    """A path to write to; what was written there takes the place of `path` at the end, and is removed after an error."""
    if path.exists() and not path.is_file():
        yield path
        return
    # Named by process: one that was started again must not write into the file of one that is still being killed.
    partial = path.with_name(f"{path.name}.{os.getpid()}{SUFFIX}")
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A binary file that appears at `path` at the end. Errors: OSError."""
    with replaced_whole(path) as partial, partial.open("wb") as file:
        yield file


def write_whole(path: Path, text: str) -> None:
    """Write a text file in UTF-8, its line ends as they stand in `text`. Errors: OSError."""
    with written_whole(path) as file:
        file.write(text.encode())
