"""A dataset on the Hub: looked at first, pinned to its commit, and read by range requests, mapped columns only."""

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow.parquet as pq

from skill_factory.errors import SkillFactoryError, SourceError
from skill_factory.hub.file_patterns import WHOLE
from skill_factory.recipe.model import Columns, Source
from skill_factory.sources import Piece
from skill_factory.sources.columns import Batch, excerpt, needed_columns
from skill_factory.sources.hub_whole import whole_rows
from skill_factory.sources.parquet import sound
from skill_factory.sources.text import stream_batches
from skill_factory.sources.unreadable import UNREADABLE, is_of_file, why

BATCH_BYTES = 16_000_000
BATCH_ROWS = 1_000


def looks_like_repo(text: str) -> bool:
    """Whether a text can be `user/name` or `user/name@revision`."""
    return re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?", text) is not None


@dataclass(frozen=True)
class HubSource:
    """One split of one config of a dataset at one commit."""

    spec: Source
    kind: str
    """`parquet`, or the `datasets` builder that reads the files."""
    files: tuple[str, ...]
    size: int
    rows: int
    token: str | None = field(repr=False)

    @classmethod
    def named(cls, text: str, asked: Source, token: str | None) -> "HubSource":
        """From `user/name[@revision]`; config and split from what was asked. Errors: HubError, SourceError."""
        from skill_factory.hub.look import look

        name, _, revision = text.partition("@")
        seen = look(name, token, revision or asked.revision or None)
        config = seen.config(asked.config)
        if config is None:
            known = ", ".join(one.name for one in seen.configs)
            raise SourceError(
                f"{name} has no config {asked.config!r}. Choose from: {known}."
                if known
                else f"{name} holds no file that can be read as a table (Parquet, JSON, CSV)."
            )
        split = next((one for one in config.splits if one.name == asked.split), None)
        if split is None:
            known = ", ".join(one.name for one in config.splits)
            raise SourceError(f"{name} ({config.name}) has no split {asked.split!r}. Choose from: {known}.")
        spec = Source(kind="hub", name=name, config=config.name, split=split.name, revision=seen.commit)
        return cls(spec, config.kind, split.files, split.size, split.rows or 0, token)

    def names(self) -> list[str]:
        """Columns of the first file, or of the first rows."""
        if self.kind == "parquet":
            return list(_file(self._address(self.files[0]), self.token).schema_arrow.names)
        return list(dict.fromkeys(name for row in self.head(50) for name in row))

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows; of Parquet only the pages that hold them are asked for."""
        if self.kind == "parquet":
            found: list[dict[str, Any]] = []
            for path in self.files:
                for batch in _batches(_file(self._address(path), self.token), None, rows):
                    found.extend(batch if isinstance(batch, list) else batch.to_pylist())
                    if len(found) >= rows:
                        return found[:rows]
            return found
        return list(islice(_stream(self.kind, self._addresses(), self.token), rows))

    def pieces(self) -> list[Piece]:
        """A piece per Parquet file; other formats as one stream."""
        if self.kind == "parquet":
            return [HubParquet(address, self.token) for address in self._addresses()]
        return [HubStream(self.kind, tuple(self._addresses()), self.token)]

    def pinned(self) -> Source:
        """The spec; its commit identifies the content."""
        return self.spec

    def _addresses(self) -> list[str]:
        return [self._address(path) for path in self.files]

    def _address(self, path: str) -> str:
        return f"datasets/{self.spec.name}@{self.spec.revision}/{path}"


@dataclass(frozen=True)
class HubParquet:
    """One Parquet file."""

    address: str
    token: str | None = field(repr=False)
    size = 0

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """Its rows, mapped columns only."""
        file = _file(self.address, self.token)
        names = needed_columns(columns, file.schema_arrow.names)
        whole = file.metadata
        size = sum(whole.row_group(g).total_byte_size for g in range(whole.num_row_groups))
        # By the mean row, so that a batch takes some megabytes whether rows are short or long.
        rows = max(16, min(65_536, BATCH_BYTES // max(1, size // max(1, whole.num_rows))))
        yield from _batches(file, names, rows)


@dataclass(frozen=True)
class HubStream:
    """Files of another format, read one after the other by the `datasets` library."""

    kind: str
    addresses: tuple[str, ...]
    token: str | None = field(repr=False)
    size = 0

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """The rows with all their columns."""
        rows = _stream(self.kind, list(self.addresses), self.token)
        while batch := list(islice(rows, BATCH_ROWS)):
            yield batch


def _file(address: str, token: str | None) -> pq.ParquetFile:
    from skill_factory.hub.client import file_system
    from skill_factory.hub.errors import plainly

    with plainly(_repo(address), token):
        # The footer and the wanted column chunks are asked for by range; nothing is kept on disk.
        opened = file_system(token).open(address, block_size=4 << 20)
        try:
            return pq.ParquetFile(opened, pre_buffer=True)
        except UNREADABLE as error:
            # What the network does is said by `plainly`, which knows a missing token from a dropped line.
            if not is_of_file(error):
                raise
            raise SourceError(
                f"{address} can't be read as Parquet: {excerpt(why(error), 200)}. Is the file complete?"
            ) from None


def _batches(file: pq.ParquetFile, names: list[str] | None, rows: int) -> Iterator[Batch]:
    try:
        # Pieces are read side by side already; Arrow's own threads would only hold more in memory.
        for batch in file.iter_batches(rows, columns=names, use_threads=False):
            yield sound(batch)
    except UNREADABLE as error:
        raise SourceError(f"The Hub's file could not be read to its end: {error}. Try again.") from None


def _stream(kind: str, addresses: list[str], token: str | None) -> Iterator[dict[str, Any]]:
    if kind in TEXT_KINDS:
        # By our own reader, as from disk: the library settles the types of columns by the first rows it sees.
        yield from (row for address in addresses for row in _text_rows(address, token))
        return
    if kind == WHOLE:
        yield from (row for address in addresses for row in whole_rows(address, token))
        return
    yield from _library_rows(kind, addresses, token)


TEXT_KINDS = ("json", "csv")


def _text_rows(address: str, token: str | None) -> Iterator[dict[str, Any]]:
    from skill_factory.hub.client import file_system
    from skill_factory.hub.errors import plainly
    from skill_factory.hub.layout import ending

    name = address.rpartition("/")[2]
    with plainly(_repo(address), token):
        opened = file_system(token).open(address, block_size=4 << 20)
    batches = stream_batches(opened, name, int(opened.size or 0), ending(name), BATCH_ROWS)
    while True:
        with plainly(_repo(address), token):
            batch = next(batches, None)
        if batch is None:
            return
        yield from batch


def _library_rows(kind: str, addresses: list[str], token: str | None) -> Iterator[dict[str, Any]]:
    from datasets import load_dataset

    from skill_factory.hub.errors import plainly

    # Streaming writes nothing to the library's cache, which would answer a later visitor without asking the Hub.
    rows: Iterator[dict[str, Any]] | None = None
    while True:
        try:
            with plainly(_repo(addresses[0]), token):
                if rows is None:
                    files = [f"hf://{glob.escape(address)}" for address in addresses]
                    found = load_dataset(
                        kind, data_files=files, split="train", streaming=True, token=token or False
                    )
                    rows = iter(found)
                row = next(rows, None)
        except (SkillFactoryError, MemoryError):
            raise
        except Exception as error:  # whatever the library's readers fall over, it is these files
            said = excerpt(str(error), 200) or "nothing stands in them"
            raise SourceError(f"The files of {_repo(addresses[0])} can't be read: {said}.") from None
        if row is None:
            return
        yield row


def _repo(address: str) -> str:
    return "/".join(address.split("/")[1:3]).partition("@")[0]
