"""The traces as lines of JSON with `messages` and nothing else: what programs and services read that fine-tune on chats."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from skill_factory.asked import ASSISTANT, asked_in_row
from skill_factory.trainers.bundle import Bundle
from skill_factory.trainers.chats import tools_in, whole_chat
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
            line = json.dumps(message_row(row), ensure_ascii=False).encode() + b"\n"
            file.write(line)
            lines, size, longest = lines + 1, size + len(line), max(longest, len(line))
    return Lines(lines, size, longest)


def message_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """
    A row as messages, with the tools where it names some: nothing else, since a service refuses what it doesn't know.

    Earlier turns of the assistant have the weight 0, by which services leave them out of the loss.
    """
    asked = asked_in_row(row)
    if asked.alone:
        return {"messages": row["conversations"]}
    messages = whole_chat(row, spelled=True)
    for message in messages[:-1]:
        if message["role"] == ASSISTANT:
            message["weight"] = 0
    tools = tools_in(asked)
    return {"messages": messages, **({"tools": tools} if tools else {})}
