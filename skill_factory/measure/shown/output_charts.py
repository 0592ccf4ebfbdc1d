"""The four charts that decide, for the page: Altair from the numbers of `chart_data`, in the theme's own colours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skill_factory.insight.chart_parts import HEIGHT, Chart, coloured, ink, number_tooltip
from skill_factory.measure.comparing import Point
from skill_factory.measure.shown.chart_data import SERIES_FIGURES, Cell, Cost, Move

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = dict(zip(SERIES_FIGURES, ("accent", "right", "wrong"), strict=True))
_NAMES = dict(zip(SERIES_FIGURES, ("final accuracy", "F1 of correct", "F1 of incorrect"), strict=True))


def series_table(series: Sequence[Point], run: str) -> "pd.DataFrame":
    """One row per figure and step of a run."""
    import pandas as pd

    rows = [
        (
            _NAMES[point.figure],
            point.step,
            point.at.value,
            point.at.low,
            point.at.high,
            _COLOURS[point.figure],
        )
        for point in series
        if point.run == run and point.figure in _COLOURS
    ]
    return pd.DataFrame(rows, columns=["figure", "step", "value", "low", "high", "colour"]).dropna(
        subset=["value"]
    )


def series_chart(table: "pd.DataFrame") -> Chart:
    """A line with its band for each figure, named at its end."""
    import altair as alt

    x = alt.X("step:Q", title="Step", axis=alt.Axis(grid=False, tickMinStep=1))
    # The whole range of a share: a cut axis makes noise look like progress.
    y = alt.Y("value:Q", title="Share", scale=alt.Scale(domain=[0, 1]))
    tooltips = [alt.Tooltip("figure:N", title="Figure"), alt.Tooltip("step:Q", title="Step")]
    tooltips += [
        alt.Tooltip(f"{name}:Q", title=title, format=".3f")
        for name, title in (("value", "Value"), ("low", "At least (95 %)"), ("high", "At most (95 %)"))
    ]
    base = alt.Chart(table).encode(x=x, color=coloured(), detail="figure:N", tooltip=tooltips)
    last = table[table["step"] == table["step"].max()]
    ends = alt.Chart(last).encode(x=x, y=y, text="figure:N", color=coloured())
    return alt.layer(
        base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y),
        base.mark_point(filled=True, size=50).encode(y=y),
        ends.mark_text(align="right", dy=-10, fontSize=12),
    ).properties(height=HEIGHT)


def verdict_table(cells: Sequence[Cell]) -> "pd.DataFrame":
    """One row per cell: truth, what was said, how many attempts, and the sign for true or not."""
    import pandas as pd

    signs = {True: " ✓", False: " ✗"}
    rows = [
        (
            f"{cell.truth} attempt",
            cell.says,
            cell.attempts,
            "grey" if cell.says == "none" else "right" if cell.good else "wrong",
            f"{cell.attempts:,}{'' if cell.says == 'none' else signs[cell.good]}",
        )
        for cell in cells
    ]
    return pd.DataFrame(rows, columns=["truth", "says", "attempts", "colour", "shown"])


def verdict_chart(table: "pd.DataFrame") -> Chart:
    """Four cells and none, each as strong as it is full."""
    import altair as alt

    x = alt.X(
        "says:N",
        sort=["correct", "incorrect", "none"],
        title="The verdict says",
        axis=alt.Axis(labelAngle=0, orient="top", ticks=False, domain=False),
    )
    y = alt.Y(
        "truth:N",
        sort=["right attempt", "wrong attempt"],
        title=None,
        axis=alt.Axis(ticks=False, domain=False),
    )
    tooltips = [
        alt.Tooltip("truth:N", title="Truth"),
        alt.Tooltip("says:N", title="Verdict"),
        number_tooltip("attempts", "Attempts"),
    ]
    base = alt.Chart(table).encode(x=x, y=y, tooltip=tooltips)
    strength = alt.Opacity(
        "attempts:Q",
        scale=alt.Scale(domain=[0, max(1, int(table["attempts"].max()))], range=[0.08, 0.6]),
        legend=None,
    )
    return alt.layer(
        base.mark_rect(cornerRadius=6, stroke=None).encode(color=coloured(), opacity=strength),
        base.mark_text(fontSize=15, fontWeight=600).encode(text="shown:N", color=ink()),
    ).properties(height=220)


def moves_table(moves: Sequence[Move]) -> "pd.DataFrame":
    """Two rows for each attempt from the second on; broken counts downwards."""
    import pandas as pd

    rows = [
        row
        for move in moves
        for row in (
            (move.attempt, "fixed", move.fixed, move.fixed, "right"),
            (move.attempt, "broken", move.broken, -move.broken, "wrong"),
        )
    ]
    return pd.DataFrame(rows, columns=["attempt", "move", "attempts", "height", "colour"])


def moves_chart(table: "pd.DataFrame") -> Chart:
    """Fixed above the line, broken below it, by the attempt that a move leads to."""
    import altair as alt

    x = alt.X("attempt:O", title="Attempt that the move leads to", axis=alt.Axis(labelAngle=0))
    y = alt.Y("height:Q", title="Broken   |   fixed", axis=alt.Axis(labelExpr="abs(datum.value)", grid=False))
    tooltips = [
        alt.Tooltip("attempt:O", title="Attempt"),
        alt.Tooltip("move:N", title="Move"),
        number_tooltip("attempts", "How many"),
    ]
    base = alt.Chart(table).encode(x=x, y=y, tooltip=tooltips)
    # Words beside the colours, for those who can't tell red from green and for prints.
    text = base.transform_calculate(said="format(datum.attempts, ',') + ' ' + datum.move")
    return alt.layer(
        base.mark_bar(opacity=0.7).encode(color=coloured()),
        text.transform_filter("datum.height > 0")
        .mark_text(dy=-8, fontSize=11)
        .encode(text="said:N", color=ink()),
        text.transform_filter("datum.height < 0")
        .mark_text(dy=10, fontSize=11)
        .encode(text="said:N", color=ink()),
    ).properties(height=HEIGHT)


def cost_table(points: Sequence[Cost]) -> "pd.DataFrame":
    """One row per run: tokens of an output and final accuracy."""
    import pandas as pd

    rows = [
        (cost.run, cost.tokens, cost.accuracy.value, cost.accuracy.low, cost.accuracy.high) for cost in points
    ]
    table = pd.DataFrame(rows, columns=["run", "tokens", "accuracy", "low", "high"])
    return table.assign(colour="accent")


def cost_chart(table: "pd.DataFrame") -> Chart:
    """A point for each run with its interval: up is better, left is cheaper."""
    import altair as alt

    x = alt.X(
        "tokens:Q",
        title="Tokens per output, on average",
        scale=alt.Scale(domain=[0, float(table["tokens"].max()) * 1.2]),
    )
    y = alt.Y("accuracy:Q", title="Final accuracy", scale=alt.Scale(domain=[0, 1]))
    tooltips = [alt.Tooltip("run:N", title="Run"), alt.Tooltip("tokens:Q", title="Tokens", format=",.0f")]
    tooltips += [
        alt.Tooltip(f"{name}:Q", title=title, format=".1%")
        for name, title in (("accuracy", "Accuracy"), ("low", "At least (95 %)"), ("high", "At most (95 %)"))
    ]
    base = alt.Chart(table).encode(x=x, tooltip=tooltips)
    return alt.layer(
        base.mark_rule(strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q"), y2="high:Q", color=ink()),
        base.mark_point(filled=True, size=110, opacity=1).encode(y=y, color=coloured()),
        base.mark_text(align="left", dx=9, fontSize=12).encode(y=y, text="run:N", color=ink()),
    ).properties(height=HEIGHT)
