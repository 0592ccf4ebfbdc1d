"""A finished build to compare, in a folder or published on the Hub: its recipe, its report, and which traces it holds."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.asked import asked_in_row
from skill_factory.build.folder import BuildFolder
from skill_factory.build.owned import SHARDS
from skill_factory.draws import text_id
from skill_factory.errors import BuildFolderError, HubError, SourceError
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.mixture_file import recipe_or_mixture
from skill_factory.sources.hub import looks_like_repo

Ids = npt.NDArray[np.uint64]
BATCH = 10_000
"""Rows whose ids are read at once."""


@dataclass(frozen=True)
class Built:
    """One side of a comparison."""

    name: str
    recipe: AnyRecipe
    report: dict[str, Any]
    shards: tuple[str, ...]
    """Addresses of the Parquet files, in written order."""
    read: Callable[[str], IO[bytes]] = field(repr=False)
    """Opens one of them."""

    def ids(self) -> tuple[Ids, Ids]:
        """Trace id and question id of every row, in written order; 16 bytes a row, whatever its text takes."""
        traces, questions = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        for address in self.shards:
            with self.read(address) as file:
                shard = pq.ParquetFile(file)
                lineage = {"trace_id", "question_id"} <= set(shard.schema_arrow.names)
                told = [name for name in ("conversations", "tools") if name in shard.schema_arrow.names]
                columns = ["trace_id", "question_id"] if lineage else told
                for batch in shard.iter_batches(BATCH, columns=columns):
                    # Without lineage columns the text is all that tells a trace.
                    found = _stored(batch) if lineage else _hashed(batch)
                    traces.append(found[0])
                    questions.append(found[1])
        return np.concatenate(traces), np.concatenate(questions)

    def rows(self, places: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The rows at some places of the written order, in that order."""
        wanted, start = sorted(places), 0
        for address in self.shards:
            with self.read(address) as file:
                shard = pq.ParquetFile(file)
                for group in range(shard.num_row_groups):
                    length = shard.metadata.row_group(group).num_rows
                    inside = [place - start for place in wanted if start <= place < start + length]
                    if inside:
                        yield from shard.read_row_group(group).take(inside).to_pylist()
                    start += length


def open_built(text: str, token: str | None = None) -> Built:
    """
    A build from its folder, or a published one from `user/name` or `user/name@revision`.

    Errors: BuildFolderError, HubError, SourceError.
    """
    path = Path(text)
    if path.is_dir():
        return _in_folder(path, text)
    if looks_like_repo(text):
        return _published(text, token)
    raise SourceError(
        f"{text} is neither a build folder nor a dataset on the Hub (user/name or user/name@revision). Check the name."
    )


def _in_folder(path: Path, name: str) -> Built:
    folder = BuildFolder(path)
    report, recipe = folder.report(), folder.built_recipe()
    if report is None or recipe is None:
        raise BuildFolderError(f"{name} holds no finished build. Give the folder of one.")
    shards = tuple(map(str, folder.shards()))
    return Built(name, recipe, report, shards, lambda address: Path(address).open("rb"))


def _published(text: str, token: str | None) -> Built:
    from skill_factory.hub.client import check_access, file_system, try_read
    from skill_factory.hub.errors import plainly

    repo, _, revision = text.partition("@")
    # A commit first, so that recipe, report and rows are those of one version.
    commit = check_access(repo, token, revision or None)
    recipe, report = (try_read(repo, name, token, commit) for name in ("recipe.toml", "report.json"))
    if recipe is None or report is None:
        raise HubError(f"{text} has no recipe.toml and report.json, so no build of ours was published there.")
    files = file_system(token)
    with plainly(repo, token):
        found = files.glob(f"datasets/{repo}@{commit}/{SHARDS}/*.parquet")
    return Built(
        text,
        recipe_or_mixture(recipe.decode("utf-8")),
        json.loads(report),
        tuple(sorted(map(str, found))),
        lambda address: files.open(address, "rb"),
    )


def _stored(batch: pa.RecordBatch) -> tuple[Ids, Ids]:
    trace, question = (
        np.array([int(text, 16) for text in batch[name].to_pylist()], np.uint64)
        for name in ("trace_id", "question_id")
    )
    return trace, question


def _hashed(batch: pa.RecordBatch) -> tuple[Ids, Ids]:
    rows = batch.to_pylist()
    asked = [asked_in_row(row).text if len(row["conversations"]) > 1 else "" for row in rows]
    whole = [
        # A sign that texts don't hold, so that moving words from one turn to the next makes another trace.
        "\x1f".join([row.get("tools") or "", *(turn["content"] for turn in row["conversations"])])
        for row in rows
    ]
    return np.array([*map(text_id, whole)], np.uint64), np.array([*map(text_id, asked)], np.uint64)
