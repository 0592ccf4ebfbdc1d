"""The demo's world: seeded, synthetic and said to be so, true where it claims to be right, faulty where it is not."""

import ast
import re
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.errors import RecipeError, SkillFactoryError, SourceError
from skill_factory.sources.demo.countdown import Fault, make_puzzle, solve
from skill_factory.sources.demo.draw import Draw
from skill_factory.sources.demo.rows import (
    SCHEMA,
    SOURCE,
    STAGE,
    VARIANTS,
    Row,
    demo_batches,
    question_rows,
    write_demo,
)
from skill_factory.sources.demo.source import DemoSource

PINNED_DRAWS = [8, 10, 37, 7, 38, 73, 74, 86, 64, 84]
PINNED_SAMPLE = ["a", "d", "f", "b", "e", "c"]
STEP = re.compile(r"(?<![\d)] [-+×÷] )\b(\d+) ([-+×÷]) (\d+) = (\d+)")
VERDICT = re.compile(r"<verdict>(.*?)</verdict>", re.DOTALL)
OPERATIONS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def evaluate(text: str) -> tuple[Fraction, Counter[int]]:
    """Value and numbers of an expression, by Python's own grammar and exact fractions."""
    numbers: Counter[int] = Counter()

    def value(node: ast.expr) -> Fraction:
        match node:
            case ast.Constant(value=int(number)):
                numbers[number] += 1
                return Fraction(number)
            case ast.BinOp(left=left, op=op, right=right):
                return OPERATIONS[type(op)](value(left), value(right))
        raise AssertionError(f"no arithmetic: {text}")

    return value(ast.parse(text, mode="eval").body), numbers


def false_steps(text: str) -> list[str]:
    """The stated steps `a op b = c` of a text that are not true."""
    signs = {"+": ast.Add, "-": ast.Sub, "×": ast.Mult, "÷": ast.Div}
    return [
        m.group()
        for m in STEP.finditer(text)
        if OPERATIONS[signs[m[2]]](Fraction(int(m[1])), Fraction(int(m[3]))) != int(m[4])
    ]


def verdict_of(reflection: str) -> bool | None:
    """True, False, or None where the critique names neither."""
    found = VERDICT.search(reflection)
    return {"correct": True, "incorrect": False}.get(found[1].strip().lower()) if found else None


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    """The demo at its default size, one flat dict per response."""
    records = [row for batch in demo_batches() for row in batch.to_pylist()]
    return [
        {
            "question": r["question"],
            "gold": r["answer"],
            "variant": r["prompt_variant"],
            "response": r[STAGE][0],
            "correct": r[f"{STAGE}__eval_is_correct"][0],
            "answer": r[f"{STAGE}__eval_extracted_answers"][0],
            "reflections": r[f"{STAGE}_reflection"],
            "source": r["source"],
        }
        for r in records
    ]


# ── seeded ───────────────────────────────────────────────────────────────────────────────────────────


def as_rows(questions: int, seed: int = 0, per_batch: int = 512) -> list[Row]:
    return [
        tuple(r.values())
        for batch in demo_batches(questions, seed, per_batch=per_batch)
        for r in batch.to_pylist()
    ]


def test_a_question_is_the_same_in_a_demo_of_any_size_and_batching() -> None:
    """Question i depends on seed and i alone."""
    twelve = as_rows(12)
    assert as_rows(5) == twelve[: 5 * 8]
    assert as_rows(12, per_batch=5) == twelve
    assert list(map(tuple, question_rows(0, 11))) == twelve[11 * 8 :]


def test_another_seed_is_another_world() -> None:
    """No response of one seed stands at its place in another."""
    assert not {row[3][0] for row in as_rows(20, seed=0)} & {row[3][0] for row in as_rows(20, seed=1)}


def test_draws_are_pinned() -> None:
    """The generator gives these numbers on every machine and Python version."""
    draw = Draw("question", 0, 7)
    assert [draw.below(100) for _ in range(10)] == PINNED_DRAWS
    assert Draw("a", 1).sample("abcdef", 6) == PINNED_SAMPLE


def test_draws_are_even() -> None:
    """Each of ten values comes up a tenth of the time, within four standard errors."""
    draw = Draw("even")
    counts = Counter(draw.below(10) for _ in range(20_000))
    assert all(abs(counts[k] - 2_000) < 4 * (20_000 * 0.1 * 0.9) ** 0.5 for k in range(10))


# ── the world ────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(1, 60), min_size=2, max_size=4))
def test_the_solver_is_right(numbers: list[int]) -> None:
    """Whatever it reaches, its text evaluates to that value with exactly the numbers of the subset."""
    for mask, found in solve(numbers).items():
        part = Counter(n for i, n in enumerate(numbers) if mask >> i & 1)
        for value, expressions in list(found.items())[:40]:
            assert [evaluate(str(e)) for e in expressions] == [(value, part)] * len(expressions)


def test_the_solver_finds_a_known_hard_one() -> None:
    """1, 3, 4, 6 make 24 only with a fraction, which is out of bounds here; 3, 3, 8, 9 need none."""
    assert 24 not in solve([1, 3, 4, 6])[15]
    assert 24 in solve([3, 3, 8, 9])[15]


@given(st.integers(0, 10**6))
def test_every_puzzle_can_be_solved_and_its_faults_are_faults(i: int) -> None:
    """Solutions meet target and rule; each faulty expression has just the fault it is named for."""
    puzzle = make_puzzle(Draw("test", i))
    given_numbers = Counter(puzzle.numbers)
    assert puzzle.solutions
    for solution in puzzle.solutions:
        assert evaluate(str(solution)) == (puzzle.target, given_numbers)
    for fault, expressions in puzzle.faulty.items():
        for value, used in (evaluate(str(e)) for e in expressions):
            match fault:
                case Fault.NEAR | Fault.SLIP:
                    assert value != puzzle.target and used == given_numbers
                case Fault.TWICE:
                    assert value == puzzle.target and max((used - given_numbers).values()) == 1
                case Fault.STRANGER:
                    assert value == puzzle.target and set(used) > set(given_numbers)
                case Fault.LEFT_OUT:
                    assert value == puzzle.target and used < given_numbers


# ── what the rows say ────────────────────────────────────────────────────────────────────────────────


def test_the_demo_says_that_it_is_synthetic(rows: list[dict]) -> None:
    """Every question and every row carry the label."""
    assert all("synthetic" in r["question"].lower() for r in rows)
    assert {r["source"] for r in rows} == {SOURCE}


def test_the_columns_are_the_published_scripts() -> None:
    """Names as in the script, and `source` behind them."""
    assert SCHEMA.names == [
        "question",
        "answer",
        "prompt_variant",
        "model_responses__mutated_prompts",
        "model_responses__mutated_prompts__eval_is_correct",
        "model_responses__mutated_prompts__eval_extracted_answers",
        "model_responses__mutated_prompts_reflection",
        "source",
    ]


def test_labels_are_true(rows: list[dict]) -> None:
    """A response is labelled correct exactly when its expression has the target's value and uses each number once."""
    for r in rows:
        target, numbers = evaluate(r["gold"])
        assert str(target) in r["question"] and all(str(n) in r["question"] for n in numbers)
        solved = bool(r["answer"]) and evaluate(r["answer"]) == (target, numbers)
        assert solved == r["correct"], r


def test_the_answer_column_is_the_last_answer_of_the_text(rows: list[dict]) -> None:
    """Each response ends in its answer, or (cut off) has none."""
    for r in rows:
        tail = f"<answer>{r['answer']}</answer>" if r["answer"] else ""
        assert r["response"].endswith(tail)
        assert r["response"].count("<answer>") == (1 if r["answer"] else 0)


def test_right_responses_calculate_right(rows: list[dict]) -> None:
    """Every step stated in a right response is true; false steps stand in wrong ones only."""
    wrong_steps = [r["correct"] for r in rows if false_steps(r["response"])]
    assert not any(wrong_steps)
    assert len(wrong_steps) > 100
    assert all(STEP.search(r["response"]) for r in rows if r["correct"])


def test_wrong_responses_fail_in_different_ways(rows: list[dict]) -> None:
    """Wrong total, number twice, number not given, number left out, and nothing at all: each is met often enough."""
    ways: Counter[str] = Counter()
    for r in (r for r in rows if not r["correct"]):
        target, numbers = evaluate(r["gold"])
        value, used = evaluate(r["answer"] or "0")
        ways["no answer"] += not r["answer"]
        ways["miscalculated"] += bool(false_steps(r["response"]))
        ways["wrong total"] += value != target and used == numbers
        ways["twice"] += bool(r["answer"]) and any(n in numbers for n in used - numbers)
        ways["not given"] += bool(r["answer"]) and any(n not in numbers for n in used)
        ways["left out"] += bool(r["answer"]) and bool(numbers - used)
    print(ways)
    assert min(ways.values()) >= 20


def test_true_judgements_rest_on_true_steps(rows: list[dict]) -> None:
    """A critique that rightly says correct states no false step; one that rightly objects quotes at most the slip."""
    for r in rows:
        for text in r["reflections"]:
            if verdict_of(text) == r["correct"]:
                assert set(false_steps(text)) <= (
                    set() if r["correct"] else set(false_steps(r["response"]))
                ), text


def test_critiques_err_and_stay_silent_as_often_as_meant(rows: list[dict]) -> None:
    """12 to 20 % misjudge, 3 to 5.5 % name no verdict, a few are empty."""
    judged = [(verdict_of(text), r["correct"], text) for r in rows for text in r["reflections"]]
    missing = sum(v is None for v, _, _ in judged) / len(judged)
    misjudged = sum(v is not None and v != c for v, c, _ in judged) / len(judged)
    empty = sum(not text for _, _, text in judged) / len(judged)
    print(f"misjudged {misjudged:.1%}, without a verdict {missing:.1%}, empty {empty:.2%}")
    assert 0.12 < misjudged < 0.20
    assert 0.03 < missing < 0.055
    assert 0.001 < empty < 0.01


def test_blemishes_are_there_but_rare(rows: list[dict]) -> None:
    """Cut off answers, repeated responses, repeated critiques and stray block tags: each at least 5 and under 3 %."""
    by_question = defaultdict(list)
    for r in rows:
        by_question[r["question"]].append(r["response"])
    blemishes = {
        "cut off": sum(not r["answer"] for r in rows),
        "repeated": sum(len(texts) - len(set(texts)) for texts in by_question.values()),
        "repeated critique": sum(len(r["reflections"]) - len(set(r["reflections"])) for r in rows),
        "stray tag": sum("<think>" in r["response"] for r in rows),
    }
    print(blemishes)
    assert all(5 <= count < 0.03 * len(rows) for count in blemishes.values())


def test_difficulty_varies(rows: list[dict]) -> None:
    """Some questions are never solved, some always, most in between, and right and wrong are in balance."""
    rate = defaultdict(list)
    for r in rows:
        rate[r["question"]].append(r["correct"])
    shares = [sum(labels) / len(labels) for labels in rate.values()]
    assert len(shares) == 500
    assert sum(s == 0 for s in shares) > 20 and sum(s == 1 for s in shares) > 20
    assert sum(0 < s < 1 for s in shares) > 0.7 * len(shares)
    assert 0.4 < sum(shares) / len(shares) < 0.6


def test_texts_vary_in_wording_and_length(rows: list[dict]) -> None:
    """Hardly two texts are equal, and the longest responses are several times the shortest; variants read differently."""
    responses = [r["response"] for r in rows]
    reflections = [text for r in rows for text in r["reflections"] if text]
    lengths = sorted(map(len, responses))
    assert len(set(responses)) > 0.97 * len(responses)
    assert len(set(reflections)) > 0.9 * len(reflections)
    assert lengths[len(lengths) * 95 // 100] > 3 * lengths[len(lengths) * 5 // 100]
    assert all("1. " in r["response"] for r in rows if r["variant"] == "plan_and_execute")
    assert {r["variant"] for r in rows} == set(VARIANTS)


def test_texts_are_clean(rows: list[dict]) -> None:
    """No unfilled brace, doubled space, or white space at an edge or before a line break."""
    for text in (t for r in rows for t in (r["question"], r["response"], *r["reflections"])):
        assert not re.search(r"[{}]|  | \n|\n ", text) and text == text.strip(), text


def test_the_default_size_leaves_most_questions_at_five_attempts(rows: list[dict]) -> None:
    """At N = 5, counted here from the rules alone, well over two thirds of the 500 questions are usable."""
    kept: dict[str, dict[str, bool]] = defaultdict(dict)
    for r in rows:
        judged = any(verdict_of(text) == r["correct"] for text in r["reflections"])
        if r["answer"] and judged and "<think>" not in r["response"]:
            kept[r["question"]][r["response"]] = r["correct"]
    usable = sum(len(labels) >= 5 and any(labels.values()) for labels in kept.values())
    print(f"{usable} of 500 questions usable at N = 5")
    assert 375 <= usable < 500


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_file_holds_the_rows_and_nothing_else_is_left(tmp_path: Path) -> None:
    """The count returned is the file's; the folder holds that one file; twice the same bytes."""
    first, second = tmp_path / "demo.parquet", tmp_path / "again.parquet"
    assert write_demo(first, questions=30, seed=3) == write_demo(second, questions=30, seed=3) == 240
    table = pq.read_table(first)
    assert table.schema.equals(SCHEMA)
    assert [tuple(r.values()) for r in table.to_pylist()] == as_rows(30, seed=3)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.parquet", "demo.parquet"]


def test_batches_are_bounded() -> None:
    """However many questions are asked for, only a batch of them is made at a time."""
    batches = demo_batches(10**9, per_batch=4)
    assert [next(batches).num_rows for _ in range(3)] == [32, 32, 32]


@pytest.mark.parametrize(
    ("name", "questions", "error", "says"),
    [
        ("demo.csv", 5, SourceError, "demo.csv"),
        ("no/such/folder/demo.parquet", 5, SourceError, "No such file or directory"),
        ("demo.parquet", 0, RecipeError, "found 0"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_sentence(
    tmp_path: Path, name: str, questions: int, error: type[SkillFactoryError], says: str
) -> None:
    """Another suffix, a missing folder and an empty demo are refused, and nothing is left behind."""
    with pytest.raises(error, match=re.escape(says)):
        write_demo(tmp_path / name, questions=questions)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("questions", [1, 7, 600])
def test_the_number_of_rows_is_known_before_they_are_made(questions: int) -> None:
    """A page can say how large a demo is without making it."""
    batches = demo_batches(questions)
    assert DemoSource(questions).rows == sum(batch.num_rows for batch in batches)
