"""What goes wrong with a request, what it means for the next one, and how it is told; never with the key in it."""

import json
import time
from enum import StrEnum
from typing import Any

from skill_factory.errors import EndpointError
from skill_factory.generate.net.line import SENT
from skill_factory.sources.columns import excerpt

LONGEST_PAUSE = 300.0
"""Seconds; a server that asks for more is asked again after this."""


class Way(StrEnum):
    """What a failed attempt means for what comes next."""

    THROTTLED = "throttled"
    """Too many requests: wait, ask fewer at once, try again."""
    FAILING = "failing"
    """The server or the line failed: try again."""
    SPOILED = "spoiled"
    """An answer came that can't be read: try again, it may have been billed."""
    DECLINED = "declined"
    """This request will never be answered."""
    HOPELESS = "hopeless"
    """No request will be: wrong key, wrong model, no such address."""


class Trouble(Exception):
    """An attempt that brought no answer."""

    def __init__(self, way: Way, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.way, self.why, self.pause = way, why, pause


def trouble_of(error: Exception, key: str | None) -> Trouble:
    """What an error means. Errors: the error itself where it is a fault of ours."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError, TextGenerationError

    if isinstance(error, EndpointError):
        return Trouble(Way.HOPELESS, str(error))
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return _refused(error.response, key)
    if isinstance(error, TimeoutError | InferenceTimeoutError | httpx2.TimeoutException):
        return Trouble(Way.FAILING, "no answer in time")
    if isinstance(error, httpx2.ConnectError):
        return Trouble(Way.FAILING, "no connection")
    if isinstance(error, httpx2.TransportError | OSError):
        return Trouble(Way.SPOILED, "the connection was cut")
    if isinstance(error, ValueError) and not SENT.get():
        # The client itself would not send it: an unknown provider, or a model that this one doesn't serve.
        return Trouble(Way.HOPELESS, f"{_scrubbed(excerpt(str(error), 300), key)}")
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | httpx2.DecodingError):
        return Trouble(Way.SPOILED, "the answer is no JSON")
    if isinstance(error, TextGenerationError):
        return Trouble(Way.FAILING, f"the server failed on the way: {_scrubbed(str(error), key)}")
    if isinstance(error, ValueError | TypeError | LookupError | AttributeError):
        return Trouble(Way.SPOILED, "the answer is no chat completion")
    raise error


def _refused(response: Any, key: str | None) -> Trouble:
    status = int(response.status_code)
    said = _scrubbed(_message(response), key)
    why = f"HTTP {status}" + (f": {said}" if said else "")
    pause = _retry_after(response.headers)
    if status == 429 or (status in (503, 529) and pause is not None):
        return Trouble(Way.THROTTLED, f"HTTP {status}", pause)
    if status in (408, 409, 425) or status >= 500:
        return Trouble(Way.FAILING, f"HTTP {status}", pause)
    if status in (401, 402, 403, 404, 405, 407):
        return Trouble(
            Way.HOPELESS, f"The server refused: {why}. {_ADVICE.get(status, 'Check the address.')}"
        )
    return Trouble(Way.DECLINED, why)


_ADVICE = {
    401: "Check the key.",
    402: "The account has no credit left.",
    403: "This key may not use that model.",
    404: "Check the address (it usually ends in /v1) and the model's name.",
}


def _message(response: Any) -> str:
    try:
        text = response.text
    except Exception:  # a streamed error whose body was not read
        return ""
    try:
        tree = json.loads(text)
        inner = tree.get("error", tree) if isinstance(tree, dict) else tree
        found = inner.get("message") or inner.get("detail") if isinstance(inner, dict) else inner
        return excerpt(found if isinstance(found, str) else text, 200)
    except ValueError:
        return excerpt(text, 200)


def _scrubbed(text: str, key: str | None) -> str:
    return text.replace(key, "…") if key else text


def _retry_after(headers: Any) -> float | None:
    """Seconds that a server asks to wait; a date is read too."""
    found = headers.get("retry-after", "").strip()
    if not found:
        return None
    try:
        return min(LONGEST_PAUSE, max(0.0, float(found)))
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            return min(LONGEST_PAUSE, max(0.0, parsedate_to_datetime(found).timestamp() - time.time()))
        except ValueError:
            return None
