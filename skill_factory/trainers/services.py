"""Services that fine-tune for money: the traces as JSONL, checked against the limits that each of them publishes."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from skill_factory.asked import asked_in_row
from skill_factory.errors import HandoffError
from skill_factory.sources.columns import excerpt
from skill_factory.trainers.message_files import OF_SERVICES, Lines, write_messages
from skill_factory.trainers.record import Traces, TracesTrainer
from skill_factory.trainers.templates import fill_template, write
from skill_factory.wording import file_size


@dataclass(frozen=True)
class Limits:
    """What a service takes, as it publishes it; 0 where it publishes no limit."""

    source: str
    """Where it says so, and when that was read."""
    least: int
    """The fewest examples."""
    most: int
    size: int
    """The most bytes of a file."""
    tokens: int = 0
    """The most tokens of an example."""
    news: str = ""
    """What else a person has to know before paying."""


def refusal(limits: Limits, title: str, written: Lines, longest: int, exact: bool) -> str:
    """Why a service would refuse a file, in a sentence; empty if it wouldn't. `longest` is in tokens."""
    if written.lines < limits.least:
        return f"{title} takes at least {limits.least} examples; this build gives {written.lines}. Build with more questions."
    if limits.most and written.lines > limits.most:
        return f"{title} takes at most {limits.most:,} examples; this build gives {written.lines:,}. Build with fewer."
    if limits.size and written.size > limits.size:
        return (
            f"{title} takes files of at most {file_size(limits.size)}; this one has {file_size(written.size)}. "
            "Build with fewer questions or attempts."
        )
    # An estimate refuses nothing; the notes say it.
    if limits.tokens and exact and longest > limits.tokens:
        return (
            f"{title} takes at most {limits.tokens:,} tokens an example; the longest here has {longest:,}. "
            f"Leave out longer ones: --cutoff-len {limits.tokens} --drop-over."
        )
    return ""


CALLABLE = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_TOOLS = 128
"""What OpenAI publishes of functions (reference of chat completions, its rule of names read on 2026-11-29 in copies of it); the other services have its form."""


def misfit(row: Mapping[str, Any]) -> str:
    """Why services refuse a line with calls of tools, in words; empty if they take it."""
    tools = row.get("tools", [])
    if len(tools) > MOST_TOOLS:
        return f"it has {len(tools)} tools, and {MOST_TOOLS} are allowed"
    calls = [call for message in row["messages"] for call in message.get("tool_calls", ())]
    for name in (one["function"]["name"] for one in (*tools, *calls)):
        if not CALLABLE.fullmatch(name):
            return (
                f"a function is called {name[:80]!r}, and its name may have up to 64 letters, digits, _ and -"
            )
    return _unanswered(row["messages"])


def _unanswered(messages: Sequence[Mapping[str, Any]]) -> str:
    waiting: list[str] = []
    for message in messages:
        if message["role"] != "tool":
            if waiting:
                return "a call has no result, or two calls share one"
            waiting = [call["id"] for call in message.get("tool_calls", ())]
        elif message["tool_call_id"] in waiting:
            waiting.remove(message["tool_call_id"])
        else:
            return "a result answers no call"
    return ""


def _row_for(title: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a line. Errors: HandoffError for one that the service refuses, before anything is uploaded or paid for."""
    made = OF_SERVICES(row)
    if said := misfit(made):
        question = asked_in_row(row).question
        raise HandoffError(
            f"{title} refuses calls of tools like these: {said} (in “{excerpt(question)}”). Correct it in the raw data, or "
            "take --to trl, which has no such rule."
        )
    return made


def write_service(name: str, title: str, limits: Limits, given: Traces, folder: Path) -> None:
    """Write `train.jsonl`, `submit.sh` and the notes. Errors: HandoffError for what the service would refuse."""
    written = write_messages(given.bundle, folder / "train.jsonl", given.keep, partial(_row_for, title))
    lengths = given.lengths
    tokens = lengths.tokens if given.keep is None else lengths.tokens[given.keep]
    if said := refusal(limits, title, written, int(tokens.max()), lengths.exact):
        raise HandoffError(said)
    settings = {
        "title": title,
        "source": limits.source,
        "limits": _words(limits),
        "lines": f"{written.lines:,}",
        "size": file_size(written.size),
        "longest": f"{int(tokens.max()):,}",
        "news": f"- {limits.news}\n" if limits.news else "",
        "counted": "counted" if lengths.exact else "estimated",
    }
    submit = fill_template(
        f"{name}.sh", model=shlex.quote(given.options.model), epochs=max(1, round(given.options.epochs))
    )
    write(folder / "submit.sh", submit)
    write(folder / "TRAINING.md", fill_template("service.md", **settings, report=given.report))


def _words(limits: Limits) -> str:
    said = [f"at least {limits.least} examples"]
    said += [f"at most {limits.most:,}"] if limits.most else []
    said += [f"files up to {file_size(limits.size)}"] if limits.size else []
    said += [f"up to {limits.tokens:,} tokens an example, fewer for some models"] if limits.tokens else []
    return ", ".join(said)


def _service(name: str, title: str, limits: Limits) -> TracesTrainer:
    return TracesTrainer(
        name, title, "fine-tune on the traces, as a paid service", partial(write_service, name, title, limits)
    )


LIMITS = {
    "openai": Limits(
        "developers.openai.com, guides/supervised-fine-tuning and the reference of files; read on 2026-11-29 in copies of May "
        "and November 2026, the limit of tokens earlier in 2026",
        10,
        0,
        512 * 2**20,
        65_536,
        "**OpenAI is closing its fine-tuning: accounts that never used it can't start a job, and others only for some more "
        "months.**",
    ),
    "together": Limits(
        "docs.together.ai/docs/fine-tuning/data-preparation, read on 2026-11-29", 1, 0, 100 * 10**9
    ),
    "fireworks": Limits(
        "docs.fireworks.ai/fine-tuning/fine-tuning-models, read on 2026-11-29", 3, 3_000_000, 0
    ),
}
OPENAI = _service("openai", "OpenAI", LIMITS["openai"])
TOGETHER = _service("together", "Together AI", LIMITS["together"])
FIREWORKS = _service("fireworks", "Fireworks AI", LIMITS["fireworks"])
