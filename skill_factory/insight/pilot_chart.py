"""What a pilot forecasts, as a table, a sentence and a chart: usable questions at each N, with an interval."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from skill_factory.insight.chart_parts import Chart, coloured, ink, number_tooltip
from skill_factory.wording import many

if TYPE_CHECKING:
    import pandas as pd

HEIGHT = 230
MARGIN_TOP = 1.12


def forecast_table(pilot: Mapping[str, Any]) -> "pd.DataFrame":
    """Columns attempts, questions, low, high (questions of the whole source; 95 % interval), from `Pilot.to_json`."""
    import pandas as pd

    rows = [
        (int(n), usable["expected"], usable["low"], usable["high"]) for n, usable in pilot["usable"].items()
    ]
    return pd.DataFrame(sorted(rows), columns=["attempts", "questions", "low", "high"])


def forecast_finding(pilot: Mapping[str, Any], attempts: int) -> str:
    """How many questions will be usable at an N, and between which bounds."""
    usable, total = pilot["usable"].get(str(attempts)), pilot["questions_total"]
    if usable is None:
        return (
            f"The pilot didn't try N = {attempts}, so it can't say how many questions will be usable there."
        )
    # Reflections come after responses, and each question that they fail is lost: the number is a bound.
    about = "At most about" if pilot["kind"] == "responses" else "About"
    expected = f"{about} {usable['expected']:,} of {many(total, 'question')} will be usable at N = {attempts}"
    certain = usable["low"] == usable["high"]
    return expected if certain else f"{expected} ({usable['low']:,} to {usable['high']:,})"


def forecast_chart(table: "pd.DataFrame", attempts: int) -> Chart:
    """A point with its interval at each N, and a rule at the chosen N."""
    import altair as alt
    import pandas as pd

    top = max(1, int(table["high"].max())) * MARGIN_TOP
    x = alt.X("attempts:O", title="Maximum attempts per trace (N)", axis=alt.Axis(labelAngle=0, grid=False))
    y = alt.Y("questions:Q", title="Usable questions", scale=alt.Scale(domain=[0, top], nice=False))
    tooltip = [
        alt.Tooltip("attempts:O", title="N"),
        number_tooltip("questions", "Expected"),
        number_tooltip("low", "Lower bound (95 %)"),
        number_tooltip("high", "Upper bound (95 %)"),
    ]
    base = alt.Chart(table.assign(colour="accent")).encode(x=x, tooltip=tooltip)
    chosen = alt.Chart(pd.DataFrame({"attempts": [attempts]}))
    return alt.layer(
        chosen.mark_rule(strokeDash=[4, 3], opacity=0.6).encode(x=x, color=ink()),
        base.mark_rule(strokeWidth=7, opacity=0.3).encode(
            y=alt.Y("low:Q", title="Usable questions"), y2="high:Q", color=coloured()
        ),
        base.mark_point(filled=True, size=80, opacity=1).encode(y=y, color=coloured()),
        base.mark_text(dx=17, fontSize=12).encode(y=y, text=alt.Text("questions:Q", format=","), color=ink()),
    ).properties(height=HEIGHT)
