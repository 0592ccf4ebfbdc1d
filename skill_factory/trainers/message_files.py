"""The traces as lines of JSON with `messages` and nothing else: what programs and services read that fine-tune on chats."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from skill_factory.asked import ASSISTANT, asked_in_row
from skill_factory.traces.chats import chat_messages, plain_messages, tools_in
from skill_factory.trainers.bundle import Bundle
from skill_factory.trainers.record import Keep


class Lines(NamedTuple):
    """What was written: lines, bytes in all, and the most bytes of one line."""

    lines: int
    size: int
    longest: int


RowOf = Callable[[Mapping[str, Any]], dict[str, Any]]
"""A row of a build → what stands on its line."""


def message_row(
    row: Mapping[str, Any], left_out: dict[str, Any], plain: bool = False, tools_as_text: bool = False
) -> dict[str, Any]:
    """
    A row as messages, with the tools where it names some: nothing else, since a service refuses what it doesn't know.

    Earlier turns of the assistant get the fields of `left_out`, by which a program leaves them out of the loss. With
    `plain`, calls are text. A program that reads lines into a table takes tools as text: no two have the same fields.
    """
    asked, trace = asked_in_row(row), row["conversations"][-1]
    if asked.alone:
        return {"messages": row["conversations"]}
    before = plain_messages(asked) if plain else chat_messages(asked, spelled=True)
    marked = [one | left_out if one["role"] == ASSISTANT else one for one in before]
    tools = asked.tools if tools_as_text else tools_in(asked)
    return {"messages": [*marked, trace], **({"tools": tools} if tools else {})}


OF_SERVICES = partial(message_row, left_out={"weight": 0})
"""OpenAI, Together and Fireworks leave a turn of weight 0 out of the loss."""


def write_messages(bundle: Bundle, path: Path, keep: Keep, row_of: RowOf = OF_SERVICES) -> Lines:
    """Write a line for each trace, or for each that stays."""
    lines = size = longest = 0
    with path.open("wb") as file:
        for place, row in enumerate(bundle.rows()):
            if keep is not None and not keep[place]:
                continue
            line = json.dumps(row_of(row), ensure_ascii=False).encode() + b"\n"
            file.write(line)
            lines, size, longest = lines + 1, size + len(line), max(longest, len(line))
    return Lines(lines, size, longest)
