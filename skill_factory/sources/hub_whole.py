"""Files of the Hub that can't be read piece by piece: archives, spreadsheets, logs. Fetched whole, for as long as they are read."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from skill_factory.errors import SourceError
from skill_factory.hosting import hosted
from skill_factory.recipe.model import Columns
from skill_factory.sources.files import FileSource
from skill_factory.sources.packed.bounds import A_VISITORS, LARGEST_UNPACKED
from skill_factory.wording import file_size


def whole_rows(address: str, token: str | None) -> Iterator[dict[str, Any]]:
    """The rows of a file, with all their columns, as from disk. Errors: HubError, SourceError."""
    source = _fetched(address, token).source
    every = Columns(question_rest=tuple(source.names()))
    for piece in source.pieces():
        for batch in piece.batches(every):
            yield from batch if isinstance(batch, list) else batch.to_pylist()


@dataclass(frozen=True)
class _Fetched:
    """A file on this disk; its folder goes when this is let go."""

    source: FileSource
    folder: TemporaryDirectory[str]


@lru_cache(maxsize=2)  # its head, its names and its rows are asked for one after the other
def _fetched(address: str, token: str | None) -> _Fetched:
    from skill_factory.hub.client import file_system
    from skill_factory.hub.errors import plainly

    repo, name = "/".join(address.split("/")[1:3]).partition("@")[0], Path(address).name
    folder = TemporaryDirectory(prefix="skill-factory-")
    path = Path(folder.name) / name
    with plainly(repo, token), file_system(token).open(address, block_size=4 << 20) as file:
        _check_size(name, int(file.size or 0))
        with path.open("wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
    return _Fetched(FileSource.open(str(path)), folder)


def _check_size(name: str, size: int) -> None:
    most = A_VISITORS if hosted() else LARGEST_UNPACKED
    if size > most:
        raise SourceError(
            f"{name} has {file_size(size)}, and such a file is read up to {file_size(most)}. Put its data on the Hub as "
            "Parquet or JSON Lines."
        )
