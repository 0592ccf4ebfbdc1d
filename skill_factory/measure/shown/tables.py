"""The figures as small tables, the ones that decide first."""

import math
from collections.abc import Sequence

from skill_factory.measure.cells import IS, MOVES, SAYS
from skill_factory.measure.figures import Figures
from skill_factory.measure.figures_json import AFTER
from skill_factory.measure.habits import HABITS
from skill_factory.measure.intervals import Interval
from skill_factory.measure.measurement import Measurement
from skill_factory.measure.shown.writings import Table, Writing

__all__ = ["Writing", "number", "tables_of"]


def tables_of(measurement: Measurement) -> list[Table]:
    """Every table of a measurement, the figures that decide first."""
    every = [
        _skill(measurement),
        _verdicts(measurement),
        _agreement(measurement),
        _moves(measurement),
        _after(measurement),
        _outcome(measurement),
    ]
    every += [
        _at_k(measurement),
        _discipline(measurement),
        _lengths(measurement),
        _words(measurement),
        _distribution(measurement),
    ]
    every += [_comparisons(measurement), _series(measurement), *_by(measurement), _judged(measurement)]
    # An empty table would look like a figure of nothing.
    return [table for table in every if table.rows]


def number(at: Interval, digits: int = 3) -> str:
    """A figure with its interval: `0.61 [0.55, 0.66]`; a dash where it can't be had."""
    if math.isnan(at.value):
        return "–"
    spread = "" if math.isnan(at.low) else f" [{at.low:.{digits}f}, {at.high:.{digits}f}]"
    return f"{at.value:.{digits}f}{spread}"


# -- one function a table ------------------------------------------------------------------------------------------


def _per_run(
    measurement: Measurement, title: str, columns: Sequence[str], cells: object, note: str = ""
) -> Table:
    rows = tuple((run, *cells(figures)) for run, figures in measurement.runs.items())  # type: ignore[operator]
    return Table(title, ("run", *columns), rows, note)


def _skill(measurement: Measurement) -> Table:
    def cells(figures: Figures) -> tuple[str, ...]:
        names = ("attempts", "answers", "reflections", "two_attempts")
        return (
            f"{figures.counts['outputs']:,}",
            f"{figures.questions:,}",
            *(number(figures.values[name], 2) for name in names),
        )

    columns = ("outputs", "questions", "attempts", "answers", "reflections", "share with 2 attempts")
    return _per_run(
        measurement, "Skill", columns, cells, "Means per output, with 95 % intervals over questions."
    )


def _verdicts(measurement: Measurement) -> Table:
    rows = [
        (run, f"attempt {true}", *(_count(figures, f"{true}_{said}", "verdicts") for said in SAYS))
        for run, figures in measurement.runs.items()
        for true in IS
    ]
    note = "One entry for each judged attempt: the last verdict before the next attempt."
    return Table("Verdicts", ("run", "truth", *(f"says {said}" for said in SAYS)), tuple(rows), note)


def _agreement(measurement: Measurement) -> Table:
    names = (
        "f1.correct",
        "f1.incorrect",
        "precision.correct",
        "precision.incorrect",
        "recall.correct",
        "recall.incorrect",
        "verdict_accuracy",
        "kappa",
    )
    columns = tuple(name.replace(".", " ").replace("_", " ").replace("f1", "F1") for name in names)
    note = "An attempt without a verdict is a miss in both recalls."
    return _per_run(
        measurement,
        "How good the verdicts are",
        columns,
        lambda one: [number(one.values[n]) for n in names],
        note,
    )


def _moves(measurement: Measurement) -> Table:
    def cells(one: Figures) -> list[str]:
        return [
            *(_count(one, name, "moves") for name in MOVES),
            f"{one.counts['moves_unjudged']:,}",
            f"{one.counts['again']:,}",
        ]

    columns = ("fixed", "broken", "kept right", "kept wrong", "unjudged", "same answer again")
    return _per_run(measurement, "Moves between neighbouring attempts", columns, cells)


def _after(measurement: Measurement) -> Table:
    columns = tuple(name.replace("_", " ") for name in AFTER)
    return _per_run(
        measurement, "What follows a verdict", columns, lambda one: [f"{one.counts[n]:,}" for n in AFTER]
    )


def _outcome(measurement: Measurement) -> Table:
    names = ("accuracy.first", "accuracy.final", "accuracy.any", "gain")
    columns = ("first attempt right", "final answer right", "any attempt right", "gain")
    return _per_run(
        measurement,
        "Outcome",
        columns,
        lambda one: [number(one.values[n]) for n in names],
        "Over all outputs.",
    )


def _at_k(measurement: Measurement) -> Table:
    rows = [
        (run, str(at.k), f"{at.questions:,}", f"{at.passed:.3f}", f"{at.majority:.3f}")
        for run, figures in measurement.runs.items()
        for at in figures.more["at_k"]
    ]
    return Table("Several outputs a question", ("run", "k", "questions", "pass@k", "maj@k"), tuple(rows))


def _discipline(measurement: Measurement) -> Table:
    names = (
        "malformed",
        "cut_off",
        "no_answer",
        "differs",
        "repeats",
        "same_text",
        "same_answer",
        "unpaired",
        "unjudged",
    )
    columns = (
        "malformed",
        "cut off",
        "no answer",
        "answer no attempt gave",
        "in circles",
        "same text",
        "same answer",
        "unpaired reflections",
        "unjudged attempts",
    )
    return _per_run(measurement, "Discipline", columns, lambda one: [f"{one.counts[n]:,}" for n in names])


def _lengths(measurement: Measurement) -> Table:
    rows = [
        (run, what, *(f"{spread[n]:,}" for n in ("median", "p90", "p99")))
        for run, figures in measurement.runs.items()
        for what, spread in figures.more["lengths"].items()
        if spread
    ]
    note = f"Tokens ({measurement.reading.get('tokens', 'as counted')})."
    return Table("Length", ("run", "of", "median", "90 %", "99 %"), tuple(rows), note)


def _words(measurement: Measurement) -> Table:
    note = "Phrases per 1,000 tokens: words, no more. They say nothing of what the model does."
    columns = tuple(habit.replace("_", " ") for habit in HABITS)
    return _per_run(
        measurement, "Words", columns, lambda one: [f"{one.words(habit):.2f}" for habit in HABITS], note
    )


def _distribution(measurement: Measurement) -> Table:
    most = max(
        (max(figures.more["distribution"], default=0) for figures in measurement.runs.values()), default=0
    )
    # Wider than this a table no longer fits a page of a paper.
    top = min(most, 10)

    def cells(figures: Figures) -> list[str]:
        spread = figures.more["distribution"]
        beyond = sum(k for n, k in spread.items() if n > top)
        return [*(f"{spread.get(n, 0):,}" for n in range(top + 1)), *([f"{beyond:,}"] if most > top else [])]

    columns = [*map(str, range(top + 1)), *([f"over {top}"] if most > top else [])]
    return _per_run(measurement, "Outputs by number of attempts", columns, cells)


def _comparisons(measurement: Measurement) -> Table:
    rows = [
        (
            f"{comparison.b} − {comparison.a}",
            comparison.figure,
            f"{comparison.questions:,}",
            number(comparison.difference),
        )
        for comparison in measurement.comparisons
    ]
    return Table(
        "Comparison", ("runs", "figure", "questions both were asked", "difference"), tuple(rows), "Paired."
    )


def _series(measurement: Measurement) -> Table:
    rows = [(point.run, f"{point.step:g}", point.figure, number(point.at)) for point in measurement.series]
    return Table("Over checkpoints", ("run", "step", "figure", "value"), tuple(rows))


def _by(measurement: Measurement) -> list[Table]:
    names = ("attempts", "reflections", "accuracy.first", "accuracy.final", "f1.correct", "f1.incorrect")
    tables = []
    for column, groups in measurement.by.items():
        rows = [
            (
                value,
                run,
                f"{figures.counts['outputs']:,}",
                *(number(figures.values[name], 2) for name in names),
            )
            for value, group in groups.items()
            for run, figures in (group.runs or {"all": group.all}).items()
        ]
        tables.append(Table(f"By {column}", (column, "run", "outputs", *names), tuple(rows)))
    return tables


def _judged(measurement: Measurement) -> Table:
    """What a model said of habits, beside how often it agrees with the tags."""
    if not measurement.judged:
        return Table("Habits", (), ())
    rows = []
    for habit, judged in measurement.judged["habits"].items():
        agreed = measurement.judged["agreement"].get(habit)
        beside = f"{agreed['agreed']:,} of {agreed['of']:,}" if agreed and agreed["of"] else "–"
        nothing = float("nan")
        at = Interval(
            *(nothing if judged[name] is None else judged[name] for name in ("value", "low", "high"))
        )
        rows.append((habit.replace("_", " "), number(at, 2), f"{judged['of']:,}", beside))
    note = f"As {measurement.judged['model']} judges a sample, tags taken out; its agreement with the tags stands beside it."
    return Table(
        "Habits, as a model judges them",
        ("habit", "share", "outputs", "agrees with the tags"),
        tuple(rows),
        note,
    )


def _count(figures: Figures, name: str, group: str) -> str:
    return "–" if group in figures.missing else f"{figures.counts[name]:,}"
