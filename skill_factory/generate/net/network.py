"""Whom a run may reach: checked addresses, and on a hosted instance none inside its network."""

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

import httpx2

from skill_factory.errors import EndpointError
from skill_factory.generate.net.wire import Wire
from skill_factory.hosting import hosted


class InnerAddress(EndpointError):
    """An address inside the network, asked for on a hosted instance."""


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


class Guarded(httpx2.AsyncBaseTransport):
    """Connects to public addresses only: the name is resolved once, judged, and the judged address is the one used."""

    def __init__(self) -> None:
        self._wire = Wire()

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
        return await self._wire.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()
