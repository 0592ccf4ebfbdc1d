"""The same build on a Ray cluster: read in parallel, shuffled by Ray Data into the same partitions, written by its workers.

The partitions and their bytes are those of the local engine: `scatter.py` decides where a row belongs, and the order of
rows makes no difference to `build_partition`. All machines have to share the path of the build folder.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from skill_factory.build.engines import BuiltPartitions, Engine, WritePart
from skill_factory.build.engines.local import check_each, written_before
from skill_factory.build.engines.writing import Given, do_part, make, sets_limits, write_part
from skill_factory.build.folder import BuildFolder
from skill_factory.build.made import Made
from skill_factory.build.mixed_source import large_pieces
from skill_factory.build.mixing import choose
from skill_factory.build.progress import BuildProgress, ReportProgress
from skill_factory.build.scatter import BUCKETS, Keyed, Partitions, keyed_rows, partitions
from skill_factory.errors import BuildFolderError
from skill_factory.formats import OwnFormats
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.sources import Piece, RawSource
from skill_factory.sources.columns import CANONICAL
from skill_factory.tally import Tally, tally_from_json, total

PARTITION = "partition"


def ray_engine(address: str = "") -> Engine:
    """The engine on a running cluster, or on one that is started on this machine for the build."""
    return lambda source, own: nullcontext(partial(_run, address, source, own))


def _run(
    address: str,
    source: RawSource,
    own: OwnFormats | None,
    recipe: AnyRecipe,
    folder: BuildFolder,
    report: ReportProgress,
    pin: Callable[[], AnyRecipe],
    part: WritePart | None = None,
) -> BuiltPartitions:
    part = part or write_part
    start = time.monotonic()

    def tell(phase: str, done: int, whole: int, rows: int, traces: int, resumed: int = 0) -> None:
        seconds = round(time.monotonic() - start, 3)
        report(BuildProgress(phase, done, whole, rows, traces, resumed, seconds))

    with heard_on_standard_error(), cluster(address) as ray:
        tables, size, rows, variants = _read(ray, source, recipe, tell)
        check_each(variants, recipe, own)
        folder.note_recipe(pin())
        cut = partitions([], size)
        done = {p: tally for p in range(len(cut)) if (tally := folder.done(p)) is not None}
        resumed = len(done)
        read = rows.ledger[Level.ROWS].read
        given: Given = None
        if isinstance(recipe, Mixture):
            _make(ray, tables, cut, recipe, folder, own)
            given = choose(recipe, folder, len(cut))
        for p, tally in _build(ray, tables, cut, recipe, folder, done, own, given, part):
            done[p] = tally
            traces = sum(tally.ledger[Level.TRACES].kept for tally in done.values())
            tell("build", len(done), len(cut), read, traces, resumed)
        for p in range(len(cut)):  # a partition without rows never reaches a worker
            if p not in done:
                done[p] = do_part(part, p, CANONICAL.empty_table(), recipe, folder, given, own)
    return BuiltPartitions([done[p] for p in range(len(cut))], rows, resumed)


@contextmanager
def heard_on_standard_error() -> Iterator[None]:
    """Send what Ray writes to standard output to standard error: only the command itself may print there."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def cluster(address: str) -> Iterator[Any]:
    """Ray on a running cluster, or on one that is started on this machine for the block. Errors: BuildFolderError."""
    import ray

    mine = not ray.is_initialized()
    if mine:
        # A cluster for this build needs no dashboard; a running one is joined as it is.
        how: dict[str, Any] = (
            {"address": address} if address else {"address": "local", "include_dashboard": False}
        )
        try:
            ray.init(log_to_driver=False, logging_level="ERROR", **how)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise BuildFolderError(
                f"There is no Ray cluster at {address or 'this machine'}: {error}. Check --ray-address."
            ) from None
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # our own progress is enough
    try:
        yield ray
    finally:
        if mine:
            ray.shutdown()


def _read(
    ray: Any, source: RawSource, recipe: AnyRecipe, tell: Any
) -> tuple[list[Any], np.ndarray[Any, Any], Tally, list[tuple[Piece, frozenset[str]]]]:
    """A task for each piece: its rows stay with Ray, and only their counts come back."""
    pieces = large_pieces(source)
    task = ray.remote(num_returns=2)(_keyed_piece)
    # Two results per task: the rows, which nobody fetches here, and the counts, which wait for nothing else.
    results = [task.remote(piece, recipe) for piece in pieces]
    waiting = {counts: rows for rows, counts in results}
    tallies: dict[Any, Tally] = {}
    size = np.zeros(BUCKETS, np.int64)
    variants: dict[Any, frozenset[str]] = {}
    while left := [ref for ref in waiting if ref not in tallies]:
        ready, _ = ray.wait(left, num_returns=1)
        for ref in ready:
            counted: Keyed = ray.get(ref)
            size += counted.bytes
            variants[ref] = counted.variants
            tallies[ref] = counted.tally
            read = sum(tally.ledger[Level.ROWS].read for tally in tallies.values())
            tell("scan", len(tallies), len(pieces), read, 0)
    found = [(piece, variants[counts]) for piece, (_, counts) in zip(pieces, results, strict=True)]
    return [rows for rows, _ in results], size, total(tallies.values()), found


def _keyed_piece(piece: Piece, recipe: AnyRecipe) -> tuple[pa.Table, Keyed]:
    return keyed_rows(piece, recipe)


def _build(
    ray: Any,
    tables: Sequence[Any],
    cut: Partitions,
    recipe: AnyRecipe,
    folder: BuildFolder,
    done: dict[int, Tally],
    own: OwnFormats | None,
    given: Given,
    part: WritePart,
) -> Iterator[tuple[int, Tally]]:
    missing = frozenset(range(len(cut))) - set(done)
    if not missing:
        return
    if given is not None:
        # A mixture's traces are made already: there is nothing to shuffle.
        task = ray.remote(_write_made)
        waiting = {task.remote(p, recipe, folder, given): p for p in missing}
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1)
            yield waiting.pop(ready[0]), ray.get(ready[0])
        return
    shuffled = _shuffled(ray, tables, cut, missing)
    if sets_limits(recipe):
        # A limit counts from the head of the dataset, so each partition has to wait for those before it.
        yield from _in_order(ray, shuffled, missing, recipe, folder, done, own, part)
        return
    built = shuffled.map_batches(
        _build_block,
        batch_size=None,
        batch_format="pyarrow",
        fn_kwargs={"recipe": recipe, "folder": folder, "own": own, "part": part},
    )
    for row in built.iter_rows():
        yield int(row["p"]), tally_from_json(json.loads(row["tally"]))


def _shuffled(ray: Any, tables: Sequence[Any], cut: Partitions, wanted: frozenset[int]) -> Any:
    """The rows of some partitions, one block for each: a shuffle by question would have far too many groups."""
    rows = ray.data.from_arrow_refs(list(tables)).map_batches(
        _numbered,
        batch_size=None,
        batch_format="pyarrow",
        fn_kwargs={"cuts": list(cut.cuts), "wanted": wanted},
    )
    return rows.repartition(max(1, len(wanted)), keys=[PARTITION])


def _make(
    ray: Any,
    tables: Sequence[Any],
    cut: Partitions,
    recipe: Mixture,
    folder: BuildFolder,
    own: OwnFormats | None,
) -> None:
    """Make the traces of every partition of a mixture that no earlier run has made."""
    missing = frozenset(p for p in range(len(cut)) if not Made(folder, p).done)
    if missing:
        made = _shuffled(ray, tables, cut, missing).map_batches(
            _make_block,
            batch_size=None,
            batch_format="pyarrow",
            fn_kwargs={"recipe": recipe, "folder": folder, "own": own},
        )
        for _ in made.iter_rows():
            pass
    for p in missing:  # a partition without rows never reaches a worker
        make(p, CANONICAL.empty_table(), recipe, folder, own)


def _make_block(block: pa.Table, recipe: Mixture, folder: BuildFolder, own: OwnFormats | None) -> pa.Table:
    done = [make(p, rows, recipe, folder, own) for p, rows in _parts(block)]
    return pa.table({"p": pa.array(done, pa.int64())})


def _write_made(p: int, recipe: AnyRecipe, folder: BuildFolder, given: Given) -> Tally:
    return write_part(p, CANONICAL.empty_table(), recipe, folder, given, None)


def _numbered(rows: pa.Table, cuts: list[int], wanted: frozenset[int]) -> pa.Table:
    """The rows of partitions that are still to be built, with the partition's number in place of the bucket."""
    # The inner cuts only, so that the first and the last partition are open at their ends.
    number = np.searchsorted(np.array(cuts[1:-1], np.int64), rows["bucket"].to_numpy(), side="right")
    numbered = rows.drop_columns(["bucket"]).append_column(PARTITION, pa.array(number.astype(np.int64)))
    return numbered.filter(pa.array(np.isin(number, list(wanted))))


def _build_block(
    block: pa.Table, recipe: AnyRecipe, folder: BuildFolder, own: OwnFormats | None, part: WritePart
) -> pa.Table:
    """Build every partition whose rows are in the block, and return their tallies."""
    tallies = [
        (p, json.dumps(do_part(part, p, rows, recipe, folder, None, own).to_json()))
        for p, rows in _parts(block)
    ]
    return pa.table(
        {"p": pa.array([p for p, _ in tallies], pa.int64()), "tally": [text for _, text in tallies]}
    )


def _parts(block: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    numbers = block[PARTITION].to_numpy() if block.num_rows else np.empty(0, np.int64)
    for p in np.unique(numbers).tolist():
        yield p, block.filter(pa.array(numbers == p)).drop_columns([PARTITION])


def _in_order(
    ray: Any,
    shuffled: Any,
    missing: frozenset[int],
    recipe: AnyRecipe,
    folder: BuildFolder,
    done: dict[int, Tally],
    own: OwnFormats | None,
    part: WritePart,
) -> Iterator[tuple[int, Tally]]:
    blocks = shuffled.materialize()
    task = ray.remote(_one_of)
    # One after the other: what a partition may still write depends on those before it.
    known = dict(done)
    for p in sorted(missing):
        written = written_before(total(known[q] for q in range(p)))
        known[p] = ray.get(task.remote(p, blocks, recipe, folder, written, own, part))
        yield p, known[p]


def _one_of(
    p: int,
    blocks: Any,
    recipe: AnyRecipe,
    folder: BuildFolder,
    written: Any,
    own: OwnFormats | None,
    part: WritePart,
) -> Tally:
    tables = [
        rows
        for block in blocks.iter_batches(batch_size=None, batch_format="pyarrow")
        for q, rows in _parts(block)
        if q == p
    ]
    return do_part(
        part, p, pa.concat_tables([CANONICAL.empty_table(), *tables]), recipe, folder, written, own
    )
