"""The Hub's client, in one place: who is signed in, what is there, read a file; and every refusal in words.

All other modules that talk to the Hub go through `client()` and `plainly()`. The token is always an argument, and no
token means anonymous: the libraries' own fallback to a stored login would let a shared server act in its owner's name.
Nothing here reads or writes the libraries' cache, because that cache answers a refused reader with what another visitor
has loaded before.
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
"""Longest silence in an answer; the library would wait forever, and the Hub gives up on a commit after 60 s."""


@dataclass(frozen=True)
class Account:
    """Whose token it is: the user's name, the organisations it may publish under, and whether it may write."""

    name: str
    orgs: tuple[str, ...]
    can_write: bool

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The names that a repository of this account may begin with."""
        return (self.name, *self.orgs)


@dataclass(frozen=True)
class Hit:
    """One dataset that a search found."""

    name: str
    private: bool
    gated: bool
    downloads: int
    likes: int


def client(token: str | None, endpoint: str | None = None) -> "HfApi":
    """The Hub's client for one token; without a token it is anonymous, whatever is stored on this machine.

    Errors: SignInNeeded for a text that can't be a token, for example one that was pasted with a line break.
    """
    from huggingface_hub import HfApi

    _prepare()
    # `_clean` gives False for no token: None would make the library take the login stored on this machine.
    return HfApi(endpoint=endpoint, token=_clean(token), library_name="skill-factory")


def file_system(token: str | None, endpoint: str | None = None) -> "HfFileSystem":
    """Files on the Hub, read by range requests: never from a cache on disk, never by an instance made for another token."""
    from huggingface_hub import HfFileSystem

    _prepare()
    return HfFileSystem(endpoint=endpoint, token=_clean(token), skip_instance_cache=True)


def _clean(token: str | None) -> str | Literal[False]:
    # HTTP headers take visible ASCII only; the library would fail with an error about encodings.
    if token and not re.fullmatch(r"[!-~]+", token.strip()):
        raise SignInNeeded("That isn't a token: it contains spaces or other characters. Copy it again.")
    return (token or "").strip() or False


@cache
def _prepare() -> None:
    """Set up the library, once per process: bounded waits, and none of its progress bars (ours say more)."""
    import httpx2
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]
    from huggingface_hub.utils._http import default_client_factory

    disable_progress_bars()

    def bounded() -> httpx2.Client:
        # The library's own client with another patience: its headers and hooks stay.
        session = default_client_factory()
        session.timeout = httpx2.Timeout(READ_SECONDS, connect=10.0)
        return session

    set_client_factory(bounded)


def web_address(repo: str, kind: str = "dataset", endpoint: str | None = None) -> str:
    """The address of the repository's page."""
    from huggingface_hub import constants

    folder = "" if kind == "model" else f"{kind}s/"
    return f"{(endpoint or constants.ENDPOINT).rstrip('/')}/{folder}{repo}"


def check_name(repo: str, owned: bool = True) -> str:
    """The name itself, if the Hub accepts it as USER/NAME. Errors: HubError that says which rule it breaks.

    `owned` False also accepts a name without a user, as some old datasets have.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    # Checked before the library does: it would accept a name alone, and publish it under whoever is signed in.
    if not re.fullmatch(r"[^/\s]+/[^/\s]+" if owned else r"([^/\s]+/)?[^/\s]+", repo):
        raise HubError(
            f"A repository is named USER/NAME; found {repo!r}. Put the name of your account in front."
        )
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        reason = str(error).removesuffix(f": '{repo}'.").removesuffix(".")
        raise HubError(f"The Hub doesn't accept the name {repo!r}: {reason}. Choose another name.") from None
    return repo


def safe_name(text: str) -> str:
    """The nearest name, without a user, that the Hub accepts: letters, digits, single dashes; at most 95 characters."""
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    cleaned = re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", ".", cleaned))
    # The Hub refuses names over 96 characters, with a sign at either end, or ending in .git.
    return cleaned[:95].strip("-.").removesuffix(".git") or "traces"


def whoami(token: str | None, endpoint: str | None = None) -> Account:
    """The account that a token belongs to. Errors: SignInNeeded without a token, or if the Hub refuses it."""
    if not token:
        raise SignInNeeded("Nobody is signed in. Sign in, or paste a token.")
    with plainly("your account", token):
        answer = client(token, endpoint).whoami()
    return _account(answer)


def _account(answer: dict[str, Any]) -> Account:
    # Offering an organisation in which one may only read would end in a refusal.
    orgs = tuple(org["name"] for org in answer.get("orgs", []) if org.get("roleInOrg") != "read")
    access = answer.get("auth", {}).get("accessToken", {})
    return Account(answer["name"], orgs, _writes(access, answer.get("auth", {}).get("type", "")))


def _writes(access: dict[str, Any], kind: str) -> bool:
    """Whether a token's role allows writing; where the Hub doesn't say, the first refusal will."""
    # A sign-in has no role of its own; what it may do is told by its scopes, and by the Hub's refusal.
    if access.get("role") != "fineGrained" or kind == "oauth" or "fineGrained" not in access:
        return access.get("role") != "read"
    # A fine-grained token lists its permissions by repository; one that may write anywhere counts as writing.
    scopes = access["fineGrained"]
    allowed = [
        *scopes.get("global", []),
        *(p for scope in scopes.get("scoped", []) for p in scope.get("permissions", [])),
    ]
    return any(permission.startswith("repo.") and "write" in permission for permission in allowed)


def stored_token() -> str | None:
    """The token that a command of this process may use: the one it was started with, else this machine's own.

    The app gives SKILL_FACTORY_TOKEN to a process of one visitor; empty, it stands for nobody. This machine's own token
    is HF_TOKEN or the login that `hf auth login` stored; on a hosted instance nobody may use it.
    """
    # Set but empty means: this process works for a visitor who isn't signed in.
    if GIVEN_TOKEN in os.environ:
        return os.environ[GIVEN_TOKEN] or None
    if hosted():
        return None
    from huggingface_hub import get_token

    return os.environ.get("HF_TOKEN") or get_token()


def search(
    query: str, token: str | None = None, limit: int = 20, endpoint: str | None = None
) -> tuple[Hit, ...]:
    """Datasets whose names match the query, as far as this token may see them."""
    with plainly("the search", token):
        # The list is lazy: made here, so that errors come inside the block that explains them.
        datasets = list(client(token, endpoint).list_datasets(search=query.strip(), limit=limit))
    return tuple(_hit(dataset) for dataset in datasets)


def datasets_of(
    author: str, token: str | None, limit: int = 50, endpoint: str | None = None
) -> tuple[Hit, ...]:
    """The datasets of an account, private ones too where the token may see them; the one that was changed last first."""
    with plainly("the list of datasets", token):
        found = client(token, endpoint).list_datasets(author=author, sort="last_modified", limit=limit)
        return tuple(_hit(dataset) for dataset in found)


def _hit(dataset: Any) -> Hit:
    return Hit(
        dataset.id, bool(dataset.private), bool(dataset.gated), dataset.downloads or 0, dataset.likes or 0
    )


def check_access(
    repo: str, token: str | None, revision: str | None = None, endpoint: str | None = None
) -> str:
    """The commit that a revision stands for now, after checking that this token may read the files there.

    Call it before every use of something that was kept from an earlier visit. Errors: HubError.
    """
    with plainly(repo, token):
        hub = client(token, endpoint)
        # Asked every time: terms may have been withdrawn, or a repository made private, since the last visit.
        hub.auth_check(repo, repo_type="dataset")
        return str(hub.dataset_info(repo, revision=revision).sha)


def read_text(
    repo: str, path: str, token: str | None, revision: str | None = None, endpoint: str | None = None
) -> str:
    """A text file of a dataset, read from the Hub itself. Errors: HubError, also if there is no such file."""
    # A commit first: a branch may move between the check and the read.
    commit = check_access(repo, token, revision, endpoint)
    content = try_read(repo, path, token, commit, endpoint)
    if content is None:
        raise HubError(f"{repo} has no file {path} at {commit[:8]}. Choose another dataset or revision.")
    return content.decode("utf-8", errors="replace")


def try_read(
    repo: str,
    path: str,
    token: str | None,
    commit: str,
    endpoint: str | None = None,
    kind: str = "dataset",
) -> bytes | None:
    """The bytes of a file at a commit; None if the commit has no such file."""
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    # Asked for directly and not by `hf_hub_download`, which would answer from a cache that all visitors share.
    address = hf_hub_url(repo, path, repo_type=kind, revision=commit, endpoint=endpoint)
    # Here too, since this is the one request that doesn't go through `client`.
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
