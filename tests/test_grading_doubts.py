"""Labels in doubt: each witness counts, the queue's head holds planted noise, and the command shows and writes it."""

import json
import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from skill_factory.grading import Decision
from skill_factory.grading.doubts import Labelled, doubts
from skill_factory.recipe.model import Recipe
from tests.command import run
from tests.label_noise import Found, measured


def one(
    label: bool,
    answer: str = "4",
    grade: Decision = Decision.UNJUDGED,
    right: int = 0,
    wrong: int = 0,
    row: int = 0,
) -> Labelled:
    """A response to the one question."""
    return Labelled(f"{row:016x}-{row:016x}", row, "2+2?", answer, label, grade, "", right, wrong)


def strengths(*rows: Labelled) -> dict[int, float]:
    """Row → strength of the doubt, for the labels in doubt."""
    return {doubt.response.row: doubt.strength for doubt in doubts(rows)}


def test_each_witness_speaks_for_or_against_a_label() -> None:
    """A grade that contradicts counts most; then twins with the other label; then verdicts; agreement takes away."""
    assert strengths(one(True)) == {}
    assert strengths(one(True, grade=Decision.WRONG)) == {0: 3.0}
    assert strengths(one(True, grade=Decision.RIGHT, wrong=3)) == {}
    twins = strengths(one(False), *[one(True, "4.0", row=n) for n in (1, 2, 3)])
    assert max(twins, key=lambda row: twins[row]) == 0
    assert 0 < strengths(one(True, wrong=1))[0] < strengths(one(True, wrong=4))[0] < 3.0
    assert strengths(one(True, wrong=1, right=1)) == {}


def test_the_same_answer_in_another_writing_is_a_twin() -> None:
    """`0.5` and `\\frac12` can't be right and wrong at once."""
    rows = [one(True, "0.5"), one(True, "\\frac12", row=1), one(False, "1/2", row=2), one(False, "7", row=3)]
    [first, *_] = doubts(rows)
    assert (first.response.row, first.twins, first.against, first.proposed) == (2, 2, 2, True)


@given(st.permutations([one(n % 3 == 0, str(n % 4), row=n, wrong=n % 5) for n in range(12)]))
def test_the_order_of_the_rows_changes_nothing(rows: list[Labelled]) -> None:
    """The queue is the same whatever the order in which a source gives its rows."""
    assert [doubt.response.row for doubt in doubts(rows)] == [
        doubt.response.row for doubt in doubts(sorted(rows))
    ]


def test_the_head_of_the_queue_holds_planted_noise() -> None:
    """With gold answers nearly all of it; without, most of it at 5 and 10 %, from other answers and verdicts."""
    by: dict[tuple[str, float], Found] = {(found.witnesses, found.share): found for found in measured()}
    for share in (0.02, 0.05, 0.10):
        assert by["gold answers, other answers, verdicts", share].precision > 0.95
        assert by["other answers and verdicts", share].recall > by["other answers alone", share].recall > 0.3
        assert by["other answers and verdicts", share].recall_of_all > 0.85


def test_the_command_shows_and_writes_the_queue(tmp_path: Path) -> None:
    """The doubtful first with its witnesses; all of them as JSON lines, whose keys a recipe takes."""
    rows = [
        {
            "question": f"{n}+1?",
            "answer": str(n + 1),
            "response": f"<answer>{n + 1}</answer>",
            "correct": n != 5,
        }
        for n in range(9)
    ]
    raw = tmp_path / "raw.jsonl"
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = tmp_path / "doubts.jsonl"
    done = run("grade", raw, "--compare", "--out", out)
    assert done.exit == 0, done.err
    assert "9 labels were graded; 8 agree. 1 label in doubt" in done.out
    assert "row 5: label wrong; graded right" in done.out
    [row] = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert (row["label"], row["proposed"], row["grade"]) == (False, True, "right")
    shown = next(line for line in done.out.splitlines() if "--set" in line)
    value = tomllib.loads(shown.strip().removeprefix("--set '").removesuffix("'").replace("=", " = ", 1))
    assert Recipe().changed({"labels.corrections": value["labels"]["corrections"]}).labels.corrections == {
        row["key"]: True
    }
    again = run("grade", raw, "--compare", "--out", out)
    assert again.exit == 2 and "is there already" in again.err
    told = json.loads(run("grade", raw, "--compare", "--json").out)
    assert (told["compared"], told["agreed"], told["in_doubt"]) == (9, 8, 1)


def test_a_first_look_shows_the_head_of_the_queue(tmp_path: Path) -> None:
    """`inspect` lists the labels in doubt with their witnesses and says where to see them all; clean labels say nothing."""
    rows = [
        {
            "question": f"{n}+1?",
            "answer": str(n + 1),
            "response": f"It is {n + k}. <answer>{n + k}</answer>",
            "correct": (k == 1) != (n == 3),
        }
        for n in range(9)
        for k in (1, 2)
    ]
    raw = tmp_path / "raw.jsonl"
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shown = run("inspect", raw).out
    assert "Labels in doubt (2 of 18 that were compared, the most doubtful first)" in shown
    assert "row 6: label wrong; graded right" in shown and "`grade SOURCE --compare`" in shown
    told = json.loads(run("inspect", raw, "--json").out)
    assert (told["labels_compared"], [one["row"] for one in told["labels_in_doubt"]]) == (18, [6, 7])
    clean = [row for n, row in enumerate(rows) if n not in (6, 7)]
    raw.write_text("".join(json.dumps(row) + "\n" for row in clean), encoding="utf-8")
    assert "in doubt" not in run("inspect", raw).out


def test_one_pair_is_explained_or_refused_in_a_sentence() -> None:
    """Both sides, the task and why; a missing side is bad use."""
    done = run("grade", "--answer", "2 dozen", "--gold", "2")
    assert done.exit == 0 and done.out.startswith("wrong: the values differ\n")
    assert "the number 24" in done.out and "number (the gold answer is a number)" in done.out
    told = json.loads(run("grade", "--answer", "B) 12", "--gold", "B", "--json").out)
    assert (told["decision"], told["task"]) == ("right", "choice")
    assert run("grade", "--answer", "2 dozen", "--gold", "2", "--explain").out == done.out
    for words in (("--answer", "2"), ("--gold", "2"), (), ("--explain",), ("raw.jsonl", "--explain")):
        bad = run("grade", *words)
        assert bad.exit == 2 and bad.err.count("\n") == 1
