"""The default engine: worker processes of this machine sort the source and build the partitions.

A build has two phases. In the scan each worker reads a piece of the source and writes its rows, sorted, as chunks; in the
build each worker takes a partition, whose rows are slices of the chunks. The parent only hands out calls and notes what
has come back; every file is written by a worker, whole, so any process may be killed at any time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from skill_factory.build.engines import BuiltPartitions, Engine, RunBuild, WritePart
from skill_factory.build.engines.workers import each_call, worker_pool
from skill_factory.build.engines.writing import Given, do_part, make, sets_limits, write_part
from skill_factory.build.folder import BuildFolder
from skill_factory.build.made import Made
from skill_factory.build.mixed_source import PieceOfPart, large_pieces, recipe_for
from skill_factory.build.mixing import choose
from skill_factory.build.progress import Clock, ReportProgress
from skill_factory.build.scatter import (
    Partitions,
    Scattered,
    Slice,
    partitions,
    partitions_from_json,
    rows_of,
    scatter_piece,
)
from skill_factory.build.storage import on_disk
from skill_factory.errors import BuildFolderError, NothingUsable
from skill_factory.formats import OwnFormats, format_of
from skill_factory.hosting import cores
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.recipe.model import Recipe
from skill_factory.sources import Piece, RawSource
from skill_factory.tally import Tally, tally_from_json, total
from skill_factory.traces.plan import Written
from skill_factory.wording import many

SMALL_BYTES = 24_000_000
"""Sources below this many bytes are built in this process: starting workers would take longer than they save."""


def local_engine(workers: int = 0) -> Engine:
    """The engine with this many worker processes; 0 means one per core."""
    return partial(_standing_by, workers or cores())


@contextmanager
def _standing_by(workers: int, source: RawSource, own: OwnFormats | None) -> Iterator[RunBuild]:
    # A caller's own formats are functions of a program; they may not survive the trip to another process.
    alone = workers == 1 or own is not None or 0 < source.size < SMALL_BYTES
    with worker_pool(0 if alone else workers) as pool:
        yield partial(_run, pool, source, own)


def _run(
    pool: ProcessPoolExecutor | None,
    source: RawSource,
    own: OwnFormats | None,
    recipe: AnyRecipe,
    folder: BuildFolder,
    report: ReportProgress,
    pin: Callable[[], AnyRecipe],
    part: WritePart | None = None,
) -> BuiltPartitions:
    if not on_disk(folder.path):
        raise BuildFolderError(
            f"{folder.path} isn't a folder on this machine. Use --engine ray, or a path on a disk."
        )
    clock = Clock(report)
    cut, rows = _scan(source, recipe, folder, pool, clock, pin, own)
    done = {p: tally for p in range(len(cut)) if (tally := folder.done(p)) is not None}
    resumed = len(done)
    given: Given = None
    if isinstance(recipe, Mixture):
        clock.begin(2 * len(cut), {}, 0, sum(Made(folder, p).done for p in range(len(cut))))
        _make(cut, recipe, folder, pool, clock, own)
        given = choose(recipe, folder, len(cut))
        clock.begin(2 * len(cut), done, resumed, len(cut))  # making was the first half of the work
    else:
        clock.begin(len(cut), done, resumed)
    # Sorted rows go as soon as nobody needs them: removing all of them at the end would keep the disk busy for seconds.
    files = cut.files()
    for p, tally in _build(cut, recipe, folder, pool, done, own, given, part or write_part):
        done[p] = tally
        clock.built(tally)
        # A file goes with the last of its partitions, so that a resumed build never needs it again.
        for finished in [span for span in files if done.keys() >= set(span)]:
            folder.let_go(files.pop(finished))
    return BuiltPartitions([done[p] for p in range(len(cut))], rows, resumed)


# -- scan ----------------------------------------------------------------------------------------------------------


def _scan(
    source: RawSource,
    recipe: AnyRecipe,
    folder: BuildFolder,
    pool: Executor | None,
    clock: Clock,
    pin: Callable[[], AnyRecipe],
    own: OwnFormats | None,
) -> tuple[Partitions, Tally]:
    # A scan that has ended is never repeated: its chunks are in the work files, and this note says what they hold.
    noted = folder.scan_done()
    if noted is not None:
        rows = tally_from_json(noted["tally"])
        clock.rows = rows.ledger[Level.ROWS].read
        return partitions_from_json(noted["partitions"], folder.scattered), rows
    pieces = large_pieces(source)
    clock.total = len(pieces)
    by_piece: dict[int, Scattered] = {}
    for k, scattered in each_call(
        _scatter, ((k, (piece, recipe, folder.scattered, k)) for k, piece in enumerate(pieces)), pool
    ):
        by_piece[k] = scattered
        clock.scanned(scattered.tally)
    # Pieces come back in any order; what follows must not depend on it.
    parts = [by_piece[k] for k in range(len(pieces))]
    rows = total(part.tally for part in parts)
    check_each(zip(pieces, (part.variants for part in parts), strict=True), recipe, own)
    cut = partitions(
        [c for part in parts for c in part.chunks], sum((p.bytes for p in parts), np.zeros(1, np.int64))
    )
    # The digest first: with the note of the scan a later run would trust the rows, so it must know whose they are.
    folder.note_recipe(pin())
    folder.note_scan({"partitions": cut.to_json(), "tally": rows.to_json()})
    return cut, rows


def _scatter(piece: Piece, recipe: AnyRecipe, folder: Path, k: int) -> Scattered:
    return scatter_piece(piece, recipe, folder, f"piece-{k:05d}")


def check_each(
    found: Iterable[tuple[Piece, frozenset[str]]], recipe: AnyRecipe, own: OwnFormats | None
) -> None:
    """`check_variants` for the source, or for each one of a mixture, from the variants in its pieces."""
    by_part: dict[int, tuple[Recipe, frozenset[str]]] = {}
    for piece, variants in found:
        part = piece.part if isinstance(piece, PieceOfPart) else 0
        seen = by_part.get(part, (recipe, frozenset[str]()))[1]
        by_part[part] = recipe_for(piece, recipe), seen | variants
    for own_recipe, variants in by_part.values():
        check_variants(variants, own_recipe, own)


def check_variants(variants: frozenset[str], recipe: Recipe, own: OwnFormats | None) -> None:
    """Refuse different variants for all attempts if the data has too few. Errors: NothingUsable."""
    wanted, n = recipe.filters.variants, recipe.traces.attempts
    variants = variants & set(wanted) if wanted else variants
    gated = any(format_of(code, own).needs.n_responses for code in recipe.traces.formats)
    if recipe.traces.distinct_variants and gated and len(variants) < n:
        names = ", ".join(sorted(name or "(none)" for name in variants))
        raise NothingUsable(
            f"Each attempt should come from a different prompt variant, and a trace has up to {n} attempts, but the data "
            f"has {many(len(variants), 'variant')} ({names}). Use --attempts {max(1, len(variants))}, or leave out "
            "--distinct-variants."
        )


# -- make ----------------------------------------------------------------------------------------------------------


def _make(
    cut: Partitions,
    recipe: Mixture,
    folder: BuildFolder,
    pool: Executor | None,
    clock: Clock,
    own: OwnFormats | None,
) -> None:
    """Make the traces of every partition of a mixture that no earlier run has made."""
    made = {p for p in range(len(cut)) if Made(folder, p).done}
    calls = ((p, (p, cut.slices(p), recipe, folder, own)) for p in range(len(cut)) if p not in made)
    files = cut.files()
    for p, _ in each_call(make_one, calls, pool):
        made.add(p)
        clock.made()
        for finished in [span for span in files if made >= set(span)]:
            folder.let_go(files.pop(finished))


def make_one(
    p: int, slices: Sequence[Slice], recipe: Mixture, folder: BuildFolder, own: OwnFormats | None
) -> int:
    """Make the traces of partition p of a mixture from the slices that hold its rows."""
    return make(p, rows_of(slices), recipe, folder, own)


# -- build ---------------------------------------------------------------------------------------------------------


def _build(
    cut: Partitions,
    recipe: AnyRecipe,
    folder: BuildFolder,
    pool: Executor | None,
    done: Mapping[int, Tally],
    own: OwnFormats | None,
    given: Given,
    part: WritePart,
) -> Iterator[tuple[int, Tally]]:
    missing = [p for p in range(len(cut)) if p not in done]
    if sets_limits(recipe):
        # A limit counts from the head of the dataset, so each partition has to wait for those before it.
        known = dict(done)
        for p in missing:
            before = total(known[q] for q in range(p))
            known[p] = build_one(p, cut.slices(p), recipe, folder, written_before(before), own, part)
            yield p, known[p]
        return
    # A mixture's traces are made already, and the rows that they were made of are gone.
    slices = cut.slices if given is None else lambda _: []
    calls = ((p, (p, slices(p), recipe, folder, given, own, part)) for p in missing)
    yield from each_call(build_one, calls, pool)


def written_before(before: Tally) -> Written:
    """What earlier partitions wrote, from their tally."""
    return Written(before.ledger[Level.TRACES].kept, Counter(before.counts["traces_by_label"]))


def build_one(
    p: int,
    slices: Sequence[Slice],
    recipe: AnyRecipe,
    folder: BuildFolder,
    written: Given = None,
    own: OwnFormats | None = None,
    part: WritePart = write_part,
) -> Tally:
    """Build partition p from the slices that hold its rows."""
    return do_part(part, p, rows_of(slices), recipe, folder, written, own)
