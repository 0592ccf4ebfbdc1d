"""Chat completions, whole or streamed, become answers: their text, their thinking, how they ended, what they took."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from skill_factory.generate.net.trouble import Trouble, Way, message_of, without_key
from skill_factory.generate.request import Answer, Finish, Request
from skill_factory.recipe.tokens import estimated_tokens
from skill_factory.sources.thinking import take_apart

MOST_TOKENS = 10_000_000
"""No model has a context as long; a larger count is a mistake, or meant to end the run."""
THINKING_FIELDS = ("reasoning_content", "reasoning")
"""Where servers put the thinking that they take out of the text: vLLM's first name for it, SGLang's, then vLLM's new one."""


def read_completion(content: bytes, request: Request, key: str | None = None) -> Answer:
    """The answer in the body of a chat completion. Errors: Trouble."""
    return parse_completion(_read_body(content, key), request)


def read_text_completion(content: bytes, request: Request, key: str | None = None) -> Answer:
    """The answer in the body of a raw completion, which continues a text. Errors: Trouble."""
    tree = _read_body(content, key)
    try:
        choice = tree["choices"][0]
        return _answer(request, [{"content": choice["text"]}], choice.get("finish_reason"), tree.get("usage"))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise Trouble(Way.SPOILED, "the answer isn't a completion") from error


def _read_body(content: bytes, key: str | None) -> Any:
    tree = _read_json(content)
    if message := message_of(tree):
        raise Trouble(Way.FAILING, f"the server failed on the way: {without_key(message, key)}")
    return tree


def parse_completion(tree: Any, request: Request) -> Answer:
    """The answer in a parsed chat completion, which may come from a batch file. Errors: Trouble."""
    try:
        choice, usage = tree["choices"][0], tree.get("usage")
        message = choice["message"]
        return _answer(request, [message], choice.get("finish_reason"), usage)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise Trouble(Way.SPOILED, "the answer isn't a chat completion") from error


@dataclass
class _Stream:
    """What has come of a streamed answer so far."""

    deltas: list[dict[str, Any]] = field(default_factory=list)
    finish: Any = None
    usage: Any = None

    def take(self, event: Any) -> None:
        """Add an event of the stream; the last one with a count of tokens holds that of the whole."""
        self.usage = event.get("usage") or self.usage
        for choice in event.get("choices", [])[:1]:
            self.deltas.append(choice["delta"])
            self.finish = choice.get("finish_reason") or self.finish


async def read_stream(lines: AsyncIterator[bytes], request: Request, key: str | None = None) -> Answer:
    """The answer in server-sent events. Errors: Trouble, also where the stream broke off before its end."""
    stream = _Stream()
    async for line in lines:
        # A line each is what all servers send: JSON holds no line break, so an event never needs two.
        name, _, value = line.partition(b":")
        value = value.strip()
        if name != b"data" or not value:
            continue
        if value == b"[DONE]":
            break  # some servers leave the connection open behind it
        event = _read_json(value)
        if message := message_of(event):
            raise Trouble(Way.FAILING, f"the server failed on the way: {without_key(message, key)}")
        try:
            stream.take(event)
        except (TypeError, LookupError, AttributeError) as error:
            raise Trouble(Way.SPOILED, "the stream isn't a chat completion") from error
    # A gateway that runs out of time ends the stream in good order, so only the reason to end tells.
    if stream.finish is None:
        raise Trouble(Way.SPOILED, "the stream broke off before its end")
    try:
        return _answer(request, stream.deltas, stream.finish, stream.usage)
    except (TypeError, AttributeError) as error:
        raise Trouble(Way.SPOILED, "the stream isn't a chat completion") from error


def _read_json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except RecursionError:  # at some hundred to thousand levels; a chat completion has six
        raise Trouble(Way.SPOILED, "the answer is nested too deeply") from None
    except ValueError as error:
        raise Trouble(Way.SPOILED, "the answer isn't JSON") from error


def _answer(request: Request, messages: list[dict[str, Any]], finish: Any, usage: Any) -> Answer:
    texts: list[str] = []
    thoughts: list[str] = []
    refusals: list[str] = []
    for message in messages:
        _take_content(message.get("content"), texts, thoughts)
        thoughts.append(_thinking_field(message))
        if isinstance(message.get("refusal"), str):
            refusals.append(message["refusal"])
    refusal = "".join(refusals)
    text, thinking = _storable("".join(texts) or refusal), _storable("".join(thoughts))
    if thinking and take_apart(text):
        thinking = ""  # it stands in the text already; some servers send it twice
    counts = _counts(usage, text + thinking)
    prompt, completion = counts or _estimate(request, text + thinking)
    return Answer(text, _ending(text, refusal, finish), prompt, completion, counts is not None, 0.0, thinking)


def _take_content(content: Any, texts: list[str], thoughts: list[str]) -> None:
    """Sort a message's content, a text or a list of parts, into text and thinking."""
    for part in content if isinstance(content, list) else [content or ""]:
        if isinstance(part, str):
            texts.append(part)
        elif part["type"] == "thinking":
            thoughts.extend(_texts(part["thinking"]))
        else:
            texts.append(part["text"])


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [part["text"] for part in value]


def _thinking_field(message: dict[str, Any]) -> str:
    values = (message.get(name) for name in THINKING_FIELDS)
    return next((value for value in values if isinstance(value, str) and value), "")


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair can't be stored


def _counts(usage: Any, text: str) -> tuple[int, int] | None:
    """The server's counts of tokens; None where it gives none that could be true, since a budget relies on them."""
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if type(prompt) is not int or type(completion) is not int:  # `True` would pass for an integer
        return None
    least = 1 if text else 0
    possible = 1 <= prompt <= MOST_TOKENS and least <= completion <= MOST_TOKENS
    return (prompt, completion) if possible else None


def _estimate(request: Request, text: str) -> tuple[int, int]:
    prompt = sum(len(message["content"]) for message in request.messages)
    # For servers that don't count; errs on the expensive side for English.
    return round(estimated_tokens(prompt)), round(estimated_tokens(len(text)))


def _ending(text: str, refusal: str, finish: Any) -> Finish:
    if refusal or finish == "content_filter":
        return Finish.REFUSED
    if finish == "length":
        return Finish.LENGTH
    return Finish.STOP if text.strip() else Finish.EMPTY
