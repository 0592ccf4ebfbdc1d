"""A suite whose base keeps questions out: held out for evaluation, asked by a benchmark, said twice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skill_factory.build.pipeline import build
from skill_factory.errors import ColumnError, RecipeError
from skill_factory.publish.plan import Mode, plan_push
from skill_factory.publish.push import push
from skill_factory.recipe.model import new_recipe
from skill_factory.suites.ablating import SuiteResult, ablate
from skill_factory.suites.suite import Suite, suite_from_toml
from skill_factory.training.questions import held_out
from tests import command
from tests.hub import Hub

pytest_plugins = ["tests.hub_fixtures"]

ARMS = ("base", "bare", "attempts_2")


def suite(**changes: Any) -> Suite:
    """Three arms of a short recipe."""
    text = 'recipe = "paper"\n[[arms]]\nname = "bare"\nchanges = { "traces.formats" = ["no_reflection"] }\n'
    made = suite_from_toml(text + '[one_at_a_time]\n"traces.attempts" = [2]\n')
    return made.with_base(made.base.changed({"traces.attempts": 3, **changes}))


def column(folder: Path, name: str = "question_id") -> set[str]:
    """Different values of a column of a folder with shards."""
    return set(pq.read_table(folder, columns=[name])[name].to_pylist())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> SuiteResult:
    """A suite of the demo that holds out a quarter of the questions."""
    out = tmp_path_factory.mktemp("suite") / "out"
    return ablate("demo:80", out, suite(**{"clean.holdout": 0.25}), workers=1)


def test_no_arm_has_a_question_that_is_held_out(built: SuiteResult) -> None:
    """The held-out questions are one config of the suite, and in no arm."""
    held = column(built.path / "heldout")
    assert len(held) > 8
    for name in ARMS:
        assert not held & column(built.path / "arms" / name / "sft_train")
    card = (built.path / "README.md").read_text(encoding="utf-8")
    assert "- config_name: heldout" in card and "are held out for evaluation" in card


def test_an_arm_is_a_build_that_knows_what_is_held_out(built: SuiteResult) -> None:
    """Training on an arm takes its samples of the held-out questions, and its report lists them, as any build's does."""
    report = json.loads((built.path / "arms" / "bare" / "report.json").read_text(encoding="utf-8"))
    held = column(built.path / "heldout")
    assert held <= set(report["overlap"]["ids"]["held_out"])
    asked = held_out(built.path / "arms" / "bare")
    assert asked and set(asked) <= column(built.path / "heldout", "question")


@pytest.mark.long
def test_the_saved_suite_holds_out_the_same(built: SuiteResult, tmp_path: Path) -> None:
    """`suite.toml` builds every arm and the held-out questions again, byte for byte."""
    again = ablate("demo:80", tmp_path / "again", str(built.path / "suite.toml"), workers=1)
    for path in sorted(built.path.rglob("*.parquet")):
        assert (again.path / path.relative_to(built.path)).read_bytes() == path.read_bytes()


@pytest.mark.long
def test_fresh_takes_the_held_out_questions_away(built: SuiteResult, tmp_path: Path) -> None:
    """A suite that holds out nothing leaves none of an earlier one that did."""
    out = tmp_path / "out"
    ablate("demo:40", out, suite(**{"clean.holdout": 0.25}), workers=1)
    assert (out / "heldout").is_dir()
    ablate("demo:40", out, suite(), workers=1, fresh=True)
    assert not list(out.rglob("heldout"))


def test_a_benchmarks_questions_stay_out_of_every_arm(built: SuiteResult, tmp_path: Path) -> None:
    """`ablate --against FILE`: what the benchmark asks is in no arm, and the suite pins the benchmark by its digest."""
    known = sorted(column(built.path / "heldout", "question"))[:5]
    pq.write_table(pa.table({"question": known}), tmp_path / "exam.parquet")
    (tmp_path / "suite.toml").write_text(suite().to_toml(), encoding="utf-8")
    done = command.run(
        "ablate", "demo:80", "--suite", tmp_path / "suite.toml", "--out", tmp_path / "out", "--workers", "1",
        "--against", tmp_path / "exam.parquet", "--json",
    )  # fmt: skip
    assert done.exit == 0, done.err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    dropped = report["reports"]["base"]["overlap"]["contaminated"]
    assert dropped["questions"] == 5
    for name in ARMS:
        rows = pq.read_table(tmp_path / "out" / "arms" / name / "sft_train")["conversations"].to_pylist()
        assert not {row[0]["content"] for row in rows} & set(known)
    assert "exam.parquet" in (tmp_path / "out" / "suite.toml").read_text(encoding="utf-8")


def test_arms_cannot_keep_out_different_questions() -> None:
    """All arms have the same questions, so which stay out is a matter of the base."""
    with pytest.raises(RecipeError, match="Arm 'other' changes which questions stay out"):
        suite_from_toml('recipe = "paper"\n[[arms]]\nname = "other"\nchanges = { "clean.holdout" = 0.1 }\n')


def test_questions_without_gold_answers_are_not_held_out(tmp_path: Path) -> None:
    """As in a build, nobody could grade what is held out."""
    rows = [
        {"question": f"What is {k}?", "response": "It is.", "correct": r % 2 == 0, "reflection": "Fine."}
        for k in range(9)
        for r in range(4)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "raw.parquet")
    with pytest.raises(ColumnError, match="need gold answers"):
        ablate(str(tmp_path / "raw.parquet"), tmp_path / "out", suite(**{"clean.holdout": 0.25}), workers=1)
    assert not (tmp_path / "out").exists()


def test_the_suite_publishes_what_it_holds_out(
    hub: Hub, built: SuiteResult, in_client: Callable[..., Any]
) -> None:
    """`load_dataset(REPO, "heldout")` gives the held-out questions beside the arms."""
    token = hub.token("alice")
    plan = plan_push(built.path, "alice/suite", token=token, endpoint=hub.url)
    assert not [path for path in plan.build.left_out if "heldout" in path]
    push(plan, token)
    loaded = in_client(
        """
import datasets, json
print(json.dumps(datasets.load_dataset("alice/suite", "heldout", split="test")["question_id"][:]))
""",
        user="alice",
    )
    assert set(loaded) == column(built.path / "heldout")


def test_a_build_that_holds_out_nothing_takes_the_old_questions_off_the_hub(hub: Hub, tmp_path: Path) -> None:
    """What an earlier version held out may be trained on now, so its config doesn't stay."""
    token, recipe = hub.token("alice"), new_recipe().changed({"traces.attempts": 3})
    for name, holdout in (("old", 0.3), ("new", 0.0)):
        build("demo:60", tmp_path / name, recipe.changed({"clean.holdout": holdout}), workers=1)
        plan = plan_push(tmp_path / name, "alice/set", token=token, endpoint=hub.url, mode=Mode.REPLACE)
        push(plan, token)
    assert not [path for path in hub.files("alice/set") if path.startswith("heldout/")]
    assert "heldout" not in hub.read("alice/set", "README.md").decode().partition("# ")[0]
