"""docs/trainers.md, from what was tried."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from skill_factory.trainers import TRAINERS, TRANSFORMERS
from tests.letter.follow import Tried

BUILDS = ("paper", "tight", "chinese")
Kinds = Mapping[tuple[str, str], set[str]]
"""Trainer and versions → whether these are pinned, the newest, or both."""


def page(
    tried: Sequence[Tried],
    sizes: Mapping[str, Sequence[int]],
    when: Sequence[tuple[str, str]],
    kinds: Kinds,
    missing: Sequence[str],
) -> str:
    """The page as Markdown; every figure and result comes from the arguments, `when` holds dates and commits."""
    # A model lies in a folder of the run's own, whose path says nothing.
    tried = [
        replace(one, versions=_which(one, kinds), command=re.sub(r"/\S+/models/", "models/", one.command))
        for one in tried
    ]
    rows = {name: _either(found) for name, found in sizes.items()}
    days = sorted({day for day, _ in when})
    commits = ", ".join(commit for _, commit in when)
    faults = sum(one.fault for one in tried)
    first = {one.trainer: one.model for one in reversed(tried)}
    whole = [one for one in tried if one.model == first[one.trainer]]
    lines = [
        "# Trainers, followed to the letter",
        "",
        f"`make letter`, {' and '.join(days)}, commits {commits}. This page is written by the command.",
        "",
        "Builds are exported for every trainer, and each command that stands in the `TRAINING.md` of an export is pasted into a",
        "shell, in a fresh folder, with the trainer's own release installed and nothing changed by hand. There is no GPU,",
        "no Hub and no account. What needs one of these is named, and the trial that the notes offer is run instead.",
        "",
        f"- Builds: the paper's recipe ({rows['paper']} traces), the layout `tight` with several closings ({rows['tight']}), and one in",
        f"  Chinese ({rows['chinese']}). One epoch, a cut-off of 16,384 tokens.",
        "- Models: random weights in two layers, a tokenizer of single bytes, and the chat template of a real family.",
        f"- *ran*: exit code 0, and a trained model lies where TRL, LLaMA-Factory and Transformers are told to save it. Faults: {faults}.",
        *([f"- Not tried yet: {', '.join(missing)}."] if missing else []),
        "",
        "## Every command",
        "",
        "| trainer | version | command | paper | tight | Chinese |",
        "| --- | --- | --- | --- | --- | --- |",
        *_by_build(whole),
        "",
        "## Other models",
        "",
        "The same with the tight build and other families' chat templates; *Tiny-of-my-own* is a name that says nothing.",
        "",
        "| trainer | version | model | commands |",
        "| --- | --- | --- | --- |",
        *_by_model([one for one in tried if one.model != first[one.trainer]]),
        "",
    ]
    return "\n".join(lines)


def _either(numbers: Sequence[int]) -> str:
    *most, last = map(str, numbers)
    return f"{', '.join(most)} or {last}" if most else last


def _which(one: Tried, kinds: Kinds) -> str:
    which = " and ".join(sorted(kinds[one.trainer, one.versions], reverse=True))
    return f"{one.versions} ({which})" if one.versions else "–"


def _title(one: Tried) -> str:
    title = {**TRAINERS, TRANSFORMERS.name: TRANSFORMERS}[one.trainer].title
    return f"{title}, `--loss {one.loss}`" if one.loss else title


def _by_build(tried: Iterable[Tried]) -> list[str]:
    cells: dict[tuple[str, str, str], dict[str, str]] = {}
    for one in tried:
        key = (_title(one), one.versions, one.command)
        cells.setdefault(key, {})[one.build] = _said(one)
    return [
        f"| {title} | {versions} | `{command}` | "
        + " | ".join(found.get(build, "–") for build in BUILDS)
        + " |"
        for (title, versions, command), found in cells.items()
    ]


def _by_model(tried: Iterable[Tried]) -> list[str]:
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in tried:
        found.setdefault((_title(one), one.versions, one.model), []).append(f"`{one.command}`: {_said(one)}")
    return [f"| {' | '.join(key)} | {'; '.join(said)} |" for key, said in found.items()]


def _said(one: Tried) -> str:
    return f"**{one.said}**".replace("|", "\\|") if one.fault else one.said
