"""Asks a model server: any OpenAI-compatible one, or Hugging Face Inference Providers, whose router speaks the same."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from skill_factory import __version__
from skill_factory.errors import EndpointError
from skill_factory.generate.net.completion import read_completion, read_stream
from skill_factory.generate.net.network import check_endpoint
from skill_factory.generate.net.proxies import proxy_for
from skill_factory.generate.net.trouble import Trouble, Way, refusal
from skill_factory.generate.request import Answer, Request
from skill_factory.hosting import hosted

if TYPE_CHECKING:  # aiohttp takes a fifth of a second to load, and only a run needs it
    from skill_factory.generate.net.wire import Wire

KIND_OWN, KIND_PROVIDER = "OpenAI-compatible server", "Hugging Face Inference Providers"
ROUTER = "https://router.huggingface.co/v1"
AUTO = "auto"
"""The router chooses the provider, by the account's own order."""
ROOM, ROOM_PER_TOKEN, STREAM_ROOM_PER_TOKEN = 1_000_000, 500, 5_000
"""Bytes that an answer may have: a hundred times what texts take, so that only a broken or hostile server meets it."""
REFUSAL_ROOM = 65_536
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


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
    """Seconds for one request, from the first byte sent to the last byte read."""

    def checked(self) -> "Endpoint":
        """Errors: EndpointError: no model, no place, two places, or an address or name that can't be used."""
        model = self.model.strip()
        if not model:
            raise EndpointError("No model is named. Give --model NAME as the server knows it.")
        if bool(self.url) == bool(self.provider):
            raise EndpointError("Give either --endpoint URL or --provider NAME (auto lets the Hub choose).")
        if self.provider and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", self.provider):
            raise EndpointError(
                f"--provider {self.provider!r} isn't a provider's name. Write auto, or e.g. groq."
            )
        if self.provider not in ("", AUTO) and ":" in model:
            raise EndpointError(
                f"The model {model!r} names a provider already. Leave out --provider, or what follows the colon."
            )
        url = check_endpoint(self.url) if self.url else ""
        return replace(self, model=model, url=url)

    @property
    def kind(self) -> str:
        """For the lineage; never the address, which may be a private one."""
        return KIND_OWN if self.url else f"{KIND_PROVIDER} ({self.provider})"

    @property
    def completions_url(self) -> str:
        """Where chat completions are asked for. People give a server's address with or without its /v1."""
        url = self.url or ROUTER
        path = urlsplit(url).path
        if path.endswith("/chat/completions"):
            return url
        return f"{url}/chat/completions" if path.endswith("/v1") else f"{url}/v1/chat/completions"

    @property
    def served_model(self) -> str:
        """The model's name as it is sent: the router takes the provider behind a colon."""
        named = self.provider and self.provider != AUTO
        return f"{self.model}:{self.provider.lower()}" if named else self.model


def check_key(endpoint: Endpoint, key: str | None) -> None:
    """Errors: EndpointError for a key that can't be sent; the sentence doesn't hold it."""
    if key and not (key.isascii() and key.isprintable()):
        raise EndpointError("The key holds a character that no key has, such as a line break. Copy it again.")
    if endpoint.provider and not (key or "").startswith("hf_"):
        # A provider's own key would be sent to the Hub's router, which can't use it.
        raise EndpointError(
            "Inference Providers need a Hugging Face token, which begins with hf_. Sign in with `hf auth login`, or "
            "create one; for a provider's own key, give the provider's address with --endpoint."
        )


class Asker:
    """Sends requests to an endpoint, and reads their answers."""

    def __init__(self, endpoint: Endpoint, key: str | None, wire: "Wire") -> None:
        from yarl import URL

        self._endpoint, self._key, self._wire = endpoint, key, wire
        self._url = URL(endpoint.completions_url)
        self._start = {"model": endpoint.served_model}
        self._stream = {"stream": True, "stream_options": {"include_usage": True}}
        self._headers = {
            "Accept": "text/event-stream" if endpoint.stream else "application/json",
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
            "User-Agent": f"skill-factory/{__version__}",
        }
        # Without a key nothing is sent in its place; no server but the Hub's may see the token of this machine.
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    async def ask(self, request: Request) -> Answer:
        """The answer to one request. Errors: Trouble."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._endpoint.timeout):
                answer = await self._exchange(request)
        except TimeoutError as error:
            raise Trouble(Way.FAILING, "no answer in time") from error
        return replace(answer, seconds=round(time.monotonic() - started, 3))

    async def _exchange(self, request: Request) -> Answer:
        # A gateway that knows idempotency keys bills a repeated request once.
        headers = {**self._headers, "X-Request-Id": request.id, "Idempotency-Key": request.id}
        incoming = await self._wire.post(self._url, headers, self._body(request))
        try:
            if not 200 <= incoming.status < 300:
                content = await incoming.read_start(REFUSAL_ROOM)
                raise refusal(incoming.status, incoming.headers, content, self._key)
            tokens = request.most_completion_tokens
            room = ROOM + ROOM_PER_TOKEN * tokens
            # A server that can't stream answers whole, and says so.
            if self._endpoint.stream and "json" not in incoming.headers.get("content-type", ""):
                stream_room = ROOM + STREAM_ROOM_PER_TOKEN * tokens
                async with aclosing(incoming.lines(stream_room, room)) as lines:
                    return await read_stream(lines, request, self._key)
            return self._read(await incoming.read(room), request)
        finally:
            incoming.close()  # also on a time-out: the server sees that nobody waits

    def _read(self, content: bytes, request: Request) -> Answer:
        return read_completion(content, request, self._key)

    def _body(self, request: Request) -> bytes:
        stream = self._stream if self._endpoint.stream else {"stream": False}
        tree = {**self._start, "messages": request.messages, **request.body, **stream}
        return encoded(tree)


def encoded(tree: dict[str, Any]) -> bytes:
    """A request's body."""
    return _ENCODER.encode(tree).encode()


@asynccontextmanager
async def asker(
    endpoint: Endpoint, key: str | None, kind: "Callable[[Endpoint, str | None, Wire], Asker]" = Asker
) -> AsyncIterator[Asker]:
    """An asker for as many requests at once as wanted. The key goes nowhere but into the requests."""
    from skill_factory.generate.net.wire import open_wire

    # A proxy would resolve names beyond a hosted instance's judgement.
    proxy = None if hosted() else proxy_for(endpoint.completions_url)
    wire = open_wire(proxy, public_only=hosted())
    try:
        yield kind(endpoint, key, wire)
    finally:
        await wire.close()
