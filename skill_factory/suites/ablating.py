"""The flow of a suite: rows are sorted once, each arm says what it could give, sizes are settled, all arms are written.

    source → sorted rows → survey → shared questions and sizes → arms → one folder

A suite that was stopped resumes where it was, as a build does.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from skill_factory.build.card import Told
from skill_factory.build.card import documents as arm_documents
from skill_factory.build.engines import BuiltPartitions, Engine, RunBuild
from skill_factory.build.folder import BuildFolder
from skill_factory.build.heldout import check_golds, copy_held_out
from skill_factory.build.pipeline import Comparing, told_of
from skill_factory.build.prepare import (
    check_against_columns,
    check_own_words,
    check_usable,
    pinning,
    ready_recipe,
)
from skill_factory.build.progress import ReportProgress, silent
from skill_factory.build.storage import folder_at
from skill_factory.errors import BuildFolderError, ColumnError, NothingUsable, RecipeError, SourceError
from skill_factory.judge.facts import Ids
from skill_factory.overlap.ruling import Overlap, compared, with_benchmarks
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource, open_source
from skill_factory.suites.card import documents
from skill_factory.suites.choosing import Chosen, Offer, choose, cost_lines, fewer_lines, usable_arms
from skill_factory.suites.desk import SURVEY, WRITE, Desk, SuiteFolder
from skill_factory.suites.differences import Difference, difference_of, from_json
from skill_factory.suites.passes import ArmRecipe, Survey, Writing, save_chosen
from skill_factory.suites.running import scripts
from skill_factory.suites.suite import BASE, Suite, load_suite
from skill_factory.tally import Tally, total

Say = Callable[[str], None]
"""Told what should be known before anything is written, a sentence at a time."""


@dataclass(frozen=True)
class SuiteResult:
    """The result of `ablate`."""

    path: Path
    suite: Suite
    """The suite as it was built: its base with settled columns and a pinned source."""
    rows: Sequence[Difference]
    """The table of differences, the base first."""
    notes: Sequence[str]
    """What the arms share and what that costs."""
    already: bool
    """Whether the folder already held this suite, so that nothing was done."""


def ablate(
    source: str | RawSource,
    out: str | Path,
    suite: str | Suite = "paper",
    *,
    columns: Mapping[str, Any] | None = None,
    workers: int = 0,
    fresh: bool = False,
    report: ReportProgress = silent,
    say: Say = lambda _: None,
    token: str | None = None,
    engine: Engine | None = None,
    against: Sequence[str] = (),
) -> SuiteResult:
    """
    Build every arm of a suite into the folder `out` (see `desk.py` for what it holds).

    `say` hears which questions the arms share before anything is written. A stopped suite is resumed; a finished one is
    left as it is. `against` names benchmarks whose questions stay out of every arm, in place of those that the base names.
    Errors: SkillFactoryError, with nothing half-written.
    """
    from skill_factory.build.engines.local import local_engine

    if workers < 0:
        raise RecipeError(f"The number of workers is 1 or more, or 0 for one per core; found {workers}.")
    suite = load_suite(suite) if isinstance(suite, str) else suite
    raw = open_source(source, suite.base.source, token) if isinstance(source, str) else source
    with (engine or local_engine(workers))(raw, None) as run:
        was = suite.base
        suite = ready_suite(raw, suite, columns)
        check_golds(suite.base, suite.base.clean.holdout > 0)
        base, benchmarks = with_benchmarks(suite.base, against, token)
        suite = suite.with_base(base)
        pinned = pinning(raw, was)
        folder = SuiteFolder(folder_at(out))
        comparing = Comparing([raw], benchmarks)
        return _Ablation(folder, suite, run, lambda: pinned().source, comparing, report, say).carried_out(
            fresh
        )


def ready_suite(raw: RawSource, suite: Suite, columns: Mapping[str, Any] | None = None) -> Suite:
    """The suite with the columns of its base settled, and each arm checked. Errors: ColumnError, RecipeError."""
    base = ready_recipe(raw, suite.base, columns)
    suite = suite.with_base(base)
    names = raw.names()
    for arm in suite.every_arm:
        recipe = suite.recipe_of(arm)
        try:
            check_own_words(recipe)
            if any(field.startswith("columns.") for field in arm.changes):
                ready_recipe(raw, recipe)
            else:
                check_against_columns(recipe, recipe.columns, names)
        except (ColumnError, RecipeError) as error:
            raise type(error)(f"Arm {arm.name!r}: {error}") from None
    return suite


@dataclass(frozen=True)
class _Rows:
    """Arms whose rows are read by the same columns and stand in the same order: these are sorted once for all of them."""

    number: int
    arms: tuple[ArmRecipe, ...]

    def only(self, names: Container[str]) -> "_Rows":
        """Without the arms that aren't named."""
        return _Rows(self.number, tuple(arm for arm in self.arms if arm.name in names))


@dataclass(frozen=True)
class _Ablation:
    """A suite on its way into a folder."""

    folder: SuiteFolder
    suite: Suite
    run: RunBuild
    source: Callable[[], Any]
    """Waits for the source's digest."""
    comparing: Comparing
    report: ReportProgress
    say: Say

    def carried_out(self, fresh: bool) -> SuiteResult:
        """Build what is missing."""
        if self.folder.path.exists():
            known = self._pinned()
            if not fresh and self.folder.check_suite(known.suite):
                self.folder.tidy()
                return _finished(self.folder, known.suite)
        new = not self.folder.path.exists()
        with self.folder.claimed():
            try:
                if fresh:
                    self.folder.clear()
                return self._built()
            except (NothingUsable, ColumnError, SourceError):
                self.folder.drop_work()
                if new:
                    self._remove_empty()
                raise
            except OSError as error:
                raise self.folder.failed(error) from None

    def _pinned(self) -> "_Ablation":
        base = self.suite.base.model_copy(update={"source": self.source()})
        return replace(self, suite=replace(self.suite, base=base))

    def _remove_empty(self) -> None:
        for path in (self.folder.path / "arms", self.folder.path):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()

    def _built(self) -> SuiteResult:
        self.folder.begin_suite(self.suite)
        # Once for all arms: they lose the same questions.
        base, overlap = compared(self.comparing.sources[0], self.suite.base, self.comparing.benchmarks)
        return replace(self, suite=replace(self.suite, base=base))._built_without(overlap)

    def _built_without(self, overlap: Overlap) -> SuiteResult:
        groups = list(_groups(self.suite))
        parts = [
            self._pass(group, SURVEY, Survey(group.arms, self.suite.equal, self._seed)) for group in groups
        ]
        known = self._pinned()
        self.folder.begin_suite(known.suite)
        return known._written(groups, parts, overlap)

    @property
    def _seed(self) -> int:
        return self.suite.base.traces.seed

    def _pass(self, group: _Rows, phase: str, part: Survey | Writing) -> BuiltPartitions:
        desk, recipe = self.folder.desk(group.number, phase), group.arms[0].recipe
        known = desk.built_recipe()
        if isinstance(known, Mixture):
            known = None  # a desk of a suite never holds one
        if known is not None and desk.scan_done() and known.source != self.source():
            raise BuildFolderError(
                f"{self.folder.path} holds a suite of other data ({known.source.digest[:12]}…). "
                "Use --fresh to replace it, or choose another folder."
            )
        if known is None:
            desk.work.mkdir(parents=True, exist_ok=True)
            desk.begin(recipe)
        elif not desk.scan_done():
            desk.begin(recipe)

        def pin() -> Recipe:
            return recipe.model_copy(update={"source": self.source()})

        return self.run(recipe, desk, self.folder.noted(self.report), pin, part)

    def _written(
        self, groups: Sequence[_Rows], parts: Sequence[BuiltPartitions], overlap: Overlap
    ) -> SuiteResult:
        offers = {
            arm.name: _offer(self.folder.desk(group.number, SURVEY), len(built.partitions), arm.name)
            for group, built in zip(groups, parts, strict=True)
            for arm in group.arms
        }
        limits = [self.suite.recipe_of(arm).balance.max_traces for arm in self.suite.every_arm]
        offers, notes = usable_arms(offers)
        _check_some(offers)
        chosen = choose(offers, self.suite.equal, self._seed, min(filter(None, limits), default=0))
        notes += [*cost_lines(offers, len(chosen.questions)), *fewer_lines(chosen)]
        for note in notes:
            self.say(note)
        groups = [group.only(offers) for group in groups]
        self._write_arms(groups, chosen)
        told = told_of(self.folder, self.comparing, self.suite.base, overlap)
        return self._finish(groups, parts, chosen, notes, told)

    def _write_arms(self, groups: Sequence[_Rows], chosen: Chosen) -> None:
        path = self.folder.work / "chosen.npz"
        if not path.is_file():
            save_chosen(chosen, path)
        for group in filter(lambda group: group.arms, groups):
            folders = {arm.name: self.folder.arm(arm.name) for arm in group.arms}
            for arm in group.arms:
                if folders[arm.name].report() is None:
                    _begin_arm(folders[arm.name], self._recipe(arm.name))
            self._pass(group, WRITE, Writing(group.arms, folders, path, self._seed))

    def _recipe(self, name: str) -> Recipe:
        """The recipe of an arm as its folder holds it: it says which suite it is an arm of."""
        arm = next(arm for arm in self.suite.every_arm if arm.name == name)
        return self.suite.recipe_of(arm).changed({"balance.suite": self.suite.fingerprint()})

    def _finish(
        self,
        groups: Sequence[_Rows],
        parts: Sequence[BuiltPartitions],
        chosen: Chosen,
        notes: Sequence[str],
        told: Told | None,
    ) -> SuiteResult:
        tallies: dict[str, Tally] = {}
        seen: dict[str, tuple[int, Ids]] = {}
        for group, built in zip(groups, parts, strict=True):
            desk, n = self.folder.desk(group.number, WRITE), len(built.partitions)
            for arm in group.arms:
                by_part = [desk.arm_tally(p, arm.name) or Tally() for p in range(n)]
                tallies[arm.name] = total([built.rows, *by_part])
                seen[arm.name] = _seen(desk, n, arm.name)
                self._finish_arm(arm.name, by_part, tallies[arm.name], told)
        recipes = {arm.name: self._recipe(arm.name) for arm in self.suite.every_arm if arm.name in tallies}
        rows = [
            difference_of(
                self.suite,
                name,
                tallies[name],
                int((chosen.takes[name] > 0).sum()),
                *seen[name],
                seen[BASE][1],
            )
            for name in recipes
        ]
        texts = documents(self.suite, rows, tallies, recipes, notes, told)
        self.folder.finish_suite({**dict(scripts(recipes)), **texts})
        return SuiteResult(self.folder.path, self.suite, rows, notes, False)

    def _finish_arm(self, name: str, by_part: Sequence[Tally], whole: Tally, told: Told | None) -> None:
        folder = self.folder.arm(name)
        # An arm that was finished before a crash has given up its work files.
        if folder.report() is not None and not folder.work.exists():
            return
        recipe = self._recipe(name)
        check_usable(whole, recipe)
        shards = folder.move_shards([tally.ledger[Level.TRACES].kept for tally in by_part])
        copy_held_out(self.folder, folder)
        folder.finish(arm_documents(recipe, whole, shards, told))


def _check_some(offers: Mapping[str, Offer]) -> None:
    """Refuse a suite whose base, or whose every other arm, can use no question. Errors: NothingUsable."""
    if BASE not in offers:
        raise NothingUsable(
            "No question can become a trace under the base recipe. `build` with that recipe says where the data went."
        )
    if len(offers) == 1:
        raise NothingUsable(
            "No arm but the base can use any question of this data. Ask less of a question in the arms (a smaller N)."
        )


def _groups(suite: Suite) -> Iterator[_Rows]:
    groups: dict[str, list[ArmRecipe]] = {}
    for arm in suite.every_arm:
        recipe = suite.recipe_of(arm).changed({"balance.max_traces": 0})
        key = f"{recipe.traces.seed} {recipe.columns.model_dump_json()}"
        groups.setdefault(key, []).append(ArmRecipe(arm.name, recipe))
    for number, arms in enumerate(groups.values()):
        yield _Rows(number, tuple(arms))


def _begin_arm(folder: BuildFolder, recipe: Recipe) -> None:
    """Take the folder of an arm, unless it was taken before a crash: then what is in it stays."""
    if folder.built_recipe() is None:
        folder.work.mkdir(parents=True, exist_ok=True)
        folder.begin(recipe)


def _offer(desk: Desk, parts: int, name: str) -> Offer:
    arrays = [desk.arrays(p, name) for p in range(parts)]
    joined = {key: np.concatenate([one[key] for one in arrays]) for key in ("questions", "traces", "chars")}
    return Offer(joined["questions"], joined["traces"], joined["chars"])


def _seen(desk: Desk, parts: int, name: str) -> tuple[int, Ids]:
    arrays = [desk.arrays(p, name) for p in range(parts)]
    return sum(int(one["chars"].sum()) for one in arrays), np.concatenate([one["digests"] for one in arrays])


def _finished(folder: SuiteFolder, suite: Suite) -> SuiteResult:
    report = folder.report() or {}
    rows = [from_json(row) for row in report["table"]]
    return SuiteResult(folder.path, suite, rows, report.get("notes", []), True)
