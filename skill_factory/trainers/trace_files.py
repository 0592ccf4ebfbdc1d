"""The traces of a build as a trainer reads them: all rows or some, with a column renamed or not."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.trainers.bundle import ROWS_AT_ONCE, Bundle
from skill_factory.trainers.record import Keep


def write_traces(bundle: Bundle, folder: Path, keep: Keep, rename: Mapping[str, str] | None = None) -> None:
    """Write the build's shards: all rows or those to keep, with columns renamed, as plain Parquet."""
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
        # Shard by shard, so that one is in memory at a time.
        with pq.ParquetWriter(folder / shard.name, schema) as writer:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                stays = pa.array(
                    np.ones(batch.num_rows, bool) if keep is None else keep[done : done + batch.num_rows]
                )
                # `keep` counts rows over all shards, hence `done`.
                writer.write_batch(batch.rename_columns(names).cast(schema).filter(stays))
                done += batch.num_rows
