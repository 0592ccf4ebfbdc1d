"""Mixtures before they are built, and the questions that stay out of them: all sources are compared together."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skill_factory.build.mixture import build_mixture, preview_mixture
from skill_factory.build.pipeline import build
from skill_factory.errors import ColumnError
from skill_factory.insight.inspection.mixture import inspect_mixture
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.mixture_file import load_mixture, mixture_from_toml
from skill_factory.sources.demo.rows import write_demo
from skill_factory.sources.demo.worlds import world_named
from tests import command, make_raw

MIX = """
[[sources]]
name = "maths"
from = "maths.parquet"
weight = 2
[sources.traces]
attempts = 2

[[sources]]
name = "again"
from = "again.parquet"
weight = 1
[sources.traces]
attempts = 2
"""
RESPONSE = "model_responses__mutated_prompts"
RIGHT = f"{RESPONSE}__eval_is_correct"
REFLECTIONS = f"{RESPONSE}_reflection"
TAIL = "Close with <answer>...</answer>, please."
THINGS = [
    "apples",
    "pears",
    "coins",
    "stamps",
    "lamps",
    "boats",
    "stones",
    "ropes",
    "tickets",
    "books",
    "candles",
    "chairs",
]


def story(seed: int, k: int) -> str:
    """A question that is like no other one."""
    draw = random.Random(1000 * seed + k)
    first, second, third = draw.sample(THINGS, 3)
    a, b, c = draw.sample(range(100, 9999), 3)
    return f"A merchant trades {a} {first} for {b} {second}; how many {third} are worth {c} of both, at {k} each?"


def told(rows: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Rows whose questions are stories."""
    number = {text: k for k, text in enumerate(dict.fromkeys(row["question"] for row in rows))}
    return [row | {"question": story(seed, number[row["question"]])} for row in rows]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources: ten questions of the first stand in the second as they are, ten others with a sentence more."""
    place = tmp_path_factory.mktemp("looks")
    maths = told(list(make_raw.make_rows(60, responses=5, seed=1)), 1)
    others = told(list(make_raw.make_rows(40, responses=5, seed=9)), 2)
    names = list(dict.fromkeys(row["question"] for row in maths))
    same = [row for row in maths if row["question"] in names[:10]]
    near = [
        row | {"question": f"{row['question']} {TAIL}"} for row in maths if row["question"] in names[10:20]
    ]
    make_raw.write_parquet(maths, place / "maths.parquet")
    make_raw.write_parquet([*others, *same, *near], place / "again.parquet")
    leaked = [{"problem": text} for text in (names[25], others[0]["question"])]
    (place / "bench.jsonl").write_text("\n".join(map(json.dumps, leaked)), encoding="utf-8")
    (place / "mix.toml").write_text(MIX, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def loaded(folder: Path) -> tuple[Mixture, dict[str, str]]:
    """The mixture, and where its sources are."""
    return load_mixture(str(folder / "mix.toml"))


def dropped(report: dict[str, Any], source: str) -> dict[str, int]:
    """Why questions of a source were dropped."""
    found: dict[str, int] = report["by_source"][source]["ledger"]["questions"]["dropped"]
    return found


# ----------------------------------------------------------------------------------------------- before the build


def test_what_comes_is_said_before_it_is_built(
    loaded: tuple[Mixture, dict[str, str]], tmp_path: Path
) -> None:
    """`inspect` forecasts each source's traces, questions and those of an earlier source: exactly what the build gives."""
    told = inspect_mixture(*loaded).to_json()
    report = build_mixture(loaded[0], tmp_path / "out", loaded[1]).report
    forecast = told["mixture"]
    assert forecast["traces"] == report["traces"]
    for part in forecast["sources"]:
        ledger = report["by_source"][part["name"]]["ledger"]
        assert part["takes"] == ledger["traces"]["kept"]
        assert part["could_give"] == ledger["traces"]["kept"] + ledger["traces"]["dropped"].get(
            "over_share", 0
        )
    assert [part["in_other_source"] for part in forecast["sources"]] == [
        0,
        dropped(report, "again")["in_other_source"],
    ]
    assert set(told["sources"]) == {"maths", "again"}
    assert forecast["problem"] == ""


def test_doubts_and_advice_name_their_source(tmp_path: Path) -> None:
    """What is doubtful in one source stands under its name; what is short comes first."""
    write_demo(tmp_path / "fine.parquet", 150)
    write_demo(tmp_path / "turned.parquet", 150, world=world_named("sums"))
    rows = pq.read_table(tmp_path / "turned.parquet").to_pylist()
    turned = [row | {RIGHT: [one is bool(k % 2) for one in row[RIGHT]]} for k, row in enumerate(rows)]
    pq.write_table(pa.Table.from_pylist(turned), tmp_path / "turned.parquet")
    text = "".join(
        f'[[sources]]\nfrom = "{name}.parquet"\ncount = {count}\n[sources.traces]\nattempts = 2\n'
        for name, count in (("fine", 5), ("turned", 5000))
    )
    (tmp_path / "mix.toml").write_text(text, encoding="utf-8")
    seen = inspect_mixture(*load_mixture(str(tmp_path / "mix.toml")))
    assert seen.mixed is not None
    short = seen.mixed.parts[1].short
    assert f"{short:,} fewer than the 5,000 asked for" in seen.advice[0]
    told = seen.to_json()
    assert {doubt["source"] for doubt in told["doubts"]} == {"turned"}
    assert any(line.startswith("turned: ") for line in seen.advice)


def test_a_source_that_isnt_ready_is_named(folder: Path) -> None:
    """Without a needed column there is no forecast, and the sentence says which source lacks what."""
    text = (
        f'{MIX}[sources.columns]\nquestion = "question"\nresponse = ["{RESPONSE}"]\ncorrect = ["{RIGHT}"]\n'
    )
    mixture, places = mixture_from_toml(text, folder=folder)
    seen = inspect_mixture(mixture, places)
    assert seen.mixed is None
    assert seen.problem.startswith("Source 'again': No column holds reflections")


def test_a_preview_shows_traces_of_each_source(folder: Path, loaded: tuple[Mixture, dict[str, str]]) -> None:
    """The first that each could give, never of a question that belongs to another."""
    shown = preview_mixture(*loaded, questions=30)
    asks = {name: {trace.plan.question.text for trace in part.traces} for name, part in shown.items()}
    assert len(asks["maths"]) == 30
    assert asks["again"]
    assert not asks["again"] & {
        row["question"] for row in pq.read_table(folder / "maths.parquet").to_pylist()
    }


@pytest.mark.long
def test_the_commands_say_it_as_json_and_as_a_page(folder: Path, tmp_path: Path) -> None:
    """`inspect` and `preview` of a mixture, for people and for programs."""
    done = command.run("inspect", "--recipe", folder / "mix.toml", "--json")
    assert done.exit == 0, done.err
    assert set(json.loads(done.out)["sources"]) == {"maths", "again"}
    done = command.run("preview", "--recipe", folder / "mix.toml", "--json")
    told = json.loads(done.out)
    assert {row["source"] for row in told["traces"]} == {"maths", "again"}
    assert told["mixture"]["traces"] > 0
    page = tmp_path / "page.html"
    done = command.run("preview", "--recipe", folder / "mix.toml", "--html", page)
    assert "it could give" in done.out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


# ------------------------------------------------------------------------------------------ questions that stay out


def test_all_sources_are_compared_with_a_benchmark(
    folder: Path, loaded: tuple[Mixture, dict[str, str]], tmp_path: Path
) -> None:
    """Questions of whatever source are left out, and the mixture that is saved names the benchmark."""
    given = [str(folder / "bench.jsonl")]
    report = build_mixture(loaded[0], tmp_path / "out", loaded[1], against=given).report
    assert [dropped(report, name).get("contaminated", 0) for name in ("maths", "again")] == [1, 1]
    assert report["overlap"]["contaminated"]["questions"] == 2
    saved = mixture_from_toml((tmp_path / "out" / "recipe.toml").read_text(encoding="utf-8"))[0]
    assert [one.name for one in saved.clean.against] == ["bench.jsonl"]
    assert "bench.jsonl" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert inspect_mixture(*loaded, against=given).to_json()["contaminated"]["questions"] == 2


def test_near_duplicates_are_found_across_sources(
    loaded: tuple[Mixture, dict[str, str]], tmp_path: Path
) -> None:
    """Of questions that say nearly the same in two sources, that of the first one stays."""
    mixture, places = loaded
    wishes = mixture.clean.model_copy(update={"near_duplicates": True})
    report = build_mixture(mixture.model_copy(update={"clean": wishes}), tmp_path / "out", places).report
    assert dropped(report, "again")["near_duplicate"] == 10
    assert "near_duplicate" not in dropped(report, "maths")


def test_one_share_is_held_out_of_all_sources(
    folder: Path, loaded: tuple[Mixture, dict[str, str]], tmp_path: Path
) -> None:
    """One config `heldout` over all: the questions that a source alone would hold out, none of them in a trace."""
    done = command.run(
        "build", "--recipe", folder / "mix.toml", "--holdout", "0.2", "--out", tmp_path / "out"
    )
    assert done.exit == 0, done.err
    held = pq.read_table(tmp_path / "out" / "heldout").to_pylist()
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "config_name: heldout" in card
    assert "held out for evaluation" in card
    traces = pq.read_table(tmp_path / "out" / "sft_train").to_pylist()
    assert len({row["question"] for row in held}) == len(held) > 10
    assert not {row["question_id"] for row in held} & {row["question_id"] for row in traces}
    recipe = loaded[0].recipes[0].changed({"clean.holdout": 0.2})
    build(str(folder / "maths.parquet"), tmp_path / "alone", recipe)
    alone = {row["question"] for row in pq.read_table(tmp_path / "alone" / "heldout").to_pylist()}
    twins = {row["question"] for row in pq.read_table(folder / "again.parquet").to_pylist()}
    # A question with a twin goes the way of both together; any other the way that it would go alone.
    free = {text for text in alone if f"{text} {TAIL}" not in twins}
    assert free
    assert free <= {row["question"] for row in held}


def test_held_out_questions_need_gold_answers_in_every_source(
    loaded: tuple[Mixture, dict[str, str]], tmp_path: Path
) -> None:
    """A source without them is named."""
    mixture, places = loaded
    bare = mixture.recipes[1].changed(
        {
            "columns.question": "question",
            "columns.response": [RESPONSE],
            "columns.correct": [RIGHT],
            "columns.reflections": [REFLECTIONS],
        }
    )
    mixture = mixture.with_recipes((mixture.recipes[0], bare))
    wishes = mixture.clean.model_copy(update={"holdout": 0.1})
    with pytest.raises(ColumnError, match=r"Source 'again': Questions that are held out need gold answers"):
        build_mixture(mixture.model_copy(update={"clean": wishes}), tmp_path / "out", places)


def test_decisions_of_a_person_belong_to_their_source(
    loaded: tuple[Mixture, dict[str, str]], tmp_path: Path
) -> None:
    """What was decided on the page about single questions of a source is part of that source's recipe, and holds."""
    mixture, places = loaded
    one = build_mixture(mixture, tmp_path / "one", places)
    name = pq.read_table(one.path / "sft_train").to_pylist()[0]["question_id"]
    recipes = tuple(recipe.changed({"clean.drop": (name,)}) for recipe in mixture.recipes)
    other = build_mixture(mixture.with_recipes(recipes), tmp_path / "other", places)
    left = {row["question_id"] for row in pq.read_table(other.path / "sft_train").to_pylist()}
    assert name not in left
    assert sum(dropped(other.report, source).get("contaminated", 0) for source in places) == 1
