"""Choose the traces, with live numbers next to each choice."""

from pathlib import Path

import streamlit as st

from skill_factory.recipe.titles import title_of
from skill_factory.ui.choose.choice_charts import SECTIONS, choose_section
from skill_factory.ui.choose.filter_controls import (
    advanced_controls,
    balance_controls,
    filter_controls,
    idle_controls,
    variant_controls,
)
from skill_factory.ui.choose.format_picker import format_picker
from skill_factory.ui.choose.recommended import recommended_recipe
from skill_factory.ui.frame import loading, shell, workspace
from skill_factory.ui.frame.loading import Evidence
from skill_factory.wording import many

CSS = Path(__file__).with_name("choose.css")


def show() -> None:
    """The page, from top to bottom."""
    st.title("Choose")
    st.html(CSS)
    shell.needs_source("Here you choose which traces are made, and see what each choice does to your data.")

    seen = loading.evidence()
    recommended = st.container()
    controls, evidence = st.columns([1, 2], gap="large")

    # First what moves, so that it doesn't wait for the controls to be drawn.
    with evidence, st.container(key="evidence"):
        with st.container(horizontal=True, vertical_alignment="center", key="evidence.head"):
            section = choose_section()
            _onwards(seen)
        with shell.part_place(SECTIONS, section):
            SECTIONS[section](seen)
        shell.go(shell.SUITE, "Compare arms: change one thing at a time, on the same questions")
    with recommended:
        recommended_recipe(seen)
    with controls:
        _controls(seen)


def _controls(seen: Evidence) -> None:
    st.slider(
        title_of("traces.attempts"),
        1,
        # A recipe from elsewhere may ask for more than ten.
        max(10, workspace.value("traces.attempts")),
        help="An attempt is one response of the model, shown in a trace. A question needs N usable responses.",
        **workspace.bound("traces.attempts"),
    )
    workspace.problem("traces.attempts")
    format_picker(seen)
    why = idle_controls(seen)
    with st.expander("Variants and repeats", icon=":material/shuffle:"):
        variant_controls(seen, why)
    with st.expander("Filters", icon=":material/filter_alt:"):
        filter_controls(why)
    with st.expander("Balance and limits", icon=":material/balance:"):
        balance_controls(seen, why)
    with st.expander("Advanced", icon=":material/settings:"):
        advanced_controls(why)


def _onwards(seen: Evidence) -> None:
    """The way to the next step: in view as long as what it leads to is."""
    traces = seen.outlook.traces
    if st.button(
        f"Look at the {many(traces, 'trace') if traces and seen.exact else 'traces'}",
        type="primary",
        icon=":material/visibility:",
        key="choose.next",
        disabled=not traces,
    ):
        st.switch_page(shell.LOOK.target())
