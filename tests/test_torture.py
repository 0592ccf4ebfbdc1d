"""A little of every attack and accident, in the time that a test may take; `make torture` tries them in earnest."""

import random
from pathlib import Path

import pytest

from skill_factory.errors import RecipeError
from skill_factory.recipe.model import Recipe
from tests.torture.cases import case
from tests.torture.crowd import crowd
from tests.torture.faults import World, accidents, builds_killed, pushes_killed
from tests.torture.large import large
from tests.torture.meaning import meaning
from tests.torture.score import Score
from tests.torture.siege import siege
from tests.torture.supply import licences, locked
from tests.torture.text import HOSTILE, TEXTS, names
from tests.torture.trying import many, steers

SEED = 11


def held(score: Score) -> None:
    """Something was tried, and nothing was lost."""
    assert score.tried
    assert score.lost == []


def test_a_case_is_the_same_each_time() -> None:
    """A number that was lost can be tried again."""
    assert case(SEED, 5) == case(SEED, 5) != case(SEED, 6)


def test_mutated_inputs_end_in_a_build_or_a_sentence(tmp_path: Path) -> None:
    """Inspect, preview and build; a quarter of them get past column mapping."""
    found = many(SEED, 80, tmp_path / "cases")
    assert [f"{one['name']}: {one['wrong']}" for one in found if one["wrong"]] == []
    assert len(found) == 80
    assert sum(one["mapped"] for one in found) >= 20


def test_what_unpacks_to_gigabytes_is_refused_within_a_bound(tmp_path: Path) -> None:
    """A packed line without end, a text that a hundred thousand rows repeat."""
    held(large(tmp_path, small=True))


def test_hostile_names_and_fields_are_refused_or_kept() -> None:
    """Repositories get no such name; a recipe that holds such a text is the same after saving."""
    score = Score("names", "")
    names(score)
    held(score)
    assert len(TEXTS) > 18
    assert any(map(steers, HOSTILE))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A source and its undisturbed build."""
    return World(tmp_path_factory.mktemp("world"), 300)


def test_killed_builds_and_pushes_go_on(world: World) -> None:
    """`kill -9`, then the same command: the same bytes."""
    held(builds_killed(world, random.Random(SEED), 2))
    held(pushes_killed(world, random.Random(SEED), 1))


@pytest.mark.long
def test_accidents_end_in_the_same_bytes_or_a_refusal(world: World) -> None:
    """A full disk, a folder of somebody else's, two builds at once, a source that changed, Ctrl-C."""
    score = accidents(world)
    for name, why in score.figures.items():
        print(f"{name}: {why}")
    held(score)


@pytest.mark.long
def test_visitors_see_their_own_and_nothing_else(tmp_path: Path) -> None:
    """A hosted server with three visitors, one of them building; no path of its disk is opened."""
    for score in crowd(tmp_path, 3, 1):
        held(score)


def test_locked_packages_are_free_to_use() -> None:
    """Every one that is installed says so itself."""
    score = licences()
    held(score)
    assert score.tried > len(locked()) / 2


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)*b", "(?:(a+)(b))+", "(a{2,}){3,}"])
def test_a_pattern_that_might_take_for_ever_takes_none(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One visitor's pattern must not stop the server for all; RE2 looks at each letter once, on every machine."""
    changes = {"answers.rules": ["regex"], "answers.pattern": pattern}
    assert Recipe().changed(changes).answers.pattern == pattern
    monkeypatch.setenv("SKILL_FACTORY_HOSTED", "1")
    assert Recipe().changed(changes).answers.pattern == pattern
    with pytest.raises(RecipeError, match="lookahead or lookbehind"):
        Recipe().changed(changes | {"answers.pattern": "(?=(a*)*)b"})


@pytest.mark.long
def test_a_server_under_siege_answers_others(tmp_path: Path) -> None:
    """Some hostile files, datasets and recipes, one after the other, each with its sentence."""
    said, calm = siege(tmp_path, short=True)
    held(said)
    assert calm.figures["memory of the server at most"]


def test_disguised_tables_mean_the_same(tmp_path: Path) -> None:
    """Other words, names, orders and delimiters: the plain table's set, or a sentence."""
    held(meaning(tmp_path, SEED, 6))
