"""The app as a Space: the files of this checkout, with the front matter that the Hub reads, in one commit."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_factory.errors import HubError
from skill_factory.hub.client import check_name, client, try_read, web_address
from skill_factory.hub.errors import (
    HubConflict,
    SignInNeeded,
    Wait,
    explain,
    patiently,
    pause_after,
    plainly,
    status_of,
    trouble,
)
from skill_factory.hub.front_matter import front_matter
from skill_factory.hub.look import RemoteFile, list_files
from skill_factory.hub.signin import MOST_SCOPES
from skill_factory.publish.card import join_card, split_card
from skill_factory.publish.files import LocalFile, local_file
from skill_factory.wording import listed

ATTEMPTS = 4
INCLUDED = (
    "app.py",
    "serve.py",
    "pages",
    "skill_factory",
    "requirements.txt",
    "pyproject.toml",
    "LICENSE",
    "Dockerfile",
    ".dockerignore",
    ".streamlit/config.toml",
)
"""What the app needs from the checkout; README.md is added with another front matter."""
NEEDED = ("app.py", "serve.py", "Dockerfile", "requirements.txt", "README.md")
FRONT_MATTER = {
    "title": "SkillFactory Studio",
    "emoji": "🧩",
    "colorFrom": "blue",
    "colorTo": "yellow",
    "sdk": "docker",
    "app_port": 8501,
    "pinned": False,
    "license": "apache-2.0",
    "short_description": "Make think, sample, reflect training traces",
    "tags": ["skill-factory"],
    "hf_oauth": True,
    "hf_oauth_expiration_minutes": 480,
    "hf_oauth_scopes": list(MOST_SCOPES),
}
"""`hf_oauth_scopes` is the most that a visitor can be asked for; the sign-in asks for some of them."""
VARIABLES = {"SKILL_FACTORY_HOSTED": "1", "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false"}
"""Streamlit's own protection needs a cookie, which browsers refuse inside a frame: uploads would fail with 403."""
BUCKET_MOUNT = "/data"


@dataclass(frozen=True)
class SpaceResult:
    """Where the Space is, which commit it runs, and whether this call created or changed anything."""

    url: str
    commit: str
    created: bool
    unchanged: bool


def space_files(root: Path) -> tuple[LocalFile, ...]:
    """The Space's files, from a checkout. Errors: HubError if `root` isn't one."""
    # An installed package lacks the Dockerfile, and a Space without one would fail only while it is built.
    missing = [name for name in NEEDED if not (root / name).is_file()]
    if missing:
        raise HubError(
            f"{root} isn't a checkout of this app: it has no {listed(missing, 'or')}. Run this in the folder with app.py."
        )
    readme = local_file("README.md", space_readme((root / "README.md").read_text("utf-8")).encode())
    return (readme, *(local_file(path.relative_to(root).as_posix(), path) for path in _paths(root)))


def space_readme(readme: str) -> str:
    """The README with the front matter of a Space's card."""
    import yaml  # type: ignore[import-untyped]

    head = yaml.safe_dump(FRONT_MATTER, sort_keys=False, allow_unicode=True)
    return join_card(head, split_card(readme)[1])


def _paths(root: Path) -> Iterator[Path]:
    for name in INCLUDED:
        paths = sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]
        yield from (p for p in paths if p.is_file() and "__pycache__" not in p.parts and p.suffix != ".pyc")


def create_space(
    repo: str,
    root: Path,
    token: str | None,
    *,
    public: bool = False,
    bucket: str = "",
    endpoint: str | None = None,
    wait: Wait = time.sleep,
) -> SpaceResult:
    """Create the Space, or update it to this checkout; it is private unless `public`.

    When the Space is created, `bucket` (USER/NAME) is mounted for what has to outlive a restart. Errors: HubError, also
    if the account has no plan that runs Docker Spaces; HubConflict if the Space runs another app.
    """
    check_name(repo)
    if not token:
        raise SignInNeeded("A Space needs an account. Set HF_TOKEN, or run `hf auth login`.")
    # Before anything is created, so that a folder that isn't a checkout leaves no empty Space behind.
    files = space_files(root)
    created = _ensure(repo, token, public, bucket, endpoint, wait)
    hub = client(token, endpoint)
    with plainly(repo, token):
        # Set before the code goes up: the app must never start as if it were at home.
        for key, value in _variables(bucket if created else "").items():
            patiently(lambda key=key, value=value: hub.add_space_variable(repo, key, value), wait)  # type: ignore[misc]
    commit, unchanged = _bring_up_to_date(repo, files, token, endpoint, wait)
    return SpaceResult(web_address(repo, "space", endpoint), commit, created, unchanged)


def _variables(bucket: str) -> dict[str, str]:
    return VARIABLES | ({"SKILL_FACTORY_HOME": f"{BUCKET_MOUNT}/skill-factory"} if bucket else {})


def _ensure(repo: str, token: str, public: bool, bucket: str, endpoint: str | None, wait: Wait) -> bool:
    """Create the Space unless it exists; True if it was created now."""
    from huggingface_hub import Volume

    hub = client(token, endpoint)
    # Asked instead of relying on `exist_ok`: only a new Space may get the bucket's variable.
    if patiently(lambda: hub.repo_exists(repo, repo_type="space"), wait):
        return False
    # Mounting is part of creating; an existing Space keeps the volumes that it has.
    volumes = [Volume(type="bucket", source=bucket, mount_path=BUCKET_MOUNT)] if bucket else None
    visibility: Any = "public" if public else "private"
    try:
        hub.create_repo(
            repo,
            repo_type="space",
            space_sdk="docker",
            visibility=visibility,
            space_volumes=volumes,
            exist_ok=True,
        )
    except trouble() as error:
        if status_of(error) == 402:
            raise HubError(
                f"The Hub runs Docker Spaces for accounts with a paid plan only, so {repo} was not created. "
                "At home the same app runs with `docker build -t skill-factory . && docker run -p 127.0.0.1:8501:8501 "
                "skill-factory`, or with `streamlit run serve.py`."
            ) from None
        raise explain(error, repo, True) from error
    return True


def _bring_up_to_date(
    repo: str, files: tuple[LocalFile, ...], token: str, endpoint: str | None, wait: Wait
) -> tuple[str, bool]:
    """Send what differs in one guarded commit; returns the commit, and whether nothing differed."""
    hub, tried = client(token, endpoint), False
    for attempt in range(ATTEMPTS):
        info, there = list_files(repo, token, None, endpoint, kind="space")
        _refuse_foreign(repo, there, token, str(info.sha), endpoint)
        # Only what differs is sent, and only folders of ours are cleaned: an owner's own files stay.
        operations = _operations(files, there)
        if not operations:
            return str(info.sha), not tried
        try:
            commit = hub.create_commit(
                repo, operations, commit_message="Update the app", repo_type="space", parent_commit=info.sha
            )
            return str(commit.oid), False
        except trouble() as error:
            pause = 0.5 * 2**attempt if status_of(error) in (409, 412) else pause_after(error, attempt)
            if pause is None or attempt == ATTEMPTS - 1:
                raise explain(error, repo, True) from error
            wait(pause)
            tried = True
    raise HubError(f"Updating {repo} failed {ATTEMPTS} times. Try again later.")


def _refuse_foreign(
    repo: str, there: tuple[RemoteFile, ...], token: str, commit: str, endpoint: str | None
) -> None:
    paths = {file.path for file in there}
    if not paths & {"app.py", "Dockerfile"}:
        return
    # The tag in the card is what tells our Spaces from others.
    card = try_read(repo, "README.md", token, commit, endpoint, kind="space") or b""
    if "skill-factory" not in (front_matter(card.decode("utf-8", "replace")).get("tags") or []):
        raise HubConflict(f"The Space {repo} runs another app. Nothing was changed. Choose another name.")


def _operations(files: tuple[LocalFile, ...], there: tuple[RemoteFile, ...]) -> list[Any]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    known, written = {file.path: file for file in there}, {file.path for file in files}
    # Files that were deleted here must go there as well: an old page would still be shown.
    folders = tuple(f"{name}/" for name in INCLUDED if "." not in name)
    gone = [path for path in known if path.startswith(folders) and path not in written]
    added = [
        CommitOperationAdd(f.path, f.content if isinstance(f.content, bytes) else str(f.content))
        for f in files
        if not f.same_as(known.get(f.path))
    ]
    return [*added, *(CommitOperationDelete(path, is_folder=False) for path in gone)]
