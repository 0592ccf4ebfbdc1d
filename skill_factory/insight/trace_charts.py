"""Two charts of the traces themselves: what they teach, and how many a trainer would cut."""

from typing import TYPE_CHECKING

from skill_factory.formats.record import TEACHES, TEACHES_WORDS
from skill_factory.insight.chart_parts import (
    HEIGHT,
    PALETTE,
    Chart,
    coloured,
    ink,
    number_tooltip,
    share_tooltip,
)
from skill_factory.wording import many

if TYPE_CHECKING:
    import pandas as pd

TEACHES_COLOURS = dict(zip(TEACHES, ("grey", "right", "rose", "wrong"), strict=True))

THIN = 0.045
"""The share of a bar's height that a number needs."""
FAR = 2.0
"""A cut-off beyond so many times the longest trace is pointed to, not drawn: it would press all lines to one side."""


def teaches_chart(table: "pd.DataFrame") -> Chart:
    """What traces of each length show, as shares of that length."""
    import altair as alt

    colours = {TEACHES_WORDS[name]: colour for name, colour in TEACHES_COLOURS.items()}
    shown = table.copy()
    shown["colour"] = shown["shows"].map(colours)
    shown["end"] = shown.groupby("attempts", sort=False)["share"].cumsum()
    shown["start"] = shown["end"] - shown["share"]
    shown["middle"] = (shown["start"] + shown["end"]) / 2
    # On every part or on none: a bar with some numbers reads as if the others were nothing.
    room = len(shown) > 0 and float(shown["share"].min()) > THIN
    shown["words"] = [f"{s:.0%}" if room else "" for s in shown["share"]]
    shown["length"] = ["drawn" if n == 0 else str(n) for n in shown["attempts"]]
    x = alt.X(
        "length:N",
        sort=list(dict.fromkeys(shown["length"])),
        title="Attempts in the trace",
        axis=alt.Axis(labelAngle=0),
    )
    tooltip = [
        alt.Tooltip("length:N", title="Attempts"),
        alt.Tooltip("shows:N", title="Shows"),
        share_tooltip("share", "Share"),
        alt.Tooltip("traces:Q", title="Traces (about)", format=",.0f"),
    ]
    base = alt.Chart(shown).encode(x=x, tooltip=tooltip)
    names = list(dict.fromkeys(shown["shows"]))
    # Four meanings in one bar: a legend in the bar's order is easier to read than labels inside each part.
    legend = alt.Legend(
        orient="top",
        title=None,
        columns=2,  # in one row, a phone would cut off the last meanings
        columnPadding=6,
        labelFontSize=12,
        symbolOpacity=0.55,
        labelLimit=220,
        labelExpr=_legend_words(colours),
        values=[colours[n] for n in names],
    )
    bars = base.mark_bar(opacity=0.55).encode(
        y=alt.Y(
            "start:Q",
            title="Share of the traces",
            axis=alt.Axis(format="%", grid=False),
            scale=alt.Scale(domain=[0, 1]),
        ),
        y2="end:Q",
        color=alt.Color("colour:N", scale=alt.Scale(domain=list(PALETTE)), legend=legend),
    )
    text = base.mark_text(fontSize=12).encode(y="middle:Q", text="words:N", color=ink())
    return alt.layer(bars, text).properties(height=HEIGHT)


def _legend_words(colours: dict[str, str]) -> str:
    pairs = ", ".join(f"'{colour}': '{words}'" for words, colour in colours.items())
    return f"({{{pairs}}})[datum.label]"


def cutoff_chart(table: "pd.DataFrame", limit: int) -> Chart:
    """Share of the traces that are longer than so many tokens, a line for each number of attempts, a rule at the limit or an arrow to it."""
    import altair as alt
    import pandas as pd

    longest = float(table["tokens"].max()) if len(table) else 1.0
    beyond = limit > FAR * longest
    most = (longest if beyond else max(longest, limit)) * 1.05
    scale = alt.Scale(domain=[0, most], nice=False)
    x = alt.X(
        "tokens:Q",
        title="Tokens of question and trace",
        scale=scale,
        axis=alt.Axis(format=",.0f", grid=False),
    )
    y = alt.Y(
        "longer:Q",
        title="Share of traces that are longer",
        axis=alt.Axis(format="%", values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
        scale=alt.Scale(domain=[0, 1.15]),  # the cut-off's name stands above the lines
    )
    shown = table.assign(colour="right", words=[many(n, "attempt") for n in table["attempts"]])
    tooltip = [
        alt.Tooltip("words:N", title="Traces with"),
        alt.Tooltip("tokens:Q", title="Tokens", format=",.0f"),
        share_tooltip("longer", "Longer"),
        number_tooltip("traces", "Traces"),
    ]
    base = alt.Chart(shown).encode(x=x, y=y, detail="attempts:N", tooltip=tooltip)
    name = f"cut-off {limit:,} →" if beyond else f"cut-off {limit:,}"
    rule = alt.Chart(pd.DataFrame({"tokens": [most if beyond else limit], "words": [name]})).encode(x=x)
    return alt.layer(
        base.mark_line(interpolate="step-after", strokeWidth=2).encode(
            color=coloured(), opacity=alt.Opacity("attempts:Q", scale=alt.Scale(range=[0.35, 1]), legend=None)
        ),
        rule.mark_rule(strokeDash=[4, 3], opacity=0 if beyond else 1).encode(color=ink()),
        rule.mark_text(align="right", dx=-5, y=8, fontSize=12).encode(text="words:N", color=ink()),
        alt.Chart(_named(shown))
        .mark_text(align="left", dx=4, fontSize=11)
        .encode(x=x, y=y, text="words:N", color=ink()),
    ).properties(height=HEIGHT)


def _named(shown: "pd.DataFrame") -> "pd.DataFrame":
    """Where each line's name goes: on its slope, higher for longer traces, so that no two names meet."""
    import pandas as pd

    lines = list(shown.groupby("attempts"))
    heights = [0.15 + 0.7 * place / max(1, len(lines) - 1) for place in range(len(lines))]
    falls = [
        line[line["longer"] <= height].head(1).assign(longer=height)
        for height, (_, line) in zip(heights, lines, strict=True)
    ]
    return pd.concat(falls) if falls else shown
