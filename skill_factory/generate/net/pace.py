"""How many requests may be in flight: grows while the server keeps up, shrinks when it says too much."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FIRST_LIMIT = 8
CUT = 0.6
GROWTH = 32
"""After the first cut a round of answers adds a GROWTH-th of the most that is allowed."""


class Pace:
    """A gate with a limit that adapts: doubling per round until the first cut, then step by step."""

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
        """Wait for a place, hold it, give it back."""
        while not self._closed and (self.active >= int(self.limit) or self._paused() > 0):
            await self._wait()
        self.active += 1
        try:
            yield
        finally:
            self.active -= 1
            self._wake()

    def answered(self, seconds: float) -> None:
        """A request came back after so many seconds."""
        self._round += 0.1 * (seconds - self._round)
        step = 1.0 if self._starting else self.most / GROWTH / self.limit
        self.limit = min(float(self.most), self.limit + step)
        self._wake()

    def overloaded(self, pause: float | None = None) -> None:
        """The server had too much; it may have said for how many seconds to leave it alone."""
        now = time.monotonic()
        if pause:
            self._resume_at = max(self._resume_at, now + pause)
            asyncio.get_running_loop().call_later(pause, self._wake)
        # One burst of refusals is one message: what was sent before the cut could not know of it.
        if now - self._last_cut > max(0.2, min(self._round, 10.0)):
            self._last_cut = now
            self._starting = False
            self.cuts += 1
            self.limit = max(1.0, self.limit * CUT)

    def close(self) -> None:
        """Let everybody through: there is nothing left to wait for."""
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
                self._wake()  # the turn was ours and is passed on
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
