"""The least that any build has to do: read the mapped columns, write the result. usage: RAW.parquet RESULT_DIR OUT.parquet"""

import sys
from pathlib import Path

import pyarrow.parquet as pq

from skill_factory.build.prepare import settled_columns
from skill_factory.recipe.model import Columns
from skill_factory.sources.columns import mapped, needed_columns
from skill_factory.sources.files import FileSource


def main(raw: str, result: str, out: str) -> None:
    """Read one, copy the other: rows that were made before go through the same writer."""
    columns = settled_columns(FileSource.open(raw), Columns())
    names = needed_columns(columns, [path for _, path in mapped(columns)])
    file = pq.ParquetFile(raw)
    for batch in file.iter_batches(columns=names):
        del batch
    shards = sorted(Path(result, "sft_train").glob("*.parquet"))
    with pq.ParquetWriter(
        out, pq.ParquetFile(shards[0]).schema_arrow, compression="zstd", compression_level=1
    ) as writer:
        for shard in shards:
            for batch in pq.ParquetFile(shard).iter_batches():
                writer.write_batch(batch)


if __name__ == "__main__":
    main(*sys.argv[1:])
