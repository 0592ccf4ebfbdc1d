"""A build as files to download: Parquet, JSON Lines, or the whole folder in one archive."""

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, BinaryIO

import pyarrow.parquet as pq

from skill_factory.build.folder import BuildFolder


def parquet_download(folder: BuildFolder) -> BinaryIO:
    """The only shard, or an archive of all shards."""
    shards = folder.shards()
    return shards[0].open("rb") if len(shards) == 1 else _archive((path, path.name) for path in shards)


def folder_download(path: Path) -> BinaryIO:
    """A folder as an archive, without what begins with a dot: those are files of work in progress."""
    inside = sorted(p for p in path.rglob("*") if p.is_file())
    named = ((p, p.relative_to(path)) for p in inside)
    return _archive(
        (p, str(name)) for p, name in named if not any(part.startswith(".") for part in name.parts)
    )


def _archive(files: Iterable[tuple[Path, str]]) -> BinaryIO:
    def fill(file: IO[bytes]) -> None:
        # Shards are already compressed.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for path, name in files:
                archive.write(path, name)

    return _written(fill)


def jsonl_download(folder: BuildFolder) -> BinaryIO:
    """The traces as JSON, one a line."""

    def fill(file: IO[bytes]) -> None:
        for shard in folder.shards():
            for batch in pq.ParquetFile(shard).iter_batches(1000):
                for row in batch.to_pylist():
                    file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")

    return _written(fill)


def _written(fill: Callable[[IO[bytes]], None]) -> BinaryIO:
    """A file without a name, open for reading: the only kind that Streamlit takes for a download."""
    # Once opened again the file needs no name: it goes when the download's last reader closes it.
    with tempfile.NamedTemporaryFile() as file:
        fill(file)
        file.flush()
        return Path(file.name).open("rb")
