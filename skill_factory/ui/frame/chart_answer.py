"""A chart as an answer: the sentence it shows, the chart, and the table behind it."""

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from skill_factory.ui.frame import workspace

if TYPE_CHECKING:
    import pandas as pd


def answer(chart: Any, said: str, table: "pd.DataFrame", key: str, **options: Any) -> Any:
    """A chart under the sentence that it shows, with the table behind it folded away; gives what was selected."""
    st.markdown(f"**{workspace.plain(said)}**")
    if table.empty:
        return None
    event = st.altair_chart(_unchecked(chart), alt=said, key=key, **options)
    numbers = st.expander("The numbers", icon=":material/table:", on_change="rerun", key=f"{key}.numbers")
    if numbers.open:
        numbers.dataframe(table, hide_index=True, alt=f"Table: {said}", key=f"{key}.table")
    return event


def _unchecked(chart: Any) -> Any:
    """The chart, which the tests have held against Altair's schema: to do it again takes as long as all the rest."""
    object.__setattr__(chart, "to_dict", partial(chart.to_dict, validate=False))
    return chart
