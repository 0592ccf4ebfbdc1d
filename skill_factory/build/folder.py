"""The build folder; nothing but this class and the one below it (`owned.py`) writes in it. What it holds at the end is what `push` uploads.

DIR/README.md  recipe.toml  report.json  dataset_info.json  sft_train/train-00000-of-00016.parquet …
DIR/.work/     lock, recipe, sorted rows and finished partitions while a build runs; gone at the end
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory.build.owned import SHARDS, OwnedFolder
from skill_factory.build.progress import BuildProgress, ReportProgress
from skill_factory.build.storage import move, remove_tree, write_whole, written_whole
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.tally import Tally, tally_from_json
from skill_factory.traces.rows import REPEATED, SOURCE, TOOLS
from skill_factory.whole_files import SUFFIX

LAYOUT = "3"
"""Goes up when work files of an earlier version would be misread."""


class BuildFolder(OwnedFolder):
    """The folder of a build, from its beginning to the last file."""

    # -- working ----------------------------------------------------------------------------------------------------

    def begin(self, recipe: AnyRecipe) -> None:
        """Note which build begins, and remove what an unfinished scan, killed workers or another version left behind."""
        layout = self.work / "layout"
        if not (self._recipe.is_file() and layout.is_file() and layout.read_text(encoding="utf-8") == LAYOUT):
            self._empty_work()
        for path in self.work.glob(f"*{SUFFIX}"):
            path.unlink(missing_ok=True)
        self.note_recipe(recipe)
        write_whole(layout, LAYOUT)
        if not (self.work / "scattered.json").is_file():
            remove_tree(self.scattered)
        self.scattered.mkdir(parents=True, exist_ok=True)

    def note_recipe(self, recipe: AnyRecipe) -> None:
        """Note which build this is; called again when the digest of its source is known."""
        write_whole(self._recipe, recipe.to_toml())

    def note_scan(self, tree: dict[str, Any]) -> None:
        """Note that the scan has ended."""
        write_whole(self.work / "scattered.json", json.dumps(tree))

    def let_go(self, files: Iterable[Path]) -> None:
        """Remove sorted rows that no partition needs any more: that makes room for shards, and leaves less for the end."""
        for path in files:
            path.unlink(missing_ok=True)

    def noted(self, report: ReportProgress) -> ReportProgress:
        """The callback, which then also writes each progress to `.work/progress.json`, where the app reads it."""

        def note(progress: BuildProgress) -> None:
            write_whole(self.work / "progress.json", progress.to_json())
            report(progress)

        return note

    def note_chosen(self, tree: dict[str, Any]) -> None:
        """Note how much of each source is taken: from here on a resumed build takes the same."""
        write_whole(self.work / "chosen.json", json.dumps(tree))

    def chosen(self) -> dict[str, Any] | None:
        """What `note_chosen` noted; None before that."""
        path = self.work / "chosen.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def done(self, p: int) -> Tally | None:
        """The tally of partition p; None if it isn't finished."""
        path = self._part(p, "json")
        return tally_from_json(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def write_partition(self, p: int, tables: Iterable[pa.Table], schema: pa.Schema, tally: Tally) -> None:
        """Write a shard, then its tally, each by an atomic rename: if the tally is there, both are whole."""
        shard = self._part(p, "parquet")
        repeated = [*REPEATED, *(name for name in (SOURCE.name, TOOLS.name) if name in schema.names)]
        rows = 0
        with (
            written_whole(shard) as file,
            pq.ParquetWriter(
                file,
                schema,
                compression="zstd",
                compression_level=1,
                store_schema=False,
                use_dictionary=repeated,
                write_statistics=repeated,
            ) as writer,
        ):
            for table in tables:
                writer.write_table(table)
                rows += table.num_rows
        if not rows:  # trainers and the Hub can do without empty shards
            shard.unlink()
        write_whole(self._part(p, "json"), json.dumps(tally.to_json()))

    def _part(self, p: int, suffix: str) -> Path:
        return self.work / f"part-{p:05d}.{suffix}"

    # -- finishing --------------------------------------------------------------------------------------------------

    def move_shards(self, rows: list[int]) -> list[Path]:
        """Number the shards with rows and move them into place; after a crash this can be done again."""
        (self.path / SHARDS).mkdir(exist_ok=True)
        filled = [p for p, n in enumerate(rows) if n]
        targets = []
        # Numbered without gaps, since the names say how many there are; a shard moved before a crash is found in place.
        for place, p in enumerate(filled):
            target = self.path / SHARDS / f"train-{place:05d}-of-{len(filled):05d}.parquet"
            if self._part(p, "parquet").is_file():
                move(self._part(p, "parquet"), target)
            targets.append(target)
        return targets

    def finish(self, texts: dict[str, str]) -> None:
        """Write the files beside the shards, the report last, and remove the work files."""
        for name in sorted(texts, key=lambda name: name == "report.json"):
            # Written whole among the work files first: everything beside the shards gets pushed, so no partial file may be there.
            staged = self.work / f"{name}.final"
            write_whole(staged, texts[name])
            move(staged, self.path / name)
        self.drop_work()

    def tidy(self) -> None:
        """Remove what a build left behind that was killed after writing its last file."""
        if self.work.is_dir():
            with self.claimed():
                self.drop_work()
