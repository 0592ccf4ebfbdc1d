"""The run: many requests at once, each answered once; retries, budget, patience, cancelling."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from skill_factory.errors import BuildFolderError, EndpointError
from skill_factory.generate.limits import Ending, Limits, signals_to
from skill_factory.generate.money import Spending
from skill_factory.generate.net.endpoint import Asker
from skill_factory.generate.net.pace import Pace
from skill_factory.generate.net.trouble import Trouble, Way
from skill_factory.generate.progress import GenerateProgress, Report, Speed
from skill_factory.generate.request import Answer, Request
from skill_factory.generate.store import AnswerStore

AHEAD = 32
"""Requests that are looked up in the store at a time."""
LONGEST_BACKOFF = 30.0
MOST_DECLINED = 20
"""So many requests declined and none answered: the settings are wrong, not the requests."""


class Run:
    """One run over one round of requests after another."""

    def __init__(
        self,
        asker: Asker,
        store: AnswerStore,
        spending: Spending,
        limits: Limits,
        report: Report,
        kind: str,
        retry_declined: bool = False,
    ) -> None:
        self._asker, self._store, self._spending = asker, store, spending
        self._limits, self._report, self._kind = limits, report, kind
        self._retry_declined = retry_declined
        self._pace = Pace(limits.concurrency)
        self._speed = Speed()
        self._jitter = random.Random()  # pauses only: no result depends on it
        self._on_way: set[str] = set()
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()
        self._ending = Ending.DONE
        self._hopeless = ""
        self._started = self._last_answer = time.monotonic()
        self._declined: list[tuple[str, int, str]] = []
        self.new = self.failed = self.retries = self.declined = 0
        self._tokens = 0
        self._requests: Iterator[Request] = iter(())
        self._ahead: deque[Request] = deque()
        self._before = self._total = 0

    async def round(self, requests: Iterator[Request], before: int, total: int) -> Ending:
        """
        Answer some requests; `before` of `total` were answered already. Errors: EndpointError where none can be.

        The first SIGINT or SIGTERM stops asking and waits for what is in flight, the second one doesn't wait.
        """
        self._requests, self._before, self._total = requests, before - self.new, total
        workers = [asyncio.create_task(self._work()) for _ in range(self._limits.concurrency)]
        watch = asyncio.create_task(self._watch())
        with signals_to(lambda: self._cancel(workers)):
            try:
                stop = asyncio.create_task(self._stop.wait())
                everyone = asyncio.gather(*workers, return_exceptions=True)
                ends: list[asyncio.Future[Any]] = [everyone, stop]
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                if not everyone.done():
                    # What is in flight is paid for: at the end of a budget it may end, after a cancel it gets a while.
                    patient = self._ending is Ending.BUDGET
                    await asyncio.wait(workers, timeout=None if patient else self._limits.grace)
                for worker in workers:
                    worker.cancel()
                stop.cancel()
                results = await everyone
            finally:
                watch.cancel()
        if self._declined and not self.new:
            self._blame_settings()
        self._store.keep()
        self._report(self.moment("ask"))
        for error in results:
            if isinstance(error, Exception):
                raise error
        if self._hopeless:
            raise EndpointError(self._hopeless)
        return self._ending

    def moment(self, phase: str, message: str = "") -> GenerateProgress:
        """Where the run stands."""
        speed, tokens = self._speed.note(self.new, self._tokens)
        done = self._before + self.new
        left = (self._total - done) / speed if speed > 0 and phase == "ask" else None
        spending = self._spending
        return GenerateProgress(
            phase, self._kind, done, self._total, self.new, self.failed, self.retries, self._pace.active,
            int(self._pace.limit), spending.prompt_tokens, spending.completion_tokens, round(tokens, 1),
            round(spending.cost, 6), round(time.monotonic() - self._started, 2),
            None if left is None else round(left, 1), message,
        )  # fmt: skip

    # -- one worker -----------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            while not self._stop.is_set() and (request := self._next()) is not None:
                await self._settle(request)
                self._on_way.discard(request.id)
        except Exception:
            self._end(Ending.CANCELLED)  # the disk is full, or a fault of ours: the others need not go on
            raise

    def _next(self) -> Request | None:
        while not self._ahead:
            if not (piece := list(islice(self._requests, AHEAD))):
                return None
            self._ahead.extend(self._open(piece))
        return self._ahead.popleft()

    def _open(self, piece: list[Request]) -> Iterator[Request]:
        """Those that are neither answered, nor on their way, nor declined for good."""
        answered = self._store.answered(request.id for request in piece)
        for request in piece:
            if request.id in self._on_way or request.id in answered:
                continue
            if not self._retry_declined and self._store.declined(request.id):
                self.declined += 1
                continue
            self._on_way.add(request.id)
            yield request

    async def _settle(self, request: Request) -> None:
        """Ask until there is an answer, or no use in asking."""
        tries, why = 0, ""
        while tries < self._limits.tries:
            if not await self._afford(request):
                return
            trouble = await self._attempt(request)
            if trouble is None or self._stop.is_set():
                return
            why = trouble.why
            if trouble.way is Way.DECLINED:
                self.failed += 1
                return
            if trouble.way is Way.HOPELESS:
                self._give_up(trouble.why)
                return
            tries += trouble.way is not Way.THROTTLED
            if tries < self._limits.tries:
                self.retries += 1
                await self._rest(trouble, tries)
        self.failed += 1
        if not self.new:
            self._give_up(
                f"The server gives no answer ({why}, {tries} times). Is it running, and is the address right?"
            )

    async def _afford(self, request: Request) -> bool:
        while not self._spending.hold(request):
            if not self._spending.holding:
                self._end(Ending.BUDGET)
            if self._stop.is_set():
                return False
            self._changed.clear()
            await self._changed.wait()
        return True

    async def _attempt(self, request: Request) -> Trouble | None:
        try:
            async with self._pace.slot():
                if self._stop.is_set():
                    return None
                return await self._ask(request)
        finally:
            self._spending.release(request)
            self._changed.set()

    async def _ask(self, request: Request) -> Trouble | None:
        attempt, sent = self._store.note_asked(request.id), False
        try:
            await self._kept()
            sent = True
            answer = await self._asker.ask(request)
        except Trouble as trouble:
            self._note(request, attempt, trouble)
            await self._kept()
            return trouble
        except BaseException:
            self._spending.lost += sent
            self._store.note_failure(request.id, attempt, "cancelled", final=False, billed=sent)
            raise
        self._take(request, attempt, answer)
        await self._kept()
        return None

    def _take(self, request: Request, attempt: int, answer: Answer) -> None:
        self._store.note_answer(request.id, answer, attempt)
        self._spending.take(answer)
        self._pace.answered(answer.seconds)
        self._last_answer = time.monotonic()
        self.new += 1
        self._tokens += answer.completion_tokens
        self._settle_declined()

    async def _kept(self) -> None:
        """Go on once all that was noted is on disk, also what others note in this turn of the loop: kept in one go."""
        await asyncio.sleep(0)
        self._store.keep()

    # -- what goes wrong ------------------------------------------------------------------------------------------

    def _note(self, request: Request, attempt: int, trouble: Trouble) -> None:
        billed = trouble.way is Way.SPOILED
        self._spending.lost += billed
        if trouble.way in (Way.THROTTLED, Way.FAILING):
            self._pace.overloaded(trouble.pause)
        if trouble.way is Way.DECLINED and not self.new:
            self._hold_back(request, attempt, trouble)
        else:
            final = trouble.way is Way.DECLINED
            self._store.note_failure(request.id, attempt, trouble.why, final, billed)

    def _hold_back(self, request: Request, attempt: int, trouble: Trouble) -> None:
        # Before any request was answered nobody knows whether a "no" is meant for this one or for all.
        self._declined.append((request.id, attempt, trouble.why))
        if len(self._declined) >= MOST_DECLINED:
            self._blame_settings()

    def _blame_settings(self) -> None:
        why, number = self._declined[-1][2], len(self._declined)
        self._settle_declined(final=False)
        self._give_up(
            f"The server declined {f'the first {number} requests' if number > 1 else 'the request'} ({why}). "
            "Leave out a parameter it doesn't know (e.g. --top-k none), or check the model."
        )

    def _settle_declined(self, final: bool = True) -> None:
        for request, attempt, why in self._declined:
            self._store.note_failure(request, attempt, why, final, billed=False)
        self._declined.clear()

    async def _rest(self, trouble: Trouble, tries: int) -> None:
        """Wait before the next attempt: as long as the server says, else longer each time; a different while for each."""
        longest = min(LONGEST_BACKOFF, self._limits.first_pause * 2.0 ** max(0, tries - 1))
        pause = (trouble.pause or 0.0) + self._jitter.uniform(0.2, 1.0) * longest
        try:
            await asyncio.wait_for(self._stop.wait(), pause)
        except TimeoutError:
            return

    # -- ending ---------------------------------------------------------------------------------------------------

    def _end(self, ending: Ending) -> None:
        if not self._stop.is_set():
            self._ending = ending
        self._stop.set()
        self._changed.set()
        self._pace.close()

    def _give_up(self, why: str) -> None:
        self._hopeless = (
            self._hopeless or f"{why} Answers so far are kept; the same command goes on from here."
        )
        self._end(Ending.CANCELLED)

    def _cancel(self, workers: list[asyncio.Task[None]]) -> None:
        if self._stop.is_set():
            for worker in workers:
                worker.cancel()
        self._end(Ending.CANCELLED)

    async def _watch(self) -> None:
        """Report each second, and give up when nothing comes any more."""
        while True:
            with suppress(BuildFolderError):  # told to those who noted something; what is reported is on disk
                self._store.keep()
            self._report(self.moment("ask"))
            await asyncio.sleep(1.0)
            silence = time.monotonic() - self._last_answer
            if silence > self._limits.patience and not self._stop.is_set():
                self._give_up(f"No answer for {round(silence)} seconds.")
