"""What single values of a row mean: a question, texts with their thinking, a gold answer, labels, a step."""

import math
import re
from collections.abc import Mapping
from typing import Any

from skill_factory.sources.columns import is_nan, is_unicode
from skill_factory.traces.conversations import Turn, turns_of

_CHECKPOINT = re.compile(r"(?:.*(?:step|checkpoint|ckpt|iter)[-_ ]?)?(\d+)", re.IGNORECASE)
THINKING = ("reasoning_content", "reasonings", "thinking")
"""Names of a column, or of a field beside a text, that holds the thinking alone."""
MESSAGE_THINKING = (*THINKING, "reasoning")
Text = tuple[str | None, str | None]
"""An output and its thinking, where that stands beside it."""
_TRUE = {"true", "1", "1.0", "yes", "correct", "right", "c", "pass"}
_FALSE = {"false", "0", "0.0", "no", "incorrect", "wrong", "i", "fail"}
_TEMPLATE_TURN = re.compile(r"<\|im_start\|>user\n(.*?)(?:<\|im_end\|>|$)", re.DOTALL)


def question_of(value: Any) -> str:
    """The question in a text, in a decoded chat prompt, or in the last user turn of messages."""
    if isinstance(value, str):
        turns = _TEMPLATE_TURN.findall(value)
        # The last turn: few-shot prompts put worked examples before the question that was asked.
        return turns[-1] if turns else value
    if isinstance(value, list):
        users = [turn.text for turn in _turns(value) if turn.role == "user"]
        return users[-1] if users else ""
    return "" if value is None or is_nan(value) else str(value)


def texts_of(value: Any) -> list[Text]:
    """
    The outputs in a value, each with its thinking where that stands beside it: text, texts, messages, records.

    One that is missing from a list keeps its place, as None, so that labels and thinking stay in step.
    """
    if isinstance(value, str):
        return [(value, None)]
    if isinstance(value, Mapping):
        return _texts_of_record(value)
    if not isinstance(value, list):
        return []
    if any(isinstance(one, Mapping) and ("role" in one or "from" in one) for one in value):
        return _last_reply(value)
    return [text for one in value for text in (texts_of(one) if one is not None else [(None, None)])]


def _texts_of_record(record: Mapping[str, Any]) -> list[Text]:
    # In the order of how surely a field of that name is the output.
    for name in ("content", "text", "response", "completion", "generation", "output", "message"):
        if record.get(name) is not None:
            inside = texts_of(record[name])
            return [(text, own or _beside(record)) for text, own in inside]
    # A model that thinks until its tokens run out leaves thinking and no text: an output, and one that was cut off.
    return [("", thinking)] if (thinking := _beside(record)) else []


def _beside(record: Mapping[str, Any]) -> str | None:
    return next((record[name] for name in MESSAGE_THINKING if isinstance(record.get(name), str)), None)


def _last_reply(messages: list[Any]) -> list[Text]:
    turns = [one for one in messages if isinstance(one, Mapping)]
    replies = [one for one, turn in zip(turns, _turns(turns), strict=True) if turn.role == "assistant"]
    if not replies:
        return []
    # Earlier replies of a conversation belong to the prompt of the last one.
    text = _turns([replies[-1]])[0].text
    return [(text, _beside(replies[-1]))]


def _turns(messages: list[Any]) -> list[Turn]:
    return turns_of({"messages": messages})


def gold_of(value: Any) -> str | None:
    """The gold answer as text; of a list its first, and numbers as they are written."""
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or is_nan(value) or isinstance(value, Mapping):
        return None
    text = str(value)
    return text if text.strip() and is_unicode(text) else None


def truth_of(value: Any) -> bool | None:
    """A stored label; None for one that is neither yes nor no."""
    if isinstance(value, list):
        # A list of several labels says nothing of one output.
        value = value[0] if len(value) == 1 else None
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def many(value: Any) -> list[Any]:
    """The items of a list; a single value is a list of one."""
    return value if isinstance(value, list) else [value]


def strings_or_none(value: Any) -> list[Any]:
    """Texts, each in its place; what is none is None."""
    return [one if isinstance(one, str) else None for one in many(value)]


def nested_marks(value: Any, outputs: int) -> list[Any]:
    """The stored marks of each output's inner answers."""
    if not isinstance(value, list):
        return [None]
    # With one output a row, logs leave the outer list out.
    if outputs == 1 and not any(isinstance(one, list) for one in value):
        value = [value]
    return [None if one is None else [truth_of(mark) for mark in one] for one in value]


def in_step(values: list[Any], outputs: int) -> list[Any]:
    """One value for each output; those of another number can't be told apart, so they are none."""
    return values if len(values) == outputs else [None] * outputs


def shown_value(value: Any) -> str:
    """A value as the name of a run or a group."""
    if value is None or is_nan(value):
        return "(none)"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def number_of(value: Any) -> float | None:
    """A step as a number: itself, or the number that ends `checkpoint-200`."""
    # Python counts True as the number 1, which isn't a step.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        match = _CHECKPOINT.fullmatch(value.strip())
        return float(match[1]) if match else None
    try:
        number = float(value)
    except OverflowError:  # a whole number larger than any float
        return None
    return number if math.isfinite(number) else None
