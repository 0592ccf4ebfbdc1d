"""Worker processes of this machine: how many fit, how they begin, what they are handed, and how they end.

They never outlive the process that started them, answer no Ctrl-C of their own, and take settings that suit many short
tasks. Builds, suites and measurements hand their calls out here.
"""

import gc
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any

from skill_factory.arrow_alone import arrow_alone
from skill_factory.errors import BuildFolderError, RecipeError
from skill_factory.hosting import cores
from skill_factory.wording import file_size

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
