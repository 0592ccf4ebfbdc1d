"""The figures: the most important ones at the top, all tables further down, each to copy as Markdown, CSV or LaTeX."""

import math

import streamlit as st

from skill_factory.measure.figures import Figures
from skill_factory.measure.intervals import Interval
from skill_factory.measure.shown.browsing import Looked
from skill_factory.measure.shown.tables import Writing, number, tables_of
from skill_factory.ui.frame import workspace
from skill_factory.wording import percent

MOST_RUNS = 4
"""Runs whose figures are shown as large numbers; more of them go into a table."""


def headline(seen: Looked) -> None:
    """Attempts, reflections, verdicts and outcome of each run."""
    st.subheader("What they show")
    runs = list(seen.found.runs.items())
    for run, one in runs[:MOST_RUNS]:
        if len(runs) > 1:
            st.markdown(f"**{workspace.plain(run)}**")
        _numbers(one)
    if len(runs) > MOST_RUNS:
        st.caption(f"And {len(runs) - MOST_RUNS} more; all of them are in the tables below.")
    _comparisons(seen)


def _numbers(one: Figures) -> None:
    values = one.values
    shown = (
        ("Attempts per output", f"{values['attempts'].value:.2f}", values["attempts"], False),
        ("Reflections per output", f"{values['reflections'].value:.2f}", values["reflections"], False),
        ("F1 of *correct*", _plain(values["f1.correct"]), values["f1.correct"], False),
        ("F1 of *incorrect*", _plain(values["f1.incorrect"]), values["f1.incorrect"], False),
        ("First attempt right", _share(values["accuracy.first"]), values["accuracy.first"], True),
        ("Final answer right", _share(values["accuracy.final"]), values["accuracy.final"], True),
    )
    for column, (label, value, at, share) in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(label, value, border=True, help=_range(at, share))


def _plain(at: Interval) -> str:
    return "–" if math.isnan(at.value) else f"{at.value:.2f}"


def _share(at: Interval) -> str:
    return "–" if math.isnan(at.value) else percent(at.value)


def _range(at: Interval, share: bool) -> str:
    if math.isnan(at.low):
        return "It can't be computed from these outputs; the reason is given above."
    low, high = (percent(one) if share else f"{one:.2f}" for one in (at.low, at.high))
    return f"Between {low} and {high} (95 % interval from resampling questions)"


def _comparisons(seen: Looked) -> None:
    rows = [
        one
        for one in seen.found.comparisons
        if one.figure in ("accuracy.final", "f1.correct", "f1.incorrect", "attempts")
    ]
    for one in rows:
        sure = "" if one.difference.low <= 0 <= one.difference.high else ", and the interval excludes zero"
        st.markdown(
            f"- {workspace.plain(one.b)} minus {workspace.plain(one.a)}, {one.figure}: **{workspace.plain(number(one.difference))}** "
            f"on {one.questions:,} shared questions{sure}"
        )


def tables(seen: Looked) -> None:
    """Every table, folded away; a button in the corner of each box copies it."""
    st.subheader("All figures")
    writing = st.segmented_control(
        "Copy as",
        list(Writing),
        default=Writing.MARKDOWN,
        required=True,
        key="measure.writing",
        format_func=str.capitalize,
    )
    for table in tables_of(seen.found):
        box = st.expander(
            table.title, icon=":material/table:", on_change="rerun", key=f"measure.table.{table.title}"
        )
        if box.open:
            with box:
                st.dataframe(
                    {name: [row[k] for row in table.rows] for k, name in enumerate(table.columns)},
                    hide_index=True,
                    alt=table.title,
                    key=f"measure.cells.{table.title}",
                )
                if table.note:
                    st.caption(table.note)
                st.code(table.written(writing or Writing.MARKDOWN), language=None)
