"""Rows on their way to partitions: each arrives once, in files that hold its text once and go when nobody wants them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.scatter import (
    BUCKETS,
    PARTITION_BYTES,
    STRETCHES,
    Chunk,
    partitions,
    partitions_from_json,
    rows_of,
    scatter_piece,
)
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources.columns import CANONICAL
from skill_factory.sources.files import FileSource
from skill_factory.sources.neighbours import read_together

COLUMNS = Columns(
    question="question", response=("response",), correct=("correct",), reflections=("reflections",)
)
ROWS = [
    {
        "question": f"Question {k // 4}",
        "response": f"step {k} " * 250,
        "correct": bool(k % 3),
        "reflections": [f"because {k} {n} " * 40 for n in range(4)],
    }
    for k in range(2000)
]
TEXT = sum(len(row["question"]) + len(row["response"]) + sum(map(len, row["reflections"])) for row in ROWS)


def test_work_files_hold_the_text_once(tmp_path: Path) -> None:
    """Rows of some kilobytes take little more room sorted than their texts, and all of them come back."""
    path, folder = tmp_path / "raw.parquet", tmp_path / "scattered"
    pq.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=100)
    folder.mkdir()
    (piece,) = read_together(FileSource.open(str(path)).pieces())
    found = scatter_piece(piece, Recipe(columns=COLUMNS), folder, "piece")
    assert found.bytes.sum() == TEXT
    assert len(found.chunks) == STRETCHES
    assert TEXT < sum(one.stat().st_size for one in folder.iterdir()) < 1.1 * TEXT

    cut = partitions(found.chunks, found.bytes * (20 * PARTITION_BYTES // TEXT))
    rows = pa.concat_tables(rows_of(cut.slices(p)) for p in range(len(cut)))
    assert len(cut) > 10
    assert rows.schema == CANONICAL
    assert sorted(rows["response"].to_pylist()) == sorted(row["response"] for row in ROWS)


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, BUCKETS - 1), min_size=1, max_size=60),
    st.integers(1, 4),
    st.sampled_from([1, PARTITION_BYTES // 3, 3 * PARTITION_BYTES]),
)
def test_a_file_is_wanted_by_the_partitions_of_its_span_alone(
    buckets: list[int], pieces: int, row: int
) -> None:
    """However rows lie and partitions are cut: each row is in one slice, and no slice is of a file whose span is over."""
    width, chunks = BUCKETS // STRETCHES, []
    for k in range(pieces):
        counts = np.bincount(buckets[k::pieces], minlength=BUCKETS)
        for first in range(0, BUCKETS, width):
            starts = np.concatenate([[0], np.cumsum(counts[first : first + width])])
            chunks.append(Chunk(Path(f"piece-{k}-{first}.arrow"), first, starts))
    cut = partitions(chunks, np.bincount(buckets, minlength=BUCKETS) * row)
    again = partitions_from_json(cut.to_json(), Path())
    taken = 0
    for p in range(len(cut)):
        slices = cut.slices(p)
        assert slices == again.slices(p)
        wanted = {path for span, paths in cut.files().items() if p in span for path in paths}
        assert {one.path for one in slices} <= wanted
        taken += sum(one.end - one.start for one in slices)
    assert taken == len(buckets)
    assert sorted(path for paths in cut.files().values() for path in paths) == sorted(c.path for c in chunks)
