"""What the Data page offers when a model's own traces were opened: measure them, or make raw data from them."""

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.measure.reading import Asked
from skill_factory.ui.frame import away, loading, source_pickers, workspace
from skill_factory.ui.frame.steps import MEASURE
from skill_factory.work import outputs
from skill_factory.work.home import new_place
from skill_factory.work.kept.workspaces import forget_uploads

SECONDS = 120.0
"""Seconds for a harvest on a shared server."""


def are_traces() -> bool:
    """Whether the responses look like a model's traces; the first look at a source takes a second or two."""
    mine = workspace.current()
    try:
        return loading.once(
            "traces?", (mine.source, mine.token), lambda: away.run(outputs.are_traces, *_asked())
        )
    except SkillFactoryError:
        return False  # the page itself says what is wrong


def note() -> None:
    """One sentence and two next steps."""
    st.info(
        "This looks like a model's traces. Measure them, or turn them into raw data.",
        icon=":material/monitoring:",
    )
    with st.container(horizontal=True):
        if st.button("Measure them", key="data.measure", icon=":material/monitoring:"):
            workspace.current().outputs = (workspace.current().source,)
            workspace.keep()
            st.switch_page(MEASURE.target())
        if st.button("Turn them into raw data", key="data.harvest", icon=":material/agriculture:"):
            _harvest()


def _asked() -> tuple[str, Asked, str]:
    """The chosen data as a measurement is asked for them: what they are, how they are read, and a token."""
    mine = workspace.current()
    recipe = mine.recipe.model_copy(update={"columns": type(mine.recipe.columns)()})
    return mine.source, Asked(recipe), mine.token


def _harvest() -> None:
    forget_uploads(days=30)
    path = new_place("uploads") / "harvest.parquet"
    try:
        with st.spinner("Taking the outputs apart …"):
            away.run(outputs.made_raw, *_asked(), path, seconds=SECONDS)
    except SkillFactoryError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    source_pickers.enter(str(path), "harvest.parquet")
