"""The settings of a training: what the script reads, which of them make another model, and what of them is published."""

import hashlib
import json
from pathlib import Path
from typing import Any

from skill_factory.trainers.options import family_of
from skill_factory.trainers.templates import fill_template
from skill_factory.training.data import Origin
from skill_factory.training.plan import Method, Place, Plan
from skill_factory.training.questions import ASKED

SETTINGS = "training.json"
FREE = (
    "name",
    "save_minutes",
    "deadline_minutes",
    "sample_tokens",
    "report_to",
    "push_checkpoints",
    "public",
    "to",
)
"""Settings that may differ when a training is resumed: they don't change what is trained."""


def settings_of(plan: Plan, origin: Origin) -> dict[str, Any]:
    """What the script reads; its `id` is the same for trainings that make the same model."""
    settings: dict[str, Any] = {
        "name": plan.folder.name,
        "method": plan.method.value,
        "model": plan.model,
        "lora": plan.lora,
        "data": origin.digest,
        "epochs": plan.epochs,
        "max_steps": plan.steps,
        "batch": plan.batch,
        "learning_rate": plan.learning_rate,
        "cutoff": plan.cutoff,
        "drop_over": plan.drop_over,
        "seed": plan.seed,
        "generations": plan.generations,
        "completion_tokens": plan.completion,
        "questions": ASKED,
        "chat_template": _chat_template(plan),
        "sample_tokens": plan.sample_tokens,
        "save_minutes": plan.save_minutes,
        "deadline_minutes": plan.minutes,
        "to": plan.to,
        "public": plan.public,
        "push_checkpoints": plan.place is Place.JOBS,
        "report_to": plan.report_to,
    }
    fixed = {name: value for name, value in settings.items() if name not in FREE}
    return {"id": hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16], **settings}


def _chat_template(plan: Plan) -> str:
    """A template in place of the model's own, where that one would drop the thinking."""
    drops = plan.method is Method.SFT and family_of(plan.model) == "deepseek_r1"
    return fill_template("deepseek_r1.jinja") if drops else ""


def first_difference(known: dict[str, Any], wanted: dict[str, Any]) -> str:
    """The first setting that differs, in words."""
    for name, value in wanted.items():
        if name not in ("id", *FREE) and known.get(name) != value:
            return f"{name}: {known.get(name)!r} there, {value!r} now"
    return "made by another version"


def known_settings(folder: Path) -> dict[str, Any] | None:
    """The settings in a folder; None where none was prepared to the end."""
    try:
        read = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        return read if isinstance(read, dict) and "id" in read else None
    except (OSError, ValueError):
        return None


def without_paths(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings as they are published: a folder of this machine by its last name."""
    model = settings["model"]
    return settings | {"model": Path(model).name if Path(model).is_dir() else model}
