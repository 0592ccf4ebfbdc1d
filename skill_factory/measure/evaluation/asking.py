"""Asks a trained model by raw completions of a text that we begin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from skill_factory.generate.net.completion import read_text_completion
from skill_factory.generate.net.endpoint import Asker, Endpoint, asker, encoded
from skill_factory.generate.request import Answer, Request

if TYPE_CHECKING:
    from skill_factory.generate.net.wire import Wire

PROMPT = "prompt"
"""The role under which a request holds the text of a raw completion."""


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
async def completion_asker(endpoint: Endpoint, key: str | None) -> AsyncIterator[Asker]:
    """An asker for raw completions."""
    async with asker(endpoint, key, CompletionAsker) as asking:
        yield asking
