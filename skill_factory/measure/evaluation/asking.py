"""Asks a trained model: over chat, thinking included, or by raw completions of a text that we begin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from skill_factory.generate.net.completion import read_text_completion
from skill_factory.generate.net.endpoint import Asker, Endpoint, asker, encoded
from skill_factory.generate.request import Answer, Request
from skill_factory.grading.answers import USUAL_NAMES, BlockNames
from skill_factory.measure.parts import with_thinking

if TYPE_CHECKING:
    from skill_factory.generate.net.wire import Wire

PROMPT = "prompt"
"""The role under which a request holds the text of a raw completion."""


class ThinkingAsker(Asker):
    """Over chat; servers that take the thinking out of the text get it put back, between its tags."""

    def __init__(
        self, endpoint: Endpoint, key: str | None, wire: "Wire", names: BlockNames = USUAL_NAMES
    ) -> None:
        super().__init__(endpoint, key, wire)
        self._names = names

    async def ask(self, request: Request) -> Answer:
        """The answer to one request, with its thinking in the text. Errors: Trouble."""
        answer = await super().ask(request)
        # vLLM with a reasoning parser, and most providers, cut the thinking out; measured is the whole output.
        if not answer.thinking:
            return answer
        return replace(answer, text=with_thinking(answer.thinking, answer.text, self._names), thinking="")


class CompletionAsker(Asker):
    """By raw completions: the request's one message is the text to continue."""

    def __init__(self, endpoint: Endpoint, key: str | None, wire: "Wire") -> None:
        super().__init__(endpoint, key, wire)
        self._url = self._url.parent.parent / "completions"  # beside chat/completions

    def _body(self, request: Request) -> bytes:
        return encoded({**self._start, "prompt": request.messages[0]["content"], **request.body})

    def _read(self, content: bytes, request: Request) -> Answer:
        return read_text_completion(content, request, self._key)


@asynccontextmanager
async def thinking_asker(
    endpoint: Endpoint, key: str | None, names: BlockNames = USUAL_NAMES
) -> AsyncIterator[Asker]:
    """An asker over chat that keeps the thinking."""
    async with asker(endpoint, key, partial(ThinkingAsker, names=names)) as asking:
        yield asking


@asynccontextmanager
async def completion_asker(endpoint: Endpoint, key: str | None) -> AsyncIterator[Asker]:
    """An asker for raw completions."""
    async with asker(endpoint, key, CompletionAsker) as asking:
        yield asking
