"""Parquet files, read so that no file takes more memory than a bound, whatever it claims to hold.

Two things can make a small Parquet file huge: pages that unpack to a thousand times their size, and one long text in a
dictionary that a million rows point at. The first is told by the footer, the second by a look into the dictionary.
"""

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from skill_factory.errors import SourceError
from skill_factory.sources.columns import Batch
from skill_factory.sources.text import damaged
from skill_factory.sources.unreadable import UNREADABLE

BATCH_BYTES = 16_000_000
LARGEST_BATCH = 512_000_000
"""Bytes that a batch may have where every text were as long as the longest in the dictionary."""
LARGEST_CHUNK = 1_000_000_000
MOST_UNPACKED = 100
"""A column chunk above LARGEST_CHUNK may be so many times larger than it is stored; texts pack to a tenth at best."""
MOST_REPEATED = 1000
"""A mapped column above LARGEST_CHUNK may be so many times as large as its pages, which hold repeated texts once."""


def opened(path: Path, dictionaries: list[str] | None = None) -> pq.ParquetFile:
    """The file. Errors: SourceError."""
    try:
        # By what changes with the file, since a file may be replaced under its name while a page is open.
        footer = _footer(path, _state(path))
        return pq.ParquetFile(
            path, metadata=footer, pre_buffer=False, buffer_size=1 << 20, read_dictionary=dictionaries
        )
    except (
        pa.ArrowException,
        OSError,
        UnicodeError,
    ) as error:  # the last: a column name of broken bytes
        raise damaged(path, error) from None


def _state(path: Path) -> tuple[int, ...]:
    """What changes with a file: remembered is what was read of it in this state."""
    seen = os.stat(path)
    return seen.st_ino, seen.st_size, seen.st_mtime_ns


@lru_cache(maxsize=2)
def _footer(path: Path, state: tuple[int, ...]) -> pq.FileMetaData:
    """The footer of a file as it is now: it names each row group, and each row group asks for it again."""
    return pq.read_metadata(path)


def checked_names(file: pq.ParquetFile, path: Path) -> list[str]:
    """Names of the columns. Errors: SourceError where two are the same."""
    names: list[str] = file.schema_arrow.names
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError(f"{path.name} has two columns named {twice!r}. Rename one of them.")
    return names


def group_batches(
    path: Path, group: int, names: list[str] | None = None, most: int = 65_536
) -> Iterator[Batch]:
    """The rows of a row group in batches of at most `most` rows, of some columns or all. Errors: SourceError."""
    file = opened(path)
    try:
        size = min(most, _rows_at_once(path, file.metadata.row_group(group), group, names))
        for batch in file.iter_batches(size, row_groups=[group], columns=names, use_threads=False):
            yield sound(batch)
    except (*UNREADABLE, MemoryError) as error:
        raise damaged(path, error) from None


SMALL_GROUP, TOGETHER = 64_000, 4_000_000
"""Bytes of a row group that is read with its neighbours, and of what is read at once."""
FEW_ROWS = 1_000
"""Rows that a small group may have: however often they repeat one text of it, they fit a batch."""


def groups_together(footer: pq.FileMetaData) -> Iterator[tuple[list[int], int]]:
    """The row groups of a file in order, small neighbours together, and the bytes of each run."""
    run: list[int] = []
    size = 0
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        own, small = (
            group.total_byte_size,
            group.num_rows <= FEW_ROWS and group.total_byte_size <= SMALL_GROUP,
        )
        if run and (not small or size + own > TOGETHER):
            yield run, size
            run, size = [], 0
        if small:
            run, size = [*run, number], size + own
        else:
            yield [number], own
    if run:
        yield run, size


def many_group_batches(path: Path, groups: Sequence[int], names: list[str] | None) -> Iterator[Batch]:
    """The rows of some small row groups, put together to batches of a size that is worth its while. Errors: SourceError."""
    waiting: list[pa.RecordBatch] = []
    size = 0
    try:
        for batch in opened(path).iter_batches(
            65_536, row_groups=list(groups), columns=names, use_threads=False
        ):
            waiting.append(batch)
            size += batch.nbytes
            if size >= TOGETHER:
                yield sound(pa.concat_batches(waiting))
                waiting, size = [], 0
        if waiting:
            yield sound(pa.concat_batches(waiting))
    except (*UNREADABLE, MemoryError) as error:
        raise damaged(path, error) from None


def _rows_at_once(path: Path, group: pq.RowGroupMetaData, number: int, names: list[str] | None) -> int:
    """How many rows of a group fit a batch, by its mean row and by the longest text of its dictionaries."""
    per_row = max(1, group.total_byte_size // max(1, group.num_rows))
    size: int = max(16, min(65_536, BATCH_BYTES // per_row))
    leaves = [group.column(place) for place in range(group.num_columns)]
    if names is not None:
        wanted = tuple(f"{name}." for name in names)
        leaves = [one for one in leaves if f"{one.path_in_schema}.".startswith(wanted)]
    for leaf in leaves:
        _check_chunk(path, leaf)
    packed = [one for one in leaves if one.physical_type == "BYTE_ARRAY" and one.has_dictionary_page]
    for leaf, longest in _longest(path, number, packed):
        # Lists hold several texts in a row.
        in_row = max(1, leaf.num_values // max(1, group.num_rows))
        size = min(size, max(1, LARGEST_BATCH // max(1, longest * in_row)))
        most = max(LARGEST_CHUNK, MOST_REPEATED * leaf.total_uncompressed_size)
        # The product assumes that all rows point at the longest text; only where even that would be too much are they
        # counted.
        if names is not None and longest * leaf.num_values > most and _repeated(path, number, leaf, most):
            raise _bomb(path, leaf)
    return size


def _check_chunk(path: Path, leaf: pq.ColumnChunkMetaData) -> None:
    whole, stored = leaf.total_uncompressed_size, max(1, leaf.total_compressed_size)
    if whole > LARGEST_CHUNK and whole > MOST_UNPACKED * stored:
        raise _bomb(path, leaf)


def _bomb(path: Path, leaf: pq.ColumnChunkMetaData) -> SourceError:
    name = leaf.path_in_schema.partition(".")[0]
    return SourceError(
        f"{path.name} is small, but its column {name!r} would unpack to more than {MOST_UNPACKED} times what is stored. "
        "Leave that column out, or write the file again without it."
    )


def _longest(
    path: Path, number: int, leaves: list[pq.ColumnChunkMetaData]
) -> Iterator[tuple[pq.ColumnChunkMetaData, int]]:
    """For each column chunk, bytes of the longest text in its dictionary; a chunk's first row brings all of it."""
    state = _state(path) if leaves else ()
    for leaf in leaves:
        if longest := _longest_text(path, state, number, leaf.path_in_schema):
            yield leaf, longest


# The head of a source is read for a guess, then its rows: the same dictionaries twice, at a third of the price of a look.
@lru_cache(maxsize=256)
def _longest_text(path: Path, state: tuple[int, ...], number: int, name: str) -> int:
    """Bytes of the longest text in the dictionary of a column chunk, in the file as it is now; 0 where it has none."""
    rows = opened(path, [name]).iter_batches(1, row_groups=[number], columns=[name], use_threads=False)
    batch = next(iter(rows), None)
    found = _dictionary(batch.column(0)) if batch is not None and batch.num_columns else None
    return int(pc.max(pc.binary_length(found)).as_py() or 0) if found is not None and len(found) else 0


def _repeated(path: Path, number: int, leaf: pq.ColumnChunkMetaData, most: int) -> bool:
    """Whether the texts of a column chunk, each as often as rows point at it, have more than `most` bytes."""
    name = leaf.path_in_schema
    read = 0
    try:
        for batch in opened(path, [name]).iter_batches(
            4096, row_groups=[number], columns=[name], use_threads=False
        ):
            found = _indices(batch.column(0))
            if found is None:
                return False
            lengths = pc.binary_length(found.dictionary)
            read += int(pc.sum(lengths.take(found.indices.drop_null())).as_py() or 0)
            if read > most:
                return True
    except pa.ArrowNotImplementedError:
        return False  # a list whose dictionary was full: what is behind it stands there in full
    return False


def _dictionary(column: pa.Array) -> pa.Array | None:
    found = _indices(column)
    return None if found is None else found.dictionary


def _indices(column: pa.Array) -> pa.DictionaryArray | None:
    """The texts of a column, as deep as they lie."""
    while not pa.types.is_dictionary(column.type):
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            column = column.flatten()
        elif pa.types.is_struct(column.type) and column.type.num_fields:
            column = column.field(0)
        else:
            return None
    return column


# -- texts that are none -------------------------------------------------------------------------------------------


def sound(batch: pa.RecordBatch) -> Batch:
    """
    The batch; or, where a text in it is not UTF-8, its rows, with that text as bytes.

    Parquet readers don't look into texts, and Python would stop at the first such text, wherever that is.
    """
    batch = _usual_types(batch)
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        wide = pa.schema([(field.name, _as_bytes(field.type)) for field in batch.schema])
        return [{name: _text(value) for name, value in row.items()} for row in batch.cast(wide).to_pylist()]
    return batch


def _usual_types(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Decimals as numbers, and texts that an older writer stored as bytes as texts; all else as it is."""
    fields = [pa.field(field.name, _usual_type(field.type)) for field in batch.schema]
    if all(new.type == old.type for new, old in zip(fields, batch.schema, strict=True)):
        return batch
    return batch.cast(pa.schema(fields))


def _usual_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_decimal(kind):
        return pa.float64()
    return pa.large_string() if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else kind


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.large_binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.large_list(_as_bytes(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _as_bytes(field.type)) for field in kind])
    return kind


def _text(value: Any) -> Any:
    """The value with bytes as text where they are text."""
    if isinstance(value, list):
        return [_text(one) for one in value]
    if isinstance(value, dict):
        return {name: _text(one) for name, one in value.items()}
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value
