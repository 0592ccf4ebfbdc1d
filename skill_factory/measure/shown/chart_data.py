"""The numbers behind the four charts that decide: skill by checkpoint, verdict table, moves, what it costs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.measure.cells import IS, SAYS
from skill_factory.measure.comparing import as_lines
from skill_factory.measure.figures import Figures
from skill_factory.measure.intervals import Interval
from skill_factory.measure.measurement import Measurement
from skill_factory.measure.outputs import RIGHT, WRONG
from skill_factory.wording import percent

SERIES_FIGURES = ("accuracy.final", "f1.correct", "f1.incorrect")
FURTHEST = 8
"""Attempts beyond this place are drawn together."""


class Cell(NamedTuple):
    """A cell of the verdict table."""

    truth: str
    says: str
    attempts: int
    good: bool
    """The verdict is true."""


class Move(NamedTuple):
    """What happened on the way to an attempt."""

    attempt: int
    fixed: int
    broken: int


class Cost(NamedTuple):
    """What a run spends and what it gets."""

    run: str
    tokens: float
    accuracy: Interval


def verdict_cells(figures: Figures) -> list[Cell]:
    """The table of truth and verdict; empty where nothing is judged."""
    if "verdicts" in figures.missing:
        return []
    return [
        Cell(
            true,
            said,
            figures.counts[f"{true}_{said}"],
            (true, said) in (("right", "correct"), ("wrong", "incorrect")),
        )
        for true in IS
        for said in SAYS
    ]


def moves_by_attempt(table: pa.Table) -> list[Move]:
    """Fixed and broken moves by the attempt that they lead to, from the second on."""
    attempts = table.column("attempts").combine_chunks()
    attempts = attempts.chunk(0) if isinstance(attempts, pa.ChunkedArray) else attempts
    lengths = np.asarray(pc.list_value_length(attempts).fill_null(0)).astype(np.int64)
    mark = np.asarray(attempts.flatten().field("mark").cast(pa.int64()))
    starts = np.cumsum(lengths) - lengths
    place = np.arange(len(mark)) - np.repeat(starts, lengths) + 1
    # The first attempt of an output follows its neighbour's last one; `k` starts at 2, so that pair is never counted.
    before = np.concatenate([[-1], mark[:-1]]) if len(mark) else mark
    # Far attempts are rare, and a bar for each would say more about luck than about the model.
    place = np.minimum(place, FURTHEST)
    moves = []
    for k in range(2, int(place.max(initial=1)) + 1):
        here = place == k
        fixed, broken = (
            int(np.sum(here & (before == was) & (mark == now)))
            for was, now in ((WRONG, RIGHT), (RIGHT, WRONG))
        )
        moves.append(Move(k, fixed, broken))
    return moves


def costs(measurement: Measurement) -> list[Cost]:
    """Mean tokens of an output beside final accuracy, run by run."""
    return [
        Cost(run, figures.values["tokens"].value, figures.values["accuracy.final"])
        for run, figures in measurement.runs.items()
        if not np.isnan(figures.values["accuracy.final"].value)
    ]


# -- what each chart answers, in a sentence ------------------------------------------------------------------------


def series_sentence(measurement: Measurement, figure: str = "accuracy.final") -> str:
    """How a figure moved from the first checkpoint to the last."""
    points = [point for point in as_lines(measurement.series) if point.figure == figure]
    if len(points) < 2:
        return "One checkpoint alone shows no course"
    first, last = points[0], points[-1]
    return f"{_figure(figure)} went from {first.at.value:.2f} at step {first.step:g} to {last.at.value:.2f} at step {last.step:g}"


def verdict_sentence(figures: Figures) -> str:
    """How many verdicts are true, and how many attempts get none."""
    cells = verdict_cells(figures)
    spoken = sum(cell.attempts for cell in cells if cell.says != "none")
    if not spoken:
        return "No judged attempt has a verdict"
    true = sum(cell.attempts for cell in cells if cell.good)
    silent = sum(cell.attempts for cell in cells if cell.says == "none")
    rest = f"; {silent:,} attempts get none" if silent else ""
    return f"{percent(true, spoken)} of {spoken:,} verdicts are true{rest}"


def moves_sentence(figures: Figures) -> str:
    """Mistakes fixed against right answers broken."""
    if "moves" in figures.missing:
        return "Without a truth no move can be told"
    fixed, broken = figures.counts["fixed"], figures.counts["broken"]
    return f"Going on fixed {fixed:,} wrong attempts and broke {broken:,} right ones"


def cost_sentence(points: Sequence[Cost]) -> str:
    """Who gets the most, and at what price."""
    if not points:
        return "Without a truth there is no accuracy to weigh"
    # Of equally right runs the cheaper one.
    best = max(points, key=lambda one: (one.accuracy.value, -one.tokens))
    return f"{best.run} is right most often: {percent(best.accuracy.value)} at {best.tokens:,.0f} tokens per output"


def _figure(name: str) -> str:
    words = {
        "accuracy.final": "Final accuracy",
        "f1.correct": "F1 of correct",
        "f1.incorrect": "F1 of incorrect",
    }
    return words.get(name, name)
