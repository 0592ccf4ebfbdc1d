"""What was asked for, on disk and as the words of the command."""

import json
from dataclasses import asdict, fields
from pathlib import Path

from skill_factory.training.plan import Method, Place, Plan

ASKED = "asked.json"
FLAGS = {
    "model": "--model",
    "method": "--method",
    "place": "--on",
    "flavor": "--flavor",
    "to": "--to",
    "minutes": "--minutes",
    "epochs": "--epochs",
    "steps": "--steps",
    "batch": "--batch",
    "rate": "--learning-rate",
    "cutoff": "--cutoff-len",
    "report_to": "--report-to",
    "save_minutes": "--save-minutes",
    "sample_tokens": "--sample-tokens",
}
"""Field of a plan → the option that says it."""
SWITCHES = {"lora": "--lora", "drop_over": "--drop-over", "public": "--public"}


def words(plan: Plan) -> list[str]:
    """What to type after `python -m skill_factory` for a plan: only what differs from the defaults."""
    usual = {one.name: one.default for one in fields(Plan)}
    said = ["train", plan.data, "--out", plan.out]
    for name, flag in FLAGS.items():
        if (value := getattr(plan, name)) != usual[name]:
            said += [flag, str(value)]
    said += [flag for name, flag in SWITCHES.items() if getattr(plan, name)]
    return [*said, *(word for path in plan.source for word in ("--source", path))]


def command(plan: Plan) -> list[str]:
    """The command that runs; the price of a job was agreed to on the page."""
    return [*words(plan), "--json", *(["--yes"] if plan.place is Place.JOBS else [])]


def keep(plan: Plan, folder: Path) -> None:
    """Note what was asked for."""
    (folder / ASKED).write_text(json.dumps(asdict(plan)), encoding="utf-8")


def asked_in(path: Path) -> Plan | None:
    """What was asked for there; None if nothing was."""
    try:
        known = json.loads((path / ASKED).read_text(encoding="utf-8"))
        known |= {
            "method": Method(known["method"]),
            "place": Place(known["place"]),
            "source": tuple(known["source"]),
        }
        return Plan(**known)
    except (OSError, ValueError, TypeError, KeyError):
        return None
