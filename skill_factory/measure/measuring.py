"""From what a person named to a measurement: outputs are read and counted side by side, in any number of processes.

Each piece of a source becomes rows of the table on its own, so no order of rows, files or workers changes a figure, and
no more texts are in memory than a worker reads at a time.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pyarrow as pa

from skill_factory.build.engines.local import SMALL_BYTES, each_call, worker_pool
from skill_factory.errors import RecipeError, SourceError
from skill_factory.grading import task_named
from skill_factory.hosting import cores
from skill_factory.judge.reflections import verdict_rule
from skill_factory.judge.responses import last_boxed
from skill_factory.measure.counting import CountTokens, count_outputs, schema
from skill_factory.measure.grades import Grades
from skill_factory.measure.measurement import Measurement, measurement
from skill_factory.measure.parts import Rules, names_of
from skill_factory.measure.reading import Asked, Layout, Opened, distinct_names, opened, outputs_of
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.patterns import compiled
from skill_factory.sources import Piece
from skill_factory.sources.columns import Batch
from skill_factory.sources.neighbours import read_together
from skill_factory.traces.lengths import estimating_counter, load_counter

FINALS = ("auto", "tags", "stated")
ROWS_AT_ONCE, AHEAD = 500, 4
"""Rows taken apart at a time, and batches that wait for a worker where one file is shared out among several."""
Report = Callable[[int, int, int], None]
"""Told (pieces done, pieces in all, outputs so far)."""


@dataclass(frozen=True)
class How:
    """How outputs are counted; it travels to workers, which make their rules from it."""

    recipe: Recipe
    task: str = "auto"
    stated: bool = False
    boxed: bool = False
    tokenizer: str = ""
    by: tuple[str, ...] = ()
    texts: bool = False


@dataclass(frozen=True)
class Settings:
    """How a measurement is made, beside what is measured."""

    task: str = "auto"
    final: str = "auto"
    boxed: bool = False
    tokenizer: str = ""
    texts: bool = False
    """Keep the outputs themselves beside their rows."""
    baseline: str = ""
    seed: int = 0
    workers: int = 0
    """0 is one for each core."""
    engine: str = "local"
    ray_address: str = ""

    def checked(self) -> "Settings":
        """Errors: RecipeError for a value that can't be."""
        if self.final not in FINALS:
            raise RecipeError(f"--final takes {', '.join(FINALS)}; found {self.final!r}.")
        if self.workers < 0:
            raise RecipeError(
                f"--workers takes a number from 1, or 0 for one per core; found {self.workers}."
            )
        return self


def measure(
    outputs: str | Sequence[str],
    recipe: Recipe | None = None,
    *,
    columns: Mapping[str, Any] | None = None,
    run: str = "",
    by: Sequence[str] = (),
    settings: Settings | None = None,
    token: str | None = None,
    report: Report = lambda done, total, outputs: None,
    **more: Any,
) -> Measurement:
    """
    Measure outputs: files, folders, datasets of the Hub, build folders.

    `run` and `by` name columns; `more` are fields of Settings (`baseline="base"`, `tokenizer=…`, `boxed=True`).
    Errors: SkillFactoryError.
    """
    settings = replace(settings or Settings(), **more).checked()
    asked = Asked(recipe or Recipe(), tuple((columns or {}).items()), run, tuple(by))
    given = [outputs] if isinstance(outputs, str) else list(outputs)
    if not given:
        raise SourceError("Nothing to measure. Give files, folders or datasets of outputs.")
    openings = distinct_names([opened(one, asked, token) for one in given])
    return measured(openings, asked, settings, report)


def measured(
    openings: Sequence[Opened], asked: Asked, settings: Settings, report: Report = lambda *_: None
) -> Measurement:
    """The measurement of what was opened."""
    if settings.tokenizer:
        load_counter(settings.tokenizer)  # a fault of use is told before the work begins
    tables, dropped = counted_tables(openings, settled(openings, settings), asked.by, settings, report)
    table = pa.concat_tables([schema(asked.by, settings.texts).empty_table(), *tables]).unify_dictionaries()
    return finished(table, openings, asked, settings, dropped)


def settled(openings: Sequence[Opened], settings: Settings) -> bool:
    """Whether what a text states is its answer: as chosen, or because no output at hand uses answer tags."""
    return settings.final == "stated" or (
        settings.final == "auto" and not any(one.tagged for one in openings)
    )


def finished(
    table: pa.Table,
    openings: Sequence[Opened],
    asked: Asked,
    settings: Settings,
    dropped: Counter[str] | None = None,
) -> Measurement:
    """The figures of a table of outputs, with how it was read. Errors: SourceError where it is empty."""
    dropped = dropped or Counter()
    if not table.num_rows:
        reasons = ", ".join(f"{n:,} × {reason}" for reason, n in dropped.items())
        names = ", ".join(one.given for one in openings)
        raise SourceError(f"No output could be read from {names} ({reasons or 'no rows'}).")
    why = {one.layout.name: one.why for one in openings if one.why}
    notes = [note for one in openings for note in one.notes]
    notes += [f"{n:,} rows or outputs could not be read: {reason}." for reason, n in dropped.items()]
    reading = {
        "sources": [one.told() for one in openings],
        "final_answers": "stated" if settled(openings, settings) else "tags",
        "task": settings.task,
        "tokens": counter_of(settings.tokenizer)[1],
        "dropped": dict(dropped),
    }
    unread = {one.layout.name: one.unread for one in openings if one.unread}
    return measurement(table, asked.by, settings.baseline, settings.seed, reading, why, notes, unread)


# -- the work ------------------------------------------------------------------------------------------------------

Counted = tuple[pa.Table, Counter[str]]


def counted_tables(
    openings: Sequence[Opened],
    stated: bool,
    by: tuple[str, ...],
    settings: Settings,
    report: Report = lambda *_: None,
) -> tuple[list[pa.Table], Counter[str]]:
    """Rows of the table for all that was opened, in the order of its pieces, and what could not be read."""
    works = [
        (one.layout, how_of(one.recipe, settings, stated, by), piece)
        for one in openings
        for piece in read_together(one.source.pieces())
    ]
    size = sum(one.source.size for one in openings)
    found: dict[int, Counted] = {}
    rows = 0
    if settings.engine == "ray":
        from skill_factory.measure.on_ray import counted_on_ray

        results = counted_on_ray(works, settings.ray_address)
        total = len(works)
    else:
        results, total = _counted_here(works, settings.workers or cores(), size), len(works)
    for place, counted in results:
        found[place] = counted
        rows += counted[0].num_rows
        report(len(found), total, rows)
    dropped: Counter[str] = Counter()
    for _, reasons in found.values():
        dropped.update(reasons)
    return [found[place][0] for place in sorted(found)], dropped


Work = tuple[Layout, How, Piece]


def _counted_here(works: Sequence[Work], workers: int, size: int) -> Iterator[tuple[int, Counted]]:
    alone = workers == 1 or 0 < size < SMALL_BYTES
    with worker_pool(0 if alone else workers) as pool:
        if alone or len(works) >= workers:
            calls = ((place, work) for place, work in enumerate(works))
            yield from each_call(count_piece, calls, pool)
            return
        # One large text file has one piece: it is read here, and its rows are taken apart by the workers.
        batches = (
            (place, (layout, how, batch)) for place, (layout, how, batch) in enumerate(_batches(works))
        )
        yield from each_call(count_batch, batches, pool, ahead=AHEAD * workers)


def _batches(works: Sequence[Work]) -> Iterator[tuple[Layout, How, Batch]]:
    for layout, how, piece in works:
        for batch in piece.batches(layout.columns()):
            yield layout, how, batch


def count_piece(layout: Layout, how: How, piece: Piece) -> Counted:
    """The rows of the table for a piece of a source."""
    parts = [count_batch(layout, how, batch) for batch in piece.batches(layout.columns())]
    dropped: Counter[str] = Counter()
    for _, reasons in parts:
        dropped.update(reasons)
    return pa.concat_tables(
        [schema(how.by, how.texts).empty_table(), *(table for table, _ in parts)]
    ).unify_dictionaries().combine_chunks(), dropped


def count_batch(layout: Layout, how: How, batch: Batch) -> Counted:
    """The rows of the table for a batch, some hundred at a time: only they are Python objects at once."""
    rules, grades = rules_of(how), _grades(how.task)
    count, dropped = counter_of(how.tokenizer)[0], Counter[str]()
    tables = []
    for rows in _slices(batch):
        outputs = (one for row in rows for one in outputs_of(row, layout, dropped))
        tables.append(count_outputs(outputs, rules, grades, count, how.by, how.texts))
    return pa.concat_tables([schema(how.by, how.texts).empty_table(), *tables]).unify_dictionaries(), dropped


def _slices(batch: Batch) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(batch), ROWS_AT_ONCE):
        yield (
            batch[start : start + ROWS_AT_ONCE]
            if isinstance(batch, list)
            else batch.slice(start, ROWS_AT_ONCE).to_pylist()
        )


# -- rules, made once in each process ------------------------------------------------------------------------------


def how_of(recipe: Recipe, settings: Settings, stated: bool, by: tuple[str, ...]) -> How:
    """How the outputs of a recipe are counted."""
    return How(recipe, settings.task, stated, settings.boxed, settings.tokenizer, by, settings.texts)


def rules_of(how: How) -> Rules:
    """The rules of a recipe, made once."""
    recipe = how.recipe
    return _rules(recipe.model_dump_json(), how.stated, how.boxed)


@lru_cache(maxsize=32)
def _rules(recipe_json: str, stated: bool, boxed: bool) -> Rules:
    recipe = Recipe.model_validate_json(recipe_json)
    verdicts = recipe.verdicts
    # An output has no column of verdicts beside it: its own tags are all there is to read.
    judge = verdict_rule(
        verdicts if verdicts.rule != "column" else verdicts.model_copy(update={"rule": "tag"})
    )
    return Rules(names_of(recipe.tags), lambda text: judge(text, ""), boxed, stated, answer_of(recipe))


def answer_of(recipe: Recipe) -> Callable[[str], str | None]:
    """The recipe's answer rule for a text without answer tags: its box, or its pattern."""
    answers = recipe.answers
    pattern = compiled(answers.pattern) if answers.pattern else None
    known: dict[str, Callable[[str], str | None]] = {
        "boxed": last_boxed,
        "regex": lambda text: pattern.last(text) if pattern else None,
    }
    chosen = [known[rule] for rule in answers.rules if rule in known]

    def find(text: str) -> str | None:
        found = (rule(text) for rule in chosen)
        return next((answer.strip() for answer in found if answer and not answer.isspace()), None)

    return find


@lru_cache(maxsize=4)
def _grades(task: str) -> Grades:
    return Grades(task_named(task))


@lru_cache(maxsize=4)
def counter_of(tokenizer: str) -> tuple[CountTokens, str]:
    """A way to count tokens and its name: the tokenizer given, or the labelled estimate."""
    counter = load_counter(tokenizer) if tokenizer else estimating_counter()
    return counter.count, counter.name
