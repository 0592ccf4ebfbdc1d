"""The demo's world of sums: every problem asked once, labels true, one slip in a wrong attempt, reflections that name it."""

import re
from typing import Any

import pytest

from skill_factory.errors import SourceError
from skill_factory.sources import open_source
from skill_factory.sources.demo.rows import STAGE, demo_batches
from skill_factory.sources.demo.sums import Kind, Problem, problem_at
from skill_factory.sources.demo.worlds import SUMS
from tests.command import run

STEP = re.compile(r"(-?\d+(?: [+-] \d+)+) = (-?\d+)|\b(\d) is (more|less) than (\d)|\b(\d) equals (\d)")
QUESTIONS = 240


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """The rows of the first questions."""
    return [row for batch in demo_batches(QUESTIONS, world=SUMS) for row in batch.to_pylist()]


def steps(text: str) -> list[bool]:
    """Whether each step of a text is true, by Python's own arithmetic."""
    found = []
    for match in STEP.finditer(text):
        left, value, x, word, y, same, other = match.groups()
        if left:
            terms = re.findall(r"[+-]?\d+", left.replace(" ", ""))
            found.append(sum(map(int, terms)) == int(value))
        elif same:
            found.append(same == other)
        else:
            found.append((int(x) > int(y)) == (word == "more"))
    return found


def asked(question: str) -> int:
    """The right answer, read from the question."""
    a, b = map(int, re.findall(r"\d+", question)[:2])
    if "larger" in question:
        return max(a, b)
    if re.search(r" \+ | plus |^Add", question):
        return a + b
    return b - a if question.startswith("Take") and a < b else abs(a - b)


def test_no_problem_is_asked_twice() -> None:
    """Also beyond the pairs of two digits, where numbers get a third."""
    problems = {problem_at(0, n) for n in range(30_000)}
    assert len(problems) == 30_000
    assert {len(str(p.b)) for p in problems if p.kind is Kind.LARGER} == {2, 3}


def test_gold_answers_and_labels_are_true(rows: list[dict[str, Any]]) -> None:
    """By reading the question again; an attempt is right where its answer is."""
    for row in rows:
        assert row["answer"] == str(asked(row["question"])), row["question"]
        answer = row[f"{STAGE}__eval_extracted_answers"][0]
        assert row[f"{STAGE}__eval_is_correct"][0] == (answer == row["answer"])
        assert not answer or row[STAGE][0].endswith(f"<answer>{answer}</answer>")


def test_a_wrong_attempt_is_one_slip_away(rows: list[dict[str, Any]]) -> None:
    """All steps of a right attempt are true; one step of a wrong one isn't."""
    for row in rows:
        if row[f"{STAGE}__eval_extracted_answers"][0]:
            false = steps(row[STAGE][0]).count(False)
            assert false == (0 if row[f"{STAGE}__eval_is_correct"][0] else 1), row[STAGE][0]


def test_true_verdicts_name_the_slip_and_rest_on_true_steps(rows: list[dict[str, Any]]) -> None:
    """Most verdicts are true. One that rejects a wrong attempt names the false step, and doesn't tell the answer of a last step."""
    true = of = 0
    for row in rows:
        right = row[f"{STAGE}__eval_is_correct"][0]
        for text in row[f"{STAGE}_reflection"]:
            verdict = re.search(r"<verdict>(\w+)</verdict>", text)
            if verdict:
                of += 1
                true += (verdict[1] == "Correct") == right
                if verdict[1] == "Correct" and right:
                    assert all(steps(text)), text
    assert 0.8 < true / of < 0.95


@pytest.mark.parametrize(
    ("problem", "answer", "told"),
    [
        (Problem(Kind.SUM, 95, 87), 182, ["5 + 7 = 12", "9 + 8 + 1 = 18"]),
        (Problem(Kind.DIFFERENCE, 134, 78), 56, ["14 - 8 = 6", "12 - 7 = 5"]),
        (Problem(Kind.DIFFERENCE, 105, 98), 7, ["15 - 8 = 7", "9 - 9 = 0"]),
        (Problem(Kind.LARGER, 304, 340), 340, ["3 equals 3", "0 is less than 4"]),
    ],
)
def test_steps_go_digit_by_digit(problem: Problem, answer: int, told: list[str]) -> None:
    """With what is carried and borrowed, and no steps for places that come to nothing."""
    from skill_factory.sources.demo.draw import Draw

    work = problem.work(False, Draw("any"))
    assert (work.result, [str(step) for step in work.steps], work.slip) == (answer, told, None)


def test_a_world_is_named_in_the_source() -> None:
    """`demo:sums:12` has 12 questions of that world; its recipe opens the same, and a world that isn't there is said."""
    source = open_source("demo:sums:12")
    assert (source.spec.kind, source.spec.name) == ("demo", "sums:12")
    assert open_source("demo:countdown:12").spec == open_source("demo:12").spec
    with pytest.raises(SourceError, match=r"no world 'chess'\. Choose one of countdown, sums"):
        open_source("demo:chess:12")


def test_the_command_writes_a_world(tmp_path: Any) -> None:
    """`demo --world sums`."""
    done = run("demo", "--world", "sums", "--questions", "3", "--out", str(tmp_path / "raw.parquet"))
    assert "24 synthetic rows for 3 questions" in done.out
