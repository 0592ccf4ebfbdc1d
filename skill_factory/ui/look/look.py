"""The parts of the Look page: the traces, what was kept and dropped, labels in doubt, two recipes."""

from collections.abc import Callable

import streamlit as st

from skill_factory.insight import sentences, tables, trace_charts
from skill_factory.ui.frame import loading, shell, trace_view, workspace
from skill_factory.ui.frame.chart_answer import answer
from skill_factory.ui.frame.steps import FINISH
from skill_factory.ui.look import trace_picker
from skill_factory.ui.look.browse_view import fates
from skill_factory.ui.look.compare_view import two_recipes
from skill_factory.ui.look.doubts_view import doubts
from skill_factory.ui.look.review_room import review_room
from skill_factory.wording import many


def part() -> None:
    """The choice between the parts, and the one that is chosen."""
    trace_view.style()
    if "look.dropped" in st.session_state:  # a click on a bar on Choose asks for certain texts
        st.session_state["look.part"] = FATES
    chosen = st.segmented_control(
        "What to look at",
        list(PARTS),
        default=TRACES,
        required=True,
        key="look.part",
        label_visibility="collapsed",
        persist_state="session",
    )
    name = chosen or TRACES
    with shell.part_place(PARTS, name):
        PARTS[name]()


def traces() -> None:
    """The traces, one after another."""
    controls, shown = st.columns([1, 2], gap="large")
    with controls:
        trace = trace_picker.pick_trace()
    with shown:
        if trace is not None:
            trace_view.show(trace, loading.recipe())
        trace_picker.rejections(trace)
    _onwards()


def summed_up() -> None:
    """What the traces teach, and how many a trainer would cut."""
    seen = loading.evidence()
    left, right = st.columns(2, gap="large")
    with left:
        table = tables.teaches_table(seen.outlook)
        answer(
            trace_charts.teaches_chart(table),
            sentences.teaches_finding(seen.outlook),
            table,
            "chart.teaches",
            "what traces show",
        )
    with right:
        tally, per_token = loading.typical(), seen.recipe.cutoff.chars_per_token
        limit = workspace.cutoff(seen.recipe)
        table = tables.cutoff_table(tally, per_token)
        sentence = sentences.cutoff_finding(tally, limit, tables.too_long(tally, limit, per_token))
        answer(trace_charts.cutoff_chart(table, limit), sentence, table, "chart.cutoff", "trace lengths")
        st.caption(f"Estimated from traces of the first rows, at {per_token:g} characters per token.")
    _onwards()


def _onwards() -> None:
    """The way to the last step, named for what it leads to."""
    seen = loading.evidence()
    traces, known = seen.outlook.traces, seen.exact and seen.outlook.exact
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(
            # Only an exact number is promised on a button.
            f"Continue to build {many(traces, 'trace')}" if known and traces else "Continue to the build",
            type="primary",
            icon=":material/check_circle:",
            key="look.finish",
            disabled=not traces,
        ):
            st.switch_page(FINISH.target())


TRACES, REVIEW, LESSONS, FATES = "Traces", "Review", "What they teach", "Kept and dropped"
DOUBTS, RECIPES = "Labels in doubt", "Two recipes"
PARTS: dict[str, Callable[[], None]] = {
    TRACES: traces,
    REVIEW: review_room,
    LESSONS: summed_up,
    FATES: fates,
    DOUBTS: doubts,
    RECIPES: two_recipes,
}
