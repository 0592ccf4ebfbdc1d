"""Which addresses a run may reach: plainly written ones, and from a hosted instance none inside its network."""

import ipaddress
import re
import socket
from urllib.parse import SplitResult, quote, urlsplit

from skill_factory.errors import EndpointError
from skill_factory.hosting import hosted

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
_PASSWORD = re.compile(r"^(\s*(?:\w+:)?/*)[^/]*@")
_BRACKETED = re.compile(r"\[[^\[\]]*\](:\d*)?")
_ZONE = re.compile(r"[\w.~-]*", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\\]")
_PATH_SAFE = "/%:@!$&'()*+,;=~"
_INNER_NAMES = ("localhost", ".local", ".internal")
_INNER_NETWORKS = tuple(
    ipaddress.ip_network(network)
    # Site-local addresses were given up by RFC 3879, yet networks still use them; RFC 8215's range holds inner IPv4.
    for network in ("fec0::/10", "64:ff9b:1::/48")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class InnerAddress(EndpointError):
    """An address inside the network, asked for on a hosted instance."""


def check_endpoint(url: str) -> str:
    """The address of a server in its plain form, without a slash at the end. Errors: EndpointError."""
    text = url.strip()
    if _UNPRINTABLE.search(text):
        raise _wrong(url, "holds a space, backslash or control character")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _wrong(url, "isn't an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _wrong(url, "isn't a web address")
    # The address is shown and may be logged, so it must not carry a secret.
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise EndpointError(
            "The endpoint holds a name, password or parameter. "
            "Give the bare address; the key goes into the environment."
        )
    port = _port_of(parts, url)
    host = _plain_host(parts.hostname, url)
    if hosted() and _is_inner_host(host):
        raise InnerAddress(refusal_of(host))
    bracketed = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{bracketed}{port}{quote(parts.path.rstrip('/'), safe=_PATH_SAFE)}"


def _port_of(parts: SplitResult, url: str) -> str:
    """The port with its colon; nothing where none is named."""
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise _wrong(url, "has a port that isn't a number from 1 to 65535")
    if "[" in parts.netloc and not _BRACKETED.fullmatch(parts.netloc):
        raise _wrong(url, "isn't an address")
    return f":{port}" if port else ""


def _wrong(url: str, why: str) -> EndpointError:
    """The sentence for an address that can't be used, without a password before its host and without parameters."""
    shown = re.split(r"[?#]", _PASSWORD.sub(r"\1…@", url))[0][:200]
    return EndpointError(f"The endpoint {shown!r} {why}. Write http://HOST:PORT/v1.")


def is_inner(address: str) -> bool:
    """Whether an IP address isn't on the open internet, however it is wrapped. Errors: ValueError."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # IPv4 may travel inside IPv6 in several forms; a gateway takes it out again and goes there.
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if wrapped is None and ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_inner(str(wrapped))
        if any(ip in network for network in _INNER_NETWORKS):
            return True
    return not ip.is_global or ip.is_multicast or ip.is_reserved


def refusal_of(host: str) -> str:
    """The sentence for an address that a hosted instance never asks."""
    return (
        f"{host} is an address inside this server's network, which a hosted instance never asks. "
        "Give a public address, or run the program on your own machine."
    )


def _plain_host(host: str, url: str) -> str:
    """A host as every program reads it. Errors: EndpointError for a spelling that programs read differently."""
    if ":" in host:  # only an IPv6 address keeps one: urlsplit took the port away
        return _plain_ipv6(host, url)
    try:
        # Full-width digits and ideographic dots become plain ones here, so nothing hides behind them.
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise _wrong(url, "has a host name that can't be") from None
    # Programs take a host for a number if its last part is one, and no top-level domain is.
    labels = name.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _plain_ipv4(host, name, url)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _wrong(url, "has a host name that can't be")
    return name


def _plain_ipv4(host: str, name: str, url: str) -> str:
    """
    An IPv4 address of four decimal numbers.

    Octal, hexadecimal and shortened forms mean one address to the system's resolver and another, or a name, to the
    program that judges it: `0177.0.0.1` is read as 127.0.0.1 and as 177.0.0.1.
    """
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        if hosted() and _means_inner(name):
            raise InnerAddress(refusal_of(name)) from None
        raise EndpointError(
            f"The endpoint {url!r} spells an IP address in a way that programs read differently. "
            "Write it as four decimal numbers without leading zeros, e.g. http://127.0.0.1:8000/v1."
        ) from None


def _means_inner(name: str) -> bool:
    """Whether the system's resolver reads an odd spelling as an inner address."""
    try:
        return is_inner(socket.inet_ntoa(socket.inet_aton(name.removesuffix("."))))
    except (OSError, ValueError):
        return False


def _plain_ipv6(host: str, url: str) -> str:
    address, percent, zone = host.partition("%")
    try:
        plain = str(ipaddress.IPv6Address(address))
    except ValueError:
        raise _wrong(url, "isn't an address") from None
    if not _ZONE.fullmatch(zone):
        raise _wrong(url, "isn't an address")
    return plain + percent + zone


def _is_inner_host(host: str) -> bool:
    try:
        return is_inner(host)
    except ValueError:  # a name, which is judged again once it is resolved
        return host.lower().rstrip(".").endswith(_INNER_NAMES)
