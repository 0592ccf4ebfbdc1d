"""The texts that change when a build folder becomes a repository: the card, and the trainer's `dataset_info.json`.

The card of a repository belongs to its owner. Ours are only the section between two marks and three fields of the front
matter; everything else stays as its owner wrote it, comments and order included.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from skill_factory.build.card import BEGIN, END
from skill_factory.build.owned import HELD_OUT
from skill_factory.errors import HubError
from skill_factory.hub.layout import configs_of

PLACEHOLDER = '"USER/NAME"'
"""Stands for the repository's name in a build's card; with quotes, as it occurs in no sentence."""
MARK = re.escape(BEGIN) + ".*" + re.escape(END)
"""From the first begin to the last end, since the trace shown in between may contain an end mark itself."""

Block = tuple[str, str]
"""A field of the front matter: its key ("" for what comes before the first), and its lines as they are written."""


def name_card(card: str, repo: str) -> str:
    """The card of a build folder with the repository's name filled in, and its text between the marks."""
    head, body = split_card(card.replace(PLACEHOLDER, f'"{repo}"'))
    # A card that a person rewrote has lost its marks; without them the next push couldn't find its own section.
    return join_card(head, body if _section(body) else _marked(body))


def name_dataset_info(text: str, repo: str) -> str:
    """LLaMA-Factory's entries; the one that reads this folder as a dataset reads the repository instead."""
    entries = json.loads(text)
    # Whatever else a person added to an entry stays as it is.
    named = {
        name: dict(_pointed(key, value, repo) for key, value in entry.items())
        for name, entry in entries.items()
    }
    return json.dumps(named, indent=2, ensure_ascii=False) + "\n"


def _pointed(key: str, value: Any, repo: str) -> tuple[str, Any]:
    return ("hf_hub_url", repo) if key in ("script_url", "hf_hub_url") else (key, value)


def merge_card(built: str, existing: str, sizes: Mapping[str, int]) -> str:
    """Put the card of a build, with its name filled in, into the card that the repository has.

    `sizes` are the files that the repository will hold: a subset that the owner declared beside ours stays declared as
    long as it has files. Merging twice gives the same text. Errors: HubError if the existing front matter isn't YAML.
    """
    if not existing.strip():
        return built
    head, body = split_card(existing)
    our_head, our_body = split_card(built)
    return join_card(_merge_heads(our_head, head, sizes), _merge_bodies(our_body, body))


def split_card(card: str) -> tuple[str, str]:
    """Front matter (without its dashes) and body."""
    # A byte order mark and Windows line ends come from editors, and the Hub reads both.
    head = re.match(r"\ufeff?\s*---[ \t]*\r?\n(.*?\n)?---[ \t]*(?:\r?\n|$)", card, re.DOTALL)
    return (head[1] or "", card[head.end() :]) if head else ("", card)


def join_card(head: str, body: str) -> str:
    """A card of front matter, which may be empty, and body."""
    return f"---\n{head.rstrip()}\n---\n{body}" if head.strip() else body


def is_ours(card: str) -> bool:
    """Whether a card has our section."""
    return _section(card) is not None


def holds_out(card: str) -> bool:
    """Whether a card of ours says that held-out questions are a config of their own."""
    section = _section(card)
    return section is not None and f"`{HELD_OUT}`" in section[0]


def _section(body: str) -> re.Match[str] | None:
    return re.search(MARK, body, re.DOTALL)


def _marked(body: str) -> str:
    return f"{BEGIN}\n{body.strip(chr(10))}\n{END}\n"


def _merge_bodies(ours: str, theirs: str) -> str:
    section = _section(ours)
    section_text = section[0] if section else _marked(ours).rstrip("\n")
    old = _section(theirs)
    # Only what stands between the marks is ours to replace.
    if old is not None:
        return theirs[: old.start()] + section_text + theirs[old.end() :]
    # A single mark would pair up with one of ours next time, and swallow what is between them.
    kept = theirs.replace(BEGIN, "").replace(END, "").strip("\n")
    return f"{kept}\n\n{section_text}\n" if kept else f"{section_text}\n"


def _merge_heads(ours: str, theirs: str, sizes: Mapping[str, int]) -> str:
    our_fields, their_fields = fields_of(ours), fields_of(theirs)
    # A subset of the owner's that lost its files would make the whole dataset unreadable.
    kept = _kept_configs(our_fields, their_fields, sizes)
    changes = {
        "configs": [*(our_fields.get("configs") or []), *kept],
        "dataset_info": _kept_info(our_fields, their_fields, {config["config_name"] for config in kept}),
        "size_categories": our_fields.get("size_categories"),
        # The owner's tags first and all of them: ours are only added.
        "tags": _union(their_fields.get("tags"), our_fields.get("tags")),
    }
    written = blocks_of(theirs)
    # Front matter in another style, such as {license: mit}, has no lines of its own for each field.
    if {key for key, _ in written} - {""} != set(their_fields):
        written = [(key, dump(key, value)) for key, value in their_fields.items()]
    blocks = [_changed(block, changes, their_fields) for block in written]
    present = {key for key, _ in blocks}
    missing = {key: value for key, value in {**our_fields, **changes}.items() if value and key not in present}
    # In the order of our card, behind what the owner wrote.
    added = [dump(key, missing[key]) for key in dict.fromkeys((*our_fields, *missing)) if key in missing]
    return "".join(_lined(text) for text in (*(lines for _, lines in blocks), *added))


def _changed(block: Block, changes: Mapping[str, Any], fields: Mapping[str, Any]) -> Block:
    """The owner's block as it is, or ours if the value has to change."""
    key, _ = block
    # Equal values keep their spelling, so that a push of the same data leaves the card's bytes alone.
    if key not in changes or changes[key] == fields.get(key):
        return block
    return key, dump(key, changes[key]) if changes[key] else ""


def _lined(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _kept_configs(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], sizes: Mapping[str, int]
) -> list[dict[str, Any]]:
    names = {config["config_name"] for config in ours.get("configs") or []}
    declared = [
        config
        for config in theirs.get("configs") or []
        if isinstance(config, dict) and "data_files" in config
    ]
    others = [
        config for config in declared if config.get("config_name") and config["config_name"] not in names
    ]
    # Asked of the same rules that read the repository: a subset lives as long as one file matches.
    alive = [config for config in others if configs_of(sizes, {"configs": [config]})]
    # There can be one default subset, and after a push it is ours.
    return [{key: value for key, value in config.items() if key != "default"} for config in alive]


def _kept_info(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], kept: Iterable[str]
) -> list[Any] | dict[str, Any]:
    """The descriptions of features: ours, and the owner's for subsets that stay; none of columns that are gone."""
    info = theirs.get("dataset_info") or []
    entries = info if isinstance(info, list) else [info]
    stays = [
        entry
        for entry in entries
        if isinstance(entry, dict) and entry.get("config_name", "default") in set(kept)
    ]
    mine = ours.get("dataset_info") or []
    # One mapping is the form for a single subset; a list is needed only beside others.
    if not stays and isinstance(mine, dict):
        return mine
    return [*(mine if isinstance(mine, list) else [mine]), *stays]


def _union(theirs: Any, ours: Any) -> list[Any]:
    first = theirs if isinstance(theirs, list) else [theirs] if theirs else []
    return [*first, *(tag for tag in ours or [] if tag not in first)]


def fields_of(head: str) -> dict[str, Any]:
    """The front matter as values. Errors: HubError if it isn't a YAML mapping."""
    import yaml  # type: ignore[import-untyped]

    try:
        fields = yaml.safe_load(head) or {}
    except yaml.YAMLError as error:
        raise HubError(
            f"The front matter of the repository's README.md can't be read: {error}. Fix it first."
        ) from None
    if not isinstance(fields, dict):
        raise HubError("The front matter of the repository's README.md has no fields. Fix it first.")
    return fields


def blocks_of(head: str) -> list[Block]:
    """The front matter, cut before each top-level key; comments stay with the key below them."""
    pieces: list[Block] = []
    pending = ""
    for line in head.splitlines(keepends=True):
        key = re.match(r"""["']?([A-Za-z0-9_.-]+)["']?[ \t]*:(?=\s|$)""", line)
        if key:
            pieces.append((key[1], pending + line))
            pending = ""
        # A comment belongs to what follows it, as people write them.
        elif line.startswith("#") or not pieces:
            pending += line
        else:
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + pending + line)
            pending = ""
    return [*pieces, ("", pending)] if pending else pieces


def dump(key: str, value: Any) -> str:
    """One field as YAML."""
    import yaml

    # Wide, so that YAML doesn't break a long pattern over two lines.
    return str(yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=10_000))
