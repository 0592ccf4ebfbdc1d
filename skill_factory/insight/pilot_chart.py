"""What a pilot foretells, as a table, a sentence and a chart: usable questions at each N, with their interval."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from skill_factory.insight.charts import Chart, coloured, ink, number_told
from skill_factory.wording import many

if TYPE_CHECKING:
    import pandas as pd

HEIGHT = 230
MARGIN_TOP = 1.12


def forecast_table(pilot: Mapping[str, Any]) -> "pd.DataFrame":
    """Columns attempts, questions, low, high (questions of the whole source; 95 % interval), from `Pilot.to_json`."""
    import pandas as pd

    rows = [(int(n), one["expected"], one["low"], one["high"]) for n, one in pilot["usable"].items()]
    return pd.DataFrame(sorted(rows), columns=["attempts", "questions", "low", "high"])


def forecast_finding(pilot: Mapping[str, Any], attempts: int) -> str:
    """How many questions will be usable at an N, and between which bounds."""
    one, total = pilot["usable"].get(str(attempts)), pilot["questions_total"]
    if one is None:
        return f"How many questions will be usable at N = {attempts} was not tried."
    about = "At most about" if pilot["kind"] == "responses" else "About"
    said = f"{about} {one['expected']:,} of {many(total, 'question')} will be usable at N = {attempts}"
    return f"{said} ({one['low']:,} to {one['high']:,})" if one["low"] != one["high"] else said


def forecast_chart(table: "pd.DataFrame", attempts: int) -> Chart:
    """A point and its interval at each N, a rule at the N that was chosen."""
    import altair as alt
    import pandas as pd

    top = max(1, int(table["high"].max())) * MARGIN_TOP
    x = alt.X("attempts:O", title="Attempts a trace has at most (N)", axis=alt.Axis(labelAngle=0, grid=False))
    y = alt.Y("questions:Q", title="Usable questions", scale=alt.Scale(domain=[0, top], nice=False))
    told = [
        alt.Tooltip("attempts:O", title="N"), number_told("questions", "Expected"),
        number_told("low", "At least (95 %)"), number_told("high", "At most (95 %)"),
    ]  # fmt: skip
    base = alt.Chart(table.assign(colour="accent")).encode(x=x, tooltip=told)
    chosen = alt.Chart(pd.DataFrame({"attempts": [attempts]}))
    return alt.layer(
        chosen.mark_rule(strokeDash=[4, 3], opacity=0.6).encode(x=x, color=ink()),
        base.mark_rule(strokeWidth=7, opacity=0.3).encode(y=alt.Y("low:Q", title="Usable questions"), y2="high:Q", color=coloured()),
        base.mark_point(filled=True, size=80, opacity=1).encode(y=y, color=coloured()),
        base.mark_text(dx=17, fontSize=12).encode(y=y, text=alt.Text("questions:Q", format=","), color=ink()),
    ).properties(height=HEIGHT)  # fmt: skip
