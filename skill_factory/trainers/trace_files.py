"""The traces of a build as a trainer reads them: all rows or some, with a column renamed or not."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.traces.chats import Message, whole_chat
from skill_factory.traces.rows import MESSAGE
from skill_factory.trainers.bundle import ROWS_AT_ONCE, Bundle
from skill_factory.trainers.record import Keep

TURNS = pa.list_(MESSAGE)


CHAT = pa.list_(pa.json_(pa.string()))
"""Messages that differ in their fields, each as JSON: `datasets` gives back what was written, without fields of nothing."""


def _pairs(conversations: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The user's and the assistant's turn of each row, as lists of one message."""
    turns = conversations.flatten()
    ones = pa.array(np.arange(len(conversations) + 1, dtype=np.int32))
    return (
        pa.ListArray.from_arrays(ones, turns.take(pa.array(np.arange(0, len(turns), 2)))),
        pa.ListArray.from_arrays(ones, turns.take(pa.array(np.arange(1, len(turns), 2)))),
    )


def write_chats(bundle: Bundle, folder: Path, keep: Keep) -> None:
    """
    Write the shards of a build whose questions stand in conversations, with calls of tools as chat templates take them.

    `prompt` is everything before the trace, `completion` the trace, `messages` both; other columns stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = 0
    for shard in bundle.shards:
        file = pq.ParquetFile(shard)
        rest = [field for field in file.schema_arrow if field.name != "conversations"]
        names = [("prompt", CHAT), ("completion", CHAT), ("messages", CHAT)]
        schema = pa.schema([*(pa.field(*one) for one in names), *rest])
        with pq.ParquetWriter(folder / shard.name, schema) as writer:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                part = None if keep is None else keep[done : done + batch.num_rows]
                done += batch.num_rows
                rows = batch if part is None else batch.filter(pa.array(part))
                chats = [whole_chat(row) for row in rows.to_pylist()]
                made = [[one[:-1] for one in chats], [one[-1:] for one in chats], chats]
                columns = [*map(_as_json, made), *(rows.column(field.name) for field in rest)]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def _as_json(chats: Sequence[Sequence[Message]]) -> pa.Array:
    texts = pa.array([json.dumps(one, ensure_ascii=False) for chat in chats for one in chat], pa.string())
    ends = np.cumsum([0, *map(len, chats)]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(ends), pa.ExtensionArray.from_storage(CHAT.value_type, texts)
    ).cast(CHAT)


def write_traces(
    bundle: Bundle, folder: Path, keep: Keep, rename: Mapping[str, str] | None = None, pairs: bool = False
) -> None:
    """
    Write the build's shards: all rows or those to keep, with columns renamed, as plain Parquet.

    With `pairs` question and trace stand in `prompt` and `completion` too, each as a list of one message.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = 0
    for shard in bundle.shards:
        # The build's own bytes, if nothing changes.
        if keep is None and not rename:
            shutil.copyfile(shard, folder / shard.name)
            continue
        file = pq.ParquetFile(shard)
        names = [(rename or {}).get(name, name) for name in file.schema_arrow.names]
        schema = pa.schema(
            [field.with_name(name) for field, name in zip(file.schema_arrow, names, strict=True)]
        )
        if pairs:
            # In front, so that what is trained is what a viewer shows first.
            schema = pa.schema([pa.field("prompt", TURNS), pa.field("completion", TURNS), *schema])
        # Shard by shard, so that one is in memory at a time.
        with pq.ParquetWriter(folder / shard.name, schema) as writer:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                stays = pa.array(
                    np.ones(batch.num_rows, bool) if keep is None else keep[done : done + batch.num_rows]
                )
                # `keep` counts rows over all shards, hence `done`.
                columns = [*_pairs(batch.column("conversations")), *batch.columns] if pairs else batch.columns
                cast = [column.cast(field.type) for column, field in zip(columns, schema, strict=True)]
                writer.write_batch(pa.RecordBatch.from_arrays(cast, schema=schema).filter(stays))
                done += batch.num_rows
