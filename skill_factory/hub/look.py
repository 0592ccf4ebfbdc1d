"""Look at a dataset on the Hub before loading it: its parts, columns, sizes and commit, without its data.

The file list and the card say most; Parquet footers, read by range requests, say the rest. What is read here comes
from the Hub itself with the visitor's own token, never from a cache.
"""

import io
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from skill_factory.errors import HubError
from skill_factory.hub.client import check_name, client, file_system, try_read
from skill_factory.hub.errors import patiently, plainly
from skill_factory.hub.file_patterns import PACKED, WHOLE
from skill_factory.hub.front_matter import front_matter, told_rows
from skill_factory.hub.layout import Config, Split, configs_of

if TYPE_CHECKING:
    from huggingface_hub import HfFileSystem

FOOTERS = 64
"""Shards of one split whose footers are read for the row count; beyond that only the card says."""
FEW = 8
"""Up to this many shards, footers are read even if the card gives the rows: cards go stale."""
HEAD_BYTES = 65_536
"""The part of a JSON Lines or CSV file that is read to see its columns."""
DEEPEST = 100
"""Levels of lists and records in JSON, as Arrow allows them in Parquet."""


@dataclass(frozen=True)
class RemoteFile:
    """A file at a commit; `oid` is the SHA-256 of a large file and git's blob id of a small one."""

    path: str
    size: int
    oid: str
    large: bool


@dataclass(frozen=True)
class RepoLook:
    """A dataset at one commit; with `commit` in a recipe, the same data will be read again."""

    repo: str
    commit: str
    private: bool
    gated: bool
    card: str
    files: tuple[RemoteFile, ...]
    configs: tuple[Config, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def config(self, name: str = "") -> Config | None:
        """The subset of that name; without a name, the default one, otherwise the first."""
        if name:
            return next((config for config in self.configs if config.name == name), None)
        # The card's own mark first; `default` is what the library calls a subset without a name.
        marked = [config for config in self.configs if config.is_default or config.name == "default"]
        return next(iter((*marked, *self.configs)), None)


def look(
    repo: str,
    token: str | None = None,
    revision: str | None = None,
    endpoint: str | None = None,
    rows: bool = True,
) -> RepoLook:
    """What a dataset holds, without downloading its data. Errors: HubError (absent, private, gated, unreachable).

    `rows` False saves the requests for the footers of all shards but one per subset.
    """
    info, files = list_files(check_name(repo, owned=False), token, revision, endpoint)
    # Absent for many datasets; asking for it anyway would cost a request that is refused.
    card = b""
    if any(file.path == "README.md" for file in files):
        card = try_read(repo, "README.md", token, info.sha, endpoint) or b""
    text = card.decode("utf-8", errors="replace")
    fields = front_matter(text)
    bare = configs_of({file.path: file.size for file in files}, fields)
    with plainly(repo, token):
        reader = _Reader(repo, str(info.sha), token, endpoint)
        configs = tuple(_fill(config, fields, reader, rows) for config in bare)
    return RepoLook(repo, str(info.sha), bool(info.private), bool(info.gated), text, files, configs)


def list_files(
    repo: str,
    token: str | None,
    revision: str | None = None,
    endpoint: str | None = None,
    kind: str = "dataset",
) -> tuple[Any, tuple[RemoteFile, ...]]:
    """The Hub's description of a repository, and all files at its commit. Errors: HubError."""
    from huggingface_hub import RepoFile

    hub = client(token, endpoint)
    with plainly(repo, token):
        patiently(lambda: hub.auth_check(repo, repo_type=kind))
        # The commit first, then its files: a branch that moves in between would mix two states.
        info = patiently(lambda: hub.repo_info(repo, revision=revision, repo_type=kind))
        tree = patiently(
            lambda: list(hub.list_repo_tree(repo, recursive=True, revision=info.sha, repo_type=kind))
        )
    files = (entry for entry in tree if isinstance(entry, RepoFile))
    return info, tuple(
        # A large file is known by its own SHA-256; its blob is only a pointer.
        RemoteFile(f.path, f.size, f.lfs.sha256 if f.lfs else f.blob_id, f.lfs is not None)
        for f in files
    )


# columns and rows


@dataclass(frozen=True)
class _Reader:
    """Reads footers and heads of one repository's files at one commit."""

    repo: str
    commit: str
    token: str | None
    endpoint: str | None

    @cached_property
    def files(self) -> "HfFileSystem":
        """The file system, one for all files, so that the commit's listing is requested once."""
        return file_system(self.token, self.endpoint)

    def footer(self, path: str) -> tuple[int, dict[str, str]]:
        """Rows and columns of a Parquet file, from its end."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with self.files.open(f"datasets/{self.repo}@{self.commit}/{path}", block_size=2**16) as file:
                parquet = pq.ParquetFile(file)
                return parquet.metadata.num_rows, columns_of(parquet.schema_arrow)
        except (pa.ArrowException, ValueError, OSError) as error:  # ValueError: a name that isn't UTF-8
            if isinstance(error, OSError) and type(error) is not OSError:
                raise  # the network's; Arrow raises the bare kind
            raise HubError(
                f"{path} in {self.repo} isn't a readable Parquet file: {str(error)[:200]}"
            ) from None

    def head(self, path: str, kind: str) -> dict[str, str]:
        """Columns of a JSON Lines or CSV file, from its first lines; {} if they can't be found out."""
        with self.files.open(f"datasets/{self.repo}@{self.commit}/{path}", block_size=HEAD_BYTES) as file:
            start = file.read(HEAD_BYTES)
        # The first bytes of a packed file can't be unpacked without reading on.
        return {} if path.endswith(PACKED) else _columns_of_head(start, kind)


def columns_of(schema: Any) -> dict[str, str]:
    """Column name → type, for an Arrow schema."""
    return {field.name: str(field.type) for field in schema}


def _columns_of_head(start: bytes, kind: str) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.json as pj

    # The last line was probably cut in the middle.
    lines = start[: start.rfind(b"\n") + 1] if b"\n" in start else start
    if kind != "csv" and _depth(lines) > DEEPEST:
        return {}  # Arrow's reader would take seconds, or the process with it
    try:
        if kind == "csv":
            # Answers of models hold line breaks, in quotes.
            options = pc.ParseOptions(newlines_in_values=True)
            return columns_of(pc.read_csv(io.BytesIO(lines), parse_options=options).schema)
        return columns_of(pj.read_json(io.BytesIO(lines)).schema)
    except (pa.ArrowException, ValueError):  # also a name that isn't UTF-8
        return {}


def _depth(lines: bytes) -> int:
    """How deep the brackets of JSON texts lie in each other."""
    marks = np.frombuffer(_STRINGS.sub(b"", lines), np.uint8)
    opened = np.isin(marks, list(b"[{")).astype(np.int64)
    return int(np.max(np.cumsum(opened - np.isin(marks, list(b"]}"))), initial=0))


_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def _fill(config: Config, card: Mapping[str, Any], reader: _Reader, rows: bool) -> Config:
    """The subset with its columns, and with its rows if they are cheap to find out."""
    first = config.splits[0].files[0]
    if config.kind == WHOLE:
        return config  # nothing is known of it before it is fetched
    # Rows of text files are known only to who reads them all.
    if config.kind != "parquet":
        return replace(config, columns=reader.head(first, config.kind))
    declared, shards = told_rows(config.name, card), sum(len(split.files) for split in config.splits)
    if not rows or (shards > FEW and all(split.name in declared for split in config.splits)):
        splits = tuple(replace(split, rows=declared.get(split.name)) for split in config.splits)
        return replace(config, splits=splits, columns=reader.footer(first)[1])
    counted = [_count(split, reader) for split in config.splits]
    return replace(config, splits=tuple(split for split, _ in counted), columns=counted[0][1])


def _count(split: Split, reader: _Reader) -> tuple[Split, dict[str, str]]:
    first, *others = read = split.files[:FOOTERS]
    footers = [reader.footer(first)]  # on its own, so that the others find the commit's listing in memory
    # Footers are small, and almost all the time goes into waiting for the Hub.
    with ThreadPoolExecutor(8) as pool:
        footers += pool.map(reader.footer, others)
    # With shards left unread the sum would be too small, and look exact.
    total = sum(rows for rows, _ in footers) if len(read) == len(split.files) else None
    return replace(split, rows=total), footers[0][1]
