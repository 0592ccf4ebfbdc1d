"""From what a person named to a measurement: outputs are read and counted side by side, in any number of processes.

Each piece of a source becomes rows of the table on its own, so no order of rows, files or workers changes a figure, and
no more texts are in memory than a worker reads at a time.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from skill_factory.build.engines.local import SMALL_BYTES
from skill_factory.build.engines.workers import each_call, worker_pool
from skill_factory.errors import RecipeError, SourceError
from skill_factory.hosting import cores
from skill_factory.measure.counting import schema
from skill_factory.measure.measurement import Measurement, measurement
from skill_factory.measure.piecework import Counted, How, Work, count_batch, count_piece, counter_of
from skill_factory.measure.reading import Asked, Layout, Opened, distinct_names, opened
from skill_factory.recipe.model import Recipe
from skill_factory.sources.columns import Batch
from skill_factory.sources.neighbours import read_together
from skill_factory.traces.lengths import load_counter

FINALS = ("auto", "tags", "stated")
AHEAD = 4
"""Batches that wait for each worker where one file is shared out among several."""
Report = Callable[[int, int, int], None]
"""Told (pieces done, pieces in all, outputs so far)."""


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
    # All are opened before any is counted: a file that can't be read is told at once, not after an hour.
    openings = distinct_names([opened(name, asked, token) for name in given])
    return measured(openings, asked, settings, report)


def measured(
    openings: Sequence[Opened], asked: Asked, settings: Settings, report: Report = lambda *_: None
) -> Measurement:
    """The measurement of what was opened."""
    if settings.tokenizer:
        load_counter(settings.tokenizer)  # a fault of use is told before the work begins
    tables, dropped = counted_tables(openings, settled(openings, settings), asked.by, settings, report)
    # A table of no rows first: without any output there is still a schema to say so from.
    table = pa.concat_tables([schema(asked.by, settings.texts).empty_table(), *tables]).unify_dictionaries()
    return finished(table, openings, asked, settings, dropped)


def settled(openings: Sequence[Opened], settings: Settings) -> bool:
    """Whether what a text states is its answer: as chosen, or because no output at hand uses answer tags."""
    return settings.final == "stated" or (
        settings.final == "auto" and not any(opening.tagged for opening in openings)
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
    # Figures of nothing would all be "can't be had"; the reasons for the drops say what to do.
    if not table.num_rows:
        reasons = ", ".join(f"{n:,} × {reason}" for reason, n in dropped.items())
        names = ", ".join(opening.given for opening in openings)
        raise SourceError(f"No output could be read from {names} ({reasons or 'no rows'}).")
    why = {opening.layout.name: opening.why for opening in openings if opening.why}
    notes = [note for opening in openings for note in opening.notes]
    # Every drop is told, so that outputs and reasons add up to what was given.
    notes += [f"{n:,} rows or outputs could not be read: {reason}." for reason, n in dropped.items()]
    reading = {
        "sources": [opening.told() for opening in openings],
        "final_answers": "stated" if settled(openings, settings) else "tags",
        "task": settings.task,
        "tokens": counter_of(settings.tokenizer)[1],
        "dropped": dict(dropped),
    }
    unread = {opening.layout.name: opening.unread for opening in openings if opening.unread}
    return measurement(table, asked.by, settings.baseline, settings.seed, reading, why, notes, unread)


def how_of(recipe: Recipe, settings: Settings, stated: bool, by: tuple[str, ...]) -> How:
    """How the outputs of a recipe are counted."""
    return How(recipe, settings.task, stated, settings.boxed, settings.tokenizer, by, settings.texts)


# -- the work ------------------------------------------------------------------------------------------------------


def counted_tables(
    openings: Sequence[Opened],
    stated: bool,
    by: tuple[str, ...],
    settings: Settings,
    report: Report = lambda *_: None,
) -> tuple[list[pa.Table], Counter[str]]:
    """Rows of the table for all that was opened, in the order of its pieces, and what could not be read."""
    works = [
        (opening.layout, how_of(opening.recipe, settings, stated, by), piece)
        for opening in openings
        for piece in read_together(opening.source.pieces())
    ]
    size = sum(opening.source.size for opening in openings)
    by_place: dict[int, Counted] = {}
    rows = 0
    if settings.engine == "ray":
        # Here, since most measurements never need Ray.
        from skill_factory.measure.on_ray import counted_on_ray

        results = counted_on_ray(works, settings.ray_address)
        total = len(works)
    else:
        results, total = _counted_here(works, settings.workers or cores(), size), len(works)
    for place, counted in results:
        # Pieces come back in the order in which they are done; their place puts them in order again.
        by_place[place] = counted
        rows += counted[0].num_rows
        report(len(by_place), total, rows)
    dropped: Counter[str] = Counter()
    for _, reasons in by_place.values():
        dropped.update(reasons)
    return [by_place[place][0] for place in sorted(by_place)], dropped


def _counted_here(works: Sequence[Work], workers: int, size: int) -> Iterator[tuple[int, Counted]]:
    # Starting processes takes longer than counting a few megabytes; a size of 0 is one that nobody knows.
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
