"""The charts: pure functions from small tables (`tables.py`, `reflection_quality.py`) to Altair; `sentences.py` words them."""

from typing import TYPE_CHECKING, Any

from skill_factory.insight.chart_parts import (
    HEIGHT,
    Chart,
    coloured,
    height_of,
    ink,
    names_axis,
    number_tooltip,
    share_tooltip,
)
from skill_factory.insight.tables import MOST_ATTEMPTS
from skill_factory.recipe.model import Recipe
from skill_factory.wording import percent

if TYPE_CHECKING:
    import pandas as pd

MARGIN_TOP = 1.08
"""How far an axis goes beyond the largest number, so that its label fits."""
DROP_COLOURS = ("rose", "amber", "reflection", "accent", "grey")
DROP_SELECTION, WINDOW_SELECTION = "drop", "window"
"""Names of what a visitor may select: a bar of the drops, a stretch of the balance."""


YIELDS = {
    "questions": "Usable questions",
    "traces": "Traces",
    "corrected": "Traces that correct a mistake",
}
"""What the chart of yields may count, by column."""


def yield_chart(table: "pd.DataFrame", recipe: Recipe, of: str = "questions") -> Chart:
    """
    What formats give at each N: a line for each group of formats with the same numbers, and a rule at the recipe's N.

    `of` is the column of the table that is counted, one of YIELDS.
    """
    import altair as alt
    import pandas as pd

    table, title = table.rename(columns={of: "questions"}), YIELDS[of]
    lines = _alike(table)
    lines["here"] = lines["chosen"] & (lines["attempts"] == recipe.traces.attempts)
    top = max(1, int(table["questions"].max())) * MARGIN_TOP
    x = alt.X(
        "attempts:Q",
        title="Maximum attempts per trace (N)",
        axis=alt.Axis(values=list(range(1, 11)), grid=False),
    )
    # Room behind the last N, where the names of the lines stand.
    x = x.scale(domain=[1, MOST_ATTEMPTS + 4])
    y = alt.Y("questions:Q", title=title, scale=alt.Scale(domain=[0, top], nice=False))
    tooltip = [
        alt.Tooltip("formats:N", title="Formats"),
        alt.Tooltip("attempts:Q", title="N"),
        number_tooltip("questions", title),
    ]
    base = alt.Chart(lines).encode(x=x, y=y, detail="formats:N", color=coloured(), tooltip=tooltip)
    ends = _spread(lines[lines["attempts"] == MOST_ATTEMPTS], top * 0.08)
    rule = (
        alt.Chart(pd.DataFrame({"attempts": [recipe.traces.attempts]}))
        .mark_rule(strokeDash=[4, 3])
        .encode(x=x, color=ink())
    )
    # Which points are at N stands in the data, so that a moved N leaves the chart's description as it is.
    here = base.transform_filter("datum.here")
    return alt.layer(
        base.mark_line(point={"size": 36}).encode(
            strokeWidth=alt.condition("datum.chosen", alt.value(3), alt.value(1.25))
        ),
        rule,
        here.mark_text(align="left", dx=6, dy=-12, fontSize=13, fontWeight="bold").encode(
            text=alt.Text("questions:Q", format=",")
        ),
        alt.Chart(ends)
        .mark_text(align="left", dx=8, fontSize=12, limit=190)
        .encode(
            x=x,
            y=alt.Y("place:Q", scale=alt.Scale(domain=[0, top], nice=False)),
            text="short:N",
            color=coloured(),
        ),
    ).properties(height=HEIGHT)


def _alike(table: "pd.DataFrame") -> "pd.DataFrame":
    """attempts, questions, formats, short, chosen, colour: formats with equal numbers share a line."""
    import pandas as pd

    groups: dict[tuple[int, ...], list[tuple[str, bool]]] = {}
    for _, lines in table.groupby("code", sort=False):
        key = tuple(int(n) for n in lines["questions"])
        groups.setdefault(key, []).append((str(lines["format"].iloc[0]), bool(lines["chosen"].iloc[0])))
    rows: list[tuple[Any, ...]] = []
    for questions, members in groups.items():
        members = sorted(
            members, key=lambda member: not member[1]
        )  # a chosen format gives its group the name
        names = [name for name, _ in members]
        more = f" + {len(names) - 1}" if len(names) > 1 else ""
        chosen = members[0][1]
        for n, number in enumerate(questions, 1):
            rows.append(
                (
                    n,
                    number,
                    ", ".join(names),
                    names[0].split(" (")[0] + more,
                    chosen,
                    "accent" if chosen else "grey",
                )
            )
    return pd.DataFrame(rows, columns=["attempts", "questions", "formats", "short", "chosen", "colour"])


def _spread(ends: "pd.DataFrame", gap: float) -> "pd.DataFrame":
    """The last points of the lines, each with a `place` for its label, so that no label covers another."""
    ends = ends.sort_values(["questions", "short"]).reset_index(drop=True)
    places: list[float] = []
    for questions in ends["questions"]:
        # From the lowest line up, each name goes as high as the one below makes it.
        places.append(max(float(questions), places[-1] + gap if places else 0.0))
    return ends.assign(place=places)


def drops_chart(table: "pd.DataFrame") -> Chart:
    """A bar for each level: the share that is kept, and the shares dropped by reason; each part can be clicked."""
    import altair as alt

    levels = list(dict.fromkeys(table["level"]))
    shown = table[table["count"] > 0].copy()
    shown["colour"] = ["grey" if r == 0 else DROP_COLOURS[(r - 1) % len(DROP_COLOURS)] for r in shown["rank"]]
    shown["end"] = shown.groupby("level", sort=False)["share"].cumsum()
    shown["start"] = shown["end"] - shown["share"]
    shown["middle"] = (shown["start"] + shown["end"]) / 2
    # A label wider than its part of the bar would run into the next one: then none of its bar's parts but the kept has one.
    # About 1.2 % of the bar for each letter, and five letters more for “ 12 %”.
    fits = shown["share"] > 0.012 * (shown["short"].str.len() + 5)
    whole = fits.groupby(shown["level"]).transform("all")
    labelled = whole | ((shown["rank"] == 0) & fits)
    shown["words"] = [
        f"{short} {share:.0%}" if said else ""
        for short, share, said in zip(shown["short"], shown["share"], labelled, strict=True)
    ]
    picked = alt.selection_point(name=DROP_SELECTION, fields=["level", "reason"], on="click", empty=True)
    y = alt.Y("level:N", sort=levels, title=None, axis=alt.Axis(labelFontSize=13, ticks=False, domain=False))
    base = alt.Chart(shown).encode(y=y)
    bars = (
        base.mark_bar(height={"band": 0.72})
        .encode(
            x=alt.X(
                "start:Q",
                title="Share of what was read",
                axis=alt.Axis(format="%", grid=False, tickCount=5),
                scale=alt.Scale(domain=[0, 1]),
            ),
            x2="end:Q",
            color=coloured(),
            opacity=alt.when("datum.rank == 0")
            .then(alt.value(0.22))
            .when(picked)
            .then(alt.value(0.55))
            .otherwise(alt.value(0.25)),
            tooltip=[
                alt.Tooltip("level:N", title="Level"),
                alt.Tooltip("why:N", title="Because"),
                number_tooltip("count", "Number"),
                share_tooltip("share", "Share"),
            ],
        )
        .add_params(picked)
    )
    text = base.mark_text(fontSize=12, baseline="middle").encode(x="middle:Q", text="words:N", color=ink())
    return alt.layer(bars, text).properties(height=max(120, 52 * len(levels) + 40))


def balance_chart(table: "pd.DataFrame") -> Chart:
    """Questions by their share of right responses; a stretch of the axis can be brushed."""
    import altair as alt

    shown = table.copy()
    shown["colour"] = shown["where"].map({"none": "wrong", "some": "grey", "all": "right"})
    brush = alt.selection_interval(name=WINDOW_SELECTION, encodings=["x"])
    # “None right” and “all right” have bars outside the axis from 0 to 1, as `balance_table` places them.
    ticks = [-0.055, 0.2, 0.4, 0.6, 0.8, 1.055]
    words = "datum.value < 0 ? 'none' : datum.value > 1 ? 'all' : format(datum.value, '.0%')"
    x = alt.X(
        "start:Q",
        title="Share of right responses",
        scale=alt.Scale(domain=[-0.12, 1.12], nice=False),
        axis=alt.Axis(values=ticks, labelExpr=words, grid=False),
    )
    top = max(1, int(shown["questions"].max())) * MARGIN_TOP
    y = alt.Y("questions:Q", title="Questions", scale=alt.Scale(domain=[0, top], nice=False))
    tooltip = [
        alt.Tooltip("label:N", title="Responses"),
        number_tooltip("questions", "Questions"),
        number_tooltip("inside", "Used"),
    ]
    base = alt.Chart(shown).encode(x=x, x2="end:Q", color=coloured(), tooltip=tooltip)
    floor = alt.Y2Datum(0)
    bars = base.mark_bar(opacity=0.25, stroke=None).encode(y=y, y2=floor).add_params(brush)
    inside = base.mark_bar(opacity=0.8).encode(y=alt.Y("inside:Q"), y2=floor)
    numbers = (
        alt.Chart(shown)
        .transform_filter("datum.where != 'some'")
        .transform_calculate(middle="(datum.start + datum.end) / 2")
        .mark_text(dy=-8, fontSize=12)
        .encode(x=alt.X("middle:Q"), y=y, text=alt.Text("questions:Q", format=","), color=ink())
    )
    return alt.layer(bars, inside, numbers).properties(height=HEIGHT)


def labels_chart(table: "pd.DataFrame") -> Chart:
    """Right and wrong responses of each prompt variant, as shares."""
    import altair as alt

    shown = table.sort_values(["variant", "truth"]).copy()
    shown["end"] = shown.groupby("variant", sort=False)["share"].cumsum()
    shown["start"] = shown["end"] - shown["share"]
    words = _both_shares(table)
    tooltip = [
        alt.Tooltip("variant:N", title="Prompt variant"),
        alt.Tooltip("truth:N", title="Label"),
        number_tooltip("responses", "Responses"),
        share_tooltip("share", "Share"),
    ]
    base = alt.Chart(shown).encode(y=alt.Y("variant:N", title=None, axis=names_axis()), tooltip=tooltip)
    bars = base.mark_bar(opacity=0.5, height={"band": 0.72}).encode(
        x=alt.X(
            "start:Q",
            title="Share of responses",
            axis=alt.Axis(format="%", grid=False, tickCount=5),
            scale=alt.Scale(domain=[0, 1]),
        ),
        x2="end:Q",
        color=coloured("truth"),
    )
    # Both shares in one label behind the bar: within it, a thin part would go without.
    text = (
        alt.Chart(words)
        .mark_text(fontSize=12, align="left", dx=8)
        .encode(
            y=alt.Y("variant:N", title=None, axis=names_axis()),
            x=alt.XDatum(1),
            text="words:N",
            color=ink(),
        )
    )
    return alt.layer(bars, text).properties(
        height=height_of(shown["variant"].nunique()), padding={"right": 110}
    )


def _both_shares(table: "pd.DataFrame") -> "pd.DataFrame":
    """variant, words: "✓ 52 %  ✗ 48 %"."""
    import pandas as pd

    shares: dict[str, dict[str, float]] = {}
    for variant, truth, share in zip(table["variant"], table["truth"], table["share"], strict=True):
        shares.setdefault(variant, {})[truth] = share
    rows = [
        (variant, f"✓ {percent(one.get('right', 0.0))}  ✗ {percent(one.get('wrong', 0.0))}")
        for variant, one in shares.items()
    ]
    return pd.DataFrame(rows, columns=["variant", "words"])


CLOSE = 0.9
"""From an axis that begins here on, shares differ by tenths of a percent."""


def _axis_floor(low: float) -> float:
    """Where an axis of shares begins: a step below the lowest bound, the finer the closer all are to one."""
    # Three steps at most below 100 %, or differences that matter would be a pixel high.
    step = next((step for step in (0.01, 0.02, 0.05) if 1 - low <= 3 * step), 0.1)
    return max(0.0, round(int((low - step / 5) / step + 1e-9) * step, 2))


def reflections_chart(table: "pd.DataFrame") -> Chart:
    """For each variant, the share of right and of wrong responses that are kept, each with its interval."""
    import altair as alt

    floor = _axis_floor(float(table["low"].min()) if len(table) else 0.0)
    digits = 0 if floor < CLOSE else 1
    scale = alt.Scale(domain=[floor, 1.0], nice=False)
    y = alt.Y("variant:N", title=None, axis=names_axis())
    x = alt.X(
        "share:Q",
        title="Share of responses with a reflection that judges them correctly",
        scale=scale,
        axis=alt.Axis(format="%", tickCount=5),
    )
    signs = table["truth"].map({"right": "✓", "wrong": "✗"})
    shown = table.assign(
        side=[f"{sign} {share:.{digits}%}" for sign, share in zip(signs, table["share"], strict=True)]
    )
    tooltip = [
        alt.Tooltip("variant:N", title="Prompt variant"),
        alt.Tooltip("truth:N", title="Label"),
        share_tooltip("share", "Kept"),
        share_tooltip("low", "Lower bound (95 %)"),
        share_tooltip("high", "Upper bound (95 %)"),
        number_tooltip("responses", "Responses"),
    ]
    base = alt.Chart(shown).encode(
        y=y, yOffset=alt.YOffset("truth:N", sort=["right", "wrong"]), color=coloured("truth"), tooltip=tooltip
    )
    return alt.layer(
        base.mark_rule(strokeWidth=3, opacity=0.4).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_point(filled=True, size=110, opacity=1).encode(
            x=x,
            shape=alt.Shape(
                "truth:N",
                scale=alt.Scale(domain=["right", "wrong"], range=["circle", "diamond"]),
                legend=None,
            ),
        ),
        base.mark_text(dy=-11, fontSize=11).encode(x=x, text="side:N", color=ink()),
    ).properties(height=height_of(table["variant"].nunique(), 80))
