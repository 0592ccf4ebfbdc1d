"""The line to a server: one pool of connections, no key that was not given, and on a hosted instance no inner address."""

import asyncio
import ipaddress
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import httpx2

from skill_factory.errors import EndpointError

CONNECTIONS = 8
"""In a pool."""
HOSTED = "SKILL_FACTORY_HOSTED"
SENT: ContextVar[bool] = ContextVar("sent", default=False)
"""Whether the call that this task makes got as far as sending a request."""
ASKED: ContextVar[str] = ContextVar("asked", default="")
"""Id of the request that this task asks."""


class InnerAddress(EndpointError):
    """An address inside the network, asked for on a hosted instance."""


def hosted() -> bool:
    """Whether this runs on a server that strangers use."""
    return os.environ.get(HOSTED, "") not in ("", "0")


def check_endpoint(url: str) -> str:
    """The address of a server, checked. Errors: EndpointError."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise EndpointError(
            f"The endpoint {url!r} is no address: {error}. Write http://HOST:PORT/v1."
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EndpointError(f"The endpoint {url!r} is no web address. Write http://HOST:PORT/v1.")
    # The address is shown and may be logged, so it must not carry a secret.
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise EndpointError(
            "The endpoint holds a name, password or parameter. Give the bare address; the key goes into the environment."
        )
    if hosted() and (inner := _inner_literal(parts.hostname)):
        raise InnerAddress(_refusal(inner))
    shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def is_inner(address: str) -> bool:
    """Whether an IP address is not on the open internet, however it is wrapped."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inside is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inside = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inside is not None:
            return is_inner(str(inside))
    return not ip.is_global or ip.is_multicast or ip.is_reserved


def _inner_literal(host: str) -> str:
    try:
        return host if is_inner(host) else ""
    except ValueError:
        return host if host.lower().rstrip(".").endswith(("localhost", ".local", ".internal")) else ""


def _refusal(host: str) -> str:
    return (
        f"{host} is an address inside this server's network, which a hosted instance never asks. "
        "Give a public address, or run the program on your own machine."
    )


class Guarded(httpx2.AsyncHTTPTransport):
    """Connects to public addresses only: the name is resolved once, judged, and the judged address is the one used."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Errors: InnerAddress."""
        host = request.url.host
        addresses = await self.resolve(host, request.url.port or 443)
        if not addresses or any(is_inner(address) for address in addresses):
            raise InnerAddress(_refusal(host))
        # Asking by the judged address leaves no moment in which the name could turn to another one.
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=addresses[0])
        return await self.pass_on(request)

    async def resolve(self, host: str, port: int) -> list[str]:
        """All addresses of a name. Errors: httpx2.ConnectError."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx2.ConnectError(f"{host} is not known") from error
        return [str(one[4][0]) for one in found]

    async def pass_on(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request whose address was judged."""
        return await super().handle_async_request(request)


class _Line(httpx2.AsyncClient):
    """A client that outlives the calls made through it: who opened it closes it."""

    async def __aenter__(self) -> "_Line":
        return self

    async def __aexit__(self, *_: Any) -> None:
        return None


def open_lines(key: str | None, most: int) -> list[httpx2.AsyncClient]:
    """
    Clients for `most` requests at once in all, that send this key or none and follow no redirect.

    Several small pools: the library looks through all connections of a pool at each request's begin and end.
    """
    return [_open_line(key) for _ in range(-(-most // CONNECTIONS))]


def _open_line(key: str | None) -> httpx2.AsyncClient:
    async def authorise(request: httpx2.Request) -> None:
        # huggingface_hub falls back on the token saved on this machine; no server but the Hub may ever see that.
        SENT.set(True)
        request.headers["x-request-id"] = ASKED.get()
        # A gateway that knows idempotency keys bills a repeated request once.
        request.headers["idempotency-key"] = ASKED.get()
        request.headers.pop("authorization", None)
        if key:
            request.headers["authorization"] = f"Bearer {key}"

    async def stay(response: httpx2.Response) -> None:
        # Followed, a redirect would take the prompts (and on the same host the key) to an address nobody chose.
        if 300 <= response.status_code < 400:
            raise EndpointError(
                f"The server answers with a redirect (HTTP {response.status_code}). Check the address: "
                "https instead of http, or another path."
            )

    limits = httpx2.Limits(
        max_connections=None, max_keepalive_connections=CONNECTIONS * 2, keepalive_expiry=30
    )
    options: dict[str, Any] = {"limits": limits}
    if hosted():
        # A proxy of the environment would resolve names beyond our judgement.
        options = {"transport": Guarded(limits=limits), "trust_env": False}
    hooks: dict[str, Any] = {"request": [authorise], "response": [stay]}
    return _Line(**options, timeout=None, follow_redirects=False, event_hooks=hooks)


@contextmanager
def lent_to_hub(lines: Sequence[httpx2.AsyncClient]) -> Iterator[None]:
    """Let huggingface_hub's clients made here use these lines in turn."""
    from huggingface_hub import set_async_client_factory
    from huggingface_hub.utils._http import default_async_client_factory

    turn = cycle(lines)
    set_async_client_factory(lambda: next(turn))
    try:
        yield
    finally:
        set_async_client_factory(default_async_client_factory)
