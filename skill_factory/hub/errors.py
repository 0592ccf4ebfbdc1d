"""What goes wrong with the Hub: which errors are worth another try, and what each means in plain words."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from skill_factory.errors import HubError

T = TypeVar("T")
Wait = Callable[[float], None]

LONGEST_PAUSE = 300.0
"""Seconds; the user is told about a rate limit that asks for a longer wait, which is longer than its own window."""


class SignInNeeded(HubError):
    """The token is missing, wrong or expired: show the sign-in button, keep the work."""


class NotOnHub(HubError):
    """There is no such repository, or this token may not see it."""


class HubConflict(HubError):
    """The repository holds, or has got in the meantime, something that publishing would overwrite."""


def patiently(action: Callable[[], T], wait: Wait = time.sleep, attempts: int = 4) -> T:
    """The action's result; a rate limit, a failing server or a broken connection is waited for, a bounded time.

    Only for actions that may be repeated without harm.
    """
    # One try fewer than asked for: the last one stands below and raises what it meets.
    for attempt in range(attempts - 1):
        try:
            return action()
        except trouble() as error:
            pause = pause_after(error, attempt)
            if pause is None:
                raise
            wait(pause)
    return action()


def trouble() -> tuple[type[Exception], ...]:
    """What the client libraries raise when the Hub or the connection fails (Xet and LFS have their own types)."""
    import httpx2

    # RuntimeError is what the Xet client raises when a connection breaks.
    return (httpx2.HTTPError, OSError, RuntimeError)


def status_of(error: BaseException) -> int:
    """The HTTP status behind an error, also if the library has wrapped it; 0 if no answer came."""
    for cause in _chain(error):
        response = getattr(cause, "response", None)
        if response is not None:
            return int(response.status_code)
    return 0


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        # Libraries wrap without `from` as well, and then only the context knows.
        cause = cause.__cause__ or cause.__context__


def pause_after(error: Exception, attempt: int) -> float | None:
    """Seconds to wait before another try; None if another try makes no sense."""
    import httpx2

    status = status_of(error)
    # The Hub says how long its rate limit lasts.
    if status == 429:
        wait = _asked_pause(error)
        return None if wait > LONGEST_PAUSE else max(wait, 1.0)
    broken = any(isinstance(cause, httpx2.TransportError | ConnectionError) for cause in _chain(error))
    # Doubled each time: a server that is restarting needs longer than a lost packet.
    if status in (500, 502, 503, 504) or (not status and broken):
        return float(2**attempt)
    return None


def _asked_pause(error: Exception) -> float:
    from huggingface_hub.utils._http import parse_ratelimit_headers

    headers = getattr(getattr(error, "response", None), "headers", {})
    limit = parse_ratelimit_headers(headers)
    if limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    wait = str(headers.get("Retry-After", ""))
    # Without a word from the Hub, a short wait; `patiently` asks only a few times.
    return float(wait) if wait.isdigit() else 5.0


@contextmanager
def plainly(about: str, token: str | None, keep: type[Exception] | tuple[()] = ()) -> Iterator[None]:
    """Turn what the libraries raise inside the block into a `HubError` in plain words; errors of type `keep` pass."""
    try:
        yield
    # In words already, by a block further in.
    except HubError:
        raise
    except trouble() as error:
        if keep and isinstance(error, keep):
            raise
        raise explain(error, about, bool(token)) from error


def explain(error: Exception, about: str, signed_in: bool) -> HubError:
    """What happened and what to do, in a sentence or two that never contain a token."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    status, reason = status_of(error), _reason_given(error)
    # Before "not found": the library's class for gated repositories is one of those, too.
    if isinstance(error, GatedRepoError):
        page = _page(error, about)
        return HubError(
            f"{about} is open only to people who accepted its terms. Accept them at {page}, then try again."
        )
    if isinstance(error, RevisionNotFoundError):
        return HubError(f"{about} has no such revision. Leave the revision empty for the newest one.")
    if isinstance(error, RepositoryNotFoundError):
        # The Hub answers alike for "absent" and "private", so both are said.
        who = "your account can't see it" if signed_in else "it is private: sign in to see it"
        return NotOnHub(f"There is no repository {about}, or {who}. Check the name.")
    return _explain_status(status, reason, about, error)


def _explain_status(status: int, reason: str, about: str, error: Exception) -> HubError:
    if status == 401:
        return SignInNeeded("The Hub doesn't accept this token: it has expired or is wrong. Sign in again.")
    if status == 402:
        return HubError(f"The Hub requires a paid plan for {about}: {reason}")
    if status == 403:
        return HubError(
            f"This token isn't allowed to do that with {about}: {reason} Use a token that can write there."
        )
    if status in (409, 412):
        return HubConflict(f"Somebody else changed {about} at the same moment: {reason} Try again.")
    if status == 429:
        return HubError(
            f"The Hub has received too many requests. Try again in {_asked_pause(error):.0f} seconds."
        )
    if status >= 500:
        return HubError(f"The Hub failed (status {status}) on a request for {about}. Try again later.")
    if status:
        return HubError(f"The Hub refused a request for {about} (status {status}): {reason}")
    # A local file that vanished is an OSError too, and has nothing to do with the Hub.
    if isinstance(error, OSError) and error.filename:
        return HubError(f"{error.filename} can't be read: {error.strerror}. Nothing was changed on the Hub.")
    return HubError(f"The Hub can't be reached ({type(error).__name__}). Check the connection and try again.")


def _page(error: BaseException, repo: str) -> str:
    """The page of the dataset that was asked for."""
    address = getattr(error, "response").url  # noqa: B009 - the library types it as its own base class
    return f"{address.scheme}://{address.netloc.decode()}/datasets/{repo}"


def _reason_given(error: BaseException) -> str:
    """The reason that the Hub gives for a refusal."""
    response = getattr(error, "response", None)
    message = getattr(error, "server_message", None) or (
        response.headers.get("X-Error-Message") if response else None
    )
    return f"{str(message).strip().rstrip('.')}." if message else "no reason was given."
