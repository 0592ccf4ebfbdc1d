"""What all charts are drawn with: named colours, tooltips, axes.

Colours are named, not fixed: a name's place in PALETTE is the place of its colour in the theme's list of chart
colours, so every chart follows the light and the dark theme. Right is blue and wrong is orange everywhere, and never by
colour alone.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import altair as alt

Chart: TypeAlias = "alt.LayerChart"

PALETTE = ("right", "wrong", "reflection", "accent", "amber", "rose", "grey", "text")
"""Names of the theme's chart colours (`.streamlit/config.toml`, `chartCategoricalColors`), in order."""

HEIGHT = 300


def coloured(field: str = "colour", **options: Any) -> Any:
    """A field whose values are names of PALETTE, as the colour of a mark."""
    # Altair is slow to import, so only drawing pays for it.
    import altair as alt

    return alt.Color(f"{field}:N", scale=alt.Scale(domain=list(PALETTE)), legend=None, **options)


def ink() -> Any:
    """The colour of the theme's text, for marks whose colour means nothing."""
    import altair as alt

    return alt.ColorDatum("text")


def names_axis() -> Any:
    """An axis of names: readable, without ticks."""
    import altair as alt

    return alt.Axis(labelFontSize=13, labelLimit=150, ticks=False, domain=False)


def height_of(rows: int, each: int = 46) -> int:
    """The height of a chart with a row for each name, in pixels."""
    return max(120, each * rows + 50)


def number_tooltip(field: str, title: str) -> Any:
    """A line of a tooltip: a number with thousands separators."""
    import altair as alt

    return alt.Tooltip(f"{field}:Q", title=title, format=",")


def share_tooltip(field: str, title: str) -> Any:
    """A line of a tooltip: a share in percent."""
    import altair as alt

    return alt.Tooltip(f"{field}:Q", title=title, format=".1%")
