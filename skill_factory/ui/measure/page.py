"""See what a model's outputs show: attempts, reflections, verdicts, and what its next dataset might need."""

import streamlit as st

from skill_factory.ui.frame import trace_view
from skill_factory.ui.measure import (
    chosen_outputs,
    deciding,
    figures_view,
    next_round,
    outputs_view,
    sampling,
)


def show() -> None:
    """The page, from top to bottom."""
    st.title("Measure")
    seen = chosen_outputs.choose(sampling.part, sampling.handed_over())
    if seen is None:
        st.stop()
    trace_view.style()
    chosen_outputs.how_read(seen)
    figures_view.headline(seen)
    deciding.charts(seen)
    outputs_view.part(seen)
    figures_view.tables(seen)
    next_round.show(seen)
