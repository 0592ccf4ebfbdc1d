"""How hard a run tries, how it may end, and who may end it."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Limits:
    """How hard to try."""

    concurrency: int = 96
    tries: int = 6
    """Attempts for a request; being told to slow down doesn't count as one."""
    patience: float = 1800.0
    """Seconds without any answer after which the run gives up."""
    grace: float = 30.0
    """Seconds that requests in flight get to finish after a cancel: they are paid for already."""
    first_pause: float = 0.5
    """The longest pause before a second attempt, in seconds; doubled each time."""


class Ending(StrEnum):
    """How a run ended."""

    DONE = "done"
    BUDGET = "stopped"
    CANCELLED = "cancelled"


@contextmanager
def signals_to(act: Callable[[], None]) -> Iterator[None]:
    """Hand SIGINT and SIGTERM to a function while the block runs; elsewhere than in the main thread, do nothing."""
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    for number in numbers:
        asyncio.get_running_loop().add_signal_handler(number, act)
    try:
        yield
    finally:
        for number in numbers:
            asyncio.get_running_loop().remove_signal_handler(number)
