"""The proxy that the environment names for an address; hosted instances use none, since it would resolve names itself."""

import ipaddress
import urllib.request
from contextlib import suppress
from urllib.parse import urlsplit

from skill_factory.errors import EndpointError


def proxy_for(url: str) -> str | None:
    """
    The proxy to ask an address through; None to ask it directly.

    Read from `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` (in the system's settings where it has some), as
    curl does. Errors: EndpointError for a kind of proxy that can't be used.
    """
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or _is_direct(parts.hostname or "", parts.netloc, proxies.get("no", "")):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    try:
        proxy_parts = urlsplit(proxy)
        usable = proxy_parts.scheme in ("http", "https") and proxy_parts.hostname and proxy_parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        # A proxy's address often holds a password, so it isn't repeated.
        raise EndpointError(
            f"The environment names a proxy for {parts.scheme} that can't be used; only http:// and https:// "
            f"proxies can. Change {parts.scheme}_proxy or all_proxy, or name {parts.hostname} in no_proxy."
        )
    return proxy


def _is_direct(host: str, netloc: str, exceptions: str) -> bool:
    # Python's rule knows the settings of macOS and Windows, but no wildcard and no range of addresses.
    if urllib.request.proxy_bypass(netloc) or urllib.request.proxy_bypass(host):
        return True
    words = (word.strip().removeprefix("*.") for word in exceptions.split(","))
    return any(word and (word == "*" or _covers(word, host)) for word in words)


def _covers(word: str, host: str) -> bool:
    if host == word.lower() or host.endswith("." + word.lower()):
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(word.strip("[]"), strict=False)
    return False
