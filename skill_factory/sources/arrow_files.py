"""Arrow files, as `Dataset.save_to_disk` and Feather write them: mapped into memory, batch by batch."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from skill_factory.sources.columns import Batch
from skill_factory.sources.parquet import sound
from skill_factory.sources.text import damaged
from skill_factory.sources.unreadable import UNREADABLE

ROWS_AT_ONCE = 4_096


def arrow_names(path: Path) -> list[str]:
    """Names of the columns. Errors: SourceError."""
    try:
        with pa.memory_map(str(path)) as file:
            return list(_reader(file).schema.names)
    except UNREADABLE as error:
        raise damaged(path, error) from None


def arrow_batches(path: Path, names: list[str] | None = None, rows: int = ROWS_AT_ONCE) -> Iterator[Batch]:
    """The rows in batches, of some columns or all. Errors: SourceError."""
    try:
        with pa.memory_map(str(path)) as file:
            for batch in _batches(_reader(file)):
                wanted = (
                    batch if names is None else batch.select([n for n in names if n in batch.schema.names])
                )
                # `save_to_disk` writes batches of any size, and a batch is looked into as a whole.
                for start in range(0, wanted.num_rows, rows):
                    yield sound(wanted.slice(start, rows))
    except UNREADABLE as error:
        raise damaged(path, error) from None


def _reader(file: pa.MemoryMappedFile) -> pa.ipc.RecordBatchReader | pa.ipc.RecordBatchFileReader:
    """A file has its magic at both ends; `datasets` writes streams, which have none."""
    if file.read(6) == b"ARROW1":
        file.seek(0)
        return pa.ipc.open_file(file)
    file.seek(0)
    return pa.ipc.open_stream(file)


def _batches(reader: pa.ipc.RecordBatchReader | pa.ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        yield from (reader.get_batch(k) for k in range(reader.num_record_batches))
    else:
        yield from reader
