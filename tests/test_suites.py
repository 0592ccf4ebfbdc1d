"""A suite: arms of one base recipe from the same questions, in equal sizes, in one folder."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.pipeline import build
from skill_factory.build.prepare import ready_recipe
from skill_factory.errors import BuildFolderError, NothingUsable, RecipeError
from skill_factory.formats import FORMATS
from skill_factory.judge.facts import read
from skill_factory.judge.first_questions import first_rows
from skill_factory.measure.evaluation.arms import outputs_of_arms
from skill_factory.recipe.model import Recipe
from skill_factory.sources import open_source
from skill_factory.suites.ablating import SuiteResult, ablate
from skill_factory.suites.choosing import Offer, choose, taking_order
from skill_factory.suites.kept_readings import keep, kept
from skill_factory.suites.passes import ArmRecipe, counted_ahead, judged
from skill_factory.suites.running import named_files
from skill_factory.suites.suite import BASE, Equal, Suite, load_suite, suite_from_toml
from skill_factory.tally import Tally
from skill_factory.trainers import TRAINERS
from tests import command
from tests.hub import Hub

pytest_plugins = ["tests.hub_fixtures"]

THREE = """
version = 1
recipe = "paper"
[[arms]]
name = "bare"
changes = { "traces.formats" = ["no_reflection"] }
[[arms]]
name = "any_order"
changes = { "traces.formats" = ["random"] }
[one_at_a_time]
"traces.attempts" = [3, 5]
"""


def arm_rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows of an arm."""
    shards = sorted((folder / "arms" / name / "sft_train").glob("*.parquet"))
    return [row for shard in shards for row in pq.read_table(shard).to_pylist()]


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> SuiteResult:
    """The three arms of THREE beside their base, from the demo."""
    return ablate("demo:80", tmp_path_factory.mktemp("suite") / "out", suite_from_toml(THREE))


# ---------------------------------------------------------------------------------------------- the record


def test_the_papers_suite_ships() -> None:
    """It has the paper's ablations, Algorithm 1, and every N from 1 to 5 but the base's own."""
    names = [arm.name for arm in load_suite("paper").every_arm]
    assert names == [
        "base",
        "no_reflections",
        "no_order",
        "no_variety",
        "algorithm_1",
        *(f"attempts_{n}" for n in range(1, 5)),
    ]


def test_a_suite_comes_back_from_its_file() -> None:
    """What `suite.toml` holds builds the same suite: every arm is written out, with the base beside it."""
    suite = load_suite("paper")
    again = suite_from_toml(suite.to_toml())
    assert again.fingerprint() == suite.fingerprint()
    assert [arm.words for arm in again.arms] == [arm.words for arm in suite.arms]


def test_a_grid_says_its_size() -> None:
    """A grid makes an arm of each combination, leaves out the base's own, and says the product."""
    suite = suite_from_toml('[grid]\n"traces.attempts" = [3, 4, 5]\n"traces.repeats" = [1, 2]\n')
    assert suite.size == "3 × 2 = 6"
    assert len(suite.arms) == 5
    assert {arm.name for arm in suite.arms} >= {"attempts_3-repeats_1", "attempts_5-repeats_2"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("arms = 3", "written as [[arms]]"),
        ('[[arms]]\nname = "a"', "has no changes"),
        ('[[arms]]\nname = "a"\nchanges = { "traces.atempts" = 3 }', "Did you mean 'traces.attempts'"),
        ('[[arms]]\nname = "a"\nchanges = { "traces.attempts" = 5 }', "changes nothing"),
        ('[[arms]]\nname = "../a"\nchanges = { "traces.attempts" = 3 }', "becomes a folder"),
        ('[[arms]]\nname = "base"\nchanges = { "traces.attempts" = 3 }', "Two arms"),
        ('[[arms]]\nname = "a"\nchanges = { "source.name" = "x" }', "same data"),
        ('[[arms]]\nname = "a"\nchanges = { "balance.label_limits" = {"1C" = 3} }', "label_limits"),
        ('[[arms]]\nname = "a"\nchanges = { "clean.holdout" = 0.2 }', "same questions"),
        ('equal = "rows"\n[one_at_a_time]\n"traces.attempts" = [3]', "`traces` or `tokens`"),
        ('[one_at_a_time]\n"traces.attempts" = 3', "list of values"),
        (
            '[grid]\n"traces.attempts" = [1,2,3,4,5,6,7,8,9]\n"traces.seed" = [1,2,3,4,5,6,7,8,9]',
            "9 × 9 = 81",
        ),
        ("grids = 3", "Did you mean 'grid'"),
        ("[[arms]", "isn't valid TOML"),
        ("", "no arm that differs"),
    ],
)
def test_a_suite_that_cannot_be_says_why(text: str, says: str) -> None:
    """One sentence names what is wrong."""
    with pytest.raises(RecipeError) as error:
        suite_from_toml(text)
    assert says in str(error.value)


# ---------------------------------------------------------------------------------------------- pairing

COUNTS = st.dictionaries(st.integers(0, 2**64 - 1), st.integers(1, 6), min_size=1, max_size=40)


def offer(traces: dict[int, int], size: int = 10) -> Offer:
    """An offer of so many traces of each question, whose lengths differ a little."""
    every = [size + (question + k) % 7 for question, n in traces.items() for k in range(n)]
    return Offer(
        np.array([*traces], np.uint64), np.array([*traces.values()], np.int64), np.array(every, np.int64)
    )


@settings(max_examples=60)
@given(base=COUNTS, seed=st.integers(0, 3), data=st.data())
def test_arms_have_the_same_questions_and_equal_traces(
    base: dict[int, int], seed: int, data: st.DataObject
) -> None:
    """Whatever the arms offer: they share the questions that all can use, and each has exactly as many traces."""
    subset = st.lists(st.sampled_from([*base]), min_size=1, unique=True)
    others = {name: {q: data.draw(st.integers(1, 6)) for q in data.draw(subset)} for name in "ab"}
    offers = {BASE: offer(base), **{name: offer(traces) for name, traces in others.items()}}
    shared = set(base) & set(others["a"]) & set(others["b"])
    if not shared:
        with pytest.raises(NothingUsable):
            choose(offers, Equal.TRACES, seed)
        return
    chosen = choose(offers, Equal.TRACES, seed)
    assert set(chosen.questions.tolist()) == shared
    every: dict[str, dict[int, int]] = {BASE: base, **others}
    assert chosen.size == min(sum(n for q, n in traces.items() if q in shared) for traces in every.values())
    for name, takes in chosen.takes.items():
        assert takes.sum() == chosen.size
        assert (takes > 0).all()
        offered = np.array([every[name][q] for q in chosen.questions.tolist()])
        assert (takes <= offered).all()
        # In rounds: nobody has a second more than others that had one to give.
        spread = [int(n) for n, of in zip(takes, offered, strict=True) if n < of]
        assert not spread or max(takes) - min(spread) <= 1


@settings(max_examples=60)
@given(base=COUNTS, other=COUNTS, size=st.integers(1, 30))
def test_arms_have_equal_tokens_to_within_one_trace(
    base: dict[int, int], other: dict[int, int], size: int
) -> None:
    """No arm has more than the smallest, and each lacks less than the trace that would come next."""
    other = {question: 1 + n % 6 for question, n in zip(base, other.values(), strict=False)}
    offers = {BASE: offer(base), "other": offer(other, size)}
    chosen = choose(offers, Equal.TOKENS, 0)
    for name, one in offers.items():
        firsts = dict(zip(one.questions.tolist(), (np.cumsum(one.traces) - one.traces).tolist(), strict=True))
        taken = sum(
            int(one.chars[firsts[q] : firsts[q] + n].sum())
            for q, n in zip(chosen.questions.tolist(), chosen.takes[name].tolist(), strict=True)
        )
        assert chosen.size - int(one.chars.max()) < taken <= chosen.size


@settings(max_examples=60)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.integers(0, 9), st.integers(0, 2**64 - 1))
def test_an_arm_that_offers_fewer_takes_those_left_in_the_same_order(
    lengths: list[int], seed: int, question: int
) -> None:
    """So that arms of different N show the same traces as long as they can."""
    every = [lengths[k] for k in taking_order(seed, question, lengths)]
    short = [n for n in lengths if n < 4]
    assert [n for n in every if n < 4] == [short[k] for k in taking_order(seed, question, short)]


def test_the_arms_of_a_build_are_paired(built: SuiteResult) -> None:
    """Same questions and as many traces in every arm; without reflections the same responses stand in the same order."""
    rows = {row.arm: arm_rows(built.path, row.arm) for row in built.rows}
    assert {len(one) for one in rows.values()} == {built.rows[0].traces}
    assert len({frozenset(row["question_id"] for row in one) for one in rows.values()}) == 1

    def shown(name: str) -> list[tuple[str, tuple[str, ...]]]:
        return [(r["question_id"], tuple(a["response_id"] for a in r["attempts"])) for r in rows[name]]

    assert shown("bare") == shown(BASE)
    # Equal lengths, too, where the order is what differs.
    assert [len(a) for _, a in shown("any_order")] == [len(a) for _, a in shown(BASE)]


def test_an_arm_shows_the_traces_that_its_recipe_alone_would(built: SuiteResult, tmp_path: Path) -> None:
    """A suite chooses among traces; it makes none that a build wouldn't."""
    for arm in built.suite.every_arm:
        alone = build("demo:80", tmp_path / arm.name, built.suite.recipe_of(arm))
        of_build = [
            row
            for shard in sorted(alone.path.glob("sft_train/*"))
            for row in pq.read_table(shard).to_pylist()
        ]
        own = arm_rows(built.path, arm.name)
        chosen = {row["trace_id"] for row in own}
        assert own == [row for row in of_build if row["trace_id"] in chosen]


def test_the_table_counts_what_is_there(built: SuiteResult) -> None:
    """Each number of the table can be counted in the rows."""
    base = {json.dumps(row["conversations"]) for row in arm_rows(built.path, BASE)}
    for row in built.rows:
        rows = arm_rows(built.path, row.arm)
        assert row.questions == len({one["question_id"] for one in rows})
        assert row.attempts == sum(len(one["attempts"]) for one in rows)
        assert row.equal_to_base == sum(json.dumps(one["conversations"]) in base for one in rows)
        assert sum(row.moves.values()) == row.traces
        chars = sum(len(message["content"]) for one in rows for message in one["conversations"])
        assert row.tokens == round(chars / 3.5)
    report = json.loads((built.path / "report.json").read_text("utf-8"))
    for arm in report["arms"]:
        ledger = report["reports"][arm]["ledger"]
        for level in ledger.values():
            assert level["read"] == level["kept"] + sum(level["dropped"].values())
        assert ledger == json.loads((built.path / "arms" / arm / "report.json").read_text("utf-8"))["ledger"]


@pytest.mark.parametrize("code", [code for code, kind in FORMATS.items() if kind.always])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_what_is_counted_ahead_is_what_is_planned(code: str, n: int) -> None:
    """Formats that always give the same number of traces needn't be drawn to be counted; drawing gives that number."""
    recipe = ready_recipe(
        open_source("demo:60", Recipe().source), Recipe().changed({"traces.formats": [code]})
    )
    recipe = recipe.changed({"traces.attempts": n})
    rows, _ = first_rows(open_source("demo:60", recipe.source), recipe, 1000)
    (one,) = judged(rows, [ArmRecipe("a", recipe)])
    ahead = counted_ahead(one)
    assert ahead is not None
    planned = Counter(plan.question.id for plan in one.plans(Tally()))
    assert planned == dict(zip(ahead["questions"].tolist(), ahead["traces"].tolist(), strict=True)) != {}


def test_a_reading_is_used_again_for_these_very_rows_alone(tmp_path: Path) -> None:
    """What one pass read serves the next; rows in another order, or with another text, are read again."""
    source = open_source("demo:20", Recipe().source)
    recipe = ready_recipe(source, Recipe())
    rows = first_rows(source, recipe, 100)[0].combine_chunks()
    before = read(rows, recipe)
    keep(before, rows, tmp_path / "kept.npz")
    after = kept(rows, tmp_path / "kept.npz")
    assert after is not None
    for name, value in vars(before.facts).items():
        assert np.array_equal(value, getattr(after.facts, name)), name
    assert after.facts.variants == before.facts.variants
    for name in ("questions", "golds", "responses", "answers", "reflections"):
        assert list(getattr(after, name)) == list(getattr(before, name)), name
    other = rows.take(list(reversed(range(len(rows))))).combine_chunks()
    assert kept(other, tmp_path / "kept.npz") is None


# ---------------------------------------------------------------------------------------------- the folder


def test_the_same_bytes_with_any_workers_and_after_a_stop(built: SuiteResult, tmp_path: Path) -> None:
    """A suite that stopped half-way resumes, and ends with the bytes of one that didn't."""
    stopped = tmp_path / "stopped"

    def stop(progress: Any) -> None:
        if progress.phase == "build" and progress.done == progress.total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ablate("demo:80", stopped, suite_from_toml(THREE), report=stop)
    assert (stopped / ".work").is_dir()
    again = ablate("demo:80", stopped, suite_from_toml(THREE))
    assert files(again.path) == files(built.path)


SMALL_PARTITIONS = """
import sys
import skill_factory.build.scatter
from skill_factory.build.engines import local
skill_factory.build.scatter.PARTITION_BYTES = 200_000
local.SMALL_BYTES = 0
from skill_factory.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""The command, with partitions so small that a demo has some."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A suite of several partitions, by one worker, in one go."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "three.toml").write_text(THREE, encoding="utf-8")
    words = ["ablate", "demo:150", "--suite", folder / "three.toml", "--out", folder / "out", "--workers", 1]
    run = command.python("-c", SMALL_PARTITIONS, *words)
    assert run.exit == 0, run.err
    return files(folder / "out")


@pytest.mark.long
@pytest.mark.parametrize(
    "seen",
    [
        ".work/rows-0/.work/scattered/*.arrow",
        ".work/rows-0/.work/survey-*.json",
        ".work/rows-0/.work/write-00001.json",
        "arms/base/report.json",
    ],
)
def test_a_suite_that_was_killed_goes_on(undisturbed: dict[str, bytes], tmp_path: Path, seen: str) -> None:
    """Killed while sorting, surveying, writing or finishing, with two workers: the same command ends with the same bytes."""
    (tmp_path / "three.toml").write_text(THREE, encoding="utf-8")
    out = tmp_path / "out"
    words = [
        "ablate",
        "demo:150",
        "--suite",
        str(tmp_path / "three.toml"),
        "--out",
        str(out),
        "--workers",
        "2",
    ]
    line = [sys.executable, "-c", SMALL_PARTITIONS, *words]
    environment = {**os.environ, "PYTHONPATH": str(command.ROOT)}
    process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while process.poll() is None and not list(out.glob(seen)) and time.monotonic() < end:
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert not (out / "report.json").is_file(), "killed too late to say anything"
    done = command.python("-c", SMALL_PARTITIONS, *words)
    assert done.exit == 0, done.err
    assert files(out) == undisturbed


def test_a_finished_suite_is_left_as_it_is(built: SuiteResult) -> None:
    """The same command does nothing; another suite is refused field by field, and replaced only when asked."""
    again = ablate("demo:80", built.path, suite_from_toml(THREE))
    assert again.already
    assert again.rows == built.rows
    with pytest.raises(BuildFolderError, match=r"traces\.seed: 0 there, 1 now"):
        ablate(
            "demo:80",
            built.path,
            suite_from_toml(THREE).with_base(suite_from_toml(THREE).base.changed({"traces.seed": 1})),
        )


def test_fresh_replaces_a_suite_and_nothing_else(tmp_path: Path) -> None:
    """A person's own file stays; the arms that the new suite lacks go."""
    out = tmp_path / "out"
    ablate("demo:40", out, suite_from_toml(THREE))
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    one = suite_from_toml('recipe = "paper"\n[one_at_a_time]\n"traces.attempts" = [2]\n')
    ablate("demo:40", out, one, fresh=True)
    assert {path.name for path in (out / "arms").iterdir()} == {"base", "attempts_2"}
    assert (out / "notes.txt").read_text("utf-8") == "mine"
    assert not list((out / "run").glob("bare*"))


def test_files_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    """A folder that no suite made is refused."""
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BuildFolderError, match=r"notes\.txt"):
        ablate("demo:40", tmp_path, suite_from_toml(THREE))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_the_sharing_costs_is_said_before_anything_is_written(tmp_path: Path) -> None:
    """The arm that costs the most comes first, by name; an arm that can use nothing is left out, and said to be."""
    suite = suite_from_toml(
        'recipe = "paper"\n[one_at_a_time]\n"traces.attempts" = [4, 400]\n"balance.pass_rate" = [[0.4, 0.45]]\n'
    )
    said: list[tuple[str, bool]] = []
    out = tmp_path / "out"
    result = ablate("demo:200", out, suite, say=lambda line: said.append((line, (out / "arms").exists())))
    assert not any(written for _, written in said)
    text = [line for line, _ in said]
    assert text[0].startswith("attempts_400: left out")
    assert "fewer than half" in text[1]
    assert text[2].startswith("pass_rate_0.4-0.45")
    assert [row.arm for row in result.rows] == ["base", "attempts_4", "pass_rate_0.4-0.45"]
    assert list(result.notes) == text


def test_an_arm_does_not_build_by_itself(built: SuiteResult, tmp_path: Path) -> None:
    """Which traces an arm has depends on the others, so its recipe is refused with what to do."""
    run = command.run(
        "build", "demo:80", "--recipe", built.path / "arms/bare/recipe.toml", "--out", tmp_path / "out"
    )
    assert run.exit == 2
    assert "ablate --suite suite.toml" in run.err


def test_the_saved_suite_builds_the_same_bytes(built: SuiteResult, tmp_path: Path) -> None:
    """As the card says; the source may be left out, since the suite names it."""
    run = command.run("ablate", "--suite", built.path / "suite.toml", "--out", tmp_path / "out")
    assert run.exit == 0, run.err
    assert files(tmp_path / "out") == files(built.path)


# ---------------------------------------------------------------------------------------------- the command


def test_the_command_says_the_arms_first(tmp_path: Path) -> None:
    """`--show` lists the arms and builds nothing; `--only` takes some of them."""
    run = command.run("ablate", "demo:40", "--only", "no_order", "--show")
    assert run.exit == 0
    assert run.out.splitlines()[0] == "paper: 2 arms, equal in traces"
    bad = command.run("ablate", "demo:40", "--only", "no_oder", "--show")
    assert bad.exit == 2
    assert "no arm 'no_oder'" in bad.err
    told = command.run("ablate", "demo:40", "--only", "no_order", "--out", tmp_path / "out", "--json")
    arms = json.loads(told.out)["arms"]
    assert [arm["arm"] for arm in arms] == ["base", "no_order"]
    assert arms[0]["share_equal_to_base"] == 1


def test_rows_may_be_read_in_more_than_one_way(tmp_path: Path) -> None:
    """Arms that differ in their seed are sorted by themselves, and share the questions all the same."""
    suite: Suite = suite_from_toml('recipe = "paper"\n[one_at_a_time]\n"traces.seed" = [1, 2]\n')
    result = ablate("demo:40", tmp_path / "out", suite)
    ids = [{row["question_id"] for row in arm_rows(result.path, one.arm)} for one in result.rows]
    assert ids[0] == ids[1] == ids[2]
    assert [row.paired for row in result.rows][1:] == ["same questions only"] * 2


# ---------------------------------------------------------------------------------------------- published


def pushed(hub: Hub, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Publish a folder by the command."""
    line = [sys.executable, "-m", "skill_factory", "push", str(folder), "alice/suite", *words]
    return subprocess.run(
        line, env=hub.env("alice"), cwd=command.ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_arm_loads_by_its_name(hub: Hub, built: SuiteResult, in_client: Callable[..., Any]) -> None:
    """One repository with a config for each arm: `load_dataset(repo, arm)` gives what was built."""
    done = pushed(hub, built.path)
    assert done.returncode == 0, done.stderr
    names = [row.arm for row in built.rows]
    code = (
        "import datasets, json; "
        f"print(json.dumps({{n: datasets.load_dataset('alice/suite', n, split='train').to_list() for n in {names!r}}}))"
    )
    loaded = in_client(code, user="alice")
    assert loaded == {name: arm_rows(built.path, name) for name in names}
    assert f'load_dataset("alice/suite", "{names[1]}"' in hub.read("alice/suite", "README.md").decode()
    entries = json.loads(hub.read("alice/suite", "dataset_info.json"))
    assert {entries[name]["subset"] for name in names} == set(names)
    assert {"suite.toml", "run/base.trl.sh", "arms/base/recipe.toml"} <= set(hub.files("alice/suite"))


def test_a_suite_that_lost_an_arm_takes_it_off_the_hub(hub: Hub, built: SuiteResult, tmp_path: Path) -> None:
    """Replacing a suite leaves no shard of an arm that it no longer has; publishing it twice changes nothing."""
    assert pushed(hub, built.path).returncode == 0
    assert "Unchanged" in pushed(hub, built.path).stdout
    one = suite_from_toml('recipe = "paper"\n[one_at_a_time]\n"traces.attempts" = [2]\n')
    ablate("demo:80", tmp_path / "out", one)
    done = pushed(hub, tmp_path / "out", "--mode", "replace", "--yes")
    assert done.returncode == 0, done.stderr
    there = {path.split("/")[1] for path in hub.files("alice/suite") if path.startswith("arms/")}
    assert there == {"base", "attempts_2"}
    assert "bare" not in hub.read("alice/suite", "README.md").decode()


# ---------------------------------------------------------------------------------------------- trained and measured


@pytest.mark.long
def test_the_scripts_name_files_that_the_export_writes(built: SuiteResult, tmp_path: Path) -> None:
    """What a run script starts is in the folder that its own `export` writes; the paths in it belong to no machine."""
    scripts = sorted((built.path / "run").iterdir())
    assert [path.name for path in scripts if path.name.startswith("bare.")] == [
        f"bare.{name}.sh" for name in sorted(TRAINERS)
    ]
    for trainer in TRAINERS:
        text = (built.path / "run" / f"bare.{trainer}.sh").read_text("utf-8")
        assert str(built.path) not in text
        out = tmp_path / trainer
        words = [
            "export",
            built.path / "arms/bare",
            "--to",
            trainer,
            "--out",
            out,
            "--model",
            "Qwen/Qwen2.5-0.5B",
        ]
        run = command.run(*words, *(["--questions", "all"] if trainer == "verl" else []))
        assert run.exit == 0, run.err
        start = text.splitlines()[-4]
        assert start.startswith('cd "$there" && ')
        expected = named_files(start)
        assert expected and all((out / name).is_file() for name in expected), (trainer, start)
        assert (
            subprocess.run(["bash", "-n", built.path / "run" / f"bare.{trainer}.sh"], check=False).returncode
            == 0
        )


def outputs_for(folder: Path, arm: str, right: int) -> None:
    """Outputs of a model trained on an arm: it answers the first so many of 40 questions right."""
    rows = [
        {
            "question": f"What is {n} + 1?",
            "answer": str(n + 1),
            "response": f"<think>\n<sample>\n{n}\n</sample>\n</think>\n<answer>\n{n + (n < right)}\n</answer>",
            "model": "tuned",
        }
        for n in range(40)
    ]
    folder.mkdir(exist_ok=True)
    (folder / f"{arm}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def test_the_arms_outputs_are_compared_with_the_base(tmp_path: Path) -> None:
    """Each arm is a run, whatever its rows call the model; differences are paired by question; a missing arm is said."""
    out = tmp_path / "out"
    ablate("demo:40", out, suite_from_toml(THREE))
    for arm, right in (("base", 30), ("bare", 20), ("attempts_3", 30)):
        outputs_for(out / "outputs", arm, right)
    run = command.run("measure", "--suite", out, "--json")
    assert run.exit == 0, run.err
    told = json.loads(run.out)
    assert sorted(told["runs"]) == ["attempts_3", "bare", "base"]
    final = {one["b"]: one for one in told["comparisons"] if one["figure"] == "accuracy.final"}
    assert {one["a"] for one in final.values()} == {"base"}
    assert (final["bare"]["value"], final["attempts_3"]["value"]) == (-0.25, 0)
    assert final["bare"]["questions"] == 40
    assert "No outputs yet of any_order." in told["notes"]
    assert not told["series"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ((), "there are none"),
        (("bare", "any_order"), "those of any_order and bare"),
        (("base",), "those of base"),
    ],
)
def test_outputs_that_cannot_be_compared_say_what_is_missing(
    built: SuiteResult, tmp_path: Path, names: tuple[str, ...], says: str
) -> None:
    """A comparison needs the base and another arm."""
    for name in names:
        outputs_for(tmp_path, name, 3)
    with pytest.raises(RecipeError, match=says):
        outputs_of_arms(tmp_path, [row.arm for row in built.rows], [str(p) for p in tmp_path.glob("*.jsonl")])
