"""The whole flow: a source becomes requests, requests become answers in the store, answers become a raw set.

source ─▶ requests ─▶ ask, or a request file and its answers ─▶ store ─▶ rows ─▶ data, card, report
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime

from skill_factory.generate.folder import RawFolder
from skill_factory.generate.job import Job, Made
from skill_factory.generate.limits import Ending
from skill_factory.generate.lineage import card_of, report_of
from skill_factory.generate.money import Spending
from skill_factory.generate.net.endpoint import Asker, Endpoint, asker, check_key
from skill_factory.generate.notes import ESTIMATED, notes_on
from skill_factory.generate.pilot import Pilot, pilot_of
from skill_factory.generate.planning import Plan, planned
from skill_factory.generate.progress import GenerateProgress, Report, silent
from skill_factory.generate.request import Request
from skill_factory.generate.running import Run
from skill_factory.generate.store import AnswerStore
from skill_factory.generate.work import Work

AskThrough = Callable[[Endpoint, str | None], AbstractAsyncContextManager[Asker]]
"""Opens what asks an endpoint, with a key or without."""


def generate(
    job: Job,
    key: str | None = None,
    report: Report = silent,
    token: str | None = None,
    plan: Plan | None = None,
    ask_through: AskThrough = asker,
) -> Made:
    """
    Ask a model for all that a job wants and doesn't have yet, and write the raw set. The key goes to the endpoint only.

    `plan` and `ask_through` are for another kind of work on the same machinery: an evaluation of a trained model.

    A run that was stopped, killed or ended by its budget resumes where it was. Errors: SkillFactoryError.
    """
    # All that can be wrong with the settings is told before the source is opened or anything is sent.
    job = replace(job.checked(), endpoint=job.endpoint.checked())
    check_key(job.endpoint, key)
    folder = RawFolder(job.out)
    folder.check_free()
    plan = plan or planned(job, token)
    with AnswerStore.open(folder.answers) as store:
        report_and_note = _noting(report, folder)
        store.begin_run(now(), settings_of(job))
        spending = spending_of(job, store)
        try:
            ending, moment = asyncio.run(
                _ask(job, plan.work, store, spending, key, report_and_note, ask_through)
            )
        except KeyboardInterrupt:  # where signals can't be handled: in another thread, or on Windows
            report_and_note(GenerateProgress("cancelled", job.kind.value))
            raise
        except BaseException as error:
            message = str(error) or type(error).__name__
            # The app reads from here why a process that it started has ended.
            report_and_note(GenerateProgress("failed", job.kind.value, message=message))
            raise
        # Who cancels wants to stop now; the answers are safe, and the set is written by the run that goes on.
        if ending is Ending.CANCELLED:
            message = "Cancelled. Run the same command again to resume."
            report_and_note(replace(moment, phase="cancelled", message=message))
            return _made(job, store, ending, 0, Counter(), spending, moment, None)
        return finish(job, plan, store, spending, folder, report_and_note, ending, moment)


def wanted(work: Work, number: int, store: AnswerStore) -> tuple[int, int]:
    """How many requests a round has, and how many of them have no answer; one that is made twice counts twice."""
    total = missing = 0
    for request in work.requests(number, store):
        total += 1
        missing += not store.has(request.id)
    return total, missing


async def _ask(
    job: Job,
    work: Work,
    store: AnswerStore,
    spending: Spending,
    key: str | None,
    report: Report,
    ask_through: AskThrough,
) -> tuple[Ending, GenerateProgress]:
    report(GenerateProgress("count", job.kind.value))
    async with ask_through(job.endpoint, key) as asking:
        run = Run(asking, store, spending, job.limits, report, job.kind.value, job.retry_declined)
        total = before = 0
        ending = Ending.DONE
        for number in range(work.rounds):
            # Counted first, so that progress has an end to go to; a later round depends on the answers of this one.
            more, missing = wanted(work, number, store)
            total, before = total + more, before + more - missing
            if missing:
                ending = await run.round(work.requests(number, store), before, total)
            if ending is not Ending.DONE:
                break
        return ending, run.moment("write", declined_note(run.declined))


def declined_note(declined: int) -> str:
    """A sentence on requests that the server declined in an earlier run; nothing where there are none."""
    return (
        f"The server declined {declined:,} requests for good in an earlier run; --retry-declined sends them again."
        if declined
        else ""
    )


def finish(
    job: Job,
    plan: Plan,
    store: AnswerStore,
    spending: Spending,
    folder: RawFolder,
    report: Report,
    ending: Ending,
    moment: GenerateProgress,
) -> Made:
    """Write data, card and report from what the store holds, and say what came of it."""
    report(moment)
    counts: Counter[str] = Counter()
    # A set that was made in several runs was begun by the first of them.
    started = store.first_run() or now()
    rows = folder.write_rows(plan.work.schema, plan.work.rows(store, counts))
    pilot: Pilot | None = None
    if job.pilot:
        pilot = pilot_of(job.kind.value, job.out, counts, spending, moment, plan.tried, plan.total)
        folder.note_pilot(pilot.to_json())
    counts[ESTIMATED] = store.estimated()
    missing = counts["unanswered"]
    lineage = report_of(
        job,
        plan.source.pinned(),
        plan.prompts,
        counts,
        spending,
        store.failures(),
        (started, now()),
        ending.value,
        missing,
        pilot,
    )
    folder.write_documents(card_of(lineage), lineage)
    if not missing:  # requests that were made twice were sent once
        moment = replace(moment, total=moment.done)
    message = (
        "The budget is spent. Raise it and run the same command again to resume."
        if ending is Ending.BUDGET
        else ""
    )
    report(replace(moment, phase=ending.value, seconds_left=None, message=message or moment.message))
    return _made(job, store, ending, rows, counts, spending, moment, pilot)


def spending_of(job: Job, store: AnswerStore) -> Spending:
    """What the answers in a store have cost so far, within the job's budget."""
    answers, prompt, completion = store.spent()
    return Spending(job.price, job.budget, answers, prompt, completion, store.lost())


def _made(
    job: Job,
    store: AnswerStore,
    ending: Ending,
    rows: int,
    counts: Counter[str],
    spending: Spending,
    moment: GenerateProgress,
    pilot: Pilot | None,
) -> Made:
    return Made(
        out=job.out,
        ending=ending.value,
        rows=rows,
        counts=dict(sorted(counts.items())),
        answers=spending.answers,
        tokens={"prompt": spending.prompt_tokens, "completion": spending.completion_tokens},
        cost=round(spending.cost, 6),
        lost=spending.lost,
        missing=counts["unanswered"] if ending is not Ending.CANCELLED else moment.total - moment.done,
        failures=store.failures(),
        pilot=pilot,
        notes=notes_on(job.kind, counts, job.sampling),
    )


def outstanding(work: Work, store: AnswerStore) -> Iterator[Request]:
    """The requests that can be sent now, each once: those of the first round that lacks answers."""
    for number in range(work.rounds):
        # Batch runners refuse a file in which an id stands twice.
        seen: set[str] = set()
        for request in work.requests(number, store):
            if request.id not in seen and not store.has(request.id):
                seen.add(request.id)
                yield request
        if seen:
            return


def settings_of(job: Job) -> str:
    """A job as JSON for the store's list of runs: no key, no address, no path."""
    settings = {
        "what": job.kind.value,
        "model": job.endpoint.model,
        "endpoint": job.endpoint.kind,
        "pilot": job.pilot,
    }
    return json.dumps({**settings, "sampling": job.sampling.model_dump()}, ensure_ascii=False)


def _noting(report: Report, folder: RawFolder) -> Report:
    """A report that is also left in the folder, for whoever watches from another process."""

    def report_and_note(progress: GenerateProgress) -> None:
        folder.note(progress)
        report(progress)

    return report_and_note


def now() -> str:
    """The time in UTC, to the second, as the lineage writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
