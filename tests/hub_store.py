"""What the Hub on loopback keeps: users and tokens, repositories with their commits, blobs on disk.

No HTTP in here; `tests/hub.py` turns requests into calls of these. Contents lie in files named by their sha256,
so that a repository of a gigabyte costs no memory.
"""

import hashlib
import secrets
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path


class Role(StrEnum):
    """What a token may do, beyond what its user may do."""

    READ = "read"
    WRITE = "write"
    CONTRIBUTE = "contribute"
    """OAuth's `contribute-repos`: create repositories, and write to those that this very token has created."""


@dataclass(frozen=True)
class Token:
    user: str
    role: Role = Role.WRITE
    jobs: bool = True


@dataclass(frozen=True)
class User:
    name: str
    orgs: tuple[str, ...] = ()
    pro: bool = True


@dataclass(frozen=True)
class File:
    """One file of a commit: `oid` is git's blob id (of the pointer, where the content lies in LFS)."""

    sha256: str
    size: int
    oid: str
    lfs: bool


@dataclass(frozen=True)
class Commit:
    oid: str
    parent: str | None
    title: str
    author: str
    when: datetime
    files: Mapping[str, File]


@dataclass
class Repo:
    kind: str
    name: str
    private: bool = False
    gated: bool = False
    granted: set[str] = field(default_factory=set)
    created_with: str | None = None
    sdk: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    secret_names: set[str] = field(default_factory=set)
    volumes: list[dict[str, object]] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        return self.name.split("/")[0]

    def resolve(self, revision: str) -> Commit | None:
        """The commit that a branch, tag, pull request (`refs/pr/1`) or commit id stands for."""
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        return self.commits.get(oid)

    @property
    def head(self) -> Commit:
        return self.commits[self.branches["main"]]

    def history(self, commit: Commit) -> list[Commit]:
        """The commit and its ancestors, newest first."""
        line = [commit]
        while line[-1].parent is not None:
            line.append(self.commits[line[-1].parent])
        return line

    def add(
        self, branch: str, parent: Commit | None, files: Mapping[str, File], title: str, author: str
    ) -> Commit:
        """Put a commit on a branch and give it back."""
        commit = Commit(
            secrets.token_hex(20),
            parent.oid if parent else None,
            title,
            author,
            datetime.now(UTC),
            dict(files),
        )
        self.commits[commit.oid] = commit
        self.branches[branch] = commit.oid
        return commit


def git_oid(content: bytes) -> str:
    """Git's id of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def lfs_pointer(sha256: str, size: int) -> bytes:
    """The text that git keeps in place of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


class Blobs:
    """Contents by sha256, in one folder; Xet uploads are taken over from the content store beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root / "blobs"
        self.cas = root / "cas"
        self.root.mkdir(parents=True)
        self.cas.mkdir()
        self.xet_hashes: dict[str, str] = {}

    def path(self, sha256: str) -> Path:
        return self.root / sha256

    def has(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def put(self, content: bytes) -> str:
        """Keep a content; gives its sha256."""
        sha256 = hashlib.sha256(content).hexdigest()
        temporary = self.root / f"{sha256}.{secrets.token_hex(4)}"
        temporary.write_bytes(content)
        temporary.replace(self.path(sha256))
        return sha256

    def file(self, content: bytes, lfs: bool) -> File:
        sha256, size = self.put(content), len(content)
        return File(sha256, size, git_oid(lfs_pointer(sha256, size) if lfs else content), lfs)

    def lfs_file(self, sha256: str, size: int) -> File | None:
        """A large file that was uploaded before, by either way; None when it never arrived."""
        if not self.has(sha256) and not self._take_from_cas(sha256, size):
            return None
        if self.path(sha256).stat().st_size != size:
            return None
        return File(sha256, size, git_oid(lfs_pointer(sha256, size)), True)

    def _take_from_cas(self, sha256: str, size: int) -> bool:
        xet_hash = xet_hashes(self.cas).get(sha256)
        if xet_hash is None:
            return False
        self.xet_hashes[sha256] = xet_hash
        self.fetch_xet(xet_hash, size, self.path(sha256))
        return True

    def fetch_xet(self, xet_hash: str, size: int | None, target: Path) -> None:
        """Rebuild one file from the content store, as the real Hub does for a plain HTTP reader."""
        from hf_xet import XetFileInfo, XetSession

        part = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        with XetSession().new_file_download_group(endpoint=f"local://{self.cas}") as group:
            group.start_download_file(XetFileInfo(xet_hash, size), str(part))
        part.replace(target)


def xet_hashes(cas: Path) -> dict[str, str]:
    """sha256 → Xet hash of every file in a `local://` content store, read from its shard files (`*.mdb`)."""
    found: dict[str, str] = {}
    for shard in sorted(cas.rglob("*.mdb")):
        found.update(_read_shard(shard.read_bytes()))
    return found


def _read_shard(shard: bytes) -> Iterable[tuple[str, str]]:
    at = 48
    while at + 48 <= len(shard):
        key, flags, entries = shard[at : at + 32], *struct.unpack("<II", shard[at + 32 : at + 40])
        if key == b"\xff" * 32:
            return
        at += 48 + 48 * entries * (2 if flags & 1 << 31 else 1)
        if flags & 1 << 30:
            yield _hash_text(shard[at : at + 32]), _hash_text(key)
            at += 48


def _hash_text(raw: bytes) -> str:
    """Xet prints a hash as four little-endian numbers."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", raw))


def with_changes(
    files: Mapping[str, File], added: Mapping[str, File], deleted: Iterable[str]
) -> dict[str, File]:
    """The files of the next commit; a deleted path that ends in "/" is a folder."""
    gone = tuple(deleted)
    kept = {
        p: f
        for p, f in files.items()
        if p not in gone and not any(p.startswith(g) for g in gone if g[-1] == "/")
    }
    return kept | dict(added)
