"""Whose a folder is: claimed while a build runs, refused where somebody else's files lie, cleared by name alone."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import BaseFileLock

from skill_factory.build.storage import on_disk, remove_tree, write_whole
from skill_factory.errors import BuildFolderError
from skill_factory.locks import take
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.mixture_file import recipe_or_mixture
from skill_factory.whole_files import SUFFIX

SHARDS = "sft_train"
HELD_OUT = "heldout"
"""Folder, and config, of the questions that are held out."""
FILES = ("README.md", "recipe.toml", "report.json", "dataset_info.json")
"""Everything that a finished build has beside its shards."""


class OwnedFolder:
    """A folder that belongs to a build, or may be taken by one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = path / ".work"
        self.scattered = self.work / "scattered"
        self._lock = self.work / "lock"
        self._recipe = self.work / "recipe.toml"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder's lock, which ends with the process. Errors: BuildFolderError if another build holds it."""
        if not on_disk(self.path):
            # An object store has no lock that ends with its holder. Two builds of one recipe write the same bytes there.
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
                f"Another build is running in {self.path}. Wait until it has finished, or choose another folder."
            )
        return lock

    def _leave_nothing_empty(self) -> None:
        """Remove the work folder if nothing was begun, so that a refusal leaves nothing behind."""
        if self.work.is_dir() and os.listdir(self.work) == [self._lock.name]:
            self.drop_work()

    def holds_build(self) -> bool:
        """Whether a build was begun or finished in this folder. Errors: BuildFolderError."""
        try:
            return self.built_recipe() is not None
        except OSError as error:
            raise self.failed(error) from None

    def check_free(self, fingerprint: str) -> bool:
        """
        Whether the folder already holds the finished build of this fingerprint.

        Errors: BuildFolderError if the folder holds files that no build made.
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

    def check_same(self, recipe: AnyRecipe) -> None:
        """Refuse another recipe than that of the build in the folder. Errors: BuildFolderError that says what differs."""
        there = self.built_recipe()
        if there is None:
            self._refuse_foreign()
            return
        # Field by field, so that the refusal can say what differs.
        old, new = there.flat(), recipe.flat()
        for digest in [k for k in new if k.endswith("source.digest")]:
            if not old.get(digest) and not self.scan_done():
                del new[digest]  # it was stopped before it knew its data, and holds nothing of it
        lines = [f"{k}: {_show(old.get(k))} there, {_show(new[k])} now" for k in new if old.get(k) != new[k]]
        lines += [] if isinstance(there, type(recipe)) else ["a mixture is built from several sources"]
        if lines:
            raise BuildFolderError(
                f"{self.path} holds another build. Differences: {'; '.join(lines)}. "
                "Use --fresh to replace it, or choose another folder."
            )

    def forget(self, remove: bool) -> None:
        """Undo a build that came to nothing: remove its work files, and the folder if the build made it."""
        self.drop_work()
        if remove and on_disk(self.path):
            self.path.rmdir()

    def failed(self, error: OSError) -> BuildFolderError:
        """The error that a fault of the disk means for the user."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return BuildFolderError(
                f"The disk with {self.path} is full. Free some space and run the same command again: it resumes from here."
            )
        reason = error.strerror or str(error)
        return BuildFolderError(f"Can't write to {self.path}: {reason}. Choose another folder for --out.")

    def built_recipe(self) -> AnyRecipe | None:
        """The recipe of the build in the folder, finished or not; None if there is no build."""
        for path in (self._recipe, self.path / "recipe.toml"):
            if path.is_file() and (path.parent == self.work or (self.path / "report.json").is_file()):
                return recipe_or_mixture(path.read_text(encoding="utf-8"), str(path))
        return None

    def report(self) -> dict[str, Any] | None:
        """The report of a finished build; None if there is none yet."""
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
                f"{self.path} isn't empty, and what is in it wasn't made by a build ({', '.join(names[:3])}"
                f"{', …' if len(names) > 3 else ''}). Choose a new or empty folder; nothing was changed."
            )

    def _work_is_foreign(self) -> bool:
        if not self.work.is_dir():
            return True
        return any(p != self._lock and p.suffix != SUFFIX for p in self.work.iterdir())

    def clear(self) -> None:
        """Remove what a build wrote here, and nothing else. Errors: BuildFolderError if no build made this folder."""
        there = self.built_recipe()
        if there is None:
            self._refuse_foreign()
            return
        # The old recipe stays until `begin` replaces it: after a kill in between, the folder still belongs to a build.
        write_whole(self._recipe, there.to_toml())
        # By name: nothing that somebody else put into the folder may go.
        for path in [*(self.path / name for name in FILES), *self.shards()]:
            path.unlink(missing_ok=True)
        self._clear_held_out()
        self._empty_work(self._recipe)
        if (self.path / SHARDS).is_dir() and not any((self.path / SHARDS).iterdir()):
            (self.path / SHARDS).rmdir()

    def _clear_held_out(self) -> None:
        """Remove the held-out questions, and their folder if nobody put anything else there."""
        written = sorted((self.path / HELD_OUT).glob("test-*-of-*.parquet"))
        for path in written:
            path.unlink()
        if written and not any((self.path / HELD_OUT).iterdir()):
            (self.path / HELD_OUT).rmdir()

    def _empty_work(self, *kept: Path) -> None:
        """Remove all work files but the lock and those to keep; the recipe last, since it says whose the others are."""
        if not self.work.is_dir():
            return
        for path in sorted(self.work.iterdir(), key=lambda path: path == self._recipe):
            if path not in (self._lock, *kept):
                remove_tree(path) if path.is_dir() else path.unlink()

    def drop_work(self) -> None:
        """Remove the work files, the lock last, since it protects the others."""
        self._empty_work()
        if on_disk(self.work):
            self._lock.unlink(missing_ok=True)
            self.work.rmdir()

    def shards(self) -> list[Path]:
        """The shards, in order."""
        return sorted((self.path / SHARDS).glob("train-*-of-*.parquet"))

    def scan_done(self) -> dict[str, Any] | None:
        """What the scan noted at its end; None if it hasn't ended."""
        path = self.work / "scattered.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _show(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return shown if len(shown) <= 60 else shown[:59] + "…"
