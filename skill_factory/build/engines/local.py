"""The default engine: worker processes of this machine scatter the source and build the partitions."""

import gc
import multiprocessing
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from skill_factory.arrow_alone import arrow_alone
from skill_factory.build.engines import Built, Engine, Run
from skill_factory.build.engines.writing import write_part
from skill_factory.build.folder import BuildFolder
from skill_factory.build.progress import Progress, Report
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
from skill_factory.recipe.model import Recipe
from skill_factory.sources import Piece, RawSource
from skill_factory.sources.neighbours import read_together
from skill_factory.tally import Tally, tally_from_json, total
from skill_factory.traces.plan import Written
from skill_factory.wording import file_size

SMALL_BYTES = 24_000_000
"""Below this, starting workers costs more than they bring."""
AHEAD = 256
"""Calls handed to the workers and not yet answered: none ever waits for work, and however many follow take no memory."""
PARENT_BYTES, WORKER_BYTES = 200_000_000, 600_000_000
"""What the main process and a worker take at their peak, with room; `make bench` measures it."""

CHILDREN = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "OPENBLAS_NUM_THREADS": "1",
}
"""
A worker makes tables of some 10 MB, one after the other: it keeps the memory of one for the next. Arrow's own allocator
and that of the C library would give it back in between, to ask for it, and have it cleared, again. And nobody here
multiplies matrices, which numpy starts threads for.
"""


def local_engine(workers: int = 0) -> Engine:
    """The engine with so many worker processes; 0 means one per core."""
    return partial(_standing_by, workers or cores())


def workers_within(memory: str, workers: int = 0) -> int:
    """How many workers fit a bound such as `1GB`. Errors: RecipeError for a bound that can't be read or kept."""
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
def _standing_by(asked: int, source: RawSource, own: OwnFormats | None) -> Iterator[Run]:
    # Own formats are functions of the caller's program; they need not survive a trip to another process.
    alone = asked == 1 or own is not None or 0 < source.size < SMALL_BYTES
    with worker_pool(0 if alone else asked) as pool:
        yield partial(_run, pool, source, own)


def _run(
    pool: ProcessPoolExecutor | None,
    source: RawSource,
    own: OwnFormats | None,
    recipe: Recipe,
    folder: BuildFolder,
    report: Report,
    pin: Callable[[], Recipe],
) -> Built:
    if not on_disk(folder.path):
        raise BuildFolderError(
            f"{folder.path} is no folder of this machine. Use --engine ray for it, or a path on a disk."
        )
    clock = _Clock(report)
    cut, rows = _scan(source, recipe, folder, pool, clock, pin, own)
    done = {p: tally for p in range(len(cut)) if (tally := folder.done(p)) is not None}
    resumed = len(done)
    clock.begin(len(cut), done, resumed)
    files = cut.files()
    for p, tally in _build(cut, recipe, folder, pool, done, own):
        done[p] = tally
        clock.built(tally)
        # A file goes with the last of its partitions, so a build that is stopped never wants it again.
        for over in [span for span in files if done.keys() >= set(span)]:
            folder.let_go(files.pop(over))
    return Built([done[p] for p in range(len(cut))], rows, resumed)


# -- scan ----------------------------------------------------------------------------------------------------------


def _scan(
    source: RawSource,
    recipe: Recipe,
    folder: BuildFolder,
    pool: Executor | None,
    clock: "_Clock",
    pin: Callable[[], Recipe],
    own: OwnFormats | None,
) -> tuple[Partitions, Tally]:
    noted = folder.scan_done()
    if noted is not None:
        rows = tally_from_json(noted["tally"])
        clock.rows = rows.ledger[Level.ROWS].read
        return partitions_from_json(noted["partitions"], folder.scattered), rows
    pieces = read_together(source.pieces())
    clock.total = len(pieces)
    found: dict[int, Scattered] = {}
    for k, scattered in each_call(
        _scatter, ((k, (piece, recipe, folder.scattered, k)) for k, piece in enumerate(pieces)), pool
    ):
        found[k] = scattered
        clock.scanned(scattered.tally)
    parts = [found[k] for k in range(len(pieces))]
    rows = total(part.tally for part in parts)
    check_variants(frozenset[str]().union(*(part.variants for part in parts)), recipe, own)
    cut = partitions(
        [c for part in parts for c in part.chunks], sum((p.bytes for p in parts), np.zeros(1, np.int64))
    )
    folder.note_recipe(pin())
    folder.note_scan({"partitions": cut.to_json(), "tally": rows.to_json()})
    return cut, rows


def _scatter(piece: Piece, recipe: Recipe, folder: Path, k: int) -> Scattered:
    return scatter_piece(piece, recipe, folder, f"piece-{k:05d}")


def check_variants(found: frozenset[str], recipe: Recipe, own: OwnFormats | None) -> None:
    """Say before building that attempts can't all differ in variant. Errors: NothingUsable."""
    wanted, n = recipe.filters.variants, recipe.traces.attempts
    found = found & set(wanted) if wanted else found
    gated = any(format_of(code, own).needs.n_responses for code in recipe.traces.formats)
    if recipe.traces.distinct_variants and gated and len(found) < n:
        names = ", ".join(sorted(name or "(none)" for name in found))
        raise NothingUsable(
            f"Each attempt shall come from another prompt variant and a trace has up to {n} attempts, but the data "
            f"have {len(found)} variants ({names}). Use --attempts {max(1, len(found))}, or leave out --distinct-variants."
        )


# -- build ---------------------------------------------------------------------------------------------------------


def _build(
    cut: Partitions,
    recipe: Recipe,
    folder: BuildFolder,
    pool: Executor | None,
    done: Mapping[int, Tally],
    own: OwnFormats | None,
) -> Iterator[tuple[int, Tally]]:
    missing = [p for p in range(len(cut)) if p not in done]
    if recipe.balance.max_traces or recipe.balance.label_limits:
        # A limit counts from the head of the data set, so each partition waits for those before it.
        known = dict(done)
        for p in missing:
            before = total(known[q] for q in range(p))
            known[p] = build_one(p, cut.slices(p), recipe, folder, written_before(before), own)
            yield p, known[p]
        return
    yield from each_call(
        build_one, ((p, (p, cut.slices(p), recipe, folder, None, own)) for p in missing), pool
    )


def written_before(before: Tally) -> Written:
    """What the partitions before wrote, from their tally."""
    return Written(before.ledger[Level.TRACES].kept, Counter(before.counts["traces_by_label"]))


def build_one(
    p: int,
    slices: Sequence[Slice],
    recipe: Recipe,
    folder: BuildFolder,
    written: Written | None = None,
    own: OwnFormats | None = None,
) -> Tally:
    """Build partition p, whose rows lie in some slices."""
    return write_part(p, rows_of(slices), recipe, folder, written, own)


# -- workers -------------------------------------------------------------------------------------------------------


def each_call(
    task: Callable[..., Any],
    calls: Iterator[tuple[int, tuple[Any, ...]]],
    pool: Executor | None,
    ahead: int = AHEAD,
) -> Iterator[tuple[int, Any]]:
    """
    (name, result) of every call, given as (name, arguments), as they come; in this process without a pool.

    `ahead` bounds the calls under way: fewer where their arguments are large.
    """
    if pool is None:
        for name, one in calls:
            yield name, task(*one)
        return
    waiting: dict[Future[Any], int] = {}
    try:
        while True:
            with _no_ctrl_c_for_children(), _children_settings():
                for name, one in islice(calls, ahead - len(waiting)):
                    waiting[pool.submit(task, *one)] = name
            if not waiting:
                return
            ended, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                yield waiting.pop(future), future.result()
    except BrokenProcessPool:
        raise BuildFolderError(
            "A worker process was ended from outside, most often because memory ran out. What is finished is kept: "
            "run the same command again, with --workers 1 if it happens again."
        ) from None


@contextmanager
def _no_ctrl_c_for_children() -> Iterator[None]:
    """Processes started in here never see Ctrl-C, not even while they import; this one sees it afterwards."""
    pressed: list[int] = []
    mine = threading.current_thread() is threading.main_thread()
    # The mask is inherited by what is started; but a thread of Arrow's may take the signal for this process, and
    # then Python would interrupt the start half-way. So it is noted, and raised when the children are there.
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
    """Processes started in here get some settings that libraries read as they start."""
    mine = {name: value for name, value in CHILDREN.items() if name not in os.environ}
    os.environ.update(mine)
    try:
        yield
    finally:
        for name in mine:
            del os.environ[name]


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """So many worker processes, started at once and gone at the end; None for 0."""
    if not workers:
        yield None
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin_worker)
    try:
        with _no_ctrl_c_for_children(), _children_settings():
            for _ in range(workers):
                pool.submit(_nothing)  # a process is started for each task that finds none at rest
        yield pool
    finally:
        # What was asked for is done, or no longer wanted: no worker needs time to leave.
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


def _nothing() -> None:
    """Work for a worker that is only to be there."""


def _begin_worker() -> None:
    # Ctrl-C goes to the whole terminal group; the parent alone answers it. A killed parent takes its workers along.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Millions of small tuples and no cycles: the collector would only look at them again and again.
    gc.disable()
    arrow_alone()

    def watch() -> None:
        if (parent := multiprocessing.parent_process()) is not None:
            parent.join()  # returns when the parent is gone, however it went
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class _Clock:
    """Turns what comes in into progress."""

    def __init__(self, report: Report) -> None:
        self._report, self._start = report, time.monotonic()
        self._phase, self._done, self.total = "scan", 0, 0
        self.rows = self._traces = self._resumed = 0

    def _tell(self) -> None:
        seconds = time.monotonic() - self._start
        self._report(
            Progress(
                self._phase, self._done, self.total, self.rows, self._traces, self._resumed, round(seconds, 3)
            )
        )

    def scanned(self, tally: Tally) -> None:
        self._done += 1
        self.rows += tally.ledger[Level.ROWS].read
        self._tell()

    def begin(self, parts: int, done: Mapping[int, Tally], resumed: int) -> None:
        self._phase, self._done, self.total, self._resumed = "build", len(done), parts, resumed
        self._traces = sum(one.ledger[Level.TRACES].kept for one in done.values())
        self._tell()

    def built(self, tally: Tally) -> None:
        self._done += 1
        self._traces += tally.ledger[Level.TRACES].kept
        self._tell()
