"""A measurement: the figures of all runs, what sets them apart, and the one object that `--json` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from skill_factory.errors import RecipeError
from skill_factory.measure.comparing import Comparison, Point, compare, series_of
from skill_factory.measure.figures import Figures
from skill_factory.measure.figures_json import interval_json, run_json, whole
from skill_factory.measure.intervals import RESAMPLES
from skill_factory.measure.runs import figures_of, groups_of, notes_of, of_run, run_names

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Group:
    """The outputs with one value of a column: all together, and run by run where there are several."""

    all: Figures
    runs: Mapping[str, Figures]


@dataclass(frozen=True)
class Measurement:
    """What was measured."""

    runs: Mapping[str, Figures]
    comparisons: Sequence[Comparison]
    series: Sequence[Point]
    by: Mapping[str, Mapping[str, Group]]
    notes: Sequence[str]
    """What a reader should know before the figures are believed, run by run."""
    reading: Mapping[str, Any]
    """How the outputs were read: files, columns, rules, tokens."""
    table: pa.Table = field(repr=False)
    """A row per output (`outputs.TABLE`)."""
    judged: Mapping[str, Any] = field(default_factory=dict)
    """What a model said of untagged habits, and how often it agrees with the tags; empty unless it was asked."""

    @property
    def missing(self) -> list[str]:
        """A sentence for each figure that can't be had."""
        return [line for run, figures in self.runs.items() for line in _missing_lines(run, figures)]

    def to_json(self) -> dict[str, Any]:
        """The object of `--json`; its keys are those of docs/measure.md."""
        return {
            "runs": {run: run_json(figures) for run, figures in self.runs.items()},
            "comparisons": [
                {
                    "a": one.a,
                    "b": one.b,
                    "questions": one.questions,
                    "figure": one.figure,
                    **interval_json(one.difference),
                }
                for one in self.comparisons
            ],
            "series": [
                {"run": one.run, "step": whole(one.step), "figure": one.figure, **interval_json(one.at)}
                for one in self.series
            ],
            "by": {
                column: {
                    value: {
                        **run_json(group.all),
                        "runs": {run: run_json(one) for run, one in group.runs.items()},
                    }
                    for value, group in groups.items()
                }
                for column, groups in self.by.items()
            },
            "missing": self.missing,
            "notes": list(self.notes),
            "reading": dict(self.reading),
            "resamples": RESAMPLES,
            **({"judged": dict(self.judged)} if self.judged else {}),
        }

    def to_pandas(self) -> "pd.DataFrame":
        """One row per run and figure: run, figure, value, low, high."""
        import pandas as pd

        rows = [
            (run, name, at.value, at.low, at.high)
            for run, figures in self.runs.items()
            for name, at in figures.values.items()
        ]
        return pd.DataFrame(rows, columns=["run", "figure", "value", "low", "high"])


def measurement(
    table: pa.Table,
    by: Sequence[str] = (),
    baseline: str = "",
    seed: int = 0,
    reading: Mapping[str, Any] | None = None,
    why: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    unread: Mapping[str, str] | None = None,
) -> Measurement:
    """
    All figures of a table of outputs.

    `why` says for a run why nothing can be judged, `unread` why its verdicts can't be read. Errors: RecipeError.
    """
    why, unread = why or {}, unread or {}
    tables = {run: of_run(table, run) for run in run_names(table)}
    figures = {
        run: figures_of(one, seed, why.get(run, ""), unread.get(run, "")) for run, one in tables.items()
    }
    base = _baseline(baseline, list(tables))
    others = [run for run in tables if run != base] if base else []
    comparisons = [row for run in others for row in compare(base, run, tables, figures, seed)]
    shared = {one.b for one in comparisons}
    apart = [
        f"{base} and {run} share no question, so they can't be compared."
        for run in others
        if run not in shared
    ]
    notes = [*notes, *_notes(tables, figures), *apart]
    groups = {column: _groups(table, column, seed) for column in by}
    return Measurement(
        figures, comparisons, series_of(tables, figures, seed), groups, notes, reading or {}, table
    )


def _notes(tables: Mapping[str, pa.Table], figures: Mapping[str, Figures]) -> list[str]:
    return [f"{run}: {note}" for run, one in tables.items() for note in notes_of(figures[run], one)]


def _baseline(asked: str, runs: Sequence[str]) -> str:
    """The run that others are compared with: the one asked for, or the first of two."""
    if not asked:
        # With three or more runs a guess would decide what is called better, so it has to be asked for.
        return runs[0] if len(runs) == 2 else ""
    matching = [
        # People name the file they gave; the run is called by its name without the ending.
        run
        for run in runs
        if asked in (run, f"{run}.parquet", f"{run}.jsonl", f"{run}.json", f"{run}.csv")
    ]
    if not matching:
        shown = ", ".join(runs[:10])
        raise RecipeError(
            f"There is no run {asked!r} to compare with. Runs: {shown}. Give one of them as --baseline."
        )
    return matching[0]


def _groups(table: pa.Table, column: str, seed: int) -> dict[str, Group]:
    groups = {}
    for value, part in groups_of(table, column).items():
        names = run_names(part)
        # One run alone is what "all together" shows already.
        runs = {run: figures_of(of_run(part, run), seed) for run in names} if len(names) > 1 else {}
        groups[value] = Group(figures_of(part, seed), runs)
    return groups


def _missing_lines(run: str, figures: Figures) -> list[str]:
    """One sentence per reason, with the figures that it takes away."""
    # Many figures go missing for the same reason: one sentence for all of them, not twenty.
    reasons: dict[str, list[str]] = {}
    for name, why in figures.missing.items():
        reasons.setdefault(why, []).append(name)
    return [f"{run}: no {', '.join(names)}: {why}." for why, names in reasons.items()]
