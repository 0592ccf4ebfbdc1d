"""What goes wrong with a request and what that means for the next one; no message ever holds the key."""

import json
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from skill_factory.sources.columns import excerpt

LONGEST_PAUSE = 300.0
"""Seconds. A server that asks for a longer pause is asked again after this one."""


class Way(StrEnum):
    """What a failed attempt means for what comes next."""

    THROTTLED = "throttled"
    """Too many requests: wait, send fewer at once, try again."""
    FAILING = "failing"
    """The server or the connection failed: try again."""
    SPOILED = "spoiled"
    """An answer came that can't be read: try again; it may have been billed."""
    DECLINED = "declined"
    """This request will never be answered."""
    HOPELESS = "hopeless"
    """No request will ever be answered: wrong key, wrong model, wrong address."""


class Trouble(Exception):
    """An attempt that brought no answer."""

    def __init__(self, way: Way, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.way, self.why, self.pause = way, why, pause


def refusal(status: int, headers: Mapping[str, str], content: bytes, key: str | None) -> Trouble:
    """What an answer that isn't a success means, with the server's own words where they help."""
    if 300 <= status < 400:
        # Following it would take the prompts, and on the same host the key, to an address that nobody chose.
        return Trouble(
            Way.HOPELESS,
            f"The server answers with a redirect (HTTP {status}). Check the address: https instead of http, "
            "or another path.",
        )
    pause = _retry_after(headers)
    # Too busy, told by its own status or by how long it wants to be left alone: that says nothing about the request.
    if status == 429 or (status in (503, 529) and pause is not None):
        return Trouble(Way.THROTTLED, f"HTTP {status}", pause)
    if status in (408, 409, 425) or status >= 500:
        return Trouble(Way.FAILING, f"HTTP {status}", pause)
    message, code = _message_and_code(content)
    why = f"HTTP {status}" + (f": {without_key(message, key)}" if message else "")
    advice = _ADVICE_FOR_CODE.get(code) or _ADVICE.get(status)
    if advice or status in (405, 407):
        return Trouble(Way.HOPELESS, f"The server refused: {why}. {advice or 'Check the address.'}")
    return Trouble(Way.DECLINED, why)


def without_key(text: str, key: str | None) -> str:
    """A server's own words, which may repeat the key it was sent."""
    return text.replace(key, "…") if key else text


_ADVICE = {
    401: "Check the key.",
    402: "The account has no credit left.",
    403: "This key may not use that model.",
    404: "Check the address (it usually ends in /v1) and the model's name.",
}
_ADVICE_FOR_CODE = {
    # What the router of Inference Providers answers for an unknown model, and for a provider that doesn't serve it.
    "model_not_supported": "Check --model and --provider, and which providers your account has enabled.",
}


def _message_and_code(content: bytes) -> tuple[str, str]:
    """A refusal's message on one line and its code; servers wrap them in different ways."""
    text = content.decode("utf-8", "replace")
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return excerpt(text, 200), ""
    inner = tree.get("error", tree) if isinstance(tree, dict) else tree
    if not isinstance(inner, dict):
        return excerpt(inner if isinstance(inner, str) else text, 200), ""
    message = inner.get("message") or inner.get("detail")
    return excerpt(message if isinstance(message, str) else text, 200), str(inner.get("code", ""))[:100]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait; it may give a date instead."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    # A pause of `nan` seconds, or until a date that nobody can read, isn't a pause that could be kept.
    return min(LONGEST_PAUSE, max(0.0, seconds)) if seconds == seconds else None


def _seconds_until(date: str) -> float:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, OverflowError):
        return float("nan")


def message_of(tree: Any) -> str:
    """The words of an error that a server put where an answer should be; empty where there is none."""
    error = tree.get("error") if isinstance(tree, dict) else None
    if not error:
        return ""
    message = error.get("message") if isinstance(error, dict) else error
    return excerpt(message if isinstance(message, str) else error, 200)
