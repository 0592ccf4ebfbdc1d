"""Asks a trained model: over chat, thinking included, or by raw completions of a text that we begin."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from skill_factory.generate.net.endpoint import Asker, Endpoint, parse_completion
from skill_factory.generate.net.line import CAME, Line, lent_to_hub, open_line
from skill_factory.generate.request import Answer, Request
from skill_factory.grading.answers import USUAL_NAMES, BlockNames
from skill_factory.measure.parts import with_thinking

PROMPT = "prompt"
"""The role under which a request holds the text of a raw completion."""


class ThinkingAsker(Asker):
    """Over chat; servers that take the thinking out of the text get it put back, between its tags."""

    def __init__(
        self, endpoint: Endpoint, key: str | None, client: Any, names: BlockNames = USUAL_NAMES
    ) -> None:
        super().__init__(endpoint, key, client)
        self._names = names

    async def _whole(self, request: Request) -> Answer:
        CAME.set(b"")
        await self._whole_client.chat_completion(**self._parameters(request))
        return parse_completion(_with_thinking(json.loads(CAME.get()), self._names), request)


class CompletionAsker(Asker):
    """By raw completions: the request's one message is the text to continue."""

    def __init__(self, endpoint: Endpoint, key: str | None, client: Any, line: Line) -> None:
        super().__init__(endpoint, key, client)
        self._line, self._url = line, f"{endpoint.url.rstrip('/')}/completions"

    async def _whole(self, request: Request) -> Answer:
        CAME.set(b"")
        body = {"model": self._endpoint.model, "prompt": request.messages[0]["content"], **request.body}
        response = await self._line.post(self._url, json=body, headers={})
        if response.status_code != 200:
            raise _refused(response)
        return parse_completion(_as_chat(json.loads(CAME.get())), request)


@asynccontextmanager
async def thinking_asker(
    endpoint: Endpoint, key: str | None, names: BlockNames = USUAL_NAMES
) -> AsyncIterator[Asker]:
    """An asker over chat that keeps the thinking."""
    async with _line(key) as (line, client), _lent(line):
        yield ThinkingAsker(endpoint, key, client, names)


@asynccontextmanager
async def completion_asker(endpoint: Endpoint, key: str | None) -> AsyncIterator[Asker]:
    """An asker for raw completions."""
    async with _line(key) as (line, client), _lent(line):
        yield CompletionAsker(endpoint, key, client, line)


@asynccontextmanager
async def _line(key: str | None) -> AsyncIterator[tuple[Line, Any]]:
    from huggingface_hub import AsyncInferenceClient

    line = open_line(key)
    try:
        yield line, AsyncInferenceClient
    finally:
        await line.aclose()


@asynccontextmanager
async def _lent(line: Line) -> AsyncIterator[None]:
    with lent_to_hub(line):
        yield


def _refused(response: httpx2.Response) -> Exception:
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError(f"HTTP {response.status_code}", response=response)


def _with_thinking(tree: Any, names: BlockNames) -> Any:
    message = tree["choices"][0]["message"]
    thinking = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(thinking, str):
        message["content"] = with_thinking(thinking, message.get("content") or "", names)
    return tree


def _as_chat(tree: Any) -> Any:
    """A raw completion in the form of a chat's, which is read in one place."""
    choice = tree["choices"][0]
    message = {"role": "assistant", "content": choice.get("text")}
    return {**tree, "choices": [{**choice, "message": message}]}
