"""Four charts to decide by: skill by checkpoint, the verdict table, moves, and what it costs."""

import streamlit as st

from skill_factory.measure.comparing import as_lines
from skill_factory.measure.runs import of_run
from skill_factory.measure.shown import chart_data, output_charts
from skill_factory.measure.shown.browsing import Looked
from skill_factory.ui.frame import workspace
from skill_factory.ui.frame.chart_answer import answer


def charts(seen: Looked) -> None:
    """The charts of one run, and those of all."""
    runs = list(seen.found.runs)
    run = runs[0]
    if len(runs) > 1:
        run = st.selectbox("Run", runs, key="measure.chart.run", format_func=workspace.plain) or run
    left, right = st.columns(2, gap="large")
    with left:
        _verdicts(seen, run)
        _series(seen)
    with right:
        _moves(seen, run)
        _cost(seen)


def _verdicts(seen: Looked, run: str) -> None:
    figures = seen.found.runs[run]
    table = output_charts.verdict_table(chart_data.verdict_cells(figures))
    said = chart_data.verdict_sentence(figures)
    answer(
        output_charts.verdict_chart(table) if len(table) else None, said, table, "chart.verdicts", "verdicts"
    )


def _moves(seen: Looked, run: str) -> None:
    figures = seen.found.runs[run]
    moves = [] if "moves" in figures.missing else chart_data.moves_by_attempt(of_run(seen.found.table, run))
    table = output_charts.moves_table(moves)
    answer(
        output_charts.moves_chart(table) if len(table) else None,
        chart_data.moves_sentence(figures),
        table,
        "chart.moves",
        "moves",
    )


def _series(seen: Looked) -> None:
    series = as_lines(seen.found.series)
    if not series:
        st.caption(
            "To see a trend, give several checkpoints: a column `step`, or runs with a number in their names."
        )
        return
    runs = list(dict.fromkeys(one.run for one in series))
    run = (
        runs[0]
        if len(runs) == 1
        else st.selectbox("Series of", runs, key="measure.series", format_func=workspace.plain)
    )
    table = output_charts.series_table(series, run or runs[0])
    answer(
        output_charts.series_chart(table),
        chart_data.series_sentence(seen.found),
        table,
        "chart.series",
        "checkpoints",
    )


def _cost(seen: Looked) -> None:
    points = chart_data.costs(seen.found)
    table = output_charts.cost_table(points)
    chart = output_charts.cost_chart(table) if len(table) else None
    answer(chart, chart_data.cost_sentence(points), table, "chart.cost", "accuracy and tokens")
