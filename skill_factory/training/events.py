"""What the script says while it trains, line by line, and the state that follows from it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOG = "log.jsonl"


@dataclass(frozen=True)
class Sample:
    """One output of the model on its way."""

    step: int
    question: str
    text: str
    ended: bool
    """Whether it ended by itself, before the longest length of a sample."""


@dataclass(frozen=True)
class Seen:
    """How a training is doing, by all that it has said."""

    step: int = 0
    steps: int = 0
    curve: Mapping[int, float] = field(default_factory=dict)
    """Step → loss; a step that was trained again after a kill counts once."""
    rewards: Mapping[int, float] = field(default_factory=dict)
    tokens: float = 0.0
    tokens_per_second: float = 0.0
    seconds_left: float | None = None
    memory: int = 0
    device: str = ""
    parameters: int = 0
    trained: int = 0
    samples: tuple[Sample, ...] = ()
    saved: int = 0
    """The step of the last checkpoint; 0 before the first."""
    how: str = ""
    """How the last run ended: `trained`, `stopped` or `expired`; empty while it runs, or if it was killed."""

    @property
    def share(self) -> float:
        """The share of the steps that are done."""
        return self.step / self.steps if self.steps else 0.0

    @property
    def loss(self) -> float | None:
        """The last loss."""
        return self.curve[max(self.curve)] if self.curve else None


def events_of(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    """The script's own lines; what libraries print between them, and a line that a kill cut off, are passed over."""
    for line in lines:
        if line.startswith("{"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and "event" in event:
                yield event


def read_log(folder: Path) -> Seen:
    """The state of the training in a folder."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return Seen()
    return seen_of(events_of(lines))


def seen_of(events: Iterable[Mapping[str, Any]]) -> Seen:
    """The state after some events."""
    known: dict[str, Any] = {}
    curve: dict[int, float] = {}
    rewards: dict[int, float] = {}
    tokens: dict[int, float] = {}
    samples: dict[int, Sample] = {}
    for event in events:
        step = int(event.get("step", 0))
        match event["event"]:
            case "start":
                known |= {name: event[name] for name in ("steps", "parameters", "trained", "device")}
                known |= {"how": "", "step": step}
                # Trained again from the checkpoint: what came after it doesn't count twice.
                for kept in (curve, rewards, tokens, samples):
                    for later in [one for one in kept if one > step]:
                        del kept[later]
            case "step":
                curve[step], tokens[step] = float(event["loss"]), float(event.get("tokens") or 0)
                if "reward" in event:
                    rewards[step] = float(event["reward"])
                known |= {
                    "step": step,
                    "tokens_per_second": event.get("tokens_per_second") or 0.0,
                    "seconds_left": event.get("seconds_left"),
                    "memory": max(known.get("memory", 0), event.get("memory") or 0),
                }
            case "sample":
                samples[step] = Sample(step, event["question"], event["text"], bool(event["ended"]))
            case "saved":
                known["saved"] = step
            case "end":
                known |= {"how": event["how"], "step": step}
    return Seen(
        curve=curve,
        rewards=rewards,
        tokens=sum(tokens.values()),
        samples=tuple(samples[step] for step in sorted(samples)),
        **known,
    )
