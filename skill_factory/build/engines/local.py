"""The default engine: worker processes of this machine sort the source and build the partitions.

A build has two phases. In the scan each worker reads a piece of the source and writes its rows, sorted, as chunks; in the
build each worker takes a partition, whose rows are slices of the chunks. The parent only hands out calls and notes what
has come back; every file is written by a worker, whole, so any process may be killed at any time.
"""

import gc
import multiprocessing
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from skill_factory.arrow_alone import arrow_alone
from skill_factory.build.engines import BuiltPartitions, Engine, RunBuild, WritePart
from skill_factory.build.engines.writing import Given, do_part, make, sets_limits, write_part
from skill_factory.build.folder import BuildFolder
from skill_factory.build.made import Made
from skill_factory.build.mixed_source import PieceOfPart, large_pieces, recipe_for
from skill_factory.build.mixing import choose
from skill_factory.build.progress import BuildProgress, ReportProgress
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
from skill_factory.errors import BuildFolderError, NothingUsable, RecipeError
from skill_factory.formats import OwnFormats, format_of
from skill_factory.hosting import cores
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.recipe.model import Recipe
from skill_factory.sources import Piece, RawSource
from skill_factory.tally import Tally, tally_from_json, total
from skill_factory.traces.plan import Written
from skill_factory.wording import file_size, many

SMALL_BYTES = 24_000_000
"""Sources below this many bytes are built in this process: starting workers would take longer than they save."""
AHEAD = 256
"""Calls handed out and not yet answered: enough that no worker ever waits, and few enough to take no memory."""
PARENT_BYTES, WORKER_BYTES = 200_000_000, 600_000_000
"""Peak memory of the main process and of a worker, with a margin; `make bench` measures both."""

CHILDREN = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "OPENBLAS_NUM_THREADS": "1",
}
"""
Environment of the workers. A worker makes tables of some 10 MB one after the other, and keeps the memory of one for the
next: Arrow's allocator and that of the C library would return it in between, only to ask for it, and have it cleared,
again. And nothing here multiplies matrices, for which numpy would start threads.
"""


def local_engine(workers: int = 0) -> Engine:
    """The engine with this many worker processes; 0 means one per core."""
    return partial(_standing_by, workers or cores())


def workers_within(memory: str, workers: int = 0) -> int:
    """How many workers fit into some memory, such as `1GB`. Errors: RecipeError if that can't be read or is too little."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", memory.strip(), re.IGNORECASE)
    if match is None:
        raise RecipeError(f"--memory takes a size such as 1GB or 800MB; found {memory!r}.")
    size = float(match[1]) * 1000 ** "_KMGT".index(match[2].upper() or "_")
    if size < PARENT_BYTES + WORKER_BYTES:
        least = file_size(PARENT_BYTES + WORKER_BYTES)
        raise RecipeError(
            f"A build needs at least {least}; found {memory}. Give more, or leave out --memory."
        )
    fitting = int((size - PARENT_BYTES) // WORKER_BYTES)
    return max(1, min(workers or cores(), fitting))


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
    clock = _Clock(report)
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
    clock: "_Clock",
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
    clock: "_Clock",
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


# -- workers -------------------------------------------------------------------------------------------------------


def each_call(
    task: Callable[..., Any],
    calls: Iterator[tuple[int, tuple[Any, ...]]],
    pool: Executor | None,
    ahead: int = AHEAD,
) -> Iterator[tuple[int, Any]]:
    """
    (name, result) of every call, given as (name, arguments), in the order in which they finish; without a pool in this
    process.

    `ahead` bounds the calls under way: use fewer if their arguments are large.
    """
    if pool is None:
        for name, arguments in calls:
            yield name, task(*arguments)
        return
    # Handed out a few at a time: a million pickled calls at once would be a second copy of the work list.
    waiting: dict[Future[Any], int] = {}
    try:
        while True:
            with _no_ctrl_c_for_children(), _children_settings():
                for name, arguments in islice(calls, ahead - len(waiting)):
                    waiting[pool.submit(task, *arguments)] = name
            if not waiting:
                return
            # Whichever is first, so that a slow partition holds up nobody.
            ended, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                yield waiting.pop(future), future.result()
    except BrokenProcessPool:
        raise BuildFolderError(
            "A worker process was killed, usually because the machine ran out of memory. What is finished is kept: run the "
            "same command again, with --workers 1 if it happens again."
        ) from None


@contextmanager
def _no_ctrl_c_for_children() -> Iterator[None]:
    """Processes started in this block never see Ctrl-C, not even while they import; this process sees it afterwards."""
    pressed: list[int] = []
    mine = threading.current_thread() is threading.main_thread()
    # Children inherit the blocked signal. But a thread of Arrow's may receive it for this process, and then Python would
    # interrupt the start half-way; so it is noted here and raised when the children are running.
    handler = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number)) if mine else None
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if mine:
            signal.signal(signal.SIGINT, handler)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def _children_settings() -> Iterator[None]:
    """Processes started in this block get settings that libraries read when they are loaded."""
    # What the user has set stays set.
    mine = {name: value for name, value in CHILDREN.items() if name not in os.environ}
    os.environ.update(mine)
    try:
        yield
    finally:
        for name in mine:
            del os.environ[name]


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """This many worker processes, started at once and gone at the end; None for 0."""
    if not workers:
        yield None
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin_worker)
    try:
        with _no_ctrl_c_for_children(), _children_settings():
            for _ in range(workers):
                pool.submit(_nothing)  # the pool starts a process for each task that finds none idle
        yield pool
    finally:
        # The work is done, or no longer wanted; a worker that is asked to leave would take time to do so.
        # The executor has no public way to end its processes at once.
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


def _nothing() -> None:
    """Do nothing: a task that only makes the pool start a worker."""


def _begin_worker() -> None:
    # Ctrl-C reaches the whole group of the terminal, and only the parent should answer it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Millions of small tuples without cycles: the garbage collector would only look at them again and again.
    gc.disable()
    arrow_alone()

    # A killed parent can't end its workers, so they watch it: none may go on writing for a build that is over.
    def watch() -> None:
        if (parent := multiprocessing.parent_process()) is not None:
            parent.join()  # returns when the parent is gone, however it ended
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class _Clock:
    """Turns results into progress."""

    def __init__(self, report: ReportProgress) -> None:
        self._report, self._start = report, time.monotonic()
        self._phase, self._done, self.total = "scan", 0, 0
        self.rows = self._traces = self._resumed = 0

    def _tell(self) -> None:
        seconds = time.monotonic() - self._start
        self._report(
            BuildProgress(
                self._phase, self._done, self.total, self.rows, self._traces, self._resumed, round(seconds, 3)
            )
        )

    def scanned(self, tally: Tally) -> None:
        self._done += 1
        self.rows += tally.ledger[Level.ROWS].read
        self._tell()

    def begin(self, parts: int, done: Mapping[int, Tally], resumed: int, before: int = 0) -> None:
        self._phase, self.total, self._resumed = "build", parts, resumed
        self._done = len(done) + before
        self._traces = sum(tally.ledger[Level.TRACES].kept for tally in done.values())
        self._tell()

    def made(self) -> None:
        self._done += 1
        self._tell()

    def built(self, tally: Tally) -> None:
        self._done += 1
        self._traces += tally.ledger[Level.TRACES].kept
        self._tell()
