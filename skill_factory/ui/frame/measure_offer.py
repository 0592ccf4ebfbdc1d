"""What the page Data offers where a model's own traces were opened: measure them, or make raw data of them."""

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.measure.measuring import Settings
from skill_factory.measure.reading import Asked, Opened, opened
from skill_factory.ui.frame import loading, source_pickers, workspace
from skill_factory.ui.frame.steps import MEASURE
from skill_factory.work.home import forget_old, new_place

GIVEN = "measure.given"
"""What the page Measure measures, in the session: paths and names."""
LOOKED_AT = 20


def note() -> None:
    """One sentence and two ways on; nothing where the responses are plain ones."""
    mine = workspace.current()
    try:
        if not loading.once("traces?", (mine.source, mine.token), _are_traces):
            return
    except SkillFactoryError:
        return  # said on the page itself
    st.info(
        "These are a model's traces: measure them, or make raw data of them.", icon=":material/monitoring:"
    )
    with st.container(horizontal=True):
        if st.button("Measure them", key="data.measure", icon=":material/monitoring:"):
            st.session_state[GIVEN] = [mine.source]
            st.switch_page(MEASURE.target())
        if st.button("Turn them into raw data", key="data.harvest", icon=":material/agriculture:"):
            _harvest()


def _opened() -> Opened:
    mine = workspace.current()
    return opened(
        mine.source,
        Asked(mine.recipe.model_copy(update={"columns": type(mine.recipe.columns)()})),
        mine.token or None,
    )


def _are_traces() -> bool:
    """Whether most of the first outputs hold sample blocks."""
    from skill_factory.measure.reading import outputs_of

    one = _opened()
    sample = f"<{one.recipe.tags.sample}>"
    texts = [output.text for row in one.source.head(LOOKED_AT) for output in outputs_of(row, one.layout)]
    return bool(texts) and 2 * sum(sample in text for text in texts) > len(texts)


def _harvest() -> None:
    from skill_factory.measure.harvesting import harvest_opened

    forget_old("uploads", days=30)
    path = new_place("uploads") / "harvest.parquet"
    try:
        with st.spinner("Taking the outputs apart …"):
            harvest_opened([_opened()], path, Settings())
    except SkillFactoryError as error:
        st.error(workspace.plain(str(error)), icon=":material/error:")
        return
    source_pickers.enter(str(path), "harvest.parquet")
