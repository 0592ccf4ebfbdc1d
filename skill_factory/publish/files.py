"""The files of a folder to publish (a finished build or a raw set) as the Hub will know them, and the words for them.

The folder is read once. On the Hub a file has one of two ids, the SHA-256 of a large file or git's blob id of a small
one; comparing them says which files have to be sent at all.
"""

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from skill_factory.build.owned import FILES, SHARDS
from skill_factory.errors import HubError
from skill_factory.hub.look import RemoteFile, columns_of
from skill_factory.suites.desk import FILES as SUITE_FILES
from skill_factory.wording import listed, many


@dataclass(frozen=True)
class LocalFile:
    """A file to publish: its content (a path, or the bytes of a rewritten text) and both of its possible ids."""

    path: str
    content: Path | bytes
    size: int
    sha256: str
    git_oid: str

    def same_as(self, remote: RemoteFile | None) -> bool:
        """Whether a file on the Hub has the same content."""
        return remote is not None and remote.oid == (self.sha256 if remote.large else self.git_oid)


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder that can be published, and the words for it."""

    name: str
    noun: str
    """The word for one row."""
    mark: str
    """What the fingerprint belongs to; the tag begins with this word."""
    report: str
    """The file with the report."""
    sign: str
    """The file that marks a repository of ours as this kind."""
    texts: tuple[str, ...]


CARD = "README.md"
BUILD = FolderKind("build", "trace", "recipe", "report.json", "recipe.toml", FILES)
RAW = FolderKind("raw set", "response", "raw", "report.toml", "report.toml", ("README.md", "report.toml"))
MEASURED = FolderKind(
    "measurement", "output", "measured", "report.json", "outputs.parquet", ("README.md", "report.json")
)
SUITE = FolderKind("suite", "trace", "suite", "report.json", "suite.toml", SUITE_FILES)
KINDS = (BUILD, RAW, MEASURED, SUITE)


@dataclass(frozen=True)
class LocalBuild:
    """A finished build, or a raw set, as it will be published, before a repository's name is filled in."""

    folder: Path
    files: tuple[LocalFile, ...]
    rows: int
    columns: Mapping[str, str]
    data_folder: str
    """The folder with the shards."""
    fingerprint: str
    left_out: tuple[str, ...]
    """Files in the folder that don't belong to it; they aren't published."""
    kind: FolderKind = BUILD
    notes: tuple[str, ...] = ()
    """What its publisher should know about it, in sentences."""

    @property
    def mark(self) -> str:
        """A short name for this state of the data."""
        return f"{self.kind.mark}-{self.fingerprint[:12]}"


def read_build(folder: Path) -> LocalBuild:
    """A finished build folder, with every file read once for its ids. Errors: HubError if it isn't one."""
    missing = [name for name in ("README.md", "recipe.toml", "report.json") if not (folder / name).is_file()]
    # While `.work` is there the build isn't finished, and shards may be missing.
    if missing or (folder / ".work").exists():
        what = f"it has no {listed(missing, 'or')}" if missing else "a build is still running in it"
        raise HubError(
            f"{folder} is neither a finished build ({what}) nor a raw set that `generate` made. "
            f"Let `build` or `generate` with `--out {folder}` finish first."
        )
    shards = sorted(folder.glob("*/*.parquet"))
    if not shards:
        raise HubError(f"{folder} has no traces to publish. Build again with a recipe that gives some.")
    configs = sorted({shard.parent.name for shard in shards})
    # A list of names, not whatever lies in the folder: notes and keys beside a build aren't published.
    texts = [folder / name for name in FILES if (folder / name).is_file()]
    files = [local_file(path.relative_to(folder).as_posix(), path) for path in (*texts, *shards)]
    # A build may have other configs beside its traces; these are what is counted and shown.
    data = SHARDS if SHARDS in configs else configs[0]
    rows, columns = footers([shard for shard in shards if shard.parent.name == data])
    left = left_out(folder, {*texts, *shards})
    return LocalBuild(folder, tuple(files), rows, columns, data, _fingerprint(folder), left)


def with_card(build: LocalBuild, card: bytes) -> LocalBuild:
    """The same build with another card."""
    files = tuple(local_file(CARD, card) if file.path == CARD else file for file in build.files)
    return replace(build, files=files)


def left_out(folder: Path, known: Collection[Path]) -> tuple[str, ...]:
    """Files beside the known ones, except hidden files and folders, which aren't data."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path not in known)
    places = (path.relative_to(folder) for path in files)
    return tuple(
        place.as_posix() for place in places if not any(part.startswith(".") for part in place.parts)
    )


def local_file(path: str, content: Path | bytes) -> LocalFile:
    """A file with the ids that it can have on the Hub. Errors: HubError for a link, which may lead out of the folder."""
    if isinstance(content, Path):
        _refuse_links(content, len(Path(path).parts))
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    # Both in one pass, since only the Hub decides which files are large.
    sha256, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for piece in _pieces(content):
        sha256.update(piece)
        git.update(piece)
    return LocalFile(path, content, size, sha256.hexdigest(), git.hexdigest())


def _refuse_links(file: Path, parts: int) -> None:
    inside = [file, *file.parents][:parts]
    # A link would publish a file that the person didn't look at, e.g. one from their home.
    if links := [path for path in inside if path.is_symlink()]:
        raise HubError(
            f"{links[0]} is a link to {os.readlink(links[0])}, and publishing would send what is there. Replace the link with "
            "the file itself, or delete it."
        )


def _pieces(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def footers(shards: list[Path]) -> tuple[int, dict[str, str]]:
    """The rows of all shards, and the columns of the first. Errors: HubError if one isn't a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Footers alone: rows are counted without reading them.
        rows = sum(pq.read_metadata(shard).num_rows for shard in shards)
        return rows, columns_of(pq.read_schema(shards[0]))
    except pa.ArrowInvalid as error:
        raise HubError(
            f"A shard in {shards[0].parent} isn't a readable Parquet file: {error}. Make it again."
        ) from None


def _fingerprint(folder: Path) -> str:
    try:
        report = json.loads((folder / "report.json").read_text("utf-8"))
        return str(report["fingerprint"])
    except (ValueError, KeyError, TypeError):
        raise HubError(f"{folder / 'report.json'} isn't the report of a build. Build again.") from None


# words


def first_names(names: list[str], most: int = 8) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def rows_text(rows: int | None) -> str:
    """A number of rows in words, also if nobody knows it."""
    return "an unknown number of rows" if rows is None else many(rows, "row")
