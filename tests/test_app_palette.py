"""The palette: readable in light and dark, and the same colours for right and wrong wherever they stand."""

import re
import tomllib
from itertools import product
from typing import Any

import pytest

from skill_factory.insight.html import stylesheet
from tests.studio import ROOT

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
FRAME = (ROOT / "skill_factory" / "ui" / "frame" / "frame.css").read_text(encoding="utf-8")
READ = (
    "textColor",
    "linkColor",
    "primaryColor",
    "codeTextColor",
    "blueColor",
    "orangeColor",
    "violetColor",
    "grayColor",
)
GROUNDS = ("backgroundColor", "secondaryBackgroundColor")


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("mode", "name", "ground"), list(product(("light", "dark"), READ, GROUNDS)))
def test_every_colour_that_is_read_stands_out(mode: str, name: str, ground: str) -> None:
    """At least 4.5 : 1 on both grounds of its mode."""
    assert contrast(THEME[mode][name], THEME[mode][ground]) >= 4.5


@pytest.mark.parametrize("place", [0, 1])
def test_captions_and_buttons_stand_out(place: int) -> None:
    """Captions on the page, words on the accent."""
    mode: dict[str, Any] = THEME[("light", "dark")[place]]
    caption, *on_accent = (
        re.findall(r"#[0-9a-f]{6}", line)[place] for line in FRAME.splitlines() if line.startswith(".stApp [")
    )
    assert contrast(caption, mode["backgroundColor"]) >= 4.5
    assert len(on_accent) == 2, "words on buttons and on the chips of a multiple choice"
    assert all(contrast(words, mode["primaryColor"]) >= 4.5 for words in on_accent)


@pytest.mark.parametrize(("name", "key"), [("right", "blueColor"), ("wrong", "orangeColor")])
def test_right_and_wrong_are_the_same_everywhere(name: str, key: str) -> None:
    """The theme, its chart palette, the frame and the trace view agree."""
    pair = (THEME["light"][key], THEME["dark"][key])
    place = ("right", "wrong").index(name)
    assert pair == tuple(THEME[mode]["chartCategoricalColors"][place] for mode in ("light", "dark"))
    wanted = f"light-dark({pair[0]}, {pair[1]})"
    assert f"--sf-{name}: {wanted}" in FRAME
    assert f"--{name}: {wanted}" in stylesheet()


def test_the_frame_fetches_nothing() -> None:
    """No address stands in the style rules."""
    assert not re.search(r"url\(|@import|http", FRAME + stylesheet())
