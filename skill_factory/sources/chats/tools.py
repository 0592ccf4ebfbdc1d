"""The tools that an assistant may call, as a row names them."""

import json
from collections.abc import Mapping
from typing import Any

from skill_factory.sources.chats.calls import without_nothing


def tools_of(value: Any) -> str | None:
    """
    The tools in a value as JSON, each in OpenAI's form; empty where it names none, None where it can't be read.

    The same tools give the same text, however a file wrote them.
    """
    if isinstance(value, str) and not value.strip():
        return ""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, Mapping):
        value = [value]
    if not value:
        return ""
    if not isinstance(value, list):
        return None
    read = [_tool(_parsed(one)) for one in value]
    return None if None in read else json.dumps(read, ensure_ascii=False, separators=(", ", ": "))


def _parsed(one: Any) -> Any:
    # A list of texts, each the JSON of one tool, is how a column of mixed schemas is often kept.
    try:
        return json.loads(one) if isinstance(one, str) else one
    except (ValueError, RecursionError):
        return None


def _tool(one: Any) -> dict[str, Any] | None:
    if not isinstance(one, Mapping):
        return None
    told = one.get("function") if isinstance(one.get("function"), Mapping) else one
    if not isinstance(told, Mapping) or not isinstance(told.get("name"), str):
        return None
    fields = {key: value for key, value in told.items() if key != "type" or told is not one}
    return {"type": "function", "function": without_nothing(fields)}


def tools_beside(messages: Any) -> Any:
    """The tools in the first of some messages, where some files keep them; None where there are none."""
    if isinstance(messages, str):
        messages = json.loads(messages)
    first = messages[0] if isinstance(messages, list) and messages else messages
    return first.get("tools") if isinstance(first, Mapping) else None
