"""The whole flow on one screen: a source becomes partitions, a partition becomes traces, traces become a build.

    source → rows → partitions → questions → plans → traces → build folder

Start here. `build_partition` is the heart, and the preview runs it too: what a preview shows is what the build writes
at its head.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from skill_factory.build.card import documents
from skill_factory.build.engines import Engine, Run
from skill_factory.build.folder import BuildFolder
from skill_factory.build.prepare import check_usable, pinning, ready
from skill_factory.build.progress import Report, silent
from skill_factory.build.storage import place
from skill_factory.errors import ColumnError, NothingUsable, RecipeError, SourceError
from skill_factory.formats import OwnFormats, chosen_formats
from skill_factory.judge.counting import tally_judgement
from skill_factory.judge.facts import Facts, Reading, read
from skill_factory.judge.first_questions import ever_more_rows
from skill_factory.judge.judge import Judgement, judge
from skill_factory.model import Trace, TracePlan
from skill_factory.reasons import Level
from skill_factory.recipe.model import Recipe, new_recipe
from skill_factory.recipe.phrases import PhraseBook, phrase_book
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.canonical import canonical, tally_rows
from skill_factory.sources.columns import CANONICAL
from skill_factory.tally import Tally, total
from skill_factory.traces.bulk.typeset import typeset
from skill_factory.traces.counting import tally_traces
from skill_factory.traces.plan import Written, compose
from skill_factory.traces.render import render
from skill_factory.traces.rows import to_table

FirstRows = Callable[[RawSource, Recipe, int], Iterator[tuple[pa.Table, bool]]]
"""`by_question.ever_more_rows`, or what gives rows as it does."""


@dataclass
class Partition:
    """A partition while it is built: its plans come one by one, and as they become traces its tally grows with them."""

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
        """Its traces one by one, for those who look at them."""
        while plans := list(islice(self.plans, 256)):
            some = [render(plan, self.book, self.recipe) for plan in plans]
            chars = np.array([len(trace.plan.question.text) + len(trace.text) for trace in some], np.int64)
            right = [plan.right for plan in plans]
            tally_traces(self.tally, plans, right, chars, [trace.digest for trace in some])
            yield from some

    @property
    def rows(self) -> Iterator[pa.Table]:
        """Its traces as rows of the data set, about 16 MB of text at a time; letter for letter what `traces` gives."""
        for some in typeset(self.plans, self.book, self.recipe, self.reading):
            tally_traces(self.tally, some.plans, some.right, some.chars, some.digests)
            yield to_table(some, self.recipe.output.lineage)


def build_partition(
    rows: pa.Table, recipe: Recipe, own: OwnFormats | None = None, written: Written | None = None
) -> Partition:
    """
    The traces of some canonical rows (columns.CANONICAL), in written order, and their tally.

    `written` says what the partitions before wrote; it matters only where the recipe sets limits.
    """
    reading = read(rows.cast(CANONICAL), recipe)
    judgement = judge(reading.facts, recipe, own)
    tally = tally_judgement(reading.facts, judgement, recipe, own)
    formats = chosen_formats(recipe.traces.formats, own)
    book = phrase_book(recipe.phrases)
    plans = compose(reading, judgement, recipe, book, formats, tally, written or Written())
    return Partition(reading, judgement, plans, tally, book, recipe)


@dataclass(frozen=True)
class BuildResult:
    """What a build came to."""

    path: Path
    report: dict[str, Any]
    """The content of `report.json`."""
    resumed: int
    """Partitions that an earlier, stopped run had finished."""
    already: bool
    """The folder held this very build; nothing was done."""
    recipe: Recipe
    """As it was built: columns settled, source pinned."""


@dataclass(frozen=True)
class Preview:
    """The first traces of a build, before it."""

    traces: list[Trace]
    tally: Tally
    """Of the questions looked at, not of the whole source."""
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
    report: Report = silent,
    token: str | None = None,
    engine: Engine | None = None,
    exact: bool = False,
) -> BuildResult:
    """
    Build the data set of a recipe into the folder `out` (see `build_folder.py` for what it holds).

    `columns` overrides the guessed mapping, e.g. `{"correct": ["is_right"]}`; `workers` 0 means all cores. A stopped
    build goes on where it was; a finished one is left as it is. `exact` asks for the very data that the recipe was
    built from. Errors: SkillFactoryError, with nothing half-written.
    """
    from skill_factory.build.engines.local import local_engine

    if workers < 0:
        raise RecipeError(
            f"A build takes a number of workers from 1, or 0 for one per core; found {workers}."
        )
    recipe = recipe or new_recipe()
    raw = open_source(source, recipe.source, token) if isinstance(source, str) else source
    with (engine or local_engine(workers))(raw, own_formats) as run:
        was, folder = recipe.source, BuildFolder(place(out))
        recipe = ready(raw, recipe, columns, own_formats)
        pin = pinning(raw, recipe.model_copy(update={"source": was}), exact)
        if exact or folder.holds_build():
            recipe = pin()  # before anything is done: it may be done already, or be asked of other data
        return _build(folder, recipe, pin, run, report, fresh)


def _build(
    folder: BuildFolder, recipe: Recipe, pin: Callable[[], Recipe], run: Run, report: Report, fresh: bool
) -> BuildResult:
    """The build of a settled recipe, unless the folder holds it already; its source's digest may come while it runs."""
    if folder.check_free(recipe.fingerprint()) and not fresh:
        folder.tidy()
        return BuildResult(folder.path, folder.report() or {}, 0, True, recipe)
    new = not folder.path.exists()
    with folder.claimed():
        try:
            if fresh:
                folder.clear()
            else:
                folder.check_same(recipe)
            folder.begin(recipe)
            built = run(recipe, folder, folder.noted(report), pin)
            recipe = pin()
            tally = total([built.rows, *built.partitions])
            check_usable(tally, recipe)
            shards = folder.move_shards([one.ledger[Level.TRACES].kept for one in built.partitions])
            texts = documents(recipe, tally, shards)
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
) -> Preview:
    """
    The traces of the first usable questions in written order: the head of what `build` would write.

    `read_first` is for a caller that has kept the rows from an earlier preview.
    """
    if questions < 1:
        raise RecipeError(f"A preview shows a number of questions from 1; found {questions}.")
    recipe = recipe or new_recipe()
    raw = open_source(source, recipe.source, token) if isinstance(source, str) else source
    recipe = ready(raw, recipe, columns, own_formats)
    for rows, all_of_it in read_first(raw, recipe, questions):
        part = build_partition(rows, recipe, own_formats)
        traces, enough = _head(part.traces, questions)
        limit = recipe.balance.max_traces
        if enough or all_of_it or (limit and len(traces) >= limit):
            break
    if not traces:
        check_usable(total([_rows_tally(raw, recipe), part.tally]), recipe)
    return Preview(traces, part.tally, recipe)


def _rows_tally(source: RawSource, recipe: Recipe) -> Tally:
    """Which rows can be read and which can't: read again where there is nothing to show, to say why."""
    batches = (batch for piece in source.pieces() for batch in piece.batches(recipe.columns))
    return total(tally_rows(canonical(batch, recipe.columns)) for batch in batches)


def _head(traces: Iterator[Trace], questions: int) -> tuple[list[Trace], bool]:
    """The traces of the first so many questions that have some, and whether there were so many."""
    seen: set[int] = set()
    head: list[Trace] = []
    for trace in traces:
        seen.add(trace.plan.question.id)
        if len(seen) > questions:
            break
        head.append(trace)
    return head, len(seen) >= questions
