"""Two runs on the questions they share, and one run over its checkpoints."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from skill_factory.measure.cells import Cells, question_sums
from skill_factory.measure.figures import COMPARED, STATISTICS, Figures
from skill_factory.measure.intervals import Interval, difference, resampled
from skill_factory.measure.runs import figures_of

_NUMBER_AT_END = re.compile(r"^(.*?)[-_. ]*(\d+)$")


class Comparison(NamedTuple):
    """The second run's figure less the first's, over the questions that both were asked."""

    a: str
    b: str
    questions: int
    figure: str
    difference: Interval


class Point(NamedTuple):
    """A figure of a run at a step."""

    run: str
    step: float
    figure: str
    at: Interval


def compare(
    a: str, b: str, tables: Mapping[str, pa.Table], missing: Mapping[str, Figures], seed: int = 0
) -> list[Comparison]:
    """Every compared figure that both runs have; empty where they share no question."""
    mine, theirs = (question_sums(tables[name]) for name in (a, b))
    # Only shared questions are compared: a run that was asked easier ones must not look better.
    shared = np.intersect1d(mine.questions, theirs.questions)
    if not len(shared):
        return []
    cells = [_of_questions(one, shared) for one in (mine, theirs)]
    # The same key and the same number of questions: both runs are resampled alike, so their difference is a paired one.
    draws = resampled(cells[0], seed), resampled(cells[1], seed)
    sums = cells[0].sum(axis=0), cells[1].sum(axis=0)
    # A difference to a figure that can't be had would read as a fact about the other run.
    had = [name for name in COMPARED if not any(name in missing[run].missing for run in (a, b))]
    return [Comparison(a, b, len(shared), name, difference(STATISTICS[name], sums, draws)) for name in had]


def _of_questions(
    cells: Cells, questions: "np.ndarray[tuple[int], np.dtype[np.uint64]]"
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return cells.matrix[np.searchsorted(cells.questions, questions)]


def series_of(tables: Mapping[str, pa.Table], figures: Mapping[str, Figures], seed: int = 0) -> list[Point]:
    """
    The compared figures over steps, ordered by number: of runs with steps, else of runs named `NAME-100`, `NAME-200`.

    Empty where there is one step alone.
    """
    steps = {run: _steps(table) for run, table in tables.items()}
    # One step in the data says nothing; the names of the runs may still hold the checkpoints.
    if len({step for found in steps.values() for step in found}) < 2:
        return _series_of_names(list(tables), figures)
    points: list[Point] = []
    for run, table in tables.items():
        for step in steps[run]:
            chosen = pa.array(np.asarray(table.column("step").to_numpy()) == step)
            points += _points(run, step, figures_of(table.filter(chosen), seed))
    return points


def _steps(table: pa.Table) -> list[float]:
    steps = np.unique(np.asarray(table.column("step").to_numpy()))
    # A row without a step belongs to no checkpoint.
    known: list[float] = steps[~np.isnan(steps)].tolist()
    return known


def as_lines(series: Sequence[Point]) -> list[Point]:
    """The series as it is drawn: runs that have one step each are the checkpoints of one line."""
    steps = {(point.run, point.step) for point in series}
    # Some run has several steps: each run is a line of its own.
    if len(steps) > len({run for run, _ in steps}):
        return list(series)
    return sorted((point._replace(run="checkpoints") for point in series), key=lambda point: point.step)


def _series_of_names(runs: Sequence[str], figures: Mapping[str, Figures]) -> list[Point]:
    """Runs that differ in a number at their end are checkpoints of one."""
    checkpoints: dict[str, list[tuple[float, str]]] = {}
    for run in runs:
        if match := _NUMBER_AT_END.match(run):
            # Files that are named by their number alone (100.jsonl, 200.jsonl) are a series too.
            checkpoints.setdefault(match[1] or "step", []).append((float(match[2]), run))
    return [
        point
        for name, places in sorted(checkpoints.items())
        if len(places) > 1
        for step, run in sorted(places)
        for point in _points(name, step, figures[run])
    ]


def _points(run: str, step: float, figures: Figures) -> list[Point]:
    had = [name for name in COMPARED if name not in figures.missing]
    return [Point(run, step, name, figures.values[name]) for name in had]
