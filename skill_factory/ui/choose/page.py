"""Choose the traces, with live numbers next to each choice."""

import streamlit as st

from skill_factory.ui.choose.choice_charts import chart_sections
from skill_factory.ui.choose.filter_controls import (
    advanced_controls,
    balance_controls,
    filter_controls,
    variant_controls,
)
from skill_factory.ui.choose.format_picker import format_picker
from skill_factory.ui.choose.recommended import recommended_recipe
from skill_factory.ui.frame import loading, shell, workspace
from skill_factory.wording import many


def show() -> None:
    """The page, from top to bottom."""
    st.title("Choose")
    shell.needs_source("Here you choose which traces are made, and see what each choice does to your data.")

    seen = loading.evidence()
    recommended_recipe(seen)
    controls, charts = st.columns([1, 2], gap="large")

    with controls:
        st.slider(
            "Maximum attempts (N)",
            1,
            # A recipe from elsewhere may ask for more than ten.
            max(10, workspace.value("traces.attempts")),
            help="An attempt is one response of the model, shown in a trace. A question needs N usable responses.",
            **workspace.bound("traces.attempts"),
        )
        workspace.problem("traces.attempts")
        format_picker(seen)
        with st.expander("Variants and repeats", icon=":material/shuffle:"):
            variant_controls(seen)
        with st.expander("Filters", icon=":material/filter_alt:"):
            filter_controls()
        with st.expander("Balance and limits", icon=":material/balance:"):
            balance_controls(seen)
        with st.expander("Advanced", icon=":material/settings:"):
            advanced_controls()

    with charts:
        chart_sections(seen)

    with st.container(horizontal=True, horizontal_alignment="right"):
        traces = seen.outlook.traces
        if st.button(
            f"Look at the {many(traces, 'trace') if traces and seen.exact else 'traces'}",
            type="primary",
            icon=":material/visibility:",
            key="choose.next",
            disabled=not traces,
        ):
            st.switch_page(shell.LOOK.target())
