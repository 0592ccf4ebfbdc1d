"""What a version changes that takes an earlier one's place: a few lines for the card, from both recipes and both reports.

Two small files of the repository say it, so that a plan stays cheap however large the data is. The rows themselves are
compared by `diff user/name@COMMIT user/name`, which the lines name.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from skill_factory.build.card import BEGIN, END
from skill_factory.build.markdown import inline
from skill_factory.errors import SkillFactoryError
from skill_factory.hub.client import try_read
from skill_factory.hub.look import RepoLook
from skill_factory.insight.difference.differing import fields_between, ledger_between
from skill_factory.publish.files import BUILD, LocalBuild
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.mixture_file import recipe_or_mixture
from skill_factory.wording import many

HEADING = "## What changed\n"
MOST = 12
"""Lines about the recipe, and about the ledger, at most."""


def changed_section(build: LocalBuild, remote: RepoLook, token: str | None, endpoint: str | None) -> str:
    """
    The section for the card; the one that is there where the repository holds this very build; else "" for a first version.

    So a push whose answer got lost finds the card that it wrote. Errors: HubError where the Hub can't be reached.
    """
    there = {file.path: file for file in remote.files}
    own = {file.path: file for file in build.files}
    names = ("recipe.toml", "report.json")
    if build.kind is not BUILD or any(name not in there or name not in own for name in names):
        return ""
    if all(own[name].same_as(there[name]) for name in names):
        return _section_in(remote.card)
    before = [try_read(remote.repo, name, token, remote.commit, endpoint) for name in names]
    after = [_bytes(own[name].content) for name in names]
    try:
        lines = list(_lines(*_read(before), *_read(after)))
    except (SkillFactoryError, ValueError, KeyError, TypeError, AttributeError):
        return ""  # another program's files, or an older one's: then nothing can be said
    commit = remote.commit[:12]
    return (
        f"{HEADING}\nThis version takes the place of commit `{commit}`.\n\n"
        + "\n".join(f"- {line}" for line in lines)
        + f"\n\nRow by row: `skill-factory diff {remote.repo}@{commit} {remote.repo}`"
    )


def with_section(card: str, section: str) -> str:
    """A card with a section at the end of what is ours in it."""
    before, mark, after = card.rpartition(END)
    return f"{before}{section}\n\n{mark}{after}" if section and mark else card


def _section_in(card: str) -> str:
    ours = card.partition(BEGIN)[2].rpartition(END)[0]
    before, heading, section = ours.rpartition(f"\n{HEADING}")
    return f"{HEADING}{section}".strip() if heading and before else ""


def _bytes(content: Path | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _read(files: Sequence[bytes | None]) -> tuple[AnyRecipe, dict[str, Any]]:
    recipe, report = (file.decode("utf-8") for file in files if file is not None)
    return recipe_or_mixture(recipe, "recipe.toml"), dict(json.loads(report))


def _lines(recipe: AnyRecipe, report: dict[str, Any], now: AnyRecipe, told: dict[str, Any]) -> Iterator[str]:
    if report.get("rows_digest") and report["rows_digest"] == told.get("rows_digest"):
        yield f"The traces are the same {many(int(told['traces']), 'trace')}."
    for name in (Level.TRACES, Level.QUESTIONS):
        kept = (int(one["ledger"][name.value]["kept"]) for one in (report, told))
        yield f"{name.value.capitalize()}: {{:,}} before, {{:,}} now.".format(*kept)
    yield from _first(
        f"Recipe, `{one.field}`: {inline(one.left)} before, {inline(one.right)} now."
        for one in fields_between(recipe, now)
    )
    yield from _first(
        f"{one.level.capitalize()} dropped because {one.reason}: {int(one.left):,} before, {int(one.right):,} now."
        for one in ledger_between(report["ledger"], told["ledger"])
        if one.reason
    )


def _first(lines: Iterator[str]) -> Iterator[str]:
    every = list(lines)
    yield from every[:MOST]
    if len(every) > MOST:
        yield f"And {len(every) - MOST:,} more like these."
