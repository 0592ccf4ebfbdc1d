"""The run: many requests at once, each answered once, with retries, a budget, patience and cancelling."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from skill_factory.errors import BuildFolderError, EndpointError
from skill_factory.generate.declined import EarlyRefusals
from skill_factory.generate.limits import Ending, Limits, signals_to
from skill_factory.generate.money import Spending
from skill_factory.generate.net.endpoint import Asker
from skill_factory.generate.net.pace import Pace
from skill_factory.generate.net.trouble import Trouble, Way
from skill_factory.generate.open_requests import OpenRequests
from skill_factory.generate.progress import GenerateProgress, Report, Speed
from skill_factory.generate.request import Answer, Request
from skill_factory.generate.store import AnswerStore

LONGEST_BACKOFF = 30.0
"""Seconds between two attempts, unless the server asks for more."""


class Run:
    """One run, which takes one round of requests after another."""

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
        self._open = OpenRequests(store, retry_declined)
        self._pace = Pace(limits.concurrency)
        self._speed = Speed()
        self._jitter = random.Random()  # pauses only: no result depends on it
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()
        self._ending = Ending.DONE
        self._hopeless = ""
        self._started = self._last_answer = time.monotonic()
        self._refusals = EarlyRefusals(store)
        self.new = self.failed = self.retries = 0
        self._tokens = self._before = self._total = 0

    async def round(self, requests: Iterator[Request], before: int, total: int) -> Ending:
        """
        Have requests answered; `before` of `total` were answered earlier. Errors: EndpointError where none can be.

        The first SIGINT or SIGTERM stops sending and waits for what is in flight; the second one doesn't wait.
        """
        self._open.begin(requests)
        self._before, self._total = before - self.new, total
        # As many workers as there may ever be requests in flight; the pace decides how many of them wait.
        workers = [asyncio.create_task(self._work()) for _ in range(self._limits.concurrency)]
        watch = asyncio.create_task(self._watch())
        with signals_to(lambda: self._cancel(workers)):
            try:
                results = await self._results_of(workers)
            finally:
                watch.cancel()
        # A handful of requests, all declined, isn't a finished run.
        if self._refusals and not self.new:
            self._blame_settings()
        self._store.keep()
        self._report(self.moment("ask"))
        for error in results:
            if isinstance(error, Exception):
                raise error
        if self._hopeless:
            raise EndpointError(self._hopeless)
        return self._ending

    async def _results_of(self, workers: list[asyncio.Task[None]]) -> list[BaseException | None]:
        """What the workers came to, once all are done or the run was stopped."""
        stop = asyncio.create_task(self._stop.wait())
        everyone = asyncio.gather(*workers, return_exceptions=True)
        ends: list[asyncio.Future[Any]] = [everyone, stop]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not everyone.done():
            # What is in flight is paid for: a budget lets it finish, a cancel gives it a while.
            is_patient = self._ending is Ending.BUDGET
            await asyncio.wait(workers, timeout=None if is_patient else self._limits.grace)
        for worker in workers:
            worker.cancel()
        stop.cancel()
        return await everyone

    @property
    def declined(self) -> int:
        """Requests that were left out because the server declined them in an earlier run."""
        return self._open.declined

    def moment(self, phase: str, message: str = "") -> GenerateProgress:
        """How far the run is."""
        speed, tokens = self._speed.note(self.new, self._tokens)
        done = self._before + self.new
        left = (self._total - done) / speed if speed > 0 and phase == "ask" else None
        spending = self._spending
        return GenerateProgress(
            phase=phase,
            kind=self._kind,
            done=done,
            total=self._total,
            new=self.new,
            failed=self.failed,
            retries=self.retries,
            in_flight=self._pace.active,
            limit=int(self._pace.limit),
            prompt_tokens=spending.prompt_tokens,
            completion_tokens=spending.completion_tokens,
            tokens_per_second=round(tokens, 1),
            cost=round(spending.cost, 6),
            seconds=round(time.monotonic() - self._started, 2),
            seconds_left=None if left is None else round(left, 1),
            message=message,
        )

    # -- one worker -----------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            while not self._stop.is_set() and (request := self._open.next()) is not None:
                await self._settle(request)
                self._open.done(request)
        except Exception:
            # The disk is full, or it is our own mistake: the others needn't go on.
            self._end(Ending.CANCELLED)
            raise

    async def _settle(self, request: Request) -> None:
        """Send a request until there is an answer, or no point in sending it again."""
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
            # Being told to slow down says nothing about the request; patience ends that, not the number of tries.
            tries += trouble.way is not Way.THROTTLED
            if tries < self._limits.tries:
                self.retries += 1
                await self._pause(trouble, tries)
        self.failed += 1
        if not self.new:
            self._give_up(
                f"The server gives no answer ({why}, {tries} times). Is it running, and is the address right?"
            )

    async def _afford(self, request: Request) -> bool:
        """Wait until the budget has room for a request; False where it never will, or the run has ended."""
        while not self._spending.hold(request):
            # Requests in flight give back what they don't use, so the budget is spent only once none is left.
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
                return await self._ask_once(request)
        finally:
            # Whatever came of it, those who wait for the budget may look again.
            self._spending.release(request)
            self._changed.set()

    async def _ask_once(self, request: Request) -> Trouble | None:
        attempt, sent = self._store.note_asked(request.id), False
        try:
            await self._keep_notes()
            sent = True
            answer = await self._asker.ask(request)
        except Trouble as trouble:
            self._note_trouble(request, attempt, trouble)
            await self._keep_notes()
            return trouble
        except BaseException:
            # Cancelled while the server was at work: it may finish the answer, and bill it.
            self._spending.lost += sent
            self._store.note_failure(request.id, attempt, "cancelled", final=False, billed=sent)
            raise
        self._take_answer(request, attempt, answer)
        await self._keep_notes()
        return None

    def _take_answer(self, request: Request, attempt: int, answer: Answer) -> None:
        self._store.note_answer(request.id, answer, attempt)
        self._spending.take(answer)
        self._pace.answered(answer.seconds)
        self._last_answer = time.monotonic()
        self.new += 1
        self._tokens += answer.completion_tokens
        # The settings are fine then, so what was declined was meant.
        self._refusals.note(final=True)

    async def _keep_notes(self) -> None:
        """Return once all that was noted is on disk, with what others note in this turn of the loop, in one go."""
        await asyncio.sleep(0)  # the others' turn, before one transaction takes all
        self._store.keep()

    # -- what goes wrong ------------------------------------------------------------------------------------------

    def _note_trouble(self, request: Request, attempt: int, trouble: Trouble) -> None:
        billed = trouble.way is Way.SPOILED
        self._spending.lost += billed
        if trouble.way in (Way.THROTTLED, Way.FAILING):
            self._pace.overloaded(trouble.pause)
        if trouble.way is Way.DECLINED and not self.new:
            # Until one request is answered, nobody knows whether a "no" is meant for this one or for all.
            self._refusals.hold(request.id, attempt, trouble.why)
            if self._refusals.too_many:
                self._blame_settings()
        else:
            final = trouble.way is Way.DECLINED
            self._store.note_failure(request.id, attempt, trouble.why, final, billed)

    def _blame_settings(self) -> None:
        blame = self._refusals.blame()
        # Nothing is held against the requests: with other settings they are sent again.
        self._refusals.note(final=False)
        self._give_up(blame)

    async def _pause(self, trouble: Trouble, tries: int) -> None:
        """Wait before the next attempt, as long as the server says and longer each time; each worker differently long."""
        longest = min(LONGEST_BACKOFF, self._limits.first_pause * 2.0 ** max(0, tries - 1))
        # Drawn, so that those who were refused together don't come back together.
        pause = (trouble.pause or 0.0) + self._jitter.uniform(0.2, 1.0) * longest
        try:
            await asyncio.wait_for(self._stop.wait(), pause)
        except TimeoutError:
            return

    # -- ending ---------------------------------------------------------------------------------------------------

    def _end(self, ending: Ending) -> None:
        if not self._stop.is_set():  # the first reason to end is the one that is told
            self._ending = ending
        self._stop.set()
        self._changed.set()
        self._pace.close()

    def _give_up(self, why: str) -> None:
        self._hopeless = (
            self._hopeless or f"{why} Answers so far are kept; run the same command again to resume."
        )
        self._end(Ending.CANCELLED)

    def _cancel(self, workers: list[asyncio.Task[None]]) -> None:
        if self._stop.is_set():  # the second signal, or one while a spent budget waits
            for worker in workers:
                worker.cancel()
        self._end(Ending.CANCELLED)

    async def _watch(self) -> None:
        """Report each second, and give up when no answers come any more."""
        while True:
            # What is reported is on disk; a fault of the disk ends the workers, who noted something.
            with suppress(BuildFolderError):
                self._store.keep()
            self._report(self.moment("ask"))
            await asyncio.sleep(1.0)
            silence = time.monotonic() - self._last_answer
            if silence > self._limits.patience and not self._stop.is_set():
                self._give_up(f"No answer for {round(silence)} seconds.")
