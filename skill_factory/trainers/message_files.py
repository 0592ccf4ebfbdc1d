"""The traces as lines of JSON with `messages` and nothing else: what programs and services read that fine-tune on chats."""

import json
from pathlib import Path
from typing import NamedTuple

from skill_factory.trainers.bundle import Bundle
from skill_factory.trainers.record import Keep


class Lines(NamedTuple):
    """What was written: lines, bytes in all, and the most bytes of one line."""

    lines: int
    size: int
    longest: int


def write_messages(bundle: Bundle, path: Path, keep: Keep) -> Lines:
    """Write a line for each trace, or for each that stays."""
    lines = size = longest = 0
    with path.open("wb") as file:
        for place, row in enumerate(bundle.rows()):
            if keep is not None and not keep[place]:
                continue
            # Messages alone: a service refuses a column that it doesn't know.
            line = json.dumps({"messages": row["conversations"]}, ensure_ascii=False).encode() + b"\n"
            file.write(line)
            lines, size, longest = lines + 1, size + len(line), max(longest, len(line))
    return Lines(lines, size, longest)
