"""The folder of a suite, and the work files of its two passes.

DIR/README.md  suite.toml  report.json  dataset_info.json      arms/ARM/  a finished build folder for each arm
DIR/run/ARM.TRAINER.sh     heldout/  held-out questions         .work/     sorted rows and notes while the suite is built
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skill_factory.build.folder import BuildFolder
from skill_factory.build.storage import move, remove_tree, write_whole, written_whole
from skill_factory.errors import BuildFolderError
from skill_factory.suites.suite import Suite, suite_from_toml
from skill_factory.tally import Tally, tally_from_json

ARMS = "arms"
RUN = "run"
SURVEY, WRITE = "survey", "write"
FILES = ("README.md", "suite.toml", "report.json", "dataset_info.json")
"""Everything of a finished suite beside its arms and its scripts."""
Arrays = Mapping[str, npt.NDArray[Any]]


class Desk(BuildFolder):
    """
    The work files of one pass over rows that are sorted once.

    Each pass has notes of its own for every partition; sorted rows stay until the second one has used them.
    """

    def __init__(self, path: Path, phase: str) -> None:
        super().__init__(path)
        self.phase = phase

    def _part(self, p: int, suffix: str) -> Path:
        return self.work / f"{self.phase}-{p:05d}.{suffix}"

    def let_go(self, files: Iterable[Path]) -> None:
        """Remove sorted rows, unless another pass will need them."""
        if self.phase != SURVEY:
            super().let_go(files)

    def note_part(self, p: int, tally: Tally) -> None:
        """Note that a partition is done in this pass; whatever else it wrote is whole by now."""
        write_whole(self._part(p, "json"), json.dumps(tally.to_json()))

    def note_arrays(self, p: int, name: str, arrays: Arrays) -> None:
        """Keep some arrays of a partition."""
        with written_whole(self.work / f"{self.phase}.{name}-{p:05d}.npz") as file:
            np.savez(file, allow_pickle=False, **arrays)

    def arrays(self, p: int, name: str) -> Arrays:
        """Arrays that were kept."""
        with np.load(self.work / f"{self.phase}.{name}-{p:05d}.npz") as kept:
            return dict(kept)

    def reading(self, p: int, name: str) -> Path:
        """Where what was read of a partition is kept from one pass to the next."""
        return self.work / f"reading-{p:05d}-{name}.npz"

    def forget_readings(self, p: int) -> None:
        """Remove what was kept of a partition that is done."""
        for path in self.work.glob(f"reading-{p:05d}-*.npz"):
            path.unlink(missing_ok=True)

    def note_arm(self, p: int, name: str, tally: Tally) -> None:
        """Keep an arm's tally of a partition: the arm's own folder forgets it at its end."""
        write_whole(self.work / f"{self.phase}.{name}-{p:05d}.json", json.dumps(tally.to_json()))

    def arm_tally(self, p: int, name: str) -> Tally | None:
        """An arm's tally of a partition; None if the arm isn't written there yet."""
        path = self.work / f"{self.phase}.{name}-{p:05d}.json"
        return tally_from_json(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


class SuiteFolder(BuildFolder):
    """A folder that belongs to a suite, or may be taken by one."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._suite = self.work / "suite.toml"

    def arm(self, name: str) -> BuildFolder:
        """The build folder of an arm."""
        return BuildFolder(self.path / ARMS / name)

    def desk(self, number: int, phase: str) -> Desk:
        """The work files of the arms that share one sorting of the rows."""
        return Desk(self.work / f"rows-{number}", phase)

    def report(self) -> dict[str, Any] | None:
        """The report of a finished suite; None if there is none yet."""
        return suite_report(self.path)

    def begun(self) -> Suite | None:
        """The suite in the folder, finished or not; None if there is none."""
        for path in (self._suite, self.path / "suite.toml"):
            if path.is_file() and (path == self._suite or self.report()):
                return suite_from_toml(path.read_text(encoding="utf-8"), str(path))
        return None

    def check_suite(self, suite: Suite) -> bool:
        """
        Whether the folder holds exactly this suite, finished; a suite that was begun here must be the same.

        Errors: BuildFolderError for another suite, or files that no suite made.
        """
        try:
            if self.path.exists() and not self.path.is_dir():
                raise BuildFolderError(f"{self.path} is a file. Give a folder for --out.")
            there = self.begun()
            if there is None:
                self._refuse_foreign()
                return False
        except OSError as error:
            raise self.failed(error) from None
        if differs := _difference(there, suite):
            raise BuildFolderError(
                f"{self.path} holds another suite. Differences: {differs}. "
                "Use --fresh to replace it, or choose another folder."
            )
        report = self.report()
        return report is not None and report["fingerprint"] == suite.fingerprint()

    def begin_suite(self, suite: Suite) -> None:
        """Note which suite begins; called again when the digest of its source is known."""
        write_whole(self._suite, suite.to_toml())

    def clear(self) -> None:
        """Remove what a suite wrote here, and nothing else. Errors: BuildFolderError if no suite made this folder."""
        there = self.begun()
        if there is None:
            self._refuse_foreign()
            return
        write_whole(self._suite, there.to_toml())
        for path in [self.path / name for name in FILES]:
            path.unlink(missing_ok=True)
        self._clear_held_out()
        for arm in there.every_arm:
            own = self.arm(arm.name)
            if own.path.is_dir() and own.built_recipe() is not None:
                own.work.mkdir(exist_ok=True)
                own.clear()
                own.drop_work()
            for script in (self.path / RUN).glob(f"{arm.name}.*.sh"):
                script.unlink()
        self._empty_work(self._suite)
        for folder in [*(self.path / ARMS).glob("*"), self.path / ARMS, self.path / RUN]:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def finish_suite(self, texts: Mapping[str, str]) -> None:
        """Write the files beside the arms, the report last, and remove the work files."""
        for name in sorted(texts, key=lambda name: name == "report.json"):
            target = self.path / name
            target.parent.mkdir(exist_ok=True)
            staged = self.work / f"{name.replace('/', '-')}.final"
            write_whole(staged, texts[name])
            move(staged, target)
        self.drop_work()

    def drop_work(self) -> None:
        """Remove the work files, the sorted rows first."""
        for path in self.work.glob("rows-*"):
            remove_tree(path)
        super().drop_work()

    def _empty_work(self, *kept: Path) -> None:
        # As in a build: the file that says whose the others are goes last.
        super()._empty_work(*kept, self._suite)
        if self._suite not in kept:
            self._suite.unlink(missing_ok=True)


def suite_report(folder: Path) -> dict[str, Any] | None:
    """The report of a finished suite in a folder; None if there is none."""
    try:
        report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) and "fingerprint" in report and "arms" in report else None


def _difference(there: Suite, now: Suite) -> str:
    """How two suites differ, field by field; empty if only a digest that isn't known yet does."""
    lines = []
    if there.equal is not now.equal:
        lines.append(f"equal: {there.equal} there, {now.equal} now")
    old, new = ({arm.name: arm for arm in suite.every_arm} for suite in (there, now))
    lines += [
        f"arm {name} only {'there' if name in old else 'now'}" for name in sorted(old.keys() ^ new.keys())
    ]
    for name in (name for name in old if name in new):
        mine, theirs = there.recipe_of(old[name]).flat(), now.recipe_of(new[name]).flat()
        for field in mine:
            unknown = field in ("source.digest", "source.revision") and not (mine[field] and theirs[field])
            if mine[field] != theirs[field] and not unknown:
                lines.append(f"{name}, {field}: {mine[field]!r:.60} there, {theirs[field]!r:.60} now")
    return "; ".join(lines[:5]) + (f"; and {len(lines) - 5} more" if len(lines) > 5 else "")
