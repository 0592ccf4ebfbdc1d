"""The turns of a row as chat APIs and chat templates write them: calls of tools with ids, and each result beside its call."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from skill_factory.asked import (
    ASSISTANT,
    CALL,
    RESULT,
    RESULTS_APART,
    SYSTEM,
    Asked,
    Said,
    asked_in_row,
    calls_in,
)

Message = dict[str, Any]


def chat_messages(asked: Asked, spelled: bool = False) -> list[Message]:
    """
    What is asked as OpenAI's messages.

    The arguments of a call are an object, as chat templates expect; `spelled` makes them a text, as OpenAI's files have them.
    """
    return list(_messages(asked, spelled))


def _messages(asked: Asked, spelled: bool) -> Iterator[Message]:
    made, open_calls = 0, list[str]()
    for turn in asked.turns:
        if turn.role == CALL:
            text, calls = calls_in(turn.content)
            if not calls:  # a text that calls nothing
                yield {"role": ASSISTANT, "content": text}
                continue
            # Nine letters and digits, which Mistral's templates insist on.
            open_calls = [f"call{number:05d}" for number in range(made + 1, made + len(calls) + 1)]
            made += len(calls)
            told = [_call(*pair, spelled) for pair in zip(open_calls, calls, strict=True)]
            yield {"role": ASSISTANT, "content": text, "tool_calls": told}
        elif turn.role == RESULT:
            yield from _results(turn, open_calls)
        else:
            yield turn._asdict()


def _call(number: str, call: Mapping[str, Any], spelled: bool) -> Message:
    given = call["arguments"]
    if spelled and not isinstance(given, str):
        given = json.dumps(given, ensure_ascii=False)
    return {"id": number, "type": "function", "function": {"name": call["name"], "arguments": given}}


def _results(turn: Said, calls: list[str]) -> Iterator[Message]:
    parts = turn.content.split(RESULTS_APART)
    if len(parts) != len(calls):
        parts, calls = [turn.content], calls[-1:] or ["call00000"]
    for number, part in zip(calls, parts, strict=True):
        yield {"role": "tool", "tool_call_id": number, "content": part}


def plain_messages(asked: Asked) -> list[Message]:
    """What is asked in messages of role and text alone, for programs that read no others: calls and results as Qwen writes them."""
    plain = []
    for turn in asked.turns:
        if turn.role == CALL:
            text, calls = calls_in(turn.content)
            told = [f"<tool_call>\n{json.dumps(call, ensure_ascii=False)}\n</tool_call>" for call in calls]
            plain.append({"role": ASSISTANT, "content": "\n".join([text, *told] if text else told)})
        elif turn.role == RESULT:
            said = f"<tool_response>\n{turn.content}\n</tool_response>"
            plain.append({"role": "user", "content": said})
        else:
            plain.append(turn._asdict())
    return plain


def with_tools(messages: list[Message], asked: Asked) -> list[Message]:
    """Plain messages whose system message tells the tools, as Qwen's template does: without them nobody could call one."""
    if not asked.tools:
        return messages
    listed = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools_in(asked))
    told = (
        f'# Tools\n\nYou may call these functions, each as <tool_call>\\n{{"name": …, "arguments": …}}\\n</tool_call>:\n'
        f"<tools>\n{listed}\n</tools>"
    )
    if messages and messages[0]["role"] == SYSTEM:
        return [{"role": SYSTEM, "content": f"{messages[0]['content']}\n\n{told}"}, *messages[1:]]
    return [{"role": SYSTEM, "content": told}, *messages]


def tools_in(asked: Asked) -> list[Message]:
    """The tools that the assistant may call."""
    tools: list[Message] = json.loads(asked.tools) if asked.tools else []
    return tools


def whole_chat(row: Mapping[str, Any], spelled: bool = False) -> list[Message]:
    """All messages of a row, the trace last."""
    return [*chat_messages(asked_in_row(row), spelled), dict(row["conversations"][-1])]
