"""How many requests may be in flight: more while the server keeps up, fewer when it has too much to do."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FIRST_LIMIT = 8
CUT = 0.6
"""What is left of the limit after a refusal."""
GROWTH = 32
"""After the first cut, each round of answers adds a GROWTH-th of the maximum."""


class Pace:
    """A gate whose limit adapts: it doubles with each round until the first cut, then grows step by step."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(min(most, FIRST_LIMIT))
        self.active = 0
        self.cuts = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._resume_at = 0.0
        self._last_cut = 0.0
        self._round = 1.0
        self._starting = True
        self._closed = False

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot, hold it for the block, give it back."""
        while not self._closed and (self.active >= int(self.limit) or self._paused() > 0):
            await self._wait()
        self.active += 1
        try:
            yield
        finally:
            self.active -= 1
            self._wake()

    def answered(self, seconds: float) -> None:
        """Take note that an answer came after so many seconds."""
        self._round += 0.1 * (seconds - self._round)  # a moving average of how long an answer takes
        # One more per answer doubles the limit in the time of one answer.
        step = 1.0 if self._starting else self.most / GROWTH / self.limit
        self.limit = min(float(self.most), self.limit + step)
        self._wake()

    def overloaded(self, pause: float | None = None) -> None:
        """Take note that the server had too much to do, and for how many seconds it asked to be left alone."""
        now = time.monotonic()
        if pause:
            # Everyone waits, not only the one who was told: the server means all of us.
            self._resume_at = max(self._resume_at, now + pause)
            asyncio.get_running_loop().call_later(pause, self._wake)
        # A burst of refusals cuts once: requests that were sent before the cut couldn't know of it.
        if now - self._last_cut > max(0.2, min(self._round, 10.0)):
            self._last_cut = now
            self._starting = False
            self.cuts += 1
            self.limit = max(1.0, self.limit * CUT)

    def close(self) -> None:
        """Let everyone through: the run is over."""
        self._closed = True
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def _paused(self) -> float:
        return self._resume_at - time.monotonic()

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        pause = self._paused()
        timer = asyncio.get_running_loop().call_later(pause, self._wake) if pause > 0 else None
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # the slot was ours already, so it goes to the next in line
            raise
        finally:
            if timer:
                timer.cancel()

    def _wake(self) -> None:
        free = int(self.limit) - self.active if self._paused() <= 0 else 0
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
