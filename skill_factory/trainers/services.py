"""Services that fine-tune for money: the traces as JSONL, checked against the limits that each of them publishes."""

import shlex
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from skill_factory.errors import HandoffError
from skill_factory.trainers.message_files import Lines, write_messages
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


def write_service(name: str, title: str, limits: Limits, given: Traces, folder: Path) -> None:
    """Write `train.jsonl`, `submit.sh` and the notes. Errors: HandoffError for what the service would refuse."""
    written = write_messages(given.bundle, folder / "train.jsonl", given.keep)
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
