"""Sign in without cookies: a short code that the visitor confirms on the Hub's own page (RFC 8628).

It works inside the frame of a Space, where third-party cookies are blocked, and needs no redirect. The steps are: ask
for a code, show it, poll until it is confirmed. The token lives only in what these functions return, and no `repr`
shows it.
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
"""The least that publishing needs: create repositories, and write to those that this app created."""


@dataclass(frozen=True)
class OAuthApp:
    """The app as the Hub registered it; on a Space its settings come from the environment."""

    client_id: str
    provider: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class DeviceCode:
    """A code to confirm: show `user_code`, link to `page`, and poll every `interval` seconds until `expires_in`."""

    user_code: str
    page: str
    interval: int
    expires_in: int
    device_code: str = field(repr=False)


class SignIn(StrEnum):
    """What a poll found."""

    WAITING = "waiting"
    SLOWER = "slower"
    """Waiting, and the Hub wants five seconds more between two polls."""
    DENIED = "denied"
    EXPIRED = "expired"
    DONE = "done"


@dataclass(frozen=True)
class Poll:
    """The state of a sign-in; DONE comes with the token and the seconds it is valid (0 if the Hub doesn't say)."""

    state: SignIn
    token: str = field(default="", repr=False)
    expires_in: int = 0


def app_from(environ: Mapping[str, str] = os.environ) -> OAuthApp | None:
    """The app of the Space that this runs in; None anywhere else."""
    # The Hub sets both on a Space whose card asks for sign-in, and nowhere else.
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
    """The permissions to ask for: the least, and more only for what the visitor wants to do."""
    # Asked for when they are needed: a page that only publishes shouldn't be able to read private data.
    more = {PRIVATE_SCOPES: private_sources, OTHER_SCOPES: other_repositories, JOB_SCOPES: jobs}
    return (*BASE_SCOPES, *(name for names, wanted in more.items() if wanted for name in names))


def ask_code(app: OAuthApp, wanted: tuple[str, ...] = BASE_SCOPES) -> DeviceCode:
    """A new code to show. Errors: HubError if the Hub gives none."""
    with plainly("signing in", None):
        reply = patiently(lambda: _post(app, "device", {"scope": " ".join(wanted)}, strict=True))
    try:
        page = str(reply.get("verification_uri_complete") or reply["verification_uri"])
        user_code, device_code = str(reply["user_code"]), str(reply["device_code"])
    except KeyError as error:
        raise HubError(f"The Hub's answer to the sign-in has no {error}. Paste a token instead.") from None
    return DeviceCode(
        user_code, page, int(reply.get("interval", 5)), int(reply.get("expires_in", 900)), device_code
    )


def poll(app: OAuthApp, code: DeviceCode) -> Poll:
    """Whether the code has been confirmed by now; a failing connection counts as not yet.

    Errors: HubError for an answer that doesn't belong to a sign-in (of a wrong app, for example).
    """
    import httpx2

    try:
        reply = _post(app, "token", {"grant_type": GRANT, "device_code": code.device_code})
    # The next poll is seconds away; a visitor who is confirming the code shouldn't see an error.
    except (httpx2.HTTPError, ValueError):
        return Poll(SignIn.WAITING)
    if "access_token" in reply:
        return Poll(SignIn.DONE, str(reply["access_token"]), int(reply.get("expires_in", 0)))
    return Poll(_state(reply))


def _state(reply: Mapping[str, Any]) -> SignIn:
    known = {
        None: SignIn.WAITING,
        "authorization_pending": SignIn.WAITING,
        "slow_down": SignIn.SLOWER,
        "access_denied": SignIn.DENIED,
        "expired_token": SignIn.EXPIRED,
    }
    error = reply.get("error")
    if error not in known:
        raise HubError(
            f"The Hub refused the sign-in: {reply.get('error_description') or error}. Paste a token instead."
        )
    return known[error]


def _post(app: OAuthApp, step: str, form: Mapping[str, str], strict: bool = False) -> dict[str, Any]:
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    # The standard's way for a client with a secret; without one, the id in the form is enough.
    named = b64encode(f"{app.client_id}:{app.secret}".encode()).decode()
    headers = {"Authorization": f"Basic {named}"} if app.secret else {}
    address = f"{app.provider}/oauth/{step}"
    response = get_session().post(
        address, data={"client_id": app.client_id, **form}, headers=headers, timeout=10
    )
    # A poll that isn't confirmed yet is answered with status 400 and a reason; only a poll reads that.
    if strict or response.status_code >= 500:
        hf_raise_for_status(response)
    content = response.json()
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content
