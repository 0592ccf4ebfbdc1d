"""Labels are made by the rules that reward, written in columns that a build reads, and shown before."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from skill_factory.build.pipeline import build
from skill_factory.errors import ColumnError
from skill_factory.grading import Decision, Task, stated_answer
from skill_factory.grading.labelling import label
from skill_factory.recipe.model import Recipe
from skill_factory.sources import open_source
from tests.command import run

DATA = Path(__file__).parents[1].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the repository")


def source(path: Path, rows: list[dict]) -> Path:
    """A raw file of these rows."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def graded(path: Path, out: Path, *words: str, **how: object) -> list[dict]:
    """The rows that grading a file writes."""
    label(open_source(str(path)), out, **how)
    return pq.read_table(out).to_pylist()


def test_each_response_gets_its_answer_and_its_label(tmp_path: Path) -> None:
    """Right, wrong, no answer, and no gold answer; several responses of a row become several rows."""
    rows = [
        {
            "question": "1 + 1?",
            "answer": "2",
            "response": ["<answer>2.0</answer>", "<answer>3</answer>", "it may be two"],
        },
        {"question": "why?", "answer": None, "response": ["<answer>so</answer>"]},
    ]
    found = graded(source(tmp_path / "raw.jsonl", rows), tmp_path / "out.parquet")
    told = [(row["source_row"], row["extracted_answer"], row["correct"], row["grade"]) for row in found]
    assert told == [
        (0, "2.0", True, "right"),
        (0, "3", False, "wrong"),
        (0, None, None, "unjudged"),
        (1, "so", None, "unjudged"),
    ]
    assert "reflections" not in found[0]


def test_answers_stand_in_the_tags_of_a_response_or_where_it_states_them(tmp_path: Path) -> None:
    """Response by response: one that is tagged among many decides nothing for the others, unless tags are asked for."""
    rows = [
        {"question": "a?", "answer": "2", "response": "A: 2"},
        {"question": "b?", "answer": "#### 3", "response": "A: 3"},
        {"question": "c?", "answer": "4", "response": "<answer>4</answer>, or \\boxed{5}"},
        {"question": "d?", "answer": "5", "response": "it is hard to say"},
        {"question": "e?", "answer": "6", "response": "<think>\nso \\boxed{6}, but wait"},
    ]
    path = source(tmp_path / "a.jsonl", rows)
    found = graded(path, tmp_path / "a.parquet")
    assert [row["correct"] for row in found] == [True, True, True, None, None]
    found = graded(path, tmp_path / "b.parquet", final="tags")
    assert [row["correct"] for row in found] == [False, False, True, False, False]
    assert graded(path, tmp_path / "c.parquet", final="stated")[2]["correct"] is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Adding gives 8. The answer is 8.", "8"),
        ("So 3+5=8.\nThe answer is: 8", "8"),
        ("Final Answer: The final answer is $8$. I hope it is correct.", "$8$"),
        ("### Answer\n8", "8"),
        ("So \\boxed 8.", "8"),
        ("So $\\fbox{8}$.", "8"),
        ("答案：8", "8"),
        ("因此答案是8。", "8"),
        ("答えは8です。", "8"),
        ("The answer is (B).", "(B)"),
        ("Answer: B. five apples", "B. five apples"),
        ("The answer is 3.5.", "3.5"),
        ("<think>the answer is 7</think> The answer is 8.", "8"),
        ("<think>the answer is 7", None),
        ("I can't answer that", None),
    ],
)
def test_answers_are_found_where_texts_state_them(text: str, expected: str | None) -> None:
    """Sentences, headings and boxes of several languages; nothing before the last thought, and nothing of one cut off."""
    assert stated_answer(text) == expected


def test_the_report_counts_compares_and_samples(tmp_path: Path) -> None:
    """What was decided, how often a stored label agrees, which rows can't be read; the sample ignores the order of rows."""
    rows = [
        {
            "question": f"{n}?",
            "answer": str(n),
            "response": f"<answer>{n + (n % 3 == 0)}</answer>",
            "correct": n % 2 == 0,
        }
        for n in range(12)
    ]
    rows.append({"question": " ", "answer": "1", "response": "x", "correct": False})
    one = label(
        open_source(str(source(tmp_path / "a.jsonl", rows))), tmp_path / "a.parquet", Task.NUMBER, samples=2
    )
    two = label(
        open_source(str(source(tmp_path / "b.jsonl", rows[::-1]))),
        tmp_path / "b.parquet",
        Task.NUMBER,
        samples=2,
    )
    assert (one.decided[Decision.RIGHT], one.decided[Decision.WRONG], one.unreadable) == (
        8,
        4,
        {"no_question": 1},
    )
    assert (one.compared, one.agreed) == (12, sum((n % 3 != 0) == (n % 2 == 0) for n in range(12)))
    shown = [[graded.read.question for graded in report.samples[Decision.RIGHT]] for report in (one, two)]
    assert len(shown[0]) == 2 and shown[0] == shown[1]


def test_a_source_without_gold_answers_is_refused(tmp_path: Path) -> None:
    """There is nothing to compare with."""
    path = source(tmp_path / "raw.jsonl", [{"question": "a?", "response": "b"}])
    with pytest.raises(ColumnError, match="a column for answer"):
        label(open_source(str(path)), tmp_path / "out.parquet")


@needs_data
def test_real_solutions_become_a_finished_build(tmp_path: Path) -> None:
    """GSM8K's solutions in their wide form, through grading, to traces; all stored labels agree."""
    report = label(
        open_source(str(DATA / "gsm8k_example_model_solutions.jsonl")),
        tmp_path / "graded.parquet",
        Task.NUMBER,
    )
    assert (report.responses, report.compared, report.agreed) == (5276, 5266, 5266)  # ten state no answer
    recipe = Recipe().changed({"traces.formats": ["no_reflection"], "traces.attempts": 2})
    result = build(str(tmp_path / "graded.parquet"), tmp_path / "build", recipe, workers=1)
    assert result.report["traces"] > 1000


def test_the_command_shows_writes_and_refuses(tmp_path: Path) -> None:
    """A sample of each decision, the file, and no file overwritten unasked."""
    rows = [{"question": "1 + 1?", "answer": "2", "response": f"<answer>{n}</answer>"} for n in range(4)]
    raw, out = source(tmp_path / "raw.jsonl", rows), tmp_path / "out.parquet"
    done = run("grade", raw, "--out", out)
    assert done.exit == 0 and "  right               1\n" in done.out and "gold: 2" in done.out
    again = run("grade", raw, "--out", out)
    assert again.exit == 2 and "is there already" in again.err
    told = json.loads(run("grade", raw, "--out", out, "--replace", "--json", "--task", "number").out)
    assert (told["right"], told["wrong"], told["final"]) == (1, 3, "auto")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "raw.jsonl"]


@pytest.mark.parametrize(
    ("column", "golds", "decided"),
    [
        ("golden_answers", ["Mark Twain", "Samuel Clemens"], ("right", "right", "wrong")),
        ("answer", ["Mark Twain", "Samuel Clemens"], ("right", "right", "wrong")),
        ("answer", ["Mark Twain", None, "Mark Twain"], ("right", "wrong", "wrong")),
    ],
)
def test_one_of_several_gold_answers_is_enough(
    column: str, golds: list[str | None], decided: tuple[str, ...], tmp_path: Path
) -> None:
    """A list of words is the names that one thing goes by; each of them is right."""
    said = ("Mark Twain", "Samuel Clemens", "Jane Austen")
    rows = [{"question": f"Who {k}?", column: golds, "response": f"<answer>{one}</answer>"} for k, one in enumerate(said)]  # fmt: skip
    found = graded(source(tmp_path / "raw.jsonl", rows), tmp_path / "out.parquet")
    assert tuple(row["grade"] for row in found) == decided


def test_numbers_in_a_list_are_all_asked_for(tmp_path: Path) -> None:
    """Both roots are the answer, in any order; one of them isn't."""
    said = ("2, -2", "-2 and 2", "2")
    rows = [{"question": f"Solve {k}", "answer": ["2", "-2"], "response": f"<answer>{one}</answer>"} for k, one in enumerate(said)]  # fmt: skip
    found = graded(source(tmp_path / "raw.jsonl", rows), tmp_path / "out.parquet")
    assert [row["grade"] for row in found] == ["right", "right", "wrong"]


def test_a_gold_answer_in_json_is_its_text(tmp_path: Path) -> None:
    """As reinforcement-learning sets write them: `["42"]`."""
    rows = [{"question": "6 * 7?", "answer": '["42"]', "response": f"<answer>{n}</answer>"} for n in (42, 43)]
    found = graded(source(tmp_path / "raw.jsonl", rows), tmp_path / "out.parquet")
    assert [row["grade"] for row in found] == ["right", "wrong"]
