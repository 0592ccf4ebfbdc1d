"""Asks a model server: any OpenAI-compatible one, or Hugging Face Inference Providers, through huggingface_hub."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from skill_factory.errors import EndpointError
from skill_factory.generate.net.line import ASKED, CAME, SENT, lent_to_hub, open_line
from skill_factory.generate.net.network import check_endpoint
from skill_factory.generate.net.trouble import Trouble, Way, trouble_of
from skill_factory.generate.request import Answer, Finish, Request
from skill_factory.recipe.tokens import estimated_tokens

KIND_OWN, KIND_PROVIDER = "OpenAI-compatible server", "Hugging Face Inference Providers"
"""For servers that don't count; errs on the dear side for English."""


@dataclass(frozen=True)
class Endpoint:
    """Where the model is."""

    model: str
    url: str = ""
    """Address of an OpenAI-compatible server; empty for Inference Providers."""
    provider: str = ""
    """`auto` or a provider's name."""
    stream: bool = False
    timeout: float = 600.0
    """Seconds for one request, from first to last byte."""

    def checked(self) -> "Endpoint":
        """Errors: EndpointError: no model, no place, two places, or an address that can't be used."""
        if not self.model.strip():
            raise EndpointError("No model is named. Give --model NAME as the server knows it.")
        if bool(self.url) == bool(self.provider):
            raise EndpointError("Give either --endpoint URL or --provider NAME (auto lets the Hub choose).")
        url = check_endpoint(self.url) if self.url else ""
        return Endpoint(self.model.strip(), url, self.provider, self.stream, self.timeout)

    @property
    def kind(self) -> str:
        """For the lineage; never the address, which may be a private one."""
        return KIND_OWN if self.url else f"{KIND_PROVIDER} ({self.provider})"


class Asker:
    """Sends requests, each by a client of huggingface_hub."""

    def __init__(self, endpoint: Endpoint, key: str | None, client: Any) -> None:
        self._endpoint, self._key, self._make = endpoint, key, client
        self._whole_client = self._client()

    async def ask(self, request: Request) -> Answer:
        """The answer to one request. Errors: Trouble."""
        started = time.monotonic()
        SENT.set(False)
        ASKED.set(request.id)
        try:
            async with asyncio.timeout(self._endpoint.timeout):
                answer = await (self._streamed(request) if self._endpoint.stream else self._whole(request))
        except Trouble:
            raise
        except Exception as error:
            raise trouble_of(error, self._key) from error
        return _with_time(answer, time.monotonic() - started)

    def _client(self) -> Any:
        where = (
            {"base_url": self._endpoint.url} if self._endpoint.url else {"provider": self._endpoint.provider}
        )
        # Without a key the line sends none; a word must stand here, or the one saved on this machine is looked up.
        return self._make(**where, api_key=self._key or "none")

    def _parameters(self, request: Request) -> dict[str, Any]:
        return {
            "messages": list(request.messages),
            "model": self._endpoint.model,
            "extra_body": dict(request.body),
        }

    async def _whole(self, request: Request) -> Answer:
        CAME.set(b"")
        await self._whole_client.chat_completion(**self._parameters(request))
        return _read(json.loads(CAME.get()), request)

    async def _streamed(self, request: Request) -> Answer:
        texts: list[str] = []
        finish: str | None = None
        refusal, usage = "", None
        options = {"include_usage": True}
        # The library lets go of a stream's resources when its client is closed, and not before.
        async with self._client() as client:
            stream = await client.chat_completion(
                **self._parameters(request), stream=True, stream_options=options
            )
            async for chunk in stream:
                usage = chunk.usage or usage
                for choice in chunk.choices[:1]:
                    texts.append(choice.delta.content or "")
                    refusal += getattr(choice.delta, "refusal", None) or ""
                    finish = choice.finish_reason or finish
        if finish is None:
            raise Trouble(Way.SPOILED, "the stream broke off before its end")
        counts = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
        return _answer(request, "".join(texts), refusal, finish, counts)


@asynccontextmanager
async def asker(endpoint: Endpoint, key: str | None) -> AsyncIterator[Asker]:
    """An asker for as many requests at once as wanted. The key goes nowhere but into the requests."""
    from huggingface_hub import AsyncInferenceClient

    line = open_line(key)
    try:
        with lent_to_hub(line):
            yield Asker(endpoint, key, AsyncInferenceClient)
    finally:
        await line.aclose()


def parse_completion(tree: Any, request: Request) -> Answer:
    """The answer in a stored chat completion (batch files). Errors: Trouble."""
    try:
        return _read(tree, request)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise Trouble(Way.SPOILED, f"the answer is no chat completion: {type(error).__name__}") from error


def _read(tree: Any, request: Request) -> Answer:
    choice, usage = tree["choices"][0], tree.get("usage") or {}
    message = choice["message"]
    counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return _answer(
        request, message.get("content") or "", message.get("refusal"), choice.get("finish_reason"), counts
    )


def _answer(request: Request, text: Any, refusal: Any, finish: Any, counts: tuple[Any, Any]) -> Answer:
    if not isinstance(text, str):
        raise TypeError("content is no text")
    if not text and isinstance(refusal, str):
        text = refusal
    clean = text.encode("utf-8", "replace").decode()  # half a surrogate pair can't be stored
    prompt, completion = counts
    counted = isinstance(prompt, int) and isinstance(completion, int)
    if not counted:
        asked = sum(len(one["content"]) for one in request.messages)
        prompt, completion = round(estimated_tokens(asked)), round(estimated_tokens(len(text)))
    return Answer(clean, _ending(clean, refusal, finish), int(prompt or 0), int(completion or 0), counted)


def _ending(text: str, refusal: Any, finish: Any) -> Finish:
    if refusal or finish == "content_filter":
        return Finish.REFUSED
    if finish == "length":
        return Finish.LENGTH
    return Finish.STOP if text.strip() else Finish.EMPTY


def _with_time(answer: Answer, seconds: float) -> Answer:
    return Answer(
        answer.text,
        answer.finish,
        answer.prompt_tokens,
        answer.completion_tokens,
        answer.counted,
        round(seconds, 3),
    )
