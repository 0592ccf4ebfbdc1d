"""The build folder: the one owner of what lies in it. What it holds at the end is what `push` uploads.

DIR/README.md  recipe.toml  report.json  dataset_info.json  sft_train/train-00000-of-00016.parquet …
DIR/.work/     lock, recipe, scattered rows and finished partitions while a build runs; gone at its end
"""

import errno
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import BaseFileLock

from skill_factory.build.progress import Progress, Report
from skill_factory.build.storage import move, on_disk, remove_tree, write_whole, written_whole
from skill_factory.errors import BuildFolderError
from skill_factory.locks import take
from skill_factory.recipe.model import Recipe, recipe_from_toml
from skill_factory.tally import Tally, tally_from_json
from skill_factory.traces.rows import REPEATED
from skill_factory.whole_files import SUFFIX

SHARDS = "sft_train"
LAYOUT = "3"
"""Grows when work files of an earlier version would be read as something else."""
FILES = ("README.md", "recipe.toml", "report.json", "dataset_info.json")
"""All that a finished build holds beside its shards."""


class BuildFolder:
    """A folder that a build owns, or may take."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = path / ".work"
        self.scattered = self.work / "scattered"
        self._lock = self.work / "lock"
        self._recipe = self.work / "recipe.toml"

    # -- claiming ---------------------------------------------------------------------------------------------------

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder's lock; it dies with the process. Errors: BuildFolderError if another build holds it."""
        if not on_disk(self.path):
            # An object store has no lock that dies with its holder; two builds of one recipe write the same bytes there.
            yield
            return
        lock = self._locked()
        try:
            yield
        finally:
            self._leave_nothing_empty()
            lock.release()

    def _locked(self) -> BaseFileLock:
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            lock = take(self._lock)
        except OSError as error:
            raise self.failed(error) from None
        if lock is None:
            raise BuildFolderError(
                f"Another build is working in {self.path}. Wait for it to end, or choose another folder."
            )
        return lock

    def _leave_nothing_empty(self) -> None:
        """Take the work folder away where nothing was begun: a refusal leaves no trace."""
        if self.work.is_dir() and os.listdir(self.work) == [self._lock.name]:
            self.drop_work()

    def holds_build(self) -> bool:
        """Whether a build was begun or finished here. Errors: BuildFolderError."""
        try:
            return self.built_recipe() is not None
        except OSError as error:
            raise self.failed(error) from None

    def check_free(self, fingerprint: str) -> bool:
        """
        Whether the finished build of this fingerprint is here already.

        Errors: BuildFolderError where the folder holds what no build made.
        """
        try:
            if self.path.exists() and not self.path.is_dir():
                raise BuildFolderError(f"{self.path} is a file. Give a folder for --out.")
            if self.built_recipe() is None:
                self._refuse_foreign()
        except OSError as error:
            raise self.failed(error) from None
        report = self.report()
        return report is not None and report["fingerprint"] == fingerprint

    def check_same(self, recipe: Recipe) -> None:
        """Errors: BuildFolderError where the folder holds a build of another recipe, saying what differs."""
        there = self.built_recipe()
        if there is None:
            self._refuse_foreign()
            return
        old, new = there.flat(), recipe.flat()
        if not old["source.digest"] and not self.scan_done():
            del new["source.digest"]  # it was stopped before it knew its data, and holds nothing of them
        lines = [f"{k}: {_show(old[k])} there, {_show(new[k])} now" for k in new if old[k] != new[k]]
        if lines:
            raise BuildFolderError(
                f"{self.path} holds another build. What differs: {'; '.join(lines)}. "
                "Use --fresh to replace it, or choose another folder."
            )

    def forget(self, remove: bool) -> None:
        """Take back a build that came to nothing: its work files, and the folder if it was new."""
        self.drop_work()
        if remove and on_disk(self.path):
            self.path.rmdir()

    def failed(self, error: OSError) -> BuildFolderError:
        """What a fault of the disk means."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return BuildFolderError(
                f"The disk of {self.path} is full. Make room and run the same command again: it goes on from here."
            )
        said = error.strerror or str(error)
        return BuildFolderError(f"Can't write to {self.path}: {said}. Choose another folder for --out.")

    def built_recipe(self) -> Recipe | None:
        """The recipe of the build in the folder, finished or not; None where no build was."""
        for path in (self._recipe, self.path / "recipe.toml"):
            if path.is_file() and (path.parent == self.work or (self.path / "report.json").is_file()):
                return recipe_from_toml(path.read_text(encoding="utf-8"), str(path))
        return None

    def report(self) -> dict[str, Any] | None:
        """The report of a finished build; None while there is none."""
        try:
            report: dict[str, Any] = json.loads((self.path / "report.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return report if "fingerprint" in report and "ledger" in report else None

    def _refuse_foreign(self) -> None:
        if not self.path.is_dir():
            return
        names = sorted(p.name for p in self.path.iterdir() if p != self.work or self._work_is_foreign())
        if names:
            raise BuildFolderError(
                f"{self.path} is not empty and no build made what is in it ({', '.join(names[:3])}"
                f"{', …' if len(names) > 3 else ''}). Give a new or empty folder; nothing was touched."
            )

    def _work_is_foreign(self) -> bool:
        if not self.work.is_dir():
            return True
        return any(p != self._lock and p.suffix != SUFFIX for p in self.work.iterdir())

    def clear(self) -> None:
        """Remove what a build wrote here, and nothing else. Errors: BuildFolderError in a folder no build made."""
        there = self.built_recipe()
        if there is None:
            self._refuse_foreign()
            return
        # The old recipe stays until `begin` puts the new one in its place: killed in between, the folder is a build's.
        write_whole(self._recipe, there.to_toml())
        for path in [*(self.path / name for name in FILES), *self.shards()]:
            path.unlink(missing_ok=True)
        self._empty_work(self._recipe)
        if (self.path / SHARDS).is_dir() and not any((self.path / SHARDS).iterdir()):
            (self.path / SHARDS).rmdir()

    def _empty_work(self, *kept: Path) -> None:
        """Remove all work files but the lock and those kept; the recipe last, which says whose the others are."""
        if not self.work.is_dir():
            return
        for path in sorted(self.work.iterdir(), key=lambda path: path == self._recipe):
            if path not in (self._lock, *kept):
                remove_tree(path) if path.is_dir() else path.unlink()

    # -- working ----------------------------------------------------------------------------------------------------

    def begin(self, recipe: Recipe) -> None:
        """Note whose build begins, and forget what an unfinished scan, killed workers or another version left behind."""
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

    def note_recipe(self, recipe: Recipe) -> None:
        """Note whose build this is; once more when its source's digest is known."""
        write_whole(self._recipe, recipe.to_toml())

    def scan_done(self) -> dict[str, Any] | None:
        """What the scan noted at its end; None while it has not ended."""
        path = self.work / "scattered.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def note_scan(self, tree: dict[str, Any]) -> None:
        """Note that the scan has ended."""
        write_whole(self.work / "scattered.json", json.dumps(tree))

    def let_go(self, files: Iterable[Path]) -> None:
        """Remove scattered rows that no partition needs any more: the disk has room for shards, and the end less to do."""
        for path in files:
            path.unlink(missing_ok=True)

    def noted(self, report: Report) -> Report:
        """The report, and each progress in `.work/progress.json` too, where the app reads it."""

        def note(progress: Progress) -> None:
            write_whole(self.work / "progress.json", progress.to_json())
            report(progress)

        return note

    def done(self, p: int) -> Tally | None:
        """The tally of partition p if it is finished."""
        path = self._part(p, "json")
        return tally_from_json(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def write_partition(self, p: int, tables: Iterable[pa.Table], schema: pa.Schema, tally: Tally) -> None:
        """Shard first, then its tally, each by an atomic rename: the tally's presence says that both are whole."""
        shard = self._part(p, "parquet")
        rows = 0
        with (
            written_whole(shard) as file,
            pq.ParquetWriter(
                file,
                schema,
                compression="zstd",
                compression_level=1,
                store_schema=False,
                use_dictionary=REPEATED,
                write_statistics=REPEATED,
            ) as writer,  # fmt: skip
        ):
            for table in tables:
                writer.write_table(table)
                rows += table.num_rows
        if not rows:
            shard.unlink()
        write_whole(self._part(p, "json"), json.dumps(tally.to_json()))

    def _part(self, p: int, suffix: str) -> Path:
        return self.work / f"part-{p:05d}.{suffix}"

    # -- finishing --------------------------------------------------------------------------------------------------

    def move_shards(self, rows: list[int]) -> list[Path]:
        """Number the shards that hold rows and move them into place; safe to do again after a crash."""
        (self.path / SHARDS).mkdir(exist_ok=True)
        filled = [p for p, n in enumerate(rows) if n]
        targets = []
        for place, p in enumerate(filled):
            target = self.path / SHARDS / f"train-{place:05d}-of-{len(filled):05d}.parquet"
            if self._part(p, "parquet").is_file():
                move(self._part(p, "parquet"), target)
            targets.append(target)
        return targets

    def finish(self, texts: dict[str, str]) -> None:
        """Write the files beside the shards, the report last, and take the work files away."""
        for name in sorted(texts, key=lambda name: name == "report.json"):
            # Made whole among the work files: what lies beside the shards is pushed, so no partial file may.
            staged = self.work / f"{name}.final"
            write_whole(staged, texts[name])
            move(staged, self.path / name)
        self.drop_work()

    def drop_work(self) -> None:
        """Take the work files away; the lock last, since it guards the rest."""
        self._empty_work()
        if on_disk(self.work):
            self._lock.unlink(missing_ok=True)
            self.work.rmdir()

    def tidy(self) -> None:
        """Take away what a build left that was killed after its last file was written."""
        if self.work.is_dir():
            with self.claimed():
                self.drop_work()

    def shards(self) -> list[Path]:
        """The shards in order."""
        return sorted((self.path / SHARDS).glob("train-*-of-*.parquet"))


def _show(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return shown if len(shown) <= 60 else shown[:59] + "…"
