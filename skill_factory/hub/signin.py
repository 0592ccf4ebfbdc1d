"""Sign in without cookies: a short code that the visitor confirms on the Hub's own page (RFC 8628).

It works inside the frame of a Space, where third-party cookies are blocked, and needs no redirect. Pure steps: ask for
a code, show it, poll until it is confirmed. The token lives in what these functions return, nowhere else; it is kept
out of every `repr`.
"""

import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from skill_factory.errors import HubError
from skill_factory.hub.errors import patiently, plainly

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
BASE_SCOPES = ("openid", "profile", "contribute-repos")
"""The least that publishing needs: create repositories, and write to those that this app has created."""


@dataclass(frozen=True)
class OAuthApp:
    """The app that the Hub registered: on a Space its settings come from the environment."""

    client_id: str
    provider: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class DeviceCode:
    """A code to confirm: show `user_code` and link to `page`; poll every `interval` seconds, for `expires_in` at most."""

    user_code: str
    page: str
    interval: int
    expires_in: int
    device_code: str = field(repr=False)


class SignIn(StrEnum):
    """What a poll found."""

    WAITING = "waiting"
    SLOWER = "slower"
    """Waiting, and the Hub asks for five seconds more between two polls."""
    DENIED = "denied"
    EXPIRED = "expired"
    DONE = "done"


@dataclass(frozen=True)
class Poll:
    """The state of a sign-in; with DONE come the token and the seconds it is good for (0 where the Hub doesn't say)."""

    state: SignIn
    token: str = field(default="", repr=False)
    expires_in: int = 0


def app_from(environ: Mapping[str, str] = os.environ) -> OAuthApp | None:
    """The app of the Space we run in; None anywhere else."""
    client_id, provider = environ.get("OAUTH_CLIENT_ID"), environ.get("OPENID_PROVIDER_URL")
    if not client_id or not provider:
        return None
    return OAuthApp(client_id, provider.rstrip("/"), environ.get("OAUTH_CLIENT_SECRET", ""))


PRIVATE_SCOPES = ("read-repos", "gated-repos")
"""What opening private and gated data needs."""
OTHER_SCOPES = ("write-repos", "write-discussions")
"""What replacing, or proposing to, a repository needs that this app hasn't created."""
JOB_SCOPES = ("jobs",)
MOST_SCOPES = (*BASE_SCOPES[2:], *PRIVATE_SCOPES, *OTHER_SCOPES, *JOB_SCOPES)
"""All that is ever asked for, which a Space has to list; the Hub grants the first two of BASE_SCOPES unlisted."""


def scopes(
    private_sources: bool = False, other_repositories: bool = False, jobs: bool = False
) -> tuple[str, ...]:
    """What to ask for: the least, and more only for what the visitor wants to do."""
    more = {PRIVATE_SCOPES: private_sources, OTHER_SCOPES: other_repositories, JOB_SCOPES: jobs}
    return (*BASE_SCOPES, *(name for names, wanted in more.items() if wanted for name in names))


def ask_code(app: OAuthApp, wanted: tuple[str, ...] = BASE_SCOPES) -> DeviceCode:
    """A new code to show. Errors: HubError when the Hub gives none."""
    with plainly("signing in", None):
        told = patiently(lambda: _post(app, "device", {"scope": " ".join(wanted)}, strict=True))
    try:
        page = str(told.get("verification_uri_complete") or told["verification_uri"])
        user_code, device_code = str(told["user_code"]), str(told["device_code"])
    except KeyError as error:
        raise HubError(f"The Hub's answer to the sign-in lacks {error}. Paste a token instead.") from None
    return DeviceCode(
        user_code, page, int(told.get("interval", 5)), int(told.get("expires_in", 900)), device_code
    )


def poll(app: OAuthApp, code: DeviceCode) -> Poll:
    """Whether the code has been confirmed by now; a failing line counts as not yet.

    Errors: HubError for an answer that no sign-in has (a wrong app, say).
    """
    import httpx2

    try:
        told = _post(app, "token", {"grant_type": GRANT, "device_code": code.device_code})
    except (httpx2.HTTPError, ValueError):
        return Poll(SignIn.WAITING)
    if "access_token" in told:
        return Poll(SignIn.DONE, str(told["access_token"]), int(told.get("expires_in", 0)))
    return Poll(_state(told))


def _state(told: Mapping[str, Any]) -> SignIn:
    known = {
        None: SignIn.WAITING,
        "authorization_pending": SignIn.WAITING,
        "slow_down": SignIn.SLOWER,
        "access_denied": SignIn.DENIED,
        "expired_token": SignIn.EXPIRED,
    }
    error = told.get("error")
    if error not in known:
        raise HubError(
            f"The Hub refused the sign-in: {told.get('error_description') or error}. Paste a token instead."
        )
    return known[error]


def _post(app: OAuthApp, step: str, form: Mapping[str, str], strict: bool = False) -> dict[str, Any]:
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    named = b64encode(f"{app.client_id}:{app.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {named}"} if app.secret else {}
    address = f"{app.provider}/oauth/{step}"
    reply = get_session().post(
        address, data={"client_id": app.client_id, **form}, headers=headers, timeout=10
    )
    if strict or reply.status_code >= 500:
        hf_raise_for_status(reply)
    told = reply.json()
    if not isinstance(told, dict):
        raise ValueError("no JSON object")
    return told
