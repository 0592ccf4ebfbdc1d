"""Ratings in words and signs are a scale: what counts as right is asked, never settled in silence."""

import json
from pathlib import Path

import pytest

from skill_factory.build.pipeline import build
from skill_factory.insight.inspection import Inspection, inspect
from skill_factory.recipe.model import Recipe
from skill_factory.sources.labels import as_number

READ = {
    "5 stars": 5, "1 Star": 1, "4/5 stars": 4, "4 / 5": 4, "3 out of 5": 3, "3 of 5": 3, "4,5/5": 4.5, "★★★★☆": 4,
    "☆☆☆☆☆": 0, "★★★½": 3.5, "⭐⭐⭐": 3, "⭐️⭐️": 2, "5 Sterne": 5, "4 von 5": 4, "4 étoiles": 4, "3 sur 5": 3, "5 estrellas": 5,
    "4星": 4, "4 星级": 4, "5つ星": 5, "80点": 80, "7 points": 7, "7 pts.": 7, "Rating: 4": 4, "score = 3.5": 3.5,
    "4 - Good": 4, "1 (very poor)": 1, "2: weak": 2, "3. fair": 3, "100%": 100, "50 %": 50, "2,5": 2.5, "-1": -1,
}  # fmt: skip
UNREAD = [
    "five stars", "good", "5 apples", "4-5", "2024-01-05", "3 of 5 tests passed", "4/5/6", "★ bad", "", "nan", "1 2", "12 monkeys",
]  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_a_rating_is_a_number(text: str) -> None:
    """Its place on the scale, whatever it is written with."""
    assert as_number(text) == READ[text]


@pytest.mark.parametrize("text", UNREAD)
def test_what_may_mean_something_else_is_no_rating(text: str) -> None:
    """Left to be asked about."""
    assert as_number(text) is None


def rated(tmp_path: Path, *ratings: str) -> Path:
    """Eight questions with three answers each, rated in turn."""
    rows = [
        {
            "question": f"What is {q} + {q}?",
            "response": f"I add {q} and {k}. The answer is {q + k}.",
            "rating": ratings[(q + k) % len(ratings)],
        }
        for q in range(8)
        for k in range(3)
    ]
    path = tmp_path / "rated.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def codes(seen: Inspection) -> list[str]:
    return [doubt.code for doubt in seen.doubts]


@pytest.mark.parametrize(
    "ratings",
    [("5 stars", "1 star", "3 stars"), ("5 stars", "1 star"), ("★★★★★", "★☆☆☆☆"), ("4/5", "5/5", "2/5"), ("5 - good", "1 - bad"), ("3/5", "0/5")],
)  # fmt: skip
def test_a_scale_asks_where_right_begins(ratings: tuple[str, ...], tmp_path: Path) -> None:
    """The highest is proposed, the threshold is doubted: also where only two places of the scale occur."""
    seen = inspect(str(rated(tmp_path, *ratings)))
    assert "score_threshold" in codes(seen) and seen.found.right + seen.found.wrong == 24


def test_scales_that_differ_are_not_compared(tmp_path: Path) -> None:
    """4/5 and 8/10 are the same, so neither 4 nor 8 can be the threshold: it is asked what they mean."""
    seen = inspect(str(rated(tmp_path, "4/5", "8/10", "3/5")))
    assert "unread_labels" in codes(seen) and (seen.found.right, seen.found.wrong) == (0, 0)


def test_the_threshold_that_was_set_is_built(tmp_path: Path) -> None:
    """Four stars and more are right where that was said, by the rule for columns as by that for single rows."""
    path = rated(tmp_path, "5 stars", "4 stars", "1 star")
    recipe = Recipe().changed(
        {
            "columns.label_rule": "threshold",
            "columns.threshold": 4,
            "traces.formats": ("no_reflection",),
            "traces.attempts": 1,
        }
    )
    assert inspect(str(path), recipe).found.right == 16
    assert build(str(path), tmp_path / "out", recipe, workers=1).report["traces"] > 0
