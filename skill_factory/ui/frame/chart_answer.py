"""A chart as an answer: the sentence it shows, the chart, and the table behind it."""

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from skill_factory.ui.frame import workspace

if TYPE_CHECKING:
    import pandas as pd

SHARES = ("share", "low", "high", "longer")


def answer(chart: Any, sentence: str, table: "pd.DataFrame", key: str, name: str, **options: Any) -> Any:
    """A chart under the sentence that it shows, with the table behind it folded away; gives what was selected."""
    st.markdown(f"**{workspace.plain(sentence)}**")
    if table.empty:
        return None
    event = st.altair_chart(_unchecked(chart), alt=sentence, key=key, **options)
    # Each has its own name, so that a screen reader's list of buttons tells them apart.
    numbers = st.expander(
        f"Show table: {name}", icon=":material/table:", on_change="rerun", key=f"{key}.numbers"
    )
    if numbers.open:
        numbers.dataframe(
            table.rename(columns=str.capitalize),
            hide_index=True,
            alt=f"Table: {sentence}",
            key=f"{key}.table",
            column_config=_percentages(table),
        )
    return event


def _percentages(table: "pd.DataFrame") -> dict[str, Any]:
    """Columns of shares, shown in percent; a forecast's bounds have the same names and are whole numbers."""
    shares = (name for name in SHARES if name in table and table[name].dtype.kind == "f")
    return {name.capitalize(): st.column_config.NumberColumn(format="percent") for name in shares}


def _unchecked(chart: Any) -> Any:
    """The chart without Altair's check of its schema: the tests made it, and it takes as long as all the rest."""
    object.__setattr__(chart, "to_dict", partial(chart.to_dict, validate=False))
    return chart
