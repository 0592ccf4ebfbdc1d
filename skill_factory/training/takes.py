"""The words and numbers of a training: what it takes before it starts, how it goes, what came of it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from skill_factory.recipe.model import Recipe
from skill_factory.training.estimate import Estimate
from skill_factory.training.events import read_log
from skill_factory.training.plan import Method, Plan
from skill_factory.training.prepare import Prepared
from skill_factory.training.samples import counted
from skill_factory.wording import duration, file_size, inflect, many, rough_duration

ROUGH = "The model's configuration can't be read, so memory and time follow from the size in its name alone: expect more."


def lines(prepared: Prepared, takes: Estimate) -> list[str]:
    """What a training takes on a machine, in sentences."""
    plan, machine = prepared.plan, takes.machine
    what = "trace" if plan.method is Method.SFT else "question"
    about = "" if prepared.exact else "about "
    batch = many(min(plan.batch, takes.traces), what)
    said = [
        f"{many(takes.traces, what)}, {about}{takes.tokens:,} tokens in {many(takes.steps, 'step')} of {batch}."
    ]
    if takes.over and not plan.drop_over:
        said.append(
            f"{many(takes.over, what)} {inflect(takes.over, 'is', 'are')} longer than {plan.cutoff:,} tokens and "
            f"{inflect(takes.over, 'loses its', 'lose their')} end, where the answer is. Raise --cutoff-len, or take --drop-over."
        )
    if takes.memory is None:
        said.append("How large the model is isn't known, so memory and time can't be estimated.")
        return said
    device = f"{machine.name}{f', {machine.device}' if machine.device else ''}"
    said.append(f"Memory: about {file_size(takes.memory)} of the {file_size(machine.memory)} of {device}.")
    if takes.rough:
        said.append(ROUGH)
    if not takes.fits:
        said.append(
            "That doesn't fit. Take --lora, a shorter --cutoff-len, a smaller model or a larger machine."
        )
    said.append(
        f"Time: {rough_duration(takes.seconds)}."
        if takes.seconds is not None
        else f"How fast {device} is isn't known, so the time can't be estimated."
    )
    return said


def limit_words(plan: Plan, takes: Estimate) -> str:
    """When a rented machine is stopped, and what it can have cost by then."""
    minutes = plan.minutes or takes.minutes
    most = takes.machine.dollars_per_hour * minutes / 60
    return f"It is stopped after {minutes} minutes, which come to ${most:.2f} at most"


def job_lines(prepared: Prepared, takes: Estimate) -> list[str]:
    """What a rented machine costs, when it stops, and what is left then."""
    plan, hourly = prepared.plan, takes.machine.dollars_per_hour
    minutes = plan.minutes or takes.minutes
    price = f"{takes.machine.name} costs ${hourly:.2f} per hour"
    if takes.seconds is not None:
        price += f": about ${takes.dollars:.2f}"
    said = [
        f"{price}, billed to your account by the minute. {limit_words(plan, takes)}.",
        f"Checkpoints go to {plan.to} every {plan.save_minutes:g} minutes, so the same command resumes what was stopped.",
    ]
    if takes.seconds is not None and takes.seconds / 60 > minutes:
        said.append("That time is shorter than the estimate: it will take several jobs.")
    return said


def event_line(event: Mapping[str, Any], recipe: Recipe | None = None) -> str:
    """One event of the script as a line for the terminal; empty for one that says nothing new."""
    step = f"step {event.get('step', 0):,}"
    match event["event"]:
        case "start":
            begun = f"resumed after {step}" if event["step"] else "started"
            trained = f"{event['trained']:,} of {event['parameters']:,} weights are trained"
            return f"{begun}: {event['steps']:,} steps on {event['device']}, {trained}"
        case "step":
            reward = f" · reward {event['reward']:.3f}" if "reward" in event else ""
            left = event.get("seconds_left")
            more = f" · {duration(left)} left" if left is not None else ""
            pace = f" · {event['tokens_per_second']:,.0f} tokens/s" if event.get("tokens_per_second") else ""
            return f"{step} · loss {event['loss']:.4f}{reward}{pace}{more}"
        case "sample":
            found = counted(event["text"], recipe)
            return f"{step} · sample: {found.words}"
        case "saved":
            return f"{step} · checkpoint"
        case "end":
            return f"{event['how']} at {step}"
    return ""


def as_json(prepared: Prepared, takes: Estimate | None) -> dict[str, Any]:
    """The result of the command as one JSON object."""
    seen = read_log(prepared.folder)
    told: dict[str, Any] = {"path": str(prepared.folder), "id": prepared.settings["id"]}
    if takes is not None:
        told["estimate"] = asdict(takes) | {
            "dollars": takes.dollars,
            "fits": takes.fits,
            "minutes": takes.minutes,
        }
    if seen.steps:
        told |= {"step": seen.step, "steps": seen.steps, "loss": seen.loss, "ending": seen.how}
        told |= {"tokens": seen.tokens, "tokens_per_second": seen.tokens_per_second, "memory": seen.memory}
    if prepared.trained:
        told["model"] = str(prepared.folder / "model")
    return told
