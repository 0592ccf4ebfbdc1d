"""How a training went, as a table, a sentence and a chart: loss or reward by step."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

HEIGHT = 260


def curve_table(curve: Mapping[int, float], name: str) -> "pd.DataFrame":
    """Columns step and `name`."""
    import pandas as pd

    return pd.DataFrame({"step": list(curve), name: list(curve.values())})


def curve_finding(curve: Mapping[int, float], name: str) -> str:
    """Where it began, and where it is."""
    return f"{name.capitalize()} {curve[min(curve)]:.3f} at first, {curve[max(curve)]:.3f} now"


def curve_chart(table: "pd.DataFrame", name: str) -> Any:
    """A line; its axis begins where the values do, since a curve of losses never comes near zero."""
    import altair as alt

    return (
        alt.Chart(table)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="Step", axis=alt.Axis(grid=False, tickMinStep=1)),
            y=alt.Y(f"{name}:Q", title=name.capitalize(), scale=alt.Scale(zero=False)),
            tooltip=[
                alt.Tooltip("step:Q", title="Step"),
                alt.Tooltip(f"{name}:Q", title=name.capitalize(), format=".4f"),
            ],
        )
        .properties(height=HEIGHT)
    )
