"""Inspect's logs, which are zip archives of samples."""

import json
import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

from skill_factory.errors import SourceError
from skill_factory.sources.columns import excerpt
from skill_factory.sources.json_text import Rows
from skill_factory.sources.packed.bounds import LARGEST_UNPACKED, MOST_UNPACKED
from skill_factory.sources.packed.zips import pieces
from skill_factory.sources.unreadable import UNREADABLE, why

MOST_SAMPLES = 1_000_000
_SAMPLE = re.compile(r"samples/.+\.json")
_KEPT = ("id", "epoch", "input", "target", "choices", "messages", "output", "scores", "metadata")
"""Fields of a sample that say what was asked and answered; its events are many times as long."""


def eval_rows(path: Path) -> Rows:
    """The samples of an `.eval` log, one row each, with the characters of each. Errors: SourceError."""
    try:
        with ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if _SAMPLE.fullmatch(one.filename)]
            # An archive lists its samples in the order in which they ended, which isn't the same twice.
            entries.sort(key=lambda one: _natural(one.filename))
            size = sum(one.file_size for one in entries)
            if len(entries) > MOST_SAMPLES or size > max(
                LARGEST_UNPACKED, MOST_UNPACKED * path.stat().st_size
            ):
                raise SourceError(
                    f"{excerpt(path.name)} would unpack to {size:,} bytes, so it is hardly a log."
                )
            for entry in entries:
                yield entry.file_size, _sample(archive, entry, path)
    except NotImplementedError:
        raise SourceError(
            f"{excerpt(path.name)} is packed in a way that can't be read here. "
            "Write it as JSON (`inspect log convert --to json`) and give that file."
        ) from None
    except UNREADABLE as error:
        raise SourceError(
            f"{excerpt(path.name)} can't be read as an Inspect log: {excerpt(why(error), 120)}. Is the file complete?"
        ) from None


def _sample(archive: ZipFile, entry: ZipInfo, path: Path) -> dict[str, Any]:
    text = bytearray()
    for piece in pieces(archive, entry, path):
        text += piece
        if len(text) > entry.file_size:
            raise SourceError(f"{excerpt(path.name)} unpacks to more than it says, so it is hardly a log.")
    try:
        sample = json.loads(text)
    except (ValueError, RecursionError):
        raise SourceError(
            f"{excerpt(path.name)}: {excerpt(entry.filename)} isn't valid JSON. Is the log complete?"
        ) from None
    return {name: sample[name] for name in _KEPT if name in sample} if isinstance(sample, dict) else {}


def _natural(name: str) -> list[tuple[int, str]]:
    """Sample 10 after sample 9."""
    parts = ((one.lstrip("0"), one) for one in re.split(r"(\d+)", name))
    return [(len(number), number) if whole.isdecimal() else (-1, whole) for number, whole in parts]


def is_eval_log(path: Path) -> bool:
    """Whether an archive is a log of Inspect, whatever it is called."""
    try:
        with ZipFile(path) as archive:
            names = set(archive.namelist())
    except UNREADABLE:
        return False
    return bool(names & {"header.json", "_journal/start.json"}) and any(map(_SAMPLE.fullmatch, names))
