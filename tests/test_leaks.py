"""Solutions of a benchmark in responses: found where they stand word for word, and not where all say the same."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from skill_factory.build.pipeline import build
from skill_factory.build.prepare import settled_columns
from skill_factory.errors import RecipeError, SourceError
from skill_factory.insight.inspection import inspect
from skill_factory.overlap.benchmarks import opened
from skill_factory.overlap.leaks import leaked, responses_of
from skill_factory.overlap.pairs import Pair
from skill_factory.overlap.ruling import with_benchmarks
from skill_factory.recipe.clean_parts import Clean
from skill_factory.recipe.model import Recipe
from skill_factory.sources import open_source
from tests import make_raw

SOLUTION = (
    "First the captain counts the barrels on the lower deck, which are twelve rows of nine, so there are 108 of them. "
    "Then he adds the 17 near the mast and finds 125 in all, as the log of the ship says."
)
ALWAYS = (
    " In general we should always think step by step and check every single step of the work again before we finally "
    "answer the question that was asked."
)


def benchmark(folder: Path, **more: Any) -> str:
    """A benchmark of thirty questions, one of which has the solution."""
    rows = [
        {
            "question": f"How many barrels are there on ship {k} of {7 * k}?",
            "answer": str(k),
            "solution": (SOLUTION if k == 3 else f"Add {k} and {k + 1}.") + ALWAYS,
            **more,
        }
        for k in range(30)
    ]
    path = folder / "bench.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


def own(folder: Path, leak: str, name: str = "own", seed: int = 0) -> str:
    """Raw data in which one response has this text in it, in rows of some order; all end alike."""
    rows = [row | {"response": f"{row['response']}{ALWAYS}"} for row in make_raw.make_rows(40, responses=4)]
    rows[5] |= {"response": f"Let me see. {leak} <answer> 125</answer>"}
    random.Random(seed).shuffle(rows)
    return str(make_raw.write_parquet(rows, folder / f"{name}.parquet"))


def found(source: str, given: str) -> list[Pair]:
    """The pairs of a source with a benchmark."""
    raw = open_source(source)
    return leaked(responses_of((raw, settled_columns(raw, Recipe().columns))), opened(Clean(), [given]))


@pytest.mark.parametrize(
    "leak",
    [
        SOLUTION,
        SOLUTION.upper().replace(" ", "  "),
        f"**{SOLUTION}**",
        SOLUTION.replace("are twelve", "are, as said, twelve"),
    ],
    ids=["verbatim", "case and space", "bold", "three words more"],
)
def test_a_solution_in_a_response_is_found(tmp_path: Path, leak: str) -> None:
    """As it stands, in other letters, with words put into it: the response and the solution are shown side by side."""
    [pair] = found(own(tmp_path, leak), benchmark(tmp_path))
    assert leak in pair.response
    assert SOLUTION in pair.other
    assert (pair.benchmark, pair.agreement.by.value) == ("bench.jsonl", "response")
    assert pair.to_json()["benchmark_solution"] == pair.other
    assert "captain" not in json.dumps(pair.to_json(texts=False))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The answer is 125.",
        "12 * 9 = 108, 108 + 17 = 125, so 125 - 17 = 108, 108 / 9 = 12, 12 * 9 + 17 = 125 and 9 * 12 = 108",
        "He counts the barrels on the lower deck, twelve rows of nine, and finds 108; with 17 more by the mast it is 125.",
    ],
    ids=["nothing", "answer", "equations", "own words"],
)
def test_what_anybody_could_write_is_no_leak(tmp_path: Path, text: str) -> None:
    """Answers, equations and own words prove nothing, nor does what all solutions and all responses say."""
    assert found(own(tmp_path, text), benchmark(tmp_path)) == []


def test_the_order_of_rows_decides_nothing(tmp_path: Path) -> None:
    """The same pairs, with the same texts, from the same rows in another order."""
    given = benchmark(tmp_path)
    assert found(own(tmp_path, SOLUTION), given) == found(own(tmp_path, SOLUTION, "other", seed=3), given)


def test_a_build_leaves_such_questions_out(tmp_path: Path) -> None:
    """Asked for, the question is dropped as contaminated, and the report has no text of it; otherwise no response is read."""
    source, given = own(tmp_path, SOLUTION), benchmark(tmp_path)
    recipe = Recipe().changed({"traces.attempts": 2, "clean.responses": True})
    report = build(source, tmp_path / "out", recipe, against=[given]).report
    assert report["ledger"]["questions"]["dropped"]["contaminated"] == 1
    assert "captain" not in json.dumps(report)
    seen = inspect(source, recipe, against=[given]).to_json()["contaminated"]
    assert (seen["questions"], seen["pairs"][0]["agrees_by"]) == (1, "response")
    assert SOLUTION in seen["pairs"][0]["response"]
    plain = recipe.changed({"clean.responses": False})
    report = build(source, tmp_path / "other", plain, against=[given]).report
    assert "contaminated" not in report["ledger"]["questions"]["dropped"]


def test_what_cant_be_compared_is_said(tmp_path: Path) -> None:
    """Without a benchmark, or with one that holds no answers, there is nothing to look for."""
    with pytest.raises(RecipeError, match="none is named"):
        with_benchmarks(Recipe().changed({"clean.responses": True}))
    (tmp_path / "bare.jsonl").write_text(
        '{"question": "How deep is the northern sea?"}\n' * 3, encoding="utf-8"
    )
    with pytest.raises(SourceError, match="holds no answers or solutions"):
        found(own(tmp_path, ""), str(tmp_path / "bare.jsonl"))
