"""The script as a job on a machine of the Hub: what is sent, how it is followed, and how the next job takes over.

Checkpoints go to the model repository while the job runs, so a job that ends early loses little. `job.json` in the
training's folder names the job: the same command finds it again while it runs, and starts the next one when it has ended.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from skill_factory.errors import HubError, TrainingError
from skill_factory.hub.client import client
from skill_factory.hub.errors import SignInNeeded, patiently, plainly
from skill_factory.training.estimate import Estimate, cheapest, estimate_training
from skill_factory.training.events import LOG, Seen, events_of, read_log
from skill_factory.training.facts import ModelFacts
from skill_factory.training.machines import rented
from skill_factory.training.prepare import Prepared
from skill_factory.training.settings import SETTINGS
from skill_factory.whole_files import write_whole

PYTHON = "3.11"
JOB = "job.json"
SAVING = 5
"""Minutes before its time-out at which a job saves a checkpoint and ends by itself."""
SECRETS = {"wandb": "WANDB_API_KEY"}
"""The key that a logger needs, by the name of its environment variable."""
ALIVE = ("RUNNING", "SCHEDULING")
Say = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Job:
    """A job of this training."""

    id: str
    namespace: str
    url: str
    flavor: str
    minutes: int
    token: str = field(repr=False)
    endpoint: str | None = None


@dataclass(frozen=True)
class Ended:
    """How a job ended: by what the script said, and by what the Hub says of it."""

    how: str
    """`trained`, `stopped`, `expired`; empty if the script couldn't say."""
    stage: str
    message: str
    seen: Seen


def choose_machine(
    prepared: Prepared, facts: ModelFacts | None, token: str | None, endpoint: str | None = None
) -> Estimate:
    """
    The estimate on the machine that was asked for, else on the one that costs least in all and has the memory.

    Errors: TrainingError where there is none.
    """
    machines = rented(token, endpoint)
    takes = {one.name: estimate_training(prepared.plan, prepared.lengths, facts, one) for one in machines}
    wanted = prepared.plan.flavor
    if wanted:
        if wanted not in takes:
            raise TrainingError(
                f"The Hub has no machine {wanted!r} with one accelerator. Found: {', '.join(takes)}."
            )
        return takes[wanted]
    found = cheapest(takes.values())
    if found is None:
        raise TrainingError(
            "None of the Hub's machines is known to have the memory for this training. Take --lora, a shorter --cutoff-len, "
            f"or name a machine with --flavor: {', '.join(takes)}."
        )
    return found


def start_job(prepared: Prepared, takes: Estimate, token: str | None, endpoint: str | None = None) -> Job:
    """Start a job that trains, or resumes from the checkpoint in the repository; the token is a secret of the job."""
    if not token:
        raise SignInNeeded("A job needs an account. Sign in, set HF_TOKEN, or run `hf auth login`.")
    minutes = prepared.plan.minutes or takes.minutes
    settings = prepared.settings | {"deadline_minutes": max(1, minutes - SAVING)}
    write_whole(prepared.folder / SETTINGS, json.dumps(settings, indent=1, ensure_ascii=False) + "\n")
    sent = [prepared.folder / SETTINGS, *prepared.data]
    # The library prints a remark there, and standard output is for results.
    with plainly("a job", token), redirect_stdout(sys.stderr):
        job = client(token, endpoint).run_uv_job(
            str(prepared.script),
            script_args=[str(path) for path in sent],
            python=PYTHON,
            # Not arguments: those of jobs are shown on the Hub's pages.
            secrets={"HF_TOKEN": token, **_keys(prepared)},
            flavor=takes.machine.name,
            # The Hub's own default is 30 minutes, after which everything would be lost.
            timeout=f"{minutes}m",
            labels={"app": "skill-factory", "training": prepared.settings["id"]},
        )
    started = Job(job.id, job.owner.name, job.url, takes.machine.name, minutes, token, endpoint)
    told = {name: getattr(started, name) for name in ("id", "namespace", "url", "flavor", "minutes")}
    write_whole(prepared.folder / JOB, json.dumps(told) + "\n")
    return started


def _keys(prepared: Prepared) -> dict[str, str]:
    """The key of the logger, if it needs one. Errors: TrainingError if it isn't set."""
    name = SECRETS.get(prepared.plan.report_to)
    if name is None:
        return {}
    if not os.environ.get(name):
        raise TrainingError(
            f"--report-to {prepared.plan.report_to} needs its key in {name}. Set it, or leave it out."
        )
    return {name: os.environ[name]}


def running_job(prepared: Prepared, token: str | None, endpoint: str | None = None) -> Job | None:
    """The job of this training that is still running; None if there isn't one."""
    try:
        known = json.loads((prepared.folder / JOB).read_text(encoding="utf-8"))
        job = Job(**known, token=token or "", endpoint=endpoint)
    except (OSError, ValueError, TypeError):
        return None
    try:
        return job if _status(job)[0] in ALIVE else None
    except HubError:
        # Jobs of long ago are forgotten; a new one takes over from the checkpoint.
        return None


def follow(job: Job, prepared: Prepared, say: Say) -> Ended:
    """Follow the log to its end: events are said and kept in the training's folder as if it was trained here."""
    hub = client(job.token, job.endpoint)
    with plainly("the job's log", job.token), (prepared.folder / LOG).open("a", encoding="utf-8") as kept:
        # The library takes up a line that drops.
        for event in _events(hub.fetch_job_logs(job_id=job.id, namespace=job.namespace, follow=True)):
            kept.write(json.dumps(event, ensure_ascii=False) + "\n")
            kept.flush()
            say(event)
    stage, message = _status(job)
    seen = read_log(prepared.folder)
    if not seen.how and (how := _by_the_hub(stage, message)):
        # Killed from the Hub's side, the script could say nothing; the folder should know all the same.
        with (prepared.folder / LOG).open("a", encoding="utf-8") as kept:
            kept.write(json.dumps({"event": "end", "how": how, "step": seen.step}) + "\n")
        seen = read_log(prepared.folder)
    return Ended(seen.how, stage, message, seen)


def _by_the_hub(stage: str, message: str) -> str:
    late = "timeout" in re.sub(r"[\s-]", "", message.lower())
    return "expired" if late else "stopped" if stage == "CANCELED" else ""


def _events(lines: Any) -> Iterator[dict[str, Any]]:
    yield from events_of(line for text in lines for line in str(text).splitlines())


def cancel(job: Job) -> None:
    """Stop a job: what it has saved stays in the repository."""
    with plainly("the job", job.token):
        hub = client(job.token, job.endpoint)
        patiently(lambda: hub.cancel_job(job_id=job.id, namespace=job.namespace))


def _status(job: Job) -> tuple[str, str]:
    hub = client(job.token, job.endpoint)
    with plainly("the job", job.token):
        status = patiently(lambda: hub.inspect_job(job_id=job.id, namespace=job.namespace)).status
    # An enumeration of the library, or a stage that it doesn't know yet.
    return str(getattr(status.stage, "value", status.stage)), str(status.message or "")
