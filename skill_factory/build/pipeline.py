"""The whole flow on one screen: a source becomes partitions, partitions become traces, traces become a build.

    source → rows → partitions → questions → plans → traces → build folder

Start reading here. `build_partition` is the heart, and the preview runs it too: what a preview shows is what the build
writes first.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from skill_factory.build.card import Told, documents
from skill_factory.build.engines import Engine, RunBuild
from skill_factory.build.folder import BuildFolder
from skill_factory.build.heldout import check_golds, write_held_out
from skill_factory.build.prepare import check_usable, pinning, ready_recipe
from skill_factory.build.progress import ReportProgress, silent
from skill_factory.build.storage import folder_at
from skill_factory.errors import ColumnError, NothingUsable, RecipeError, SourceError
from skill_factory.formats import OwnFormats, chosen_formats
from skill_factory.judge.counting import tally_judgement
from skill_factory.judge.facts import Facts, Ids, Reading, read
from skill_factory.judge.first_questions import ever_more_rows
from skill_factory.judge.judge import Judgement, judge, without
from skill_factory.model import Trace, TracePlan
from skill_factory.overlap.benchmarks import OpenBenchmark
from skill_factory.overlap.ruling import Overlap, compared, compared_together, with_benchmarks
from skill_factory.reasons import Level
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.recipe.model import Recipe, new_recipe
from skill_factory.recipe.phrases import PhraseBook, phrase_book
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.canonical import canonical, tally_rows
from skill_factory.sources.columns import CANONICAL
from skill_factory.tally import Tally, total
from skill_factory.traces.bulk.typeset import typeset
from skill_factory.traces.counting import tally_traces
from skill_factory.traces.plan import Written, compose_plans
from skill_factory.traces.render import render
from skill_factory.traces.rows import to_table

FirstRows = Callable[[RawSource, Recipe, int], Iterator[tuple[pa.Table, bool]]]
"""`first_questions.ever_more_rows`, or a function that gives rows in the same way."""


@dataclass
class Partition:
    """A partition while it is built: its plans come one by one, and its tally grows as they become traces."""

    reading: Reading
    judgement: Judgement
    plans: Iterator[TracePlan]
    tally: Tally
    book: PhraseBook
    recipe: Recipe

    @property
    def facts(self) -> Facts:
        """The narrow table of the partition."""
        return self.reading.facts

    @property
    def traces(self) -> Iterator[Trace]:
        """The traces one by one, for people who look at them."""
        # Some at a time: a tally that counts each trace by itself costs more than the trace.
        while plans := list(islice(self.plans, 256)):
            batch = [render(plan, self.book, self.recipe) for plan in plans]
            chars = np.array([len(trace.plan.question.text) + len(trace.text) for trace in batch], np.int64)
            right = [plan.right for plan in plans]
            tally_traces(self.tally, plans, right, chars, [trace.digest for trace in batch])
            yield from batch

    @property
    def rows(self) -> Iterator[pa.Table]:
        """The traces as rows of the dataset, about 16 MB of text at a time; letter for letter what `traces` gives."""
        for batch in typeset(self.plans, self.book, self.recipe, self.reading):
            tally_traces(self.tally, batch.plans, batch.right, batch.chars, batch.digests)
            yield to_table(batch, self.recipe)


def build_partition(
    rows: pa.Table,
    recipe: Recipe,
    own: OwnFormats | None = None,
    written: Written | None = None,
    elsewhere: Ids | None = None,
) -> Partition:
    """
    The traces of some canonical rows (columns.CANONICAL), in written order, and their tally.

    `written` is what the partitions before this one wrote; it matters only if the recipe sets limits.
    `elsewhere` are the questions that belong to an earlier source of a mixture.
    """
    # Judged as a whole, since a question's filters need all its responses; then plans come one by one.
    reading = read(rows.cast(CANONICAL), recipe)
    judgement = judge(reading.facts, recipe, own)
    if elsewhere is not None:
        judgement = without(judgement, reading.facts, elsewhere)
    tally = tally_judgement(reading.facts, judgement, recipe, own)
    formats = chosen_formats(recipe.traces.formats, own)
    book = phrase_book(recipe.phrases)
    plans = compose_plans(reading, judgement, recipe, book, formats, tally, written or Written())
    return Partition(reading, judgement, plans, tally, book, recipe)


@dataclass(frozen=True)
class BuildResult:
    """The result of a build."""

    path: Path
    report: dict[str, Any]
    """The content of `report.json`."""
    resumed: int
    """How many partitions an earlier, stopped run had finished."""
    already: bool
    """Whether the folder already held this build, so that nothing was done."""
    recipe: AnyRecipe
    """The recipe as it was built: with its columns settled and its source pinned."""


@dataclass(frozen=True)
class Comparing:
    """What the questions of a source, or of all sources of a mixture, are compared with."""

    sources: Sequence[RawSource]
    benchmarks: Sequence[OpenBenchmark]

    def ruled(self, recipe: AnyRecipe) -> tuple[AnyRecipe, Overlap]:
        """The recipe with the questions that stay out, and why. Errors: SourceError."""
        if isinstance(recipe, Mixture):
            return compared_together(self.sources, recipe, self.benchmarks)
        return compared(self.sources[0], recipe, self.benchmarks)


@dataclass(frozen=True)
class Preview:
    """The first traces of a build, before it."""

    traces: list[Trace]
    tally: Tally
    """The numbers of the questions that were looked at, not of the whole source."""
    recipe: Recipe


def build(
    source: str | RawSource,
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    columns: Mapping[str, Any] | None = None,
    workers: int = 0,
    fresh: bool = False,
    own_formats: OwnFormats | None = None,
    report: ReportProgress = silent,
    token: str | None = None,
    engine: Engine | None = None,
    exact: bool = False,
    against: Sequence[str] = (),
) -> BuildResult:
    """
    Build the dataset of a recipe into the folder `out` (see `folder.py` for what it holds).

    `columns` overrides the guessed mapping, e.g. `{"correct": ["is_right"]}`; `workers` 0 means one per core. A stopped
    build is resumed; a finished one is left as it is. With `exact`, only the data that the recipe was built from is
    accepted. `against` names benchmarks whose questions stay out, in place of those that the recipe names. Errors:
    SkillFactoryError, with nothing half-written.
    """
    from skill_factory.build.engines.local import local_engine

    if workers < 0:
        raise RecipeError(f"The number of workers is 1 or more, or 0 for one per core; found {workers}.")
    recipe = recipe or new_recipe()
    raw = open_source(source, recipe.source, token) if isinstance(source, str) else source
    # The engine starts its workers here, while the recipe is still being settled.
    with (engine or local_engine(workers))(raw, own_formats) as run:
        was, folder = recipe.source, BuildFolder(folder_at(out))
        recipe = ready_recipe(raw, recipe, columns, own_formats)
        check_golds(recipe, recipe.clean.holdout > 0)
        recipe, benchmarks = with_benchmarks(recipe, against, token)
        pin = pinning(raw, recipe.model_copy(update={"source": was}), exact)
        if exact or folder.holds_build():
            recipe = pin()  # at once: the build may be finished already, or belong to other data
        return build_ready(folder, recipe, pin, run, report, fresh, Comparing([raw], benchmarks))


def told_of(folder: BuildFolder, comparing: Comparing, ruled: AnyRecipe, overlap: Overlap) -> Told | None:
    """What the card says of questions that stay out, once those held out are written; None if the recipe asks for nothing."""
    recipes = ruled.recipes if isinstance(ruled, Mixture) else (ruled,)
    held_out = write_held_out(folder, list(zip(comparing.sources, recipes, strict=True)))
    asks = any(one.clean.asks or one.clean.drop for one in recipes)
    return Told(overlap, [one.clean.ruled for one in recipes], held_out) if asks else None


def build_ready(
    folder: BuildFolder,
    recipe: AnyRecipe,
    pin: Callable[[], AnyRecipe],
    run: RunBuild,
    report: ReportProgress,
    fresh: bool,
    comparing: Comparing,
) -> BuildResult:
    """Build a settled recipe, unless the folder already holds it; the source's digest may be found while it runs."""
    if folder.check_free(recipe.fingerprint()) and not fresh:
        folder.tidy()
        return BuildResult(folder.path, folder.report() or {}, 0, True, recipe)
    # A folder that this build makes is removed again if nothing comes of it; any other stays.
    new = not folder.path.exists()
    with folder.claimed():
        try:
            if fresh:
                folder.clear()
            else:
                folder.check_same(recipe)
            folder.begin(recipe)
            # Which questions stay out is found before partitions are cut, so that it can't depend on them.
            ruled, overlap = comparing.ruled(recipe)
            built = run(ruled, folder, folder.noted(report), pin)
            # The digest may have been found only now: what is written from here on has it.
            recipe = pin()
            tally = total([built.rows, *built.partitions])
            check_usable(tally, recipe)
            shards = folder.move_shards(
                [partition.ledger[Level.TRACES].kept for partition in built.partitions]
            )
            texts = documents(recipe, tally, shards, told_of(folder, comparing, ruled, overlap))
            folder.finish(texts)
        except (NothingUsable, ColumnError, SourceError):
            folder.forget(new)
            raise
        except OSError as error:
            raise folder.failed(error) from None
    return BuildResult(folder.path, json.loads(texts["report.json"]), built.resumed, False, recipe)


def preview(
    source: str | RawSource,
    recipe: Recipe | None = None,
    *,
    columns: Mapping[str, Any] | None = None,
    questions: int = 20,
    own_formats: OwnFormats | None = None,
    token: str | None = None,
    read_first: FirstRows = ever_more_rows,
    against: Sequence[str] = (),
    elsewhere: Ids | None = None,
) -> Preview:
    """
    The traces of the first usable questions in written order: what `build` would write first.

    `read_first` is for a caller that kept the rows of an earlier preview; `elsewhere` are the questions that belong to an
    earlier source of a mixture.
    """
    if questions < 1:
        raise RecipeError(f"A preview shows at least one question; found {questions}.")
    recipe = recipe or new_recipe()
    raw = open_source(source, recipe.source, token) if isinstance(source, str) else source
    recipe = ready_recipe(raw, recipe, columns, own_formats)
    recipe, _ = compared(raw, *with_benchmarks(recipe, against, token))
    # Each round reads more of the source, until enough questions are usable or there are no more.
    for rows, all_of_it in read_first(raw, recipe, questions):
        part = build_partition(rows, recipe, own_formats, elsewhere=elsewhere)
        traces, enough = _head(part.traces, questions)
        limit = recipe.balance.max_traces
        if enough or all_of_it or (limit and len(traces) >= limit):
            break
    if not traces:
        check_usable(total([_rows_tally(raw, recipe), part.tally]), recipe)
    return Preview(traces, part.tally, recipe)


def _rows_tally(source: RawSource, recipe: Recipe) -> Tally:
    """Which rows can be read and which can't; counted only if there is nothing to show, to say why."""
    batches = (batch for piece in source.pieces() for batch in piece.batches(recipe.columns))
    return total(tally_rows(canonical(batch, recipe.columns)) for batch in batches)


def _head(traces: Iterator[Trace], questions: int) -> tuple[list[Trace], bool]:
    """The traces of the first questions that have any, at most so many, and whether there were that many."""
    seen: set[int] = set()
    head: list[Trace] = []
    for trace in traces:
        seen.add(trace.plan.question.id)
        if len(seen) > questions:
            break
        head.append(trace)
    return head, len(seen) >= questions
