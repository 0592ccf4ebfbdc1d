"""The Hub's client, in one place: who am I, what is there, read a file; and every refusal in words.

All other modules that talk to the Hub (`hub_look`, `publish`, `space`, `jobs`) go through `client()` and `plainly()`.
The token is an argument everywhere, and no token means anonymous: the libraries' own fallback to a stored login would
let a shared server act in its owner's name. Nothing here reads or writes the libraries' cache, because that cache
answers a refused reader with what another visitor has loaded before.
"""

import os
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from skill_factory.errors import HubError
from skill_factory.hosting import GIVEN_TOKEN, hosted
from skill_factory.hub.errors import SignInNeeded, patiently, plainly

if TYPE_CHECKING:
    from huggingface_hub import HfApi, HfFileSystem

READ_SECONDS = 120.0
"""Longest silence in an answer; the library itself would wait for ever, the Hub gives up on a commit after 60 s."""


@dataclass(frozen=True)
class Account:
    """Who a token belongs to: the user's name, the organisations it may publish under, and whether it can write."""

    name: str
    orgs: tuple[str, ...]
    can_write: bool

    @property
    def namespaces(self) -> tuple[str, ...]:
        return (self.name, *self.orgs)


@dataclass(frozen=True)
class Hit:
    """One data set that a search found."""

    name: str
    private: bool
    gated: bool
    downloads: int
    likes: int


def client(token: str | None, endpoint: str | None = None) -> "HfApi":
    """The Hub's client for one token; without a token it is anonymous, whatever is stored on this machine.

    Errors: SignInNeeded for a text that can't be a token, such as one pasted with a line break in it.
    """
    from huggingface_hub import HfApi

    _prepare()
    return HfApi(endpoint=endpoint, token=_clean(token), library_name="skill-factory")


def file_system(token: str | None, endpoint: str | None = None) -> "HfFileSystem":
    """Files on the Hub by range requests, never from a cache on disk, never an instance made for another token."""
    from huggingface_hub import HfFileSystem

    _prepare()
    return HfFileSystem(endpoint=endpoint, token=_clean(token), skip_instance_cache=True)


def _clean(token: str | None) -> str | Literal[False]:
    if token and not re.fullmatch(r"[!-~]+", token.strip()):
        raise SignInNeeded("That is no token: it has spaces or other characters in it. Copy it again.")
    return (token or "").strip() or False


@cache
def _prepare() -> None:
    """Once per process: bounded waits, and no progress bars of the library's own (ours tells more)."""
    import httpx2
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]
    from huggingface_hub.utils._http import default_client_factory

    disable_progress_bars()

    def bounded() -> httpx2.Client:
        made = default_client_factory()
        made.timeout = httpx2.Timeout(READ_SECONDS, connect=10.0)
        return made

    set_client_factory(bounded)


def web_address(repo: str, kind: str = "dataset", endpoint: str | None = None) -> str:
    """Where a person looks at the repository."""
    from huggingface_hub import constants

    folder = "" if kind == "model" else f"{kind}s/"
    return f"{(endpoint or constants.ENDPOINT).rstrip('/')}/{folder}{repo}"


def check_name(repo: str, owned: bool = True) -> str:
    """The name itself, when the Hub would take it as USER/NAME. Errors: HubError saying which rule it breaks.

    `owned` False also takes a name without a user, as some old data sets have.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    if not re.fullmatch(r"[^/\s]+/[^/\s]+" if owned else r"([^/\s]+/)?[^/\s]+", repo):
        raise HubError(f"A repository is named USER/NAME; found {repo!r}. Put your account's name in front.")
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        reason = str(error).removesuffix(f": '{repo}'.").removesuffix(".")
        raise HubError(
            f"The Hub takes no repository named {repo!r}: {reason}. Choose another name."
        ) from None
    return repo


def safe_name(text: str) -> str:
    """The nearest name without its user part that the Hub takes: letters, digits, single dashes; at most 95 long."""
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    cleaned = re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", ".", cleaned))
    return cleaned[:95].strip("-.").removesuffix(".git") or "traces"


def whoami(token: str | None, endpoint: str | None = None) -> Account:
    """Whose token this is. Errors: SignInNeeded without one, or when the Hub refuses it."""
    if not token:
        raise SignInNeeded("Nobody is signed in. Sign in, or paste a token.")
    with plainly("your account", token):
        found = client(token, endpoint).whoami()
    return _account(found)


def _account(found: dict[str, Any]) -> Account:
    orgs = tuple(org["name"] for org in found.get("orgs", []) if org.get("roleInOrg") != "read")
    access = found.get("auth", {}).get("accessToken", {})
    return Account(found["name"], orgs, _writes(access, found.get("auth", {}).get("type", "")))


def _writes(access: dict[str, Any], kind: str) -> bool:
    """Whether a token's role allows writing; where the Hub doesn't tell, the first refusal will."""
    if access.get("role") != "fineGrained" or kind == "oauth" or "fineGrained" not in access:
        return access.get("role") != "read"
    scopes = access["fineGrained"]
    allowed = [
        *scopes.get("global", []),
        *(p for one in scopes.get("scoped", []) for p in one.get("permissions", [])),
    ]
    return any(permission.startswith("repo.") and "write" in permission for permission in allowed)


def stored_token() -> str | None:
    """The token that a command of this process may use: the one it was started with, else this machine's own.

    SKILL_FACTORY_TOKEN is what the app gives to a child process of one visitor; empty, it stands for nobody. This
    machine's own is HF_TOKEN or the login that `hf auth login` stored; on a hosted instance nobody may use that.
    """
    if GIVEN_TOKEN in os.environ:
        return os.environ[GIVEN_TOKEN] or None
    if hosted():
        return None
    from huggingface_hub import get_token

    return os.environ.get("HF_TOKEN") or get_token()


def search(
    query: str, token: str | None = None, limit: int = 20, endpoint: str | None = None
) -> tuple[Hit, ...]:
    """Data sets whose names fit the query, as far as this token may see them."""
    with plainly("the search", token):
        found = list(client(token, endpoint).list_datasets(search=query.strip(), limit=limit))
    return tuple(
        Hit(one.id, bool(one.private), bool(one.gated), one.downloads or 0, one.likes or 0) for one in found
    )


def check_access(
    repo: str, token: str | None, revision: str | None = None, endpoint: str | None = None
) -> str:
    """The commit that a revision stands for now, once it is clear that this token may read the files there.

    Call it before every read of anything that was kept from an earlier visit. Errors: HubError.
    """
    with plainly(repo, token):
        hub = client(token, endpoint)
        hub.auth_check(repo, repo_type="dataset")
        return str(hub.dataset_info(repo, revision=revision).sha)


def read_text(
    repo: str, path: str, token: str | None, revision: str | None = None, endpoint: str | None = None
) -> str:
    """A text file of a data set, read from the Hub itself. Errors: HubError, also when there is no such file."""
    commit = check_access(repo, token, revision, endpoint)
    found = try_read(repo, path, token, commit, endpoint)
    if found is None:
        raise HubError(f"{repo} has no file {path} at {commit[:8]}. Choose another data set or revision.")
    return found.decode("utf-8", errors="replace")


def try_read(
    repo: str,
    path: str,
    token: str | None,
    commit: str,
    endpoint: str | None = None,
    kind: str = "dataset",
) -> bytes | None:
    """A file's bytes at a commit; None when the commit has no such file."""
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    address = hf_hub_url(repo, path, repo_type=kind, revision=commit, endpoint=endpoint)
    _prepare()
    try:
        with plainly(repo, token, keep=EntryNotFoundError):
            reply = patiently(
                lambda: get_session().get(address, headers=build_hf_headers(token=_clean(token)))
            )
            hf_raise_for_status(reply)
    except EntryNotFoundError:
        return None
    return bytes(reply.content)
