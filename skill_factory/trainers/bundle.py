"""A finished build as trainers need it: rows in batches, recipe, shards."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from skill_factory.asked import asked_in_row
from skill_factory.build.owned import SHARDS
from skill_factory.errors import HandoffError, SkillFactoryError
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.mixture_file import recipe_or_mixture

ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Bundle:
    """A complete build folder."""

    path: Path
    recipe: AnyRecipe
    shards: tuple[Path, ...]

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows, one by one, with one batch in memory."""
        for shard in self.shards:
            for batch in pq.ParquetFile(shard).iter_batches(ROWS_AT_ONCE):
                yield from batch.to_pylist()

    def questions(self) -> Iterator[str]:
        """The question of each row, as the text that its id is made from."""
        for shard in self.shards:
            file = pq.ParquetFile(shard)
            # The columns of the question alone: answers are most of the bytes.
            columns = [name for name in ("conversations", "tools") if name in file.schema_arrow.names]
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=columns):
                yield from (asked_in_row(row).text for row in batch.to_pylist() if row["conversations"])

    def kept_out(self) -> set[int]:
        """The ids of questions that benchmarks ask too, or that repeat another one."""
        return self._ids("contaminated") | self._ids("near_duplicate")

    def held_out(self) -> set[int]:
        """The ids of the questions that the build holds out."""
        return self._ids("held_out")

    def _ids(self, reason: str) -> set[int]:
        report = json.loads((self.path / "report.json").read_text(encoding="utf-8"))
        listed: list[str] = report.get("overlap", {}).get("ids", {}).get(reason, [])
        return {int(one, 16) for one in listed}


def open_bundle(folder: str | Path) -> Bundle:
    """The build in a folder. Errors: HandoffError if there is none, or one that hasn't finished."""
    path = Path(folder)
    shards = tuple(sorted((path / SHARDS).glob("train-*.parquet")))
    # The report is written last, so a folder with one is complete.
    if not (path / "report.json").is_file() or not (path / "recipe.toml").is_file() or not shards:
        raise HandoffError(
            f"{folder} doesn't hold a finished build (recipe.toml, report.json and {SHARDS}/train-*.parquet). "
            "Give the folder that `build --out` wrote."
        )
    try:
        recipe = recipe_or_mixture((path / "recipe.toml").read_text(encoding="utf-8"), "recipe.toml")
    except (SkillFactoryError, OSError, UnicodeDecodeError) as error:
        raise HandoffError(f"{folder}/recipe.toml can't be read: {error}") from None
    return Bundle(path, recipe, shards)
