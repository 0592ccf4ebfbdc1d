"""A Hub on loopback, faithful enough that the real client libraries can't tell.

It answers what huggingface_hub and datasets ask when they look, read, publish, sign in, create a Space or start a job;
any other request is a 400, so that a test notices a client that asks for more.

    with Hub(tmp_path / "hub") as hub:
        hub.seed_dataset("alice/raw", {"data/train-00000-of-00001.parquet": table})
        HfApi(endpoint=hub.url, token=hub.token("alice"))            # in this process: pass `endpoint=`
        subprocess.run([sys.executable, …], env=hub.env("alice"))    # HF_ENDPOINT is read when the client is imported,
                                                                     # and `datasets` reads nothing else

Faults are data: `hub.faults.add("commit", status=504, after_effect=True)`. What came in is in `hub.requests`.
"""

import io
import os
import re
import secrets
import subprocess
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from tests import hub_routes
from tests.hub_store import Blobs, Commit, Repo, Role, Token, User, with_changes
from tests.hub_wire import Faults, Record, Reply, Request, Server, refusal

USERS = (User("alice", ("lab",)), User("bob"), User("carol", pro=False))
TOKENS = {
    "hf_alice": Token("alice"),
    "hf_alice_read": Token("alice", Role.READ),
    "hf_alice_app": Token("alice", Role.CONTRIBUTE),
    "hf_bob": Token("bob"),
    "hf_carol": Token("carol"),
}


class Hub:
    """The server; a context manager that runs it on a free port of 127.0.0.1.

    `users` and `tokens` say who there is; by default alice (in the organisation "lab"), bob, and carol without a paid
    plan, whose tokens are "hf_" and the name ("hf_alice_read" and "hf_alice_app" are narrower ones).
    `xet` False makes it a Hub that knows plain LFS only (set HF_HUB_DISABLE_XET=1 for the client as well).
    `page` is the number of entries in one page of a listing.
    """

    def __init__(
        self,
        root: Path,
        users: Iterable[User] = USERS,
        tokens: Mapping[str, Token] = TOKENS,
        xet: bool = True,
        page: int = 1000,
    ) -> None:
        self.root, self.xet, self.page = root, xet, page
        self.users = {user.name: user for user in users}
        self.tokens = dict(tokens)
        self.blobs = Blobs(root)
        self.repos: dict[tuple[str, str], Repo] = {}
        self.buckets: dict[str, dict[str, str]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.job_logs: list[str] = ["started", "done"]
        self.job_end: dict[str, str] = {"stage": "COMPLETED"}
        self.devices: dict[str, dict[str, Any]] = {}
        self.faults = Faults()
        self.requests: list[Record] = []
        self.broken: list[str] = []
        self.lock = threading.RLock()
        self.server = Server(self)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    # what a test asks and sets

    def token(self, user: str, role: Role = Role.WRITE) -> str:
        """A token of that user with that role."""
        return next(text for text, token in self.tokens.items() if token.user == user and token.role == role)

    def env(self, user: str | None = None, xet: bool = True) -> dict[str, str]:
        """The environment of a child process that talks to this Hub, with a home of its own on each call."""
        home = self.root / "homes" / secrets.token_hex(4)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("HF_")}
        token = {"HF_TOKEN": self.token(user)} if user else {}
        plain = {} if xet and self.xet else {"HF_HUB_DISABLE_XET": "1"}
        return {
            **kept,
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            **plain,
            **token,
        }

    def count(self, route: str | None = None, **equal: object) -> int:
        """How many requests there were, of one route or with these values: `hub.count("commit", status=200)`."""
        fitting = (
            r for r in self.requests if all(getattr(r, name) == value for name, value in equal.items())
        )
        return sum(route is None or record.route == route for record in fitting)

    def counts(self) -> Counter[str]:
        """Requests per route."""
        return Counter(record.route for record in self.requests)

    def repo(self, name: str, kind: str = "dataset") -> Repo:
        return self.repos[kind, name]

    def read(self, name: str, path: str, revision: str = "main", kind: str = "dataset") -> bytes:
        """A file's content at a revision."""
        commit = self.repo(name, kind).resolve(revision)
        if commit is None or path not in commit.files:
            raise FileNotFoundError(f"{path} at {revision} of {name}")
        return self.blobs.path(commit.files[path].sha256).read_bytes()

    def files(self, name: str, revision: str = "main", kind: str = "dataset") -> list[str]:
        commit = self.repo(name, kind).resolve(revision)
        return sorted(commit.files) if commit else []

    def seed(
        self,
        name: str,
        files: Mapping[str, bytes],
        *,
        kind: str = "dataset",
        private: bool = False,
        gated: bool = False,
        delete: Iterable[str] = (),
        title: str = "Seed",
    ) -> str:
        """Put files into a repository (made when absent) as one commit; gives the commit's id."""
        with self.lock:
            repo = self.repos.get((kind, name)) or self.create(kind, name, private=private, gated=gated)
            added = {
                path: self.blobs.file(content, is_large(path, content)) for path, content in files.items()
            }
            changed = with_changes(repo.head.files, added, delete)
            return repo.add("main", repo.head, changed, title, repo.namespace).oid

    def seed_dataset(
        self,
        name: str,
        tables: Mapping[str, pa.Table],
        readme: str | None = None,
        row_group: int = 1000,
        **how: Any,
    ) -> str:
        """Put a raw data set of Parquet files, and a card when given, into a repository."""
        files = {path: parquet_bytes(table, row_group) for path, table in tables.items()}
        card = {} if readme is None else {"README.md": readme.encode()}
        return self.seed(name, files | card, **how)

    def approve(
        self, user_code: str, user: str, role: Role = Role.CONTRIBUTE, expires_in: int = 28800
    ) -> str:
        """Let a user confirm a device code; gives the token that the next poll will return."""
        token = f"hf_oauth_{secrets.token_hex(8)}"
        self.tokens[token] = Token(user, role)
        self.devices[user_code].update(token=token, expires_in=expires_in)
        return token

    def deny(self, user_code: str) -> None:
        self.devices[user_code]["denied"] = True

    def revoke(self, token: str) -> None:
        """From now on the token is refused, as an expired one is."""
        del self.tokens[token]

    # what the routes ask

    def create(
        self, kind: str, name: str, *, private: bool = False, gated: bool = False, **more: Any
    ) -> Repo:
        """A new repository; like the real one it begins with a commit of `.gitattributes`."""
        repo = Repo(kind, name, private=private, gated=gated, **more)
        attributes = self.blobs.file(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n", False)
        repo.add("main", None, {".gitattributes": attributes}, "initial commit", repo.namespace)
        self.repos[kind, name] = repo
        return repo

    def user(self, request: Request) -> User | None:
        token = self.tokens.get(request.token or "")
        return self.users[token.user] if token else None

    def may_read(self, request: Request, repo: Repo) -> bool:
        user = self.user(request)
        return not repo.private or (user is not None and repo.namespace in (user.name, *user.orgs))

    def may_open(self, request: Request, repo: Repo) -> bool:
        """Gated files are for those who were let in; the repository's description is for all."""
        user = self.user(request)
        known = user is not None and (repo.namespace in (user.name, *user.orgs) or user.name in repo.granted)
        return not repo.gated or known

    def may_write(self, request: Request, repo: Repo) -> bool:
        user, token = self.user(request), self.tokens.get(request.token or "")
        if user is None or token is None or repo.namespace not in (user.name, *user.orgs):
            return False
        return token.role == Role.WRITE or (
            token.role == Role.CONTRIBUTE and repo.created_with == request.token
        )

    def route_name(self, request: Request) -> str:
        route = hub_routes.find(request.method, request.path)
        return route.name if route else "unknown"

    def reply(self, request: Request) -> Reply:
        """The answer to a request: wrong credentials first, then the route's own."""
        route = hub_routes.find(request.method, request.path)
        if route is None:
            return refusal(400, f"this Hub does not know {request.method} {request.path}")
        if (
            request.token
            and request.token not in self.tokens
            and route.name not in ("lfs_put", "oauth_token")
        ):
            return refusal(401, "Invalid credentials in Authorization header")
        pieces = {name: unquote(text) for name, text in route.match(request.path).items()}
        try:
            with self.lock:
                return route.handler(self, request, **pieces)
        except Exception:  # a fault of this server, not one that a test asked for: the fixture shows it
            self.broken.append(traceback.format_exc())
            return refusal(500, "this Hub is broken")


def run_python(code: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """One child process of the same Python, with the repository as its folder."""
    root = Path(__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True, timeout=120
    )


def is_large(path: str, content: bytes) -> bool:
    """Whether the Hub would keep the content in LFS: by its ending, its size, or because it is no text."""
    return bool(re.search(r"\.(parquet|arrow|whl|zip|gz|zst)$", path)) or len(content) > 10_000_000


def parquet_bytes(table: pa.Table, row_group: int = 1000) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=row_group)
    return sink.getvalue()


__all__ = [
    "TOKENS",
    "USERS",
    "Commit",
    "Hub",
    "Repo",
    "Role",
    "Token",
    "User",
    "is_large",
    "parquet_bytes",
    "run_python",
]
