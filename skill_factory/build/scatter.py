"""Rows go to where their questions are: sorted by the written order, and cut into contiguous partitions.

Each piece of the source becomes chunks: Arrow files of canonical rows, sorted by order key, with the row at which each
of 4,096 buckets (the first 12 bits of the key) begins. A chunk holds a stretch of the order, an eighth of all buckets;
when the partitions of a stretch are built, its chunks are removed while the rest is still being built. The number of
partitions follows only from the bytes of text in each bucket, never from workers, files or the order of rows.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.build.mixed_source import PART, PieceOfPart, recipe_for
from skill_factory.draws import order_keys
from skill_factory.judge.facts import one_array, question_ids
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.model import Recipe
from skill_factory.sources import Piece
from skill_factory.sources.canonical import canonical, tally_rows
from skill_factory.sources.columns import CANONICAL
from skill_factory.tally import Tally, of_source
from skill_factory.whole_files import replaced_whole

BUCKETS = 4096
STRETCHES = 8
"""Files that sorted rows are written to: the more there are, the sooner the first can go, and the smaller each is."""
_SHIFT = np.uint64(64 - 12)
SORTED_BYTES = 48_000_000
"""Bytes of rows that are sorted in memory together."""
PARTITION_BYTES = 64_000_000
"""Bytes of mapped text in a partition, which one worker holds at a time."""
PIECE_BYTES = 1 << 20
"""Bytes in one call to write."""
MAPPED = 8
"""Chunks that are mapped into memory together."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Chunk:
    """
    Canonical rows on disk, sorted by order key; bucket `first + k` holds rows `starts[k]` to `starts[k + 1]`.

    Once partitions are cut, `first` and `starts` count partitions instead of buckets.
    """

    path: Path
    first: int
    starts: Counts

    @property
    def span(self) -> range:
        """The buckets, or later the partitions, whose rows are in the chunk."""
        return range(self.first, self.first + len(self.starts) - 1)


@dataclass(frozen=True)
class Slice:
    """Some rows of a chunk: all that a worker needs to know about it."""

    path: Path
    start: int
    end: int

    def rows(self) -> pa.Table:
        """The rows, mapped into memory without a copy."""
        # Arrow's own memory map tells the system to read the whole chunk; a slice needs only its own pages.
        with self.path.open("rb") as file:
            mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
        return pa.ipc.open_file(pa.py_buffer(mapped)).read_all().slice(self.start, self.end - self.start)


@dataclass(frozen=True)
class Scattered:
    """What became of a piece: its chunks, the bytes of text in each bucket, and the tally of its rows."""

    chunks: list[Chunk]
    bytes: Counts
    tally: Tally
    variants: frozenset[str]
    """The prompt variants in it; "" stands for responses without one."""


@dataclass(frozen=True)
class Keyed:
    """What is known about the rows of a piece: bytes of text in each bucket, their tally, their prompt variants."""

    bytes: Counts
    tally: Tally
    variants: frozenset[str]


def keyed_rows(piece: Piece, recipe: AnyRecipe) -> tuple[pa.Table, Keyed]:
    """All canonical rows of a piece with a column `bucket` (int64), for engines that do the shuffling themselves."""
    tables, tally, size, variants = [], Tally(), np.zeros(BUCKETS, np.int64), set[str]()
    own = recipe_for(piece, recipe)
    for table in _gathered(piece, own, tally):
        variants |= _variants(table)
        buckets, measured = _buckets_and_bytes(*_keys_and_bytes(table, own.traces.seed))
        size += measured
        tables.append(table.append_column("bucket", pa.array(buckets)))
    empty = _marked(CANONICAL.empty_table(), piece).append_column("bucket", pa.array([], pa.int64()))
    return pa.concat_tables([empty, *tables]), Keyed(size, _of(piece, tally), frozenset(variants))


def scatter_piece(piece: Piece, recipe: AnyRecipe, folder: Path, name: str) -> Scattered:
    """Read a piece, and write its rows as chunks into a folder."""
    chunks: list[Chunk] = []
    tally, size, variants = Tally(), np.zeros(BUCKETS, np.int64), set[str]()
    own = recipe_for(piece, recipe)
    for table in _gathered(piece, own, tally):
        variants |= _variants(table)
        keys, per_row = _keys_and_bytes(table, own.traces.seed)
        buckets, measured = _buckets_and_bytes(keys, per_row)
        size += measured
        # Equal keys are rows of one question; a stable sort keeps these in the order of the source.
        order = np.argsort(keys, kind="stable")
        starts = np.searchsorted(buckets[order], np.arange(BUCKETS + 1)).astype(np.int64)
        table = table.take(pa.array(order))  # under the same name, which frees the unsorted rows
        chunks.extend(_write_chunks(table, starts, folder, f"{name}-{len(chunks):05d}"))
    return Scattered(chunks, size, _of(piece, tally), frozenset(variants))


def _buckets_and_bytes(keys: npt.NDArray[np.uint64], per_row: Counts) -> tuple[Counts, Counts]:
    """The bucket of each row, and the bytes of text in each bucket."""
    buckets = (keys >> _SHIFT).astype(np.int64)
    return buckets, np.bincount(buckets, weights=per_row, minlength=BUCKETS).astype(np.int64)


def _variants(table: pa.Table) -> set[str]:
    return {name or "" for name in pc.unique(table["variant"]).to_pylist()}


def _gathered(piece: Piece, recipe: Recipe, tally: Tally) -> Iterator[pa.Table]:
    """Canonical rows in tables of at most SORTED_BYTES, unless one batch is larger."""
    waiting: list[pa.Table] = []
    size = 0
    for batch in piece.batches(recipe.columns):
        rows = canonical(batch, recipe.columns)
        tally.add(tally_rows(rows))
        if not rows.table.num_rows:
            continue
        if waiting and size + rows.table.nbytes > SORTED_BYTES:
            joined, waiting, size = [_marked(_joined(waiting), piece)], [], 0
            yield joined.pop()  # no name here holds on to it, so the receiver can free it
        waiting.append(rows.table)
        size += rows.table.nbytes
    if waiting:
        yield _marked(_joined(waiting), piece)


def _marked(table: pa.Table, piece: Piece) -> pa.Table:
    """The rows of a mixture's piece with the number of their source; any others as they are."""
    if not isinstance(piece, PieceOfPart):
        return table
    return table.append_column(PART, pa.repeat(pa.scalar(piece.part, PART.type), table.num_rows))


def _of(piece: Piece, tally: Tally) -> Tally:
    return of_source(piece.name, tally) if isinstance(piece, PieceOfPart) else tally


def _joined(tables: list[pa.Table]) -> pa.Table:
    """One table in one piece: otherwise each later step would copy the pieces again."""
    return pa.concat_tables(tables).combine_chunks()


def _keys_and_bytes(table: pa.Table, seed: int) -> tuple[npt.NDArray[np.uint64], Counts]:
    """For each row the order key of its question, and the UTF-8 bytes of its texts."""
    # Ids are computed once for each different question, not once a row.
    places, ids, _ = question_ids(table["question"])
    size = np.zeros(table.num_rows, np.int64)
    for name in ("question", "answer", "response", "extracted"):
        size += pc.fill_null(pc.binary_length(table[name]), 0).to_numpy()
    # Reflections are lists: their bytes are summed up by the ends of each row's stretch.
    lists = one_array(table["reflections"])
    lengths = pc.binary_length(lists.flatten()).to_numpy(zero_copy_only=False)
    ends = np.cumsum(np.concatenate([[0], lengths]))
    counts = np.cumsum(np.concatenate([[0], pc.list_value_length(lists).to_numpy(zero_copy_only=False)]))
    size += (ends[counts[1:]] - ends[counts[:-1]]).astype(np.int64)
    return order_keys(seed, ids)[places], size


def _write_chunks(table: pa.Table, starts: Counts, folder: Path, name: str) -> Iterator[Chunk]:
    """A chunk for each stretch that has rows; `starts` are those of all buckets."""
    width = BUCKETS // STRETCHES
    for first in range(0, BUCKETS, width):
        own = starts[first : first + width + 1]
        if rows := int(own[-1] - own[0]):
            path = folder / f"{name}-{first:04d}.arrow"
            _write_rows(table.slice(int(own[0]), rows), path)
            yield Chunk(path, first, own - own[0])


def _write_rows(table: pa.Table, path: Path) -> None:
    with (
        replaced_whole(path) as partial,
        InPieces(partial, "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)


class InPieces(FileIO):
    """
    A file that is written a megabyte at a time.

    The system caches what is written in pieces of memory as large as each call. A virtual machine returns pieces of 2 MB
    and more to its host when they are free, and getting them back costs ten times as much.
    """

    def write(self, data: Any, /) -> int:
        view = memoryview(data)
        done = 0
        while done < len(view):
            done += super().write(view[done : done + PIECE_BYTES])
        return done


def rows_of(slices: Sequence[Slice]) -> pa.Table:
    """The canonical rows in some slices."""
    return pa.concat_tables([*_copied(slices)]) if slices else CANONICAL.empty_table()


def _copied(slices: Sequence[Slice]) -> Iterator[pa.Table]:
    """Copies of the slices, a few chunks at a time: a mapped chunk counts as memory with far more than its slice."""
    for start in range(0, len(slices), MAPPED):
        batch = slices[start : start + MAPPED]
        yield pa.concat_tables([slice_.rows() for slice_ in batch]).combine_chunks()


@dataclass(frozen=True)
class Partitions:
    """A sorted source: which buckets make up which partition, and where their rows are."""

    chunks: Sequence[Chunk]
    cuts: Sequence[int]
    """Partition p holds the buckets cuts[p] to cuts[p + 1]."""

    def __len__(self) -> int:
        return len(self.cuts) - 1

    def slices(self, p: int) -> list[Slice]:
        """The slices that hold the rows of partition p."""
        holding = (
            (c.path, c.starts[p - c.first : p - c.first + 2].tolist()) for c in self.chunks if p in c.span
        )
        return [Slice(path, start, end) for path, (start, end) in holding if end > start]

    def files(self) -> dict[range, list[Path]]:
        """All files, by the partitions whose rows they hold."""
        by_span: dict[range, list[Path]] = {}
        for chunk in self.chunks:
            by_span.setdefault(chunk.span, []).append(chunk.path)
        return by_span

    def to_json(self) -> dict[str, Any]:
        """File names and cuts, as JSON values."""
        chunks = [[c.path.name, c.first, c.starts.tolist()] for c in self.chunks]
        return {"chunks": chunks, "cuts": list(self.cuts)}


def partitions_from_json(tree: dict[str, Any], folder: Path) -> Partitions:
    """The inverse of `Partitions.to_json`, for chunks in a folder."""
    chunks = [
        Chunk(folder / name, first, np.array(starts, np.int64)) for name, first, starts in tree["chunks"]
    ]
    return Partitions(chunks, tree["cuts"])


def partitions(chunks: Sequence[Chunk], size: Counts) -> Partitions:
    """Cut the buckets into contiguous ranges with about PARTITION_BYTES of text each."""
    ends = np.cumsum(size)
    every = int(ends[-1])
    n = max(1, min(BUCKETS, -(-every // PARTITION_BYTES)))
    n += n % 2 if 1 < n < BUCKETS else 0  # an even number, so that two workers finish together
    # Cut at the buckets where the running sum of text passes each n-th part.
    inner = np.searchsorted(ends, [every * p // n for p in range(1, n)], side="right")
    cuts = sorted({0, BUCKETS, *inner.tolist()})
    return Partitions([_cut(chunk, cuts) for chunk in chunks], cuts)


def _cut(chunk: Chunk, cuts: Sequence[int]) -> Chunk:
    """The chunk with partitions instead of buckets."""
    # A chunk may begin or end within a partition; clipping keeps it to the rows that it has.
    first = bisect_right(cuts, chunk.span.start) - 1
    last = bisect_left(cuts, chunk.span.stop)
    inside = np.clip(np.array(cuts[first : last + 1]) - chunk.first, 0, len(chunk.span))
    return Chunk(chunk.path, first, chunk.starts[inside])
