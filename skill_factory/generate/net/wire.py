"""The connections to a model server: aiohttp's. No more of an answer is held than there is room for."""

import os
import ssl
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from skill_factory.errors import EndpointError
from skill_factory.generate.net.resolver import PublicResolver
from skill_factory.generate.net.trouble import Trouble, Way

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

KEPT = 30.0
"""Seconds that an idle connection is kept."""
GZIP = 16 + zlib.MAX_WBITS
TOO_LONG = "the answer is too long"


class Wire:
    """As many connections as there are requests at once; no redirect, no cookie, no time limit of its own."""

    def __init__(self, proxy: str | None = None, resolver: "AbstractResolver | None" = None) -> None:
        self._proxy = URL(proxy) if proxy else None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEPT, ssl=_trusted(), resolver=resolver
            ),
            # aiohttp would unpack without a bound, and would send passwords that it finds in ~/.netrc.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        )

    async def post(self, url: URL, headers: Mapping[str, str], body: bytes) -> "Incoming":
        """Send a request and read the head of its answer. The caller closes the answer. Errors: Trouble."""
        try:
            answer = await self._session.post(
                url, data=body, headers=headers, allow_redirects=False, proxy=self._proxy
            )
        except (aiohttp.ClientError, OSError, EndpointError) as error:
            raise _trouble_of(error) from error
        return Incoming(answer)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def open_wire(proxy: str | None, public_only: bool) -> Wire:
    """Connections for any number of requests at once. Only within a running event loop."""
    return Wire(proxy, PublicResolver() if public_only else None)


class Incoming:
    """An answer whose head has come; its body is read piece by piece, unpacked, and never beyond its room."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._room = 0
        self._packing = self.headers.get("content-encoding", "identity").strip().lower()
        self._gzip = zlib.decompressobj(GZIP) if self._packing in ("gzip", "x-gzip") else None

    async def read(self, room: int) -> bytes:
        """The whole body. Errors: Trouble, also where it is longer than `room` bytes."""
        self._room = room
        pieces = []
        while piece := await self._piece():
            pieces.append(piece)
        return b"".join(pieces)

    async def read_start(self, room: int) -> bytes:
        """The first bytes of the body of a refusal, which counts whether or not its words can be read."""
        self._room = room
        pieces = []
        with suppress(Trouble):
            while piece := await self._piece():
                pieces.append(piece)
        return b"".join(pieces)

    async def lines(self, room: int, line_room: int) -> AsyncGenerator[bytes, None]:
        """The lines of the body as they come. Errors: Trouble, also where the body or a line is too long."""
        self._room = room
        rest = b""
        while piece := await self._piece():
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > line_room:
                raise Trouble(Way.SPOILED, TOO_LONG)
            for line in lines:
                yield line
        if rest:
            yield rest

    def close(self) -> None:
        """Give the connection back, or close it where not all was read."""
        self._answer.release()

    async def _piece(self) -> bytes:
        """What comes next of the body; nothing at its end. Errors: Trouble."""
        try:
            while packed := await self._answer.content.readany():
                if piece := self._unpacked(packed):
                    return piece
        except (aiohttp.ClientError, OSError) as error:
            raise _trouble_of(error) from error
        if self._gzip and not self._gzip.eof:
            raise Trouble(Way.SPOILED, "the connection was cut")
        return b""

    def _unpacked(self, piece: bytes) -> bytes:
        if self._gzip:
            try:
                # A byte more than there is room for tells a body that fits from one that doesn't.
                piece = self._gzip.decompress(piece, self._room + 1)
            except zlib.error as error:
                raise Trouble(Way.SPOILED, "the answer is packed wrongly") from error
        elif self._packing != "identity":
            raise Trouble(Way.SPOILED, "the answer is packed in a way that wasn't offered")
        self._room -= len(piece)
        if self._room < 0:
            raise Trouble(Way.SPOILED, TOO_LONG)
        return piece


def _trouble_of(error: Exception) -> Trouble:
    """What a fault of the connection means."""
    if isinstance(error, EndpointError):
        return Trouble(Way.HOPELESS, str(error))
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        # No later attempt would trust it more, and the reason says what to do.
        why = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
        return Trouble(
            Way.HOPELESS,
            f"The server's certificate isn't trusted: {why}. Check the address; for an authority of your own, "
            "set SSL_CERT_FILE to its certificate.",
        )
    if isinstance(error, aiohttp.ClientHttpProxyError):
        way = Way.FAILING if error.status >= 500 else Way.HOPELESS
        return Trouble(way, f"The proxy that the environment names refuses (HTTP {error.status}).")
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Trouble(Way.FAILING, "no connection to the proxy")
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return Trouble(Way.FAILING, "no TLS at this address")
    if isinstance(error, TimeoutError):
        return Trouble(Way.FAILING, "no answer in time")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        return Trouble(Way.FAILING, "no connection")
    if isinstance(error, aiohttp.ClientResponseError):
        return Trouble(Way.SPOILED, "the answer isn't HTTP")
    return Trouble(Way.SPOILED, "the connection was cut")


def _trusted() -> ssl.SSLContext:
    """The certificates that the environment names (SSL_CERT_FILE, SSL_CERT_DIR), or else the system's."""
    context = ssl.create_default_context()
    named = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    if not named and not context.cert_store_stats()["x509_ca"]:
        # Some builds of Python find no authority on macOS and some Linux systems; the Hub's client brings this along.
        with suppress(ImportError):
            import truststore

            context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    return context
