"""What grading promises: nothing different is accepted, what can't be read is not called wrong, and every survivor has a law."""

import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.grading import (
    TASKS,
    Decision,
    Task,
    chosen_task,
    equivalent,
    explain,
    find,
    judge,
    register,
    task_named,
)
from tests.grading_grammar import KINDS, Pair, pairs
from tests.grading_mutants import EACH, RIGHT_ANSWERS, mutants, survivors

CASES = Path(__file__).parents[1].parent / "shared" / "cases" / "grading_pairs.jsonl"
needs_cases = pytest.mark.skipif(
    not CASES.is_file(), reason="the pairs from outside are not beside the repository"
)


def told(pair: Pair) -> bool:
    """Is the answer right?"""
    return equivalent(pair.answer, pair.gold, question=pair.question)


@needs_cases
def test_pairs_from_outside(capsys: pytest.CaptureFixture[str]) -> None:
    """No different pair is accepted, in either direction but for puzzles, and 95 % of the clear equivalents are found."""
    rows = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    found = [(row, find(row["answer"], row["gold"], question=row["question"])) for row in rows]
    accepted = [row for row, finding in found if not row["same"] and finding.decision == Decision.RIGHT]
    clear = [
        finding.decision == Decision.RIGHT
        for row, finding in found
        if row["same"] and row["level"] == "clear"
    ]
    with capsys.disabled():
        print(
            f"\n  pairs from outside: {len(accepted)} different accepted, {sum(clear)} of {len(clear)} clear equivalents"
        )
    assert accepted == []
    assert [
        row
        for row in rows
        if not row["same"]
        and row["kind"] != "countdown"
        and equivalent(row["gold"], row["answer"], question=row["question"])
    ] == []
    assert sum(clear) >= 0.95 * len(clear)


def test_pairs_of_our_own() -> None:
    """A thousand pairs, most of them one sign apart: each is judged as it was meant, and none that differs is accepted in reverse."""
    lines = (Path(__file__).parent / "grading_pairs.jsonl").read_text(encoding="utf-8").splitlines()
    made = [
        Pair("", gold, answer, same, *question) for gold, answer, same, *question in map(json.loads, lines)
    ]
    assert [pair for pair in made if told(pair) != pair.same] == []
    turned = [
        pair._replace(gold=pair.answer, answer=pair.gold)
        for pair in made
        if not pair.same and not pair.question
    ]
    assert [pair for pair in turned if told(pair)] == []


def test_pairs_of_the_grammar(capsys: pytest.CaptureFixture[str]) -> None:
    """Of 2,000 pairs that are true or false by how they are made, all equivalents and no near miss are right."""
    made = list(islice(pairs(11), 2000))
    wrong = [pair for pair in made if told(pair) != pair.same]
    with capsys.disabled():
        print(f"\n  pairs of the grammar: {len(wrong)} of {len(made)} judged otherwise than they were made")
    assert wrong == []
    assert {pair.kind for pair in made} == {kind.__name__ for kind in KINDS}


def test_no_near_miss_is_wrongly_called_wrong_where_it_was_not_read() -> None:
    """What carries an unknown word is unjudged when its number is the right one."""
    assert judge("12 quokkas", "12") == Decision.UNJUDGED
    assert judge("12 quokkas", "13") == Decision.WRONG
    assert judge("\\sum_{k=1}^{3} k", "6") == Decision.UNJUDGED
    assert judge("Paris", "6") == Decision.WRONG


def test_every_survivor_among_the_mutants_has_a_law(capsys: pytest.CaptureFixture[str]) -> None:
    """5,000 changes of 500 right answers: what stays right does so by a law that is stated."""
    alive = survivors(0)
    with capsys.disabled():
        print(f"\n  mutants: {len(alive)} of {RIGHT_ANSWERS * EACH} stay right")
        for name, number in Counter(name for _, name in alive).most_common():
            print(f"    {number:>4} {name}")
    assert [mutant for mutant, name in alive if not name] == []
    assert sum(1 for _ in mutants(0)) == RIGHT_ANSWERS * EACH


answers = st.sampled_from([pair.answer for pair in islice(pairs(5), 400)]) | st.text(max_size=20)


@settings(max_examples=600, deadline=None)
@given(answers, answers)
def test_equivalence_is_symmetric(one: str, other: str) -> None:
    """The two may change places: only a puzzle asks for an expression on one side."""
    tasks = {chosen_task(one).task.name, chosen_task(other).task.name}
    if not tasks & {"countdown", "game24"}:
        assert equivalent(one, other) == equivalent(other, one)


@pytest.mark.parametrize("seed", range(3))
def test_the_grammar_s_pairs_are_symmetric(seed: int) -> None:
    """Gold answer and answer may change places in every kind."""
    assert [
        pair
        for pair in islice(pairs(seed), 400)
        if told(pair) != told(pair._replace(gold=pair.answer, answer=pair.gold))
    ] == []


@settings(max_examples=600, deadline=None)
@given(answers.filter(lambda text: any(one.isalnum() for one in text)))
def test_every_answer_equals_itself(text: str) -> None:
    """Written the same, it is right, whatever it is; a target number alone solves no puzzle."""
    if chosen_task(text).task.name not in ("countdown", "game24"):
        assert equivalent(text, text)


# -- tasks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_a_task_decides_its_own_examples(task: Task) -> None:
    """What the documentation shows is so, whether the task is named or found by `auto`."""
    for gold, answer, right in task.examples:
        assert equivalent(answer, gold, task) is right
        assert equivalent(answer, gold) is right


@pytest.mark.parametrize(
    ("gold", "question", "task"),
    [
        ("B", "", "choice"),
        ("12", "Which one? (A) 10 (B) 12 (C) 14", "choice"),
        ("12", "How many? 12 of (A).", "number"),
        ("[2,5)", "", "math"),
        ("March 4, 2021", "", "math"),
        ("2021-10-12", "", "math"),
        ("yes", "", "math"),
        (
            "24",
            "Use numbers and basic arithmetic operations (+ - * /) to obtain 24.\nInput: 4 9 10 13",
            "game24",
        ),
        ("4 9 10 13", "", "game24"),
        ("24", "4 9 10 13", "game24"),
        ("24", "How many eggs are in two dozen?", "number"),
        ("Marie Curie", "", "exact"),
    ],
)
def test_auto_says_which_task_and_why(gold: str, question: str, task: str) -> None:
    """By the gold answer and, where it matters, by the question; the reason is half a sentence."""
    chosen = chosen_task(gold, question)
    assert chosen.task.name == task
    assert chosen.why and chosen.why[0].islower() and not chosen.why.endswith(".")


GAME = "Use numbers and basic arithmetic operations (+ - * /) to obtain 24.\nInput: 4 4 6 8\nAnswer: (4 + 8) * (6 - 4) = 24\nInput: 4 9 10 13"


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("(10 - 4) * (13 - 9) = 24", True),
        ("(10-4)*(13-9)", True),
        ("$(10-4) \\times (13-9)$", True),
        ("(4 + 8) * (6 - 4) = 24", False),
        ("(10-4)*4 = 24", False),
        ("(10-4)*(13-9) = 25", False),
        ("(10-4)*(13-9)*24/24", False),
        ("24", False),
        ("13+9+4-2 = 24", False),
        ("There is no solution.", False),
    ],
)
def test_the_game_of_24_counts_value_and_numbers(answer: str, right: bool) -> None:
    """All four numbers of the last input, once each; `= 24` may follow. Gold answer: 24, the numbers, or a solution."""
    for gold in ("24", "4 9 10 13", "4, 9, 10, 13", "(10-4)*(13-9)"):
        assert equivalent(answer, gold, question=GAME) is right
        assert equivalent(answer, gold, "game24", GAME) is right


def test_a_game_of_24_without_its_numbers_is_not_judged() -> None:
    """A true equation says nothing where nobody knows which numbers were given."""
    assert judge("(1 + 2) * 8 = 24", "24", question="Game of 24, puzzle 900") == Decision.UNJUDGED


def test_sets_of_mixed_tasks_are_graded_row_by_row() -> None:
    """Each gold answer is compared by its own task."""
    rows = [
        ("18", "18 eggs"),
        ("B", "(B)"),
        ("(79+(17-60))", "17+79-60"),
        ("x^2-9", "(x-3)(x+3)"),
        ("Paris", "paris"),
    ]
    assert all(equivalent(answer, gold) for gold, answer in rows)
    assert len({chosen_task(gold).task.name for gold, _ in rows}) == 5


def test_a_task_of_one_s_own_is_found_by_name_and_by_auto() -> None:
    """Registered, it stands in the list that command, page and docs are made from, and `auto` tries it first."""
    before = dict(TASKS)
    colour = Task(
        "colour",
        "A colour",
        "The same colour by name.",
        lambda gold, question: "the gold answer is a colour" if gold == "#f00" else "",
        lambda answer, gold, question, rules: find("red" if answer == "red" else "-", "red"),
        (("#f00", "red", True),),
    )
    try:
        register(colour)
        assert list(TASKS)[:2] == ["auto", "colour"]
        assert chosen_task("#f00") == (colour, "the gold answer is a colour")
        assert (
            equivalent("red", "#f00")
            and equivalent("red", "#f00", "colour")
            and not equivalent("blue", "#f00")
        )
        from skill_factory.cli.main import parser
        from tests.write_docs import task_table

        assert parser().parse_args(["grade", "x", "--task", "colour"]).task == "colour"
        assert "| `colour` | A colour |" in task_table()
    finally:
        TASKS.clear()
        TASKS.update(before)
    with pytest.raises(ValueError, match="no task 'colour'"):
        task_named("colour")


# -- conversions and explanations -------------------------------------------------------------------------------------


def test_units_are_converted_only_where_that_is_asked_for() -> None:
    """3 hours are 180 minutes on request; a length is never a time."""
    assert judge("180 minutes", "3 hours") == Decision.WRONG
    assert judge("180 minutes", "3 hours", convert=True) == Decision.RIGHT
    assert judge("45 cents", "$0.45", convert=True) == Decision.RIGHT
    assert judge("100 km/h", "27.7 m/s", convert=True) == Decision.WRONG
    assert judge("3 m", "3 s", convert=True) == Decision.WRONG


def test_an_explanation_says_how_each_side_was_read() -> None:
    """Task, both sides, decision and reason, in words."""
    told = explain("2 dozen", "2 eggs")
    assert (told.decision, told.why) == (Decision.WRONG, "the values differ")
    assert told.answer == "the number 24, no unit" and told.gold == "the number 2 with the unit egg"
    assert explain("B) 12", "B").answer == "the letter B, beside it '12'"
    assert "not read" in explain("\\sum_{k=1}^{3} k", "6").answer


def test_what_a_question_counts_is_known() -> None:
    """A noun of the question may stand behind the number; a word that changes the number may not."""
    question = "How many quokkas are on the island, if there are 3 pairs?"
    assert judge("12 quokkas", "12", question=question) == Decision.RIGHT
    assert judge("3 pairs", "3", question=question) == Decision.UNJUDGED


def test_the_tables_of_the_documentation_are_current() -> None:
    """`make docs` writes them; a changed rule or task changes the page."""
    from tests.write_grading import PAGE, filled, quick_tables

    page = PAGE.read_text(encoding="utf-8")
    assert filled(page, quick_tables()) == page, "Run `make docs`."
