"""The connections: aiohttp's, in the form that httpx2 asks for. httpx2's own take four times the processor time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

Came = tuple[int, Sequence[tuple[bytes, bytes]], bytes]
"""Status, headers and content of an answer."""
KEPT = 30.0
"""Seconds that an idle connection is kept."""


class Wire(httpx2.AsyncBaseTransport):
    """As many connections as there are requests at once; no proxy, no redirect, no cookie, no time limit of its own."""

    def __init__(self) -> None:
        self._opened: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Errors: httpx2.TransportError."""
        import aiohttp

        session = self._opened or self._open()
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        try:
            answer = await session.request(
                request.method, _parsed(str(request.url)), data=await request.aread(), headers=headers,
                allow_redirects=False, server_hostname=request.extensions.get("sni_hostname"),
            )  # fmt: skip
        except (aiohttp.ClientError, OSError) as error:
            raise _as_httpx2(error) from error
        return httpx2.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer))

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Came:
        """The same for an answer that is wanted whole. Errors: httpx2.TransportError."""
        import aiohttp

        session = self._opened or self._open()
        try:
            answer = await session.post(_parsed(url), data=body, headers=headers, allow_redirects=False)
            return answer.status, answer.raw_headers, await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise _as_httpx2(error) from error

    async def aclose(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.close()

    def _open(self) -> "aiohttp.ClientSession":
        import aiohttp

        trusted = httpx2.create_ssl_context()  # what the environment says of certificates holds here too
        trusted.set_alpn_protocols(["http/1.1"])
        self._opened = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT, ssl=trusted),
            # What is packed is unpacked by httpx2. Left to itself, aiohttp would send passwords that it finds in ~/.netrc.
            cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        )  # fmt: skip
        return self._opened


class _Body(httpx2.AsyncByteStream):
    """What an answer holds, as it comes in."""

    def __init__(self, answer: "aiohttp.ClientResponse") -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import aiohttp

        try:
            while piece := await self._answer.content.readany():
                yield piece
        except (aiohttp.ClientError, OSError) as error:
            raise _as_httpx2(error) from error

    async def aclose(self) -> None:
        """Give the connection back, or close it where not all was read."""
        self._answer.release()


@lru_cache(64)
def _parsed(url: str) -> "URL":
    from yarl import URL

    return URL(str(httpx2.URL(url)), encoded=True)


def _as_httpx2(error: Exception) -> httpx2.TransportError:
    """The error that httpx2's own connections would raise."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        return httpx2.ConnectError(str(error))
    if isinstance(error, TimeoutError):
        return httpx2.ReadTimeout(str(error))
    if isinstance(error, aiohttp.ClientPayloadError | OSError):
        return httpx2.ReadError(str(error))
    return httpx2.RemoteProtocolError(str(error))
