"""`train --on hf-jobs`: show the estimate and the price, ask, start the job or find it again, follow its log."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from skill_factory.cli.asking import agreed, say
from skill_factory.cli.output import tell
from skill_factory.hub.client import web_address
from skill_factory.training.prepare import rules_of_samples
from skill_factory.training.running import EXPIRED, STOPPED
from skill_factory.training.takes import as_json, event_line, job_lines, lines

if TYPE_CHECKING:
    from skill_factory.training.estimate import Estimate
    from skill_factory.training.jobs import Ended, Job
    from skill_factory.training.prepare import Prepared

FAILED = 2


def train_on_jobs(
    prepared: "Prepared",
    token: str | None,
    *,
    yes: bool = False,
    estimate_only: bool = False,
    json_only: bool = False,
    endpoint: str | None = None,
) -> int:
    """Exit code 0 when the model is trained, 1 if the answer was no, 75 when the job's time was over, 130 after Ctrl-C."""
    from skill_factory.training.events import read_log
    from skill_factory.training.jobs import running_job

    where = web_address(prepared.plan.to, "model", endpoint)
    if read_log(prepared.folder).how == "trained":
        say([f"{where} is trained already. Nothing was done."])
        return _told(prepared, None, where, json_only)
    if not estimate_only and (job := running_job(prepared, token, endpoint)):
        say([f"Its job is running: {job.url}"])
        return _follow(prepared, job, None, where, json_only)
    takes = _takes(prepared, token, endpoint)
    say([*lines(prepared, takes), *job_lines(prepared, takes)])
    if estimate_only:
        if json_only:
            tell(as_json(prepared, takes))
        return 0
    if not (yes or agreed("Start it?", "A job costs money, so starting it")):
        say(["Nothing was started."])
        return 1
    return _start(prepared, takes, token, where, json_only, endpoint)


def _takes(prepared: "Prepared", token: str | None, endpoint: str | None) -> "Estimate":
    from skill_factory.training.facts import model_facts
    from skill_factory.training.jobs import choose_machine

    return choose_machine(prepared, model_facts(prepared.plan.model, token, endpoint), token, endpoint)


def _start(
    prepared: "Prepared",
    takes: "Estimate",
    token: str | None,
    where: str,
    json_only: bool,
    endpoint: str | None,
) -> int:
    from skill_factory.training.jobs import start_job

    job = start_job(prepared, takes, token, endpoint)
    say([f"Started: {job.url}"])
    return _follow(prepared, job, takes, where, json_only)


def _follow(prepared: "Prepared", job: "Job", takes: "Estimate | None", where: str, json_only: bool) -> int:
    from skill_factory.training.jobs import cancel, follow

    try:
        ended = follow(job, prepared, saying(prepared))
    except KeyboardInterrupt:
        # It costs money as long as it runs, and nobody would be watching.
        cancel(job)
        say(
            [
                "The job is stopped. Its last checkpoint is in the repository; run the same command again to resume."
            ]
        )
        return STOPPED
    if ended.how == "trained":
        return _told(prepared, takes, where, json_only)
    say([_why(ended, job)])
    return {"expired": EXPIRED, "stopped": STOPPED}.get(ended.how, FAILED)


def _why(ended: "Ended", job: "Job") -> str:
    kept = (
        f"The checkpoint of step {ended.seen.saved:,} is in the repository; run the same command again to resume."
        if ended.seen.saved
        else "It had saved no checkpoint yet."
    )
    if ended.how == "expired":
        return f"The job's time of {job.minutes} minutes is over at step {ended.seen.step:,} of {ended.seen.steps:,}. {kept}"
    message = f": {ended.message}" if ended.message else ""
    return f"The job ended as {ended.stage}{message}. {kept} Its log is at {job.url}."


def saying(prepared: "Prepared") -> Callable[[Mapping[str, Any]], None]:
    """What prints one event of the script, on standard error."""
    recipe = rules_of_samples(prepared)

    def say_event(event: Mapping[str, Any]) -> None:
        if line := event_line(event, recipe):
            print(line, file=sys.stderr, flush=True)

    return say_event


def _told(prepared: "Prepared", takes: "Estimate | None", where: str, json_only: bool) -> int:
    if json_only:
        tell(as_json(prepared, takes) | {"url": where})
    else:
        print(where)
    return 0
