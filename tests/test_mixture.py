"""Mixtures: several sources in one dataset, with exact counts, one order, and a source for every row and every number."""

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build import scatter
from skill_factory.build.mixture import build_mixture
from skill_factory.build.pipeline import build
from skill_factory.build.shares import (
    STRATA,
    apportioned,
    bounds_of,
    largest_total,
    paces,
    strata_of,
    taken_by,
    wanted_counts,
)
from skill_factory.draws import order_keys
from skill_factory.errors import NothingUsable, RecipeError, SkillFactoryError
from skill_factory.publish.plan import Mode, plan_push
from skill_factory.publish.push import push
from skill_factory.recipe.mixture import Ingredient, Mixture
from skill_factory.recipe.mixture_file import load_mixture, mixture_from_toml, recipe_or_mixture
from skill_factory.recipe.model import Recipe, recipe_from_toml
from tests import command, drive, make_raw
from tests.hub import Hub
from tests.test_build import killed_at

pytest_plugins = ["tests.hub_fixtures"]

MIX = """
seed = 3

[[sources]]
name = "maths"
from = "maths.parquet"
weight = 0.7
[sources.traces]
attempts = 2

[[sources]]
name = "puzzles"
from = "puzzles.jsonl"
weight = 0.3
[sources.traces]
attempts = 3
formats = ["*C", "*C*IC"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mixture of two sources of different form: `puzzles` has columns of its own, and shares ten questions."""
    place = tmp_path_factory.mktemp("mix")
    maths = list(make_raw.make_rows(150, responses=6, reflections=3, seed=1))
    make_raw.write_parquet(maths, place / "maths.parquet")
    shared = {row["question"] for row in maths[:60]}
    puzzles = [row | {"question": f"Again: {row['question']}"} for row in make_raw.make_rows(120, seed=2)]
    puzzles += [row | {"answer": "43"} for row in maths if row["question"] in shared]
    lines = [
        {
            "problem": row["question"],
            "gold": row["answer"],
            "attempt": row["response"],
            "is_right": row["correct"],
            "checks": row["reflections"],
        }
        for row in puzzles
    ]
    (place / "puzzles.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    mapping = (
        '\n[sources.columns]\nquestion = "problem"\nanswer = "gold"\nresponse = ["attempt"]\n'
        'correct = ["is_right"]\nreflections = ["checks"]\n'
    )
    (place / "mix.toml").write_text(MIX + mapping, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def built(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mixture, built by the command in many small partitions with two workers."""
    out = tmp_path_factory.mktemp("built") / "out"
    done = drive.run("build", "--recipe", folder / "mix.toml", "--out", out, "--workers", 2)
    assert done.exit == 0, done.err
    return out


def rows_of(out: Path) -> list[dict[str, Any]]:
    """All rows of a build."""
    return pq.read_table(out / "sft_train").to_pylist()


# ------------------------------------------------------------------------------------------------ what is asked


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=6),
    st.lists(st.integers(0, 5_000), min_size=6, max_size=6),
    st.integers(0, 3_000),
)
def test_counts_of_drawn_mixtures_are_exact(weights: list[int], there: list[int], total: int) -> None:
    """The counts have the sum asked for, differ from exact shares by less than one, and are drawn to the trace."""
    shares = [Fraction(weight) for weight in weights]
    there = there[: len(weights)]
    counts = apportioned(shares, total)
    assert sum(counts) == total
    assert all(abs(n - total * share / sum(shares)) < 1 for n, share in zip(counts, shares, strict=True))
    most = largest_total(shares, there)
    assert all(n <= has for n, has in zip(apportioned(shares, most), there, strict=True))
    assert any(n > has for n, has in zip(apportioned(shares, most + 1), there, strict=True))
    rng = np.random.default_rng(total)
    counts = apportioned(shares, most)
    keys, draws = ([rng.integers(0, 2**64, has, np.uint64) for has in there] for _ in range(2))
    here = [np.bincount(strata_of(mine), minlength=STRATA) for mine in keys]
    for mine, drawn, n, taken in zip(keys, draws, counts, paces(here, counts), strict=True):
        assert taken_by(bounds_of(strata_of(mine), drawn, taken), mine, drawn).sum() == n


def test_a_source_that_is_too_small_says_by_how_much() -> None:
    """No trace is used twice: the sentence names the source, what is missing, and what would be possible."""
    mixture = Mixture(sources=(Ingredient(name="a", count=10), Ingredient(name="b", count=5)))
    assert wanted_counts(mixture, [10, 5]) == [10, 5]
    with pytest.raises(NothingUsable, match=r"source 'b' gives 3 traces, 2 fewer than the 5 asked for"):
        wanted_counts(mixture, [10, 3])
    weighted = Mixture(traces=20, sources=(Ingredient(name="a", weight=3), Ingredient(name="b", weight=1)))
    with pytest.raises(NothingUsable, match=r"'a' gives 12 traces, 3 fewer .* allow is traces = 16\."):
        wanted_counts(weighted, [12, 100])
    with pytest.raises(NothingUsable, match=r"'b' gives no trace, so no share"):
        wanted_counts(weighted.model_copy(update={"traces": 0}), [12, 0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources = 3", "as [[sources]] tables"),
        ("[[sources]]\nname = 'a'", "needs a weight or a count"),
        ("[[sources]]\nname = 'a'\nweight = 1\ncount = 2", "needs a weight or a count"),
        ("[[sources]]\nname = 'a'\nweight = 0", "greater than 0"),
        ("[[sources]]\nname='a'\nweight=1\n[[sources]]\nname='a'\nweight=1", "two sources are called 'a'"),
        ("[[sources]]\nname='a'\nweight=1\n[[sources]]\nname='b'\ncount=1", "some sources have a weight"),
        ("traces = 5\n[[sources]]\nname='a'\ncount=1", "'traces' goes with weights"),
        ("[[sources]]\nname='a'\nweight=1\n[sources.traces]\natempts=2", "Did you mean 'attempts'"),
        ("[[sources]]\nname='a'\nweight=1\n[sources.balance]\nmax_traces=2", "balance.max_traces"),
        ("[[sources]]\nname='a'\nweight=1\nrecipe='none'", "There is no recipe 'none'"),
        ("seed = 2\n[[sources]]\nname='a'\nweight=1\n[sources.traces]\nseed=1", "this source asks for 1"),
        (
            "[[sources]]\nname='a'\nweight=1\n[[sources]]\nname='b'\nweight=1\n[sources.tags]\nthink='t'",
            "share tags",
        ),
        (
            "[[sources]]\nname='a'\nweight=1\n[sources.clean]\nholdout=0.1",
            "write [clean] once, above the sources",
        ),
        ("[clean]\nholdout=1\n[[sources]]\nname='a'\nweight=1", "would hold out every question"),
        ("wieght = 2\n[[sources]]\nname='a'\nweight=1", "wieght"),
    ],
)
def test_a_mixture_that_cant_be_meant_is_refused(text: str, said: str) -> None:
    """One sentence says what is wrong, in which source, and what is known."""
    with pytest.raises(RecipeError) as error:
        mixture_from_toml(text)
    assert said in str(error.value)


def test_a_saved_mixture_is_the_mixture(folder: Path, built: Path) -> None:
    """What a build saves reads back to the same fingerprint, and so does its own TOML."""
    mixture, places = load_mixture(str(folder / "mix.toml"))
    assert set(places) == {"maths", "puzzles"}
    assert mixture_from_toml(mixture.to_toml())[0] == mixture
    saved = recipe_or_mixture((built / "recipe.toml").read_text(encoding="utf-8"))
    assert isinstance(saved, Mixture)
    assert saved.fingerprint() == command.report(built)["fingerprint"]
    assert [recipe.source.digest != "" for recipe in saved.recipes] == [True, True]


def test_paths_are_seen_from_the_mixtures_folder(folder: Path, tmp_path: Path) -> None:
    """`from` is meant from where `mix.toml` lies; --from names another place, and an unknown name is refused."""
    done = command.run("build", "--recipe", folder / "mix.toml", "--out", tmp_path / "out", cwd=tmp_path)
    assert done.exit == 0, done.err
    strange = command.run(
        "build", "--recipe", folder / "mix.toml", "--out", tmp_path / "other", "--from", "x=y.parquet"
    )
    assert strange.exit == 2
    assert "no source 'x'" in strange.err
    one = command.run("build", "--recipe", folder / "mix.toml", "--out", tmp_path / "other", "--attempts", 2)
    assert one.exit == 2
    assert "--attempts changes the recipe of one source" in one.err


# ------------------------------------------------------------------------------------------------- what is built


def test_shares_are_exact_and_rows_say_their_source(built: Path) -> None:
    """70 and 30 in a hundred, to the trace; lineage, ledger and report agree about it."""
    counted = Counter(row["source"] for row in rows_of(built))
    every = sum(counted.values())
    assert apportioned([Fraction(7, 10), Fraction(3, 10)], every) == [counted["maths"], counted["puzzles"]]
    report = command.report(built)
    by_source = report["by_source"]
    assert {name: by_source[name]["ledger"]["traces"]["kept"] for name in counted} == dict(counted)
    # One of the two gives all it has: there is no larger mixture of these shares.
    left = [part["ledger"]["traces"]["dropped"].get("over_share", 0) for part in by_source.values()]
    assert min(left) <= 1
    assert max(left) > 0


def test_the_ledger_adds_up_for_each_source_and_in_all(built: Path) -> None:
    """At every level read = kept + dropped, and the whole is the sum of the sources."""
    report = command.report(built)
    for level, counted in report["ledger"].items():
        parts = [part["ledger"][level] for part in report["by_source"].values()]
        for one in [counted, *parts]:
            assert one["read"] == one["kept"] + sum(one["dropped"].values())
        assert counted["read"] == sum(part["read"] for part in parts)
        assert counted["kept"] == sum(part["kept"] for part in parts)


def test_a_question_in_two_sources_is_the_first_ones(folder: Path, built: Path) -> None:
    """Later sources lose it with a reason, and other gold answers are counted, shown and said on the card."""
    maths = {row["question"] for row in make_raw.make_rows(150, responses=6, reflections=3, seed=1)}
    shared = [
        line["problem"] for line in map(json.loads, (folder / "puzzles.jsonl").read_text().splitlines())
    ]
    both = len(maths & set(shared))
    report = command.report(built)
    dropped = report["by_source"]["puzzles"]["ledger"]["questions"]["dropped"]
    assert both > 5
    assert dropped["in_other_source"] == both
    assert "in_other_source" not in report["by_source"]["maths"]["ledger"]["questions"]["dropped"]
    assert report["unequal_golds"] == {"questions": both}
    assert "43, but 42 in maths" in report["row_examples"]["unequal_golds"][0]
    assert f"{both} questions stand in two sources with different gold answers" in (
        built / "README.md"
    ).read_text(encoding="utf-8")
    asked = {row["conversations"][0]["content"] for row in rows_of(built) if row["source"] == "puzzles"}
    assert not asked & maths


def test_each_source_gives_traces_of_its_own_build(folder: Path, built: Path, tmp_path: Path) -> None:
    """A trace of a mixture is byte for byte one that its source gives alone under the same recipe."""
    mixture, places = load_mixture(str(folder / "mix.toml"))
    for one in mixture.sources:
        out = tmp_path / one.name
        build(places[one.name], out, one.recipe)
        alone = {row["trace_id"]: row["conversations"] for row in rows_of(out)}
        mine = [row for row in rows_of(built) if row["source"] == one.name]
        assert mine
        assert all(alone[row["trace_id"]] == row["conversations"] for row in mine)


def test_the_order_is_that_of_the_questions_hash(built: Path) -> None:
    """Sources come mixed, in the order of hash(seed, question id), whatever partition they were built in."""
    ids = np.array([int(row["question_id"], 16) for row in rows_of(built)], np.uint64)
    keys = order_keys(3, ids)
    assert np.all(keys[1:] >= keys[:-1])
    assert len(list((built / "sft_train").glob("*.parquet"))) > 5


def share_along(
    seed: int, sizes: tuple[int, int], questions: tuple[int, int], counts: list[int]
) -> npt.NDArray[np.float64]:
    """How far the share of the first of two sources is from what is asked for in each prefix, in standard errors by trace."""
    rng = np.random.default_rng(seed)
    keys = [
        np.sort(rng.integers(0, 2**64, n, np.uint64)).repeat(m) for n, m in zip(questions, sizes, strict=True)
    ]
    strata = [strata_of(mine) for mine in keys]
    here = [np.bincount(mine, minlength=STRATA) for mine in strata]
    chosen = []
    for mine, place, has, n in zip(keys, strata, here, paces(here, counts), strict=True):
        assert np.all((n >= 0) & (n <= has))
        draws = rng.integers(0, 2**64, len(mine), np.uint64)
        chosen.append(mine[taken_by(bounds_of(place, draws, n), mine, draws)])
    assert [len(mine) for mine in chosen] == counts
    order = np.argsort(np.concatenate(chosen), kind="stable")
    share, n = counts[0] / sum(counts), np.arange(1, sum(counts) + 1)
    away: npt.NDArray[np.float64] = np.abs(np.cumsum(order < counts[0]) / n - share)
    return away / np.sqrt(share * (1 - share) / n)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 8), st.sampled_from([0.5, 0.3, 0.1]))
def test_shares_hold_along_the_order(seed: int, one: int, other: int, share: float) -> None:
    """
    In any prefix of 1,000 traces or more each share is within three standard errors, also where a question gives
    several traces, if each source has twice the traces that are taken from it.
    """
    total = int(0.5 * min(4000 * one / share, 4000 * other / (1 - share)))
    counts = apportioned([Fraction(str(share)), 1 - Fraction(str(share))], total)
    assert np.all(share_along(seed, (one, other), (4000, 4000), counts)[999:] <= 3)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
    st.integers(500, 6000),
    st.floats(0.5, 1),
    st.sampled_from([1.0, 0.9]),
)
def test_shares_without_slack_are_those_of_whole_questions(
    seed: int, sizes: tuple[int, int], second: int, part: float, most: float
) -> None:
    """
    Sources that give all they have leave no choice: the order is that of the questions' hashes, and shares waver as those of
    whole questions drawn at random do. Counted by question, no prefix is more than five standard errors away; and if one
    source has a tenth to spare, none is more than three.
    """
    questions = (4000, second)
    counts = [int(most * 4000 * sizes[0]), int(part * second * sizes[1])]
    counts = [4000 * sizes[0], second * sizes[1]] if most == 1 and part > 0.9 else counts
    share = counts[0] / sum(counts)
    # A question of n traces weighs like n questions: the error of a share grows by the root of what the other's weigh.
    by_question = np.sqrt((1 - share) * sizes[0] + share * sizes[1])
    spare = min(counts[0] / (4000 * sizes[0]), counts[1] / (second * sizes[1])) <= 0.9
    away = share_along(seed, sizes, questions, counts)[999:] / by_question
    assert np.all(away <= (3 if spare else 5))


def test_without_slack_a_prefix_is_within_three_errors_as_often_as_chance_allows() -> None:
    """Two equal sources, all of each taken: of 40 draws, no more than one prefix in a hundred is over three errors by question."""
    sizes, questions = (5, 5), (1500, 1500)
    away = [share_along(seed, sizes, questions, [7500, 7500])[999:] / np.sqrt(5) for seed in range(40)]
    assert np.mean([np.mean(one > 3) for one in away]) < 0.01
    # Counted by trace, as if each came alone, they would often be: the questions are what is drawn.
    assert np.mean([np.any(one * np.sqrt(5) > 3) for one in away]) > 0.3


def test_counts_are_those_asked_for(folder: Path, tmp_path: Path) -> None:
    """With counts each source gives exactly as many traces."""
    mixture, places = load_mixture(str(folder / "mix.toml"))
    sources = tuple(
        one.model_copy(update={"weight": None, "count": count})
        for one, count in zip(mixture.sources, (60, 21), strict=True)
    )
    build_mixture(mixture.model_copy(update={"sources": sources}), tmp_path / "out", places)
    assert Counter(row["source"] for row in rows_of(tmp_path / "out")) == {"maths": 60, "puzzles": 21}


def test_without_lineage_there_is_no_column_of_sources(folder: Path, tmp_path: Path) -> None:
    """A mixture without lineage has the two columns that trainers read, and the same numbers."""
    mixture, places = load_mixture(str(folder / "mix.toml"))
    bare = mixture.with_recipes(
        tuple(recipe.changed({"output.lineage": False}) for recipe in mixture.recipes)
    )
    result = build_mixture(bare, tmp_path / "out", places)
    assert pq.read_table(tmp_path / "out" / "sft_train").schema.names == [
        "conversations",
        "sft_template_type_idx",
    ]
    assert set(result.report["by_source"]) == {"maths", "puzzles"}


# ------------------------------------------------------------------------------------------------- same bytes


def test_the_bytes_depend_on_neither_workers_nor_the_order_of_rows(
    folder: Path, built: Path, tmp_path: Path
) -> None:
    """One process writes what two workers wrote; the same rows in another order give the same rows."""
    done = drive.run("build", "--recipe", folder / "mix.toml", "--out", tmp_path / "one", "--workers", 1)
    assert done.exit == 0, done.err
    assert command.digest(tmp_path / "one") == command.digest(built)

    turned = tmp_path / "turned.jsonl"
    lines = (folder / "puzzles.jsonl").read_text(encoding="utf-8").splitlines()
    turned.write_text("\n".join(reversed(lines)), encoding="utf-8")
    mixed = ("--recipe", folder / "mix.toml", "--from", f"puzzles={turned}")
    done = drive.run("build", *mixed, "--out", tmp_path / "other", "--workers", 2)
    assert done.exit == 0, done.err
    assert rows_of(tmp_path / "other") == rows_of(built)


@pytest.mark.parametrize("after", [0, 3])
def test_a_killed_mixture_goes_on_and_ends_in_the_same_bytes(
    after: int, folder: Path, built: Path, tmp_path: Path
) -> None:
    """kill -9 after k of P partitions: what is finished stays, the rest is built, the end is that of no disturbance."""
    out, words = tmp_path / "out", ("build", "--recipe", folder / "mix.toml", "--workers", 2)
    process = drive.start(*words, "--out", out)
    drive.wait_for(out, after, process)
    process.kill()
    process.communicate()
    done = drive.run(*words, "--out", out)
    assert done.exit == 0, done.err
    assert ("resumed:" in done.out) == (after > 0)
    assert command.digest(out) == command.digest(built)
    assert not (out / ".work").exists()


@pytest.mark.long
def test_a_mixture_may_die_at_any_change_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made, the choice and every shard appear whole or not at all: the next run ends in the same bytes."""
    monkeypatch.setattr(scatter, "PARTITION_BYTES", 3500)
    places = {}
    for place, name in enumerate(("a", "b")):
        rows = make_raw.make_rows(8, responses=4, seed=place)
        places[name] = str(make_raw.write_parquet(rows, tmp_path / f"{name}.parquet"))
    recipe = Recipe().changed({"traces.attempts": 2})
    mixture = Mixture(
        sources=tuple(
            Ingredient(name=name, weight=weight, recipe=recipe) for name, weight in (("a", 2), ("b", 1))
        )
    )
    build_mixture(mixture, tmp_path / "right", places, workers=1)
    right = command.digest(tmp_path / "right")
    moment, died = 1, True
    while died:
        out = tmp_path / f"out{moment}"
        died = killed_at(moment, out, lambda out=out: build_mixture(mixture, out, places, workers=1))
        build_mixture(mixture, out, places, workers=1)
        assert command.digest(out) == right, f"killed at change {moment}"
        moment += 1
    assert moment > 20


# ------------------------------------------------------------------------------------------------- who reads it


def test_a_mixture_is_not_read_as_a_recipe_of_one_source(built: Path) -> None:
    """Whoever expects one source is told, instead of getting the first of several."""
    with pytest.raises(RecipeError, match="sources"):
        recipe_from_toml((built / "recipe.toml").read_text(encoding="utf-8"))


def test_other_commands_read_a_mixture(folder: Path, built: Path, tmp_path: Path) -> None:
    """Lint, diff, export and a second build take its folder like any other."""
    assert command.run("lint", built).exit == 0
    assert command.run("diff", built, built).exit == 0
    done = command.run(
        "export", built, "--to", "llamafactory", "--model", "Qwen/Qwen2.5-1.5B", "-o", tmp_path / "lf"
    )
    assert done.exit == 0, done.err
    again = drive.run("build", "--recipe", folder / "mix.toml", "--out", built)
    assert "already holds this build" in again.out
    with pytest.raises(SkillFactoryError, match="holds another build"):
        build(str(folder / "maths.parquet"), built)


def test_a_mixture_of_one_is_one_source_with_a_name() -> None:
    """Values are plain: a mixture can be made and changed in Python as a recipe can."""
    mixture = Mixture(sources=(Ingredient(name="a", weight=1.0),))
    assert mixture.flat()["a.traces.attempts"] == 5


def test_commands_of_one_source_say_so(folder: Path) -> None:
    """What takes one source names the mixture and what takes the whole, in one sentence."""
    done = command.run("ablate", folder / "maths.parquet", "--recipe", folder / "mix.toml", "--out", "x")
    assert done.exit == 2
    assert "names several sources, and this command takes one" in done.err
    done = command.run("inspect", folder / "maths.parquet", "--recipe", folder / "mix.toml")
    assert done.exit == 2
    assert "names its own sources" in done.err


def test_a_mixture_is_published_like_any_build(hub: Hub, built: Path) -> None:
    """Every shard arrives as it is, with the mixture and a card that lists its sources."""
    plan = plan_push(built, "alice/mixed", Mode.NEW, hub.token("alice"), endpoint=hub.url)
    push(plan, hub.token("alice"))
    shards = sorted(path.relative_to(built).as_posix() for path in (built / "sft_train").iterdir())
    assert [path for path in hub.files("alice/mixed") if path.endswith(".parquet")] == shards
    assert all(hub.read("alice/mixed", path) == (built / path).read_bytes() for path in shards)
    assert b"| `puzzles` | weight 0.3 |" in hub.read("alice/mixed", "README.md")
    assert isinstance(recipe_or_mixture(hub.read("alice/mixed", "recipe.toml").decode()), Mixture)
