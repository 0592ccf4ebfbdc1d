"""Calls of tools in a message, as OpenAI, ShareGPT, Hermes, Qwen-Agent and Anthropic write them."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from skill_factory.asked import RESULTS_APART

CALL_ROLES = ("function_call", "tool_call", "tool_calls", "function-call")
"""Roles of a turn that is nothing but calls, whose text is their JSON."""
_HERMES = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)
_RESULT = re.compile(r"\s*<tool_response>\s*?\n?(.*?)\n?\s*?</tool_response>\s*", re.DOTALL)


class Call(NamedTuple):
    """One call of a tool."""

    name: str
    arguments: Any
    """What it is called with: an object as a rule, a text where the data holds one that isn't JSON."""


def calls_of(message: Mapping[str, Any], role: str, text: str) -> tuple[str, tuple[Call, ...]]:
    """(the text beside the calls, the calls) of an assistant's message; a text that only looks like a call stays text."""
    for name in ("tool_calls", "function_call"):
        if found := _read(message.get(name)):
            return text, found
    if role in CALL_ROLES and (found := _read(text)):
        return "", found
    if found := _in_parts(message.get("content")):
        return text, found
    marked = _HERMES.findall(text)
    read = [_read(one) for one in marked]
    # One block that isn't JSON makes all of them text: half a list of calls would be another answer.
    if marked and all(read):
        rest = _HERMES.sub("", text).strip()
        return rest, tuple(call for calls in read for call in calls)
    return text, ()


def _read(value: Any) -> tuple[Call, ...]:
    """The calls in a value: a record, a list of records, or JSON of either; none where any of them is something else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    items = [one for one in (value if isinstance(value, list) else [value]) if one]
    read = [_one(one) for one in items]
    return tuple(one for one in read if one) if all(read) else ()


def _one(record: Any) -> Call | None:
    if not isinstance(record, Mapping):
        return None
    inner = record.get("function")
    told = inner if isinstance(inner, Mapping) else record
    name = told.get("name")
    if not isinstance(name, str) or not name:
        return None
    given: Any = next(
        (told[key] for key in ("arguments", "parameters", "input", "args") if told.get(key) is not None), {}
    )
    return Call(name, without_nothing(_parsed(given)))


def _parsed(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        return given


def without_nothing(value: Any) -> Any:
    """A value without the fields that hold nothing: tables fill them in where records of a column differ."""
    if isinstance(value, Mapping):
        return {key: without_nothing(one) for key, one in value.items() if one is not None}
    return [without_nothing(one) for one in value] if isinstance(value, list) else value


def _in_parts(content: Any) -> tuple[Call, ...]:
    parts = content if isinstance(content, list) else []
    used = [part for part in parts if isinstance(part, Mapping) and part.get("type") == "tool_use"]
    return _read(used) if used else ()


def results_in_parts(content: Any) -> str | None:
    """The results of tools in the parts of a message; None where it holds none."""
    parts = content if isinstance(content, list) else []
    found = [part for part in parts if isinstance(part, Mapping) and part.get("type") == "tool_result"]
    return RESULTS_APART.join(result_text(part.get("content")) for part in found) if found else None


def result_text(content: Any) -> str:
    """The result of a tool as text, without the marks that a chat template writes around it."""
    if isinstance(content, list) and all(isinstance(one, Mapping) and "text" in one for one in content):
        content = "\n".join(str(one["text"]) for one in content)
    if not isinstance(content, str):
        return "" if content is None else json.dumps(without_nothing(content), ensure_ascii=False)
    marked = _RESULT.findall(content)
    # Only where nothing else stands there: a result may quote such marks.
    whole = marked and not _RESULT.sub("", content)
    return RESULTS_APART.join(marked) if whole else content
