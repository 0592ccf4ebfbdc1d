"""Traces of a question that come to the same words: counted always, and one of them left where the recipe says so."""

from collections import Counter
from pathlib import Path

import pytest

from skill_factory.build.pipeline import build, preview
from skill_factory.recipe.model import Recipe, load_recipe, new_recipe, recipe_from_toml
from tests import command, make_raw

OVERLAPPING = ["--format", "*C", "--format", "*C_full", "--format", "0C", "--attempts", 2]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions with few responses, so that draws meet often."""
    rows = make_raw.make_rows(150, responses=4, reflections=2, seed=8)
    return make_raw.write_parquet(rows, tmp_path_factory.mktemp("raw") / "raw.parquet")


def conversation(row: make_raw.Row) -> tuple[str, str]:
    """What a trainer reads of a row."""
    user, assistant = row["conversations"]
    return user["content"], assistant["content"]


@pytest.fixture(scope="module")
def both(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A build that keeps every trace, and one that drops duplicates."""
    folder = tmp_path_factory.mktemp("both")
    command.build(raw, folder / "every", *OVERLAPPING, *command.EVERY_TRACE)
    command.build(raw, folder / "once", *OVERLAPPING)
    return folder / "every", folder / "once"


def test_of_equal_conversations_the_first_format_s_stays(both: tuple[Path, Path]) -> None:
    """Formats are read in the recipe's order; every other row stays as it is, in its place."""
    every, once = (command.traces(folder) for folder in both)
    seen: set[tuple[str, str]] = set()
    left = []
    for row in every:  # a question's rows stand together, in the order of the recipe's formats
        if conversation(row) not in seen:
            left.append(row)
        seen.add(conversation(row))
    assert len(left) < len(every), "the data are made so that some are equal"
    assert once == left


def test_what_is_dropped_stands_in_the_ledger_and_on_the_card(both: tuple[Path, Path]) -> None:
    """Nothing vanishes: read = kept + dropped, with the reason; the card says it in words."""
    every, once = (command.report(folder)["ledger"]["traces"] for folder in both)
    gone = every["kept"] - once["kept"]
    assert once["dropped"] == {"duplicate": gone} and once["read"] == every["read"]
    card = (both[1] / "README.md").read_text(encoding="utf-8")
    assert f"{gone:,} because another trace of its question has the same words" in card


def test_pairs_that_differ_in_their_phrases_alone_are_counted(both: tuple[Path, Path]) -> None:
    """The same attempts and reflections under two formats: the report has them by pair, the card in a sentence."""
    shown: Counter[tuple[object, ...]] = Counter()
    for row in command.traces(both[0]):
        drawn = [(one["response_id"], one.get("reflection_id")) for one in row["attempts"]]
        shown[row["question_id"], *drawn] += 1
    repeated = sum(n - 1 for n in shown.values())
    report = command.report(both[0])
    assert sum(report["overlaps"].values()) == repeated > 0
    assert {*report["overlaps"]} >= {"*C|*C_full"}
    card = (both[0] / "README.md").read_text(encoding="utf-8")
    assert (
        f"{repeated:,} of them show the attempts and reflections of another trace of their question" in card
    )


def test_formats_that_overlap_are_named_before_building(raw: Path) -> None:
    """`inspect` says which of the chosen formats draw the same attempts."""
    done = command.run("inspect", raw, *OVERLAPPING)
    assert "`*C`, `*C_full` and `0C` draw the same attempts" in done.out
    assert (
        "draw the same attempts" not in command.run("inspect", raw, "--format", "*C", "--format", "*CC").out
    )


def test_the_preview_drops_what_the_build_drops(raw: Path, both: tuple[Path, Path]) -> None:
    """One rule for both, so that the preview is the build."""
    recipe = load_recipe(str(both[1] / "recipe.toml"))
    shown = [trace.text for trace in preview(str(raw), recipe, questions=10**6).traces]
    assert shown == [conversation(row)[1] for row in command.traces(both[1])]


def test_a_recipe_without_the_field_builds_what_it_built(raw: Path, tmp_path: Path) -> None:
    """Old recipes keep their rows and their fingerprint; new ones say that duplicates go."""
    old = recipe_from_toml("[traces]\nattempts = 2\nrepeats = 3\n")
    assert not old.balance.drop_duplicates
    assert new_recipe().balance.drop_duplicates and "drop_duplicates = true" in new_recipe().to_toml()
    assert new_recipe().fingerprint() != Recipe().fingerprint()
    report = build(str(raw), tmp_path / "out", old, workers=1).report
    assert report["ledger"]["traces"]["dropped"] == {}
    # The fingerprint that the default recipe had before the field came.
    assert Recipe().fingerprint() == "af96044ae8010558416ec37e2ae79de582b3b104d8f5c4081494fa44a3154925"
