"""Pick your data, see if it's ready, and say which column holds what."""

import streamlit as st

from skill_factory.ui.data import data_overview, making, mapping, sources_view
from skill_factory.ui.frame import loading, measure_offer, workspace
from skill_factory.ui.frame.kept import arriving


def show() -> None:
    """The page, from top to bottom."""
    st.title("Data")

    if making.panel():
        st.stop()
    if not workspace.current().source:
        st.markdown("Here you will see whether your data is ready. Choose some first.")
        arriving.offer("Data")
        data_overview.doors_beside()
        making.before()
        st.stop()

    sources_view.show()
    data_overview.header()
    with st.skeleton(height=240):
        own_traces = measure_offer.are_traces()
        complete = mapping.complete()
        if complete and loading.suit():
            st.rerun()
    if own_traces:
        measure_offer.note()
    making.note()
    st.subheader("Is this data ready?")
    if complete:
        data_overview.verdict()
    else:
        data_overview.incomplete()
