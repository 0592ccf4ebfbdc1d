"""Questions for reinforcement learning come from the build's own source, once each, and can be rewarded."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skill_factory.build.pipeline import build
from skill_factory.errors import HandoffError
from skill_factory.grading import Task
from skill_factory.recipe.model import Recipe
from skill_factory.trainers import VERL, Options, export_build
from skill_factory.trainers.bundle import open_bundle
from skill_factory.trainers.questions import (
    GoldQuestion,
    can_be_rewarded,
    mean_pass_rate,
    read_questions,
    split_questions,
    within,
)

ONE_TRY = Recipe().changed({"traces.attempts": 1, "traces.formats": ["no_reflection"]})


def raw(path: Path, rows: list[tuple[str, str | None, bool]]) -> Path:
    """A raw file: question, gold answer, and whether its one response is right."""
    table = {
        "question": [question for question, _, _ in rows],
        "answer": [gold for _, gold, _ in rows],
        "response": [f"It is <answer>{gold}</answer> ({place})" for place, (_, gold, _) in enumerate(rows)],
        "correct": [right for _, _, right in rows],
    }
    pq.write_table(pa.table(table), path)
    return path


def built(tmp_path: Path, rows: list[tuple[str, str | None, bool]], recipe: Recipe = ONE_TRY) -> Path:
    """A build of such a file."""
    build(str(raw(tmp_path / "raw.parquet", rows)), tmp_path / "build", recipe, workers=1)
    return tmp_path / "build"


MANY = [(f"What is {n} + {n}?", str(2 * n), n % 2 == 0) for n in range(40)]


def test_questions_without_a_trace_go_first(tmp_path: Path) -> None:
    """`unused` takes those alone; `all` adds the others behind them, and tests with unused ones."""
    pool = read_questions(open_bundle(built(tmp_path, MANY)), str(tmp_path / "raw.parquet")).questions
    assert sum(one.used for one in pool) == 20
    unused = split_questions(pool, "unused", 0, 0.1, 0)
    assert len(unused.train) + len(unused.test) == 20
    assert not any(one.used for one in (*unused.train, *unused.test))
    everything = split_questions(pool, "all", 0, 0.25, 0)
    assert (len(everything.train), len(everything.test)) == (30, 10)
    assert not any(one.used for one in everything.test)
    few = split_questions(pool, "all", 22, 0.1, 0)
    assert sum(one.used for one in (*few.train, *few.test)) == 2


def test_random_questions_are_as_hard_as_the_source(tmp_path: Path) -> None:
    """The default holds solved and unsolved questions in training and test, at about the source's pass rate."""
    pool = read_questions(open_bundle(built(tmp_path, MANY)), str(tmp_path / "raw.parquet")).questions
    split = split_questions(pool, Options("any").questions, 0, 0.25, 0)
    assert len(split.train) + len(split.test) == 40
    for half in (split.train, split.test):
        assert {one.used for one in half} == {True, False}
        assert abs(mean_pass_rate(half) - mean_pass_rate(pool)) < 0.25
    assert mean_pass_rate(pool) == 0.5


def test_a_window_of_pass_rates_takes_what_lies_in_it(tmp_path: Path) -> None:
    """Rates come from the source's own labels; a question that differs in dress adds its responses."""
    rows = [(f"What is {n} + {n}?", str(2 * n), k < n) for n in range(5) for k in range(4)]
    folder = built(tmp_path, [*rows, ("what  is 4 + 4?", "8", False)])
    pool = read_questions(open_bundle(folder), str(tmp_path / "raw.parquet")).questions
    assert [one.pass_rate for one in pool] == [0.0, 0.25, 0.5, 0.75, 0.8]
    assert [one.pass_rate for one in within(pool, (0.25, 0.75))] == [0.25, 0.5, 0.75]
    assert within(pool, None) == list(pool)
    with pytest.raises(HandoffError, match=re.escape("0.2:0.8")):
        Options("any", pass_rate=(0.9, 0.1))


def test_the_notes_say_how_hard_the_questions_are(tmp_path: Path) -> None:
    """Unsolved questions alone are said to be that, with both pass rates beside the source's."""
    folder = built(tmp_path, MANY)
    for questions, said in (("unused", "to test with 0.00"), ("random", "drawn at random from all")):
        options = Options("any", questions=questions, source=str(tmp_path / "raw.parquet"))
        notes = (export_build(folder, VERL, tmp_path / questions, options).path / "TRAINING.md").read_text()
        assert said in notes and "all of the source 0.50" in notes


def test_a_split_follows_from_its_seed_alone() -> None:
    """Same questions in any order, same seed: same split; another seed, another split; never one in both."""
    pool = [GoldQuestion(f"q{n}", "1", n < 10) for n in range(50)]
    assert split_questions(pool, "all", 0, 0.2, 7) == split_questions(pool[::-1], "all", 0, 0.2, 7)
    assert split_questions(pool, "all", 0, 0.2, 7) != split_questions(pool, "all", 0, 0.2, 8)
    parted = split_questions(pool, "all", 0, 0.2, 7)
    assert not {one.question for one in parted.train} & {one.question for one in parted.test}


def test_questions_that_differ_in_dress_are_one(tmp_path: Path) -> None:
    """White space and letter case make no second question, so none is in both files."""
    rows = [("What is 1 + 1?", "2", True), ("what is  1 + 1?\n", "2", False), ("What is 2 + 2?", "4", False)]
    pool = read_questions(open_bundle(built(tmp_path, rows)), str(tmp_path / "raw.parquet")).questions
    assert [(one.question, one.used) for one in pool] == [("What is 1 + 1?", True), ("What is 2 + 2?", False)]


def test_what_no_output_could_earn_is_left_out_and_counted(tmp_path: Path) -> None:
    """No gold answer, several of them (the most frequent counts), and one that its own grading refuses."""
    rows = [
        ("a?", None, True),
        ("b?", "2", True),
        ("b?", "3", True),
        ("b?", "3", False),
        ("c?", "7", True),
        ("d?", " ", True),
    ]
    pool = read_questions(open_bundle(built(tmp_path, rows)), str(tmp_path / "raw.parquet"), Task.NUMBER)
    assert [(one.question, one.gold) for one in pool.questions] == [("b?", "3"), ("c?", "7")]
    assert (pool.no_gold, pool.several_golds, pool.unjudged) == (2, 1, 0)
    words = [("a?", "Paris", True), ("c?", "7", True), ("e?", "8", False)]
    (tmp_path / "words").mkdir()
    bundle = open_bundle(built(tmp_path / "words", words))
    assert read_questions(bundle, str(tmp_path / "words" / "raw.parquet"), Task.NUMBER).unjudged == 1


def test_a_gold_answer_may_stand_at_the_end_of_a_worked_solution(tmp_path: Path) -> None:
    """GSM8K's way: the reward compares with what stands after `####`."""
    rows = [("a?", "2 + 2 = 4\n#### 4", True), ("b?", "x\nA: 1,000", False)]
    pool = read_questions(open_bundle(built(tmp_path, rows)), str(tmp_path / "raw.parquet")).questions
    assert [one.gold for one in pool] == ["4", "1,000"]


@pytest.mark.parametrize(
    ("question", "gold", "task", "can"),
    [
        ("q", "4", Task.AUTO, True),
        ("q", "Paris", Task.NUMBER, False),
        ("Using the numbers [1, 2, 3], create an equation that equals 6.", "6", Task.AUTO, True),
        ("q", "x" * 400, Task.AUTO, True),
    ],
)
def test_a_gold_answer_must_fit_its_task(question: str, gold: str, task: Task, can: bool) -> None:
    """A puzzle's target is no answer itself, and yet can be rewarded."""
    assert can_be_rewarded(question, gold, task) is can


def test_a_moved_file_is_found_and_a_changed_one_refused(tmp_path: Path) -> None:
    """The file's path is an argument; its digest must be the build's."""
    bundle = open_bundle(built(tmp_path, MANY))
    with pytest.raises(HandoffError, match="--source PATH"):
        read_questions(bundle)
    with pytest.raises(HandoffError, match="no file at"):
        read_questions(bundle, str(tmp_path / "gone.parquet"))
    moved = (tmp_path / "raw.parquet").rename(tmp_path / "moved.parquet")
    assert len(read_questions(bundle, str(moved)).questions) == 40
    raw(moved, MANY[:-1])
    with pytest.raises(HandoffError, match="isn't what this build was made from"):
        read_questions(bundle, str(moved))


def test_a_recipe_without_a_gold_answer_is_refused(tmp_path: Path) -> None:
    """A reward needs something to compare with."""
    recipe = ONE_TRY.changed(
        {"columns.question": "question", "columns.response": ["response"], "columns.correct": ["correct"]}
    )
    bundle = open_bundle(built(tmp_path, MANY, recipe))
    with pytest.raises(HandoffError, match="needs gold answers"):
        read_questions(bundle, str(tmp_path / "raw.parquet"))


def test_too_few_questions_are_refused() -> None:
    """One to train on and one to test with, at least."""
    with pytest.raises(HandoffError, match="--questions random"):
        split_questions([GoldQuestion("q", "1", False), GoldQuestion("r", "1", True)], "unused", 0, 0.1, 0)
