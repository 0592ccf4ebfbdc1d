"""The command's proposal of N and the page's are one: for the same file, the same N, and options that build it."""

import json
import shlex
from pathlib import Path

import pytest

from skill_factory.insight.fitness import fitness
from skill_factory.insight.inspection import inspect
from skill_factory.judge.judge import judge
from skill_factory.judge.source_facts import all_facts
from skill_factory.recipe.model import Recipe
from skill_factory.sources import open_source
from tests import command
from tests.make_raw import Row, row

SHAPES: dict[str, tuple[list[Row], int]] = {}
"""Files by what their reflections are, each with the N that suits them."""


def raw(name: str, right: int, wrong: int, **reflections: list[str]) -> list[Row]:
    """Different responses to one question."""
    return [
        {**row(name, f"{name} try {k} <answer>{k}</answer>", k < right, extracted=str(k)), **reflections}
        for k in range(right + wrong)
    ]


def many_questions(right: int, wrong: int, **reflections: list[str]) -> list[Row]:
    return [one for k in range(6) for one in raw(f"q{k}", right, wrong, **reflections)]


SHAPES["a column of empty lists"] = many_questions(3, 3, reflections=[]), 5
SHAPES["reflections on every response"] = many_questions(2, 1), 3
SHAPES["reflections without a verdict"] = many_questions(3, 3, reflections=["looks odd"]), 0
SHAPES["one response a question"] = many_questions(1, 0), 1


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, int]:
    """A file of that shape, and the N that suits it."""
    rows, n = SHAPES[request.param]
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path, n


def test_command_and_page_propose_the_same_n(shape: tuple[Path, int]) -> None:
    """The advice of `inspect` carries the N and the reason of the page's report, whatever the reflections hold."""
    path, n = shape
    source = open_source(str(path))
    recipe = Recipe(columns=_mapping(path))
    narrow = all_facts(source, recipe)
    proposal = fitness(narrow.facts, judge(narrow.facts, recipe), narrow.rows, recipe).proposal

    advice = " ".join(inspect(str(path), recipe).advice)

    assert proposal.attempts == n
    if n:
        assert f"N = {n} suits this data: {proposal.reason}" in advice
    else:
        assert "no trace can be made yet" in advice
        assert "suits this data" not in advice


def test_what_the_command_proposes_can_be_built(shape: tuple[Path, int], tmp_path: Path) -> None:
    """The options that the advice names, typed as they stand, give a build; where it names none, none can be made."""
    path, n = shape
    advice = " ".join(inspect(str(path)).advice)
    options = shlex.split(advice.partition("Build with ")[2].partition(". ")[0].removesuffix("."))

    done = command.run("build", path, "--out", tmp_path / "out", *options)

    assert done.exit == (0 if n else 2), done.err


def _mapping(path: Path) -> object:
    from skill_factory.build.prepare import settled_columns

    return settled_columns(open_source(str(path)), Recipe().columns)
