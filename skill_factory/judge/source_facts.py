"""The narrow table of a whole source: a sample at once, all of it when everything was read.

The exact table of a large source is made by a process of its own (`work/reading.py`), so that a page stays quick; it is
kept as an .npz file under a key of what it depends on. No texts are kept, only hashes, lengths and flags.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa

from skill_factory.arrow_alone import arrow_alone
from skill_factory.judge.facts import Facts, joined, question_ids, read
from skill_factory.reasons import Level
from skill_factory.recipe.model import Columns, Recipe
from skill_factory.sources import Piece, RawSource
from skill_factory.sources.canonical import canonical, tally_rows
from skill_factory.sources.columns import CANONICAL, Batch
from skill_factory.tally import Tally, tally_from_json
from skill_factory.whole_files import written_whole

SAMPLE_BYTES = 8_000_000
"""Text of a sample: a few thousand responses, read in some tenths of a second."""
READ_BYTES = 16_000_000
VERSION = 3
"""Grows when the same texts would give another table."""

Told = Callable[[int, int], None]
"""(pieces read, pieces in all)."""


@dataclass(frozen=True)
class Narrow:
    """Facts of a source or of its beginning."""

    facts: Facts
    rows: Tally
    """Rows read and dropped, and what the dropped ones took along."""
    whole: bool
    """Whether this is all of the source."""
    grouped: bool = True
    """Whether rows of one question stand together; where not, a sample says nothing of whole questions."""

    @property
    def telling(self) -> bool:
        """Whether numbers per question can be believed."""
        return self.whole or self.grouped

    def scale(self, every: int | None) -> float:
        """How many times larger a source of so many rows is than what was read of it: 1 if all was read, 0 if unknown."""
        read = self.rows.ledger[Level.ROWS].read
        return 1.0 if self.whole else (every / read if read and every else 0.0)


def facts_key(source: RawSource, recipe: Recipe) -> str:
    """What the narrow table depends on, as a name: the content of the source and how its texts are read."""
    tree = recipe.model_dump(mode="json")
    parts = {part: tree[part] for part in ("columns", "answers", "verdicts", "tags", "labels")}
    # Only what the table is made of: with all filters in the key, each slider would have the source read again.
    filters = {name: tree["filters"][name] for name in ("ban", "ban_substrings", "block_tags", "given_away")}
    text = json.dumps([VERSION, identity(source), parts, filters], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def identity(source: RawSource) -> Any:
    """What tells one content from another without reading it all, as JSON values."""
    paths = getattr(source, "paths", None)
    if (
        paths is not None
    ):  # hashing a large file takes seconds; its size and time of change will do for a cache
        stats = [(str(path.resolve()), path.stat()) for path in paths]
        return sorted([name, stat.st_size, stat.st_mtime_ns] for name, stat in stats)
    return source.pinned().model_dump(mode="json")


# -- a sample ------------------------------------------------------------------------------------------------------


def sample_facts(source: RawSource, recipe: Recipe, size: int = SAMPLE_BYTES) -> Narrow:
    """
    Facts of the first rows, until `size` bytes of text are read; all of the source if there is no more.

    Where the rows of a question stand together, the last question is left out of a sample: it may have been cut.
    """
    tables, rows, whole = first_tables(source, recipe.columns, size)
    table = pa.concat_tables([CANONICAL.empty_table(), *tables])
    grouped, complete = complete_questions(table)
    used = table if whole or not grouped else complete
    return Narrow(read(used.cast(CANONICAL), recipe).facts, rows, whole, grouped)


def first_tables(source: RawSource, columns: Columns, size: int) -> tuple[list[pa.Table], Tally, bool]:
    """Canonical rows of about `size` bytes, their row tally, and whether these are all."""
    tables: list[pa.Table] = []
    rows, read_bytes = Tally(), 0
    for batch in (batch for piece in source.pieces() for batch in piece.batches(columns)):
        if read_bytes >= size:
            return tables, rows, False
        for part in _in_parts(batch):
            one = canonical(part, columns)
            rows.add(tally_rows(one))
            tables.append(one.table)
            read_bytes += one.table.nbytes
            # One batch (a row group of Parquet) may hold many samples: it is taken in parts, and left when there is
            # enough.
            if read_bytes >= 2 * size:
                return tables, rows, False
    return tables, rows, True


def _in_parts(batch: Batch, rows: int = 2_000) -> Iterator[Batch]:
    for start in range(0, len(batch), rows):
        yield batch.slice(start, rows) if isinstance(batch, pa.RecordBatch) else batch[start : start + rows]


def complete_questions(table: pa.Table) -> tuple[bool, pa.Table]:
    """Whether each question's rows stand together, and the table without its last question."""
    places, ids, _ = question_ids(table["question"])
    turns = np.flatnonzero(places[1:] != places[:-1])
    # One row of each question says nothing: the others may stand further down.
    grouped = len(turns) + 1 == len(ids) and len(places) > len(ids)
    return grouped, table.slice(0, int(turns[-1]) + 1) if len(turns) else table


# -- all of it -----------------------------------------------------------------------------------------------------


def all_facts(
    source: RawSource, recipe: Recipe, workers: int = 1, told: Told = lambda done, of: None
) -> Narrow:
    """Facts of the whole source, piece by piece; the texts of a piece are let go when it is read."""
    pieces = source.pieces()
    found: dict[int, tuple[Facts, Tally]] = {}
    for k, result in _each_piece(pieces, recipe, min(workers, len(pieces))):
        found[k] = result
        told(len(found), len(pieces))
    # Pieces end in any order; a place in the table is a place in the source, so they are put back in theirs.
    parts = [found[k] for k in sorted(found)]
    rows = Tally()
    for _, tally in parts:
        rows.add(tally)
    return Narrow(joined([facts for facts, _ in parts]), rows, True)


def _each_piece(
    pieces: list[Piece], recipe: Recipe, workers: int
) -> Iterator[tuple[int, tuple[Facts, Tally]]]:
    if workers <= 1:
        yield from ((k, read_piece(piece, recipe)) for k, piece in enumerate(pieces))
        return
    # Spawned, not forked: a forked child takes along locks that Arrow's threads may hold.
    with ProcessPoolExecutor(workers, get_context("spawn"), arrow_alone) as pool:
        waiting = {pool.submit(read_piece, piece, recipe): k for k, piece in enumerate(pieces)}
        for future in as_completed(waiting):
            yield waiting.pop(future), future.result()


def read_piece(piece: Piece, recipe: Recipe) -> tuple[Facts, Tally]:
    """Facts and row tally of a piece, from tables of about READ_BYTES."""
    parts: list[Facts] = []
    rows, waiting, size = Tally(), [CANONICAL.empty_table()], 0
    for batch in piece.batches(recipe.columns):
        one = canonical(batch, recipe.columns)
        rows.add(tally_rows(one))
        waiting.append(one.table)
        size += one.table.nbytes
        if size >= READ_BYTES:
            parts.append(read(pa.concat_tables(waiting).cast(CANONICAL), recipe).facts)
            waiting, size = [CANONICAL.empty_table()], 0
    parts.append(read(pa.concat_tables(waiting).cast(CANONICAL), recipe).facts)
    return joined(parts), rows


# -- kept on disk --------------------------------------------------------------------------------------------------


def save(narrow: Narrow, path: Path) -> None:
    """Write the narrow table whole or not at all."""
    arrays = {field.name: getattr(narrow.facts, field.name) for field in fields(Facts)}
    arrays["variants"] = np.array(json.dumps(narrow.facts.variants))
    arrays["rows"] = np.array(json.dumps(narrow.rows.to_json()))
    with written_whole(path) as file:
        np.savez(file, **arrays)


def load(path: Path) -> Narrow | None:
    """A saved narrow table of a whole source; None where there is none, or none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        rows = tally_from_json(json.loads(str(arrays.pop("rows"))))
        variants = tuple(json.loads(str(arrays.pop("variants"))))
        return Narrow(Facts(variants=variants, **arrays), rows, True)
    # A file cut short or of an older version costs one reading, never an error.
    except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError):
        return None


def forget_old(folder: Path, keep: int = 40) -> None:
    """Keep the tables that were made last."""
    tables = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in tables[keep:]:
        path.unlink(missing_ok=True)
