"""The line that huggingface_hub's clients ask through: no key that was not given, no redirect, the straight way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx2

from skill_factory.errors import EndpointError
from skill_factory.generate.net.network import Guarded
from skill_factory.generate.net.wire import Wire
from skill_factory.hosting import hosted

SENT: ContextVar[bool] = ContextVar("sent", default=False)
"""Whether the call that this task makes got as far as sending a request."""
ASKED: ContextVar[str] = ContextVar("asked", default="")
"""Id of the request that this task asks."""
CAME: ContextVar[bytes] = ContextVar("came", default=b"")
"""The answer to the call that this task made, unread."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_NOTHING = httpx2.Response(200, content=b"{}", request=httpx2.Request("POST", "/"))


class Line(httpx2.AsyncClient):
    """A client that outlives the calls made through it: who opened it closes it."""

    def __init__(self, key: str | None, wire: httpx2.AsyncBaseTransport, proxies: bool = False) -> None:
        hooks: dict[str, Any] = {"request": [self._authorise], "response": [self._stay]}
        mounts = _proxies() if proxies else {}
        super().__init__(transport=wire, mounts=mounts, timeout=None, event_hooks=hooks)
        self._key = key
        self._straight = wire if isinstance(wire, Wire) and not mounts else None
        self._usual = dict(self.headers)

    async def __aenter__(self) -> "Line":
        return self

    async def __aexit__(self, *_: Any) -> None:
        return None

    async def post(self, url: httpx2.URL | str, **how: Any) -> httpx2.Response:
        """Errors: httpx2.TransportError, EndpointError."""
        if self._straight:
            return await self._send(self._straight, str(url), **how)
        response = await super().post(url, **how)
        return _kept_back(response.content) if response.is_success else response

    async def _send(
        self, wire: Wire, url: str, json: Any, headers: dict[str, str], **_: Any
    ) -> httpx2.Response:
        """httpx2's own way (merging, cookies, signing in, redirects) takes longer than the wire, and comes to the same."""
        given = {name.lower(): value for name, value in headers.items()}
        given.pop("authorization", None)
        status, names, content = await wire.post(
            url, self._usual | given | self._own(), _ENCODER.encode(json).encode()
        )
        if status == 200 and not any(name.lower() == b"content-encoding" for name, _ in names):
            return _kept_back(content)
        request = httpx2.Request("POST", url)
        response = httpx2.Response(status, headers=names, content=content, request=request)
        await self._stay(response)
        return _kept_back(response.content) if response.is_success else response

    async def _authorise(self, request: httpx2.Request) -> None:
        request.headers.pop("authorization", None)
        request.headers.update(self._own())

    def _own(self) -> dict[str, str]:
        """What we say in place of what huggingface_hub would."""
        # It falls back on the token saved on this machine; no server but the Hub may ever see that.
        key = {"authorization": f"Bearer {self._key}"} if self._key else {}
        SENT.set(True)
        # A gateway that knows idempotency keys bills a repeated request once.
        return {"x-request-id": ASKED.get(), "idempotency-key": ASKED.get(), **key}

    async def _stay(self, response: httpx2.Response) -> None:
        # Followed, a redirect would take the prompts (and on the same host the key) to an address nobody chose.
        if 300 <= response.status_code < 400:
            raise EndpointError(
                f"The server answers with a redirect (HTTP {response.status_code}). Check the address: "
                "https instead of http, or another path."
            )


def _kept_back(content: bytes) -> httpx2.Response:
    """The Hub's classes copy all that they are given several times over, so they get nothing: CAME holds what came."""
    CAME.set(content)
    return _NOTHING


def _proxies() -> dict[str, httpx2.AsyncBaseTransport | None]:
    """The proxies that the environment names, as httpx2 reads it; None where an address needs none."""
    from httpx2._utils import get_environment_proxies

    found = get_environment_proxies()
    return {
        where: httpx2.AsyncHTTPTransport(proxy=proxy) if proxy else None for where, proxy in found.items()
    }


def open_line(key: str | None) -> Line:
    """A line for any number of requests at once, that sends this key or none and follows no redirect."""
    # A proxy of the environment would resolve names beyond a hosted instance's judgement.
    return Line(key, Guarded()) if hosted() else Line(key, Wire(), proxies=True)


@contextmanager
def lent_to_hub(line: httpx2.AsyncClient) -> Iterator[None]:
    """Let huggingface_hub's clients made here use this line."""
    from huggingface_hub import set_async_client_factory
    from huggingface_hub.utils._http import default_async_client_factory

    set_async_client_factory(lambda: line)
    try:
        yield
    finally:
        set_async_client_factory(default_async_client_factory)
