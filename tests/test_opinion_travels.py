"""What a page shows of an opinion and of a build reaches it from a limited child as it was made."""

from pathlib import Path

import numpy as np

from skill_factory.insight.built import Index
from skill_factory.insight.fitness import Fitness
from skill_factory.recipe.model import Columns, Recipe, Tags
from skill_factory.work import limited, looking
from skill_factory.work.looking import Address
from tests import command
from tests.make_raw import write_jsonl
from tests.test_opinion import critic


def test_a_report_comes_from_a_child_whole(tmp_path: Path) -> None:
    """Opinion, trade-offs, skill and doubts are equal to those made here."""
    source = Address(str(write_jsonl(critic(30, 0.5, 0.5), tmp_path / "raw.jsonl")))
    recipe = Recipe(columns=Columns())
    columns = limited.run(looking.guessed, source)
    mapped = recipe.model_copy(update={"columns": columns})
    narrow = looking.sample(source, mapped)
    judged, _ = looking.judged(narrow, "n", mapped, None)
    here: Fitness = looking.fit(narrow, judged, mapped)
    there = limited.run(looking.fit, narrow, judged, mapped)
    assert there.opinion == here.opinion
    assert there.opinion.skill is not None and there.opinion.table
    seen = limited.run(looking.inspected, source, mapped, 1000)
    assert seen is not None and seen.opinion.headline == here.opinion.headline


def test_a_build_is_browsed_in_a_child(tmp_path: Path) -> None:
    """The narrow table, a search, a page of traces and the linter's report travel as they are."""
    command.build("demo:20", tmp_path / "out")
    here: Index = looking.built_index(tmp_path / "out", ["x"])
    there = limited.run(looking.built_index, tmp_path / "out", ["x"])
    assert there.labels == here.labels and there.lineage
    for name in ("label", "chars", "attempts", "fixed", "doubt"):
        assert np.array_equal(getattr(there, name), getattr(here, name))
    assert limited.run(looking.built_search, tmp_path / "out", "puzzle").tolist()
    assert limited.run(looking.built_shown, tmp_path / "out", [1, 0], Tags()) == looking.built_shown(
        tmp_path / "out", [1, 0], Tags()
    )
    assert limited.run(looking.built_lint, tmp_path / "out", 5, Tags()) == (5, ())
