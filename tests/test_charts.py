"""The charts: pure, small, one palette, the answer in the title, and nothing said by colour alone."""

import itertools
import tomllib
from pathlib import Path
from typing import Any

import pytest

from skill_factory.build.pipeline import Partition
from skill_factory.insight import chart_parts, charts, tables, trace_charts
from skill_factory.insight.expected import outlook
from skill_factory.insight.reflection_quality import reflections_table
from tests.test_outlook import MAPPED, built, question
from tests.test_stats import RECIPE, reflected_rows, three_kinds

CONFIG = Path(__file__).parents[1] / ".streamlit" / "config.toml"
LARGEST = 60_000
"""Characters of a chart's description: it is sent at every move of a slider."""


@pytest.fixture(scope="module")
def part() -> Partition:
    return built(three_kinds(), RECIPE)


@pytest.fixture(scope="module")
def drawn(part: Partition) -> dict[str, dict[str, Any]]:
    """Every chart of some small data, as Vega-Lite."""
    judged, facts, tally = part.judgement, part.facts, part.tally
    critic = built(reflected_rows(), MAPPED)
    made = {
        "yield": charts.yield_chart(tables.yield_table(judged, RECIPE), RECIPE),
        "drops": charts.drops_chart(tables.drops_table(tally.ledger)),
        "balance": charts.balance_chart(tables.balance_table(judged, RECIPE)),
        "labels": charts.labels_chart(tables.labels_table(facts)),
        "reflections": charts.reflections_chart(reflections_table(critic.facts, critic.judgement)),
        "teaches": trace_charts.teaches_chart(tables.teaches_table(outlook(judged, RECIPE))),
        "cutoff": trace_charts.cutoff_chart(tables.cutoff_table(tally, 3.5), 1000),
        "far cutoff": trace_charts.cutoff_chart(tables.cutoff_table(tally, 3.5), 1_000_000),
    }
    return {name: chart.to_dict() for name, chart in made.items()}


NAMES = ("yield", "drops", "balance", "labels", "reflections", "teaches", "cutoff", "far cutoff")


def every(tree: Any, key: str) -> list[Any]:
    """All values under a key, however deep."""
    if isinstance(tree, dict):
        return [value for name, value in tree.items() if name == key] + [
            found for value in tree.values() for found in every(value, key)
        ]
    return [found for one in tree for found in every(one, key)] if isinstance(tree, list) else []


def cells(tree: dict[str, Any], field: str) -> set[Any]:
    """All values of a column of the data behind a chart."""
    return {row[field] for rows in tree["datasets"].values() for row in rows if field in row}


def test_the_palette_is_the_themes() -> None:
    """A colour's name stands where its colour stands in both themes; right is their blue and wrong their orange."""
    themes = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]
    for theme in (themes["light"], themes["dark"]):
        colours = dict(zip(chart_parts.PALETTE, theme["chartCategoricalColors"], strict=True))
        assert colours["right"] == theme["blueColor"]
        assert colours["wrong"] == theme["orangeColor"]
        assert colours["reflection"] == theme["violetColor"]
        assert colours["grey"] == theme["grayColor"]
        assert colours["text"] == theme["textColor"]


@pytest.mark.parametrize("name", NAMES)
def test_colours_are_names_of_the_palette(drawn: dict[str, dict[str, Any]], name: str) -> None:
    """Every colour scale is the palette, so that a name means one colour everywhere; no colour is written out."""
    scales = [
        one["scale"]["domain"]
        for one in every(drawn[name], "color")
        if isinstance(one, dict) and "scale" in one
    ]
    assert scales
    assert all(scale == list(chart_parts.PALETTE) for scale in scales)
    assert "#" not in str(
        {key: value for key, value in drawn[name].items() if key not in ("datasets", "config")}
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_chart_is_small(drawn: dict[str, dict[str, Any]], name: str) -> None:
    """Charts are drawn from summed tables, never from rows of the data."""
    assert len(str(drawn[name])) < LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_exact_numbers_are_there_on_hover(drawn: dict[str, dict[str, Any]], name: str) -> None:
    """Every chart has a tooltip, and each of its lines a title in words."""
    told = [line for lines in every(drawn[name], "tooltip") if isinstance(lines, list) for line in lines]
    assert told
    assert all(line["title"][0].isupper() for line in told)


def test_formats_with_equal_numbers_share_a_line(drawn: dict[str, dict[str, Any]]) -> None:
    """Five formats have the same gate: one line, whose label says how many it stands for; the chosen one first."""
    labels = cells(drawn["yield"], "short")
    assert "Retry until right, every length + 4" in labels
    assert len(labels) < 5


def test_the_label_of_one_line_never_covers_another(drawn: dict[str, dict[str, Any]]) -> None:
    """Ends that meet are spread apart."""
    places = sorted(cells(drawn["yield"], "place"))
    assert min(b - a for a, b in itertools.pairwise(places)) > 0.1


def test_right_and_wrong_are_told_by_signs_too(drawn: dict[str, dict[str, Any]]) -> None:
    """The two charts of right and wrong write ✓ and ✗ beside the colour."""
    assert all(label[0] in "✓✗" for label in cells(drawn["labels"], "said") if label)
    assert {label[0] for label in cells(drawn["reflections"], "side")} == {"✓", "✗"}


def test_bars_can_be_picked_and_the_window_brushed(drawn: dict[str, dict[str, Any]]) -> None:
    """What a visitor may select has the names that the page asks for."""
    params = {name: [one["name"] for one in every(drawn[name], "params")[0]] for name in ("drops", "balance")}
    assert params == {"drops": [charts.DROP_SELECTION], "balance": [charts.WINDOW_SELECTION]}


def test_one_level_of_a_drop_chart_is_one_whole_bar(drawn: dict[str, dict[str, Any]]) -> None:
    """Levels have different units, so each is a bar of its own from 0 to 1."""
    rows = [row for rows in drawn["drops"]["datasets"].values() for row in rows]
    for level in {row["level"] for row in rows}:
        ends = sorted(row["end"] for row in rows if row["level"] == level)
        assert ends[-1] == pytest.approx(1)


def test_reflections_on_right_responses_alone_are_drawn_too() -> None:
    """Data whose responses are all right has a single mark for each variant."""
    part = built(question("q", 4, 0), MAPPED)
    chart = charts.reflections_chart(reflections_table(part.facts, part.judgement))
    assert chart.to_dict()


@pytest.mark.parametrize(
    ("low", "floor"), [(0.975, 0.97), (0.955, 0.94), (0.86, 0.85), (0.62, 0.6), (0.41, 0.3), (0.0, 0.0)]
)
def test_shares_that_are_close_get_a_closer_axis(low: float, floor: float) -> None:
    """Five kinds of prompts at 97 to 99 % would be one point on an axis from 90 %."""
    from skill_factory.insight.charts import _axis_floor

    assert _axis_floor(low) == floor
    assert _axis_floor(low) <= low


def test_every_part_of_a_bar_has_its_number_or_none() -> None:
    """A thin part without a number would read as nothing beside parts that have one."""
    import pandas as pd

    from skill_factory.insight.trace_charts import teaches_chart

    def words(shares: list[float]) -> list[str]:
        names = ["one right attempt", "several right attempts", "a mistake corrected"]
        table = pd.DataFrame({"attempts": [2] * 3, "shows": names, "traces": [1, 1, 1], "share": shares})
        data = teaches_chart(table).to_dict()["datasets"]
        return [row["words"] for row in next(iter(data.values()))]

    assert words([0.3, 0.3, 0.4]) == ["30%", "30%", "40%"]
    assert words([0.02, 0.38, 0.6]) == ["", "", ""]
