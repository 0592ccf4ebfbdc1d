"""Grading finds the final answer, and says right exactly when it means what the gold answer means."""

import operator
import random
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.grading import (
    TASKS,
    Decision,
    Task,
    choose_task,
    equivalent,
    final_answer,
    judge,
    score,
    stated_answer,
)
from skill_factory.grading.countdown import Puzzle, calculate, read_puzzle, solves
from skill_factory.grading.plain import plain
from skill_factory.grading.quantities import read_amount
from tests import stored_labels
from tests.write_grading import PAGE

needs_data = pytest.mark.skipif(
    not stored_labels.DATA.is_dir(), reason="the real data sets are not beside the repository"
)


# -- where the final answer stands ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<answer>4</answer>", "4"),
        ("<think>a</think> so <answer> 4\n</answer>", "4"),
        ("<answer>3</answer> no: <answer>4</answer>", "4"),
        ("<think><sample><answer>3</answer></sample></think><answer>4</answer>", "4"),
        ("<answer></answer>", ""),
        ("the answer is 4", None),
        ("<think><sample><answer>4</answer></sample>", None),
        ("<sample><answer>4</answer></sample> the prompt had opened <think>, and the text was cut", None),
        ("<think>a</think><answer>4</answer> wait <think> b", None),
        ("<think><answer>4</answer></think> it is 4", None),
        ("<think>a</think><answer>4</answer> or rather <answer>5", None),
        ("<think>a</think><answer>4", None),
        ("</answer>4<answer>", None),
    ],
)
def test_final_answer_is_the_last_block_after_the_thinking(text: str, expected: str | None) -> None:
    """The last closed `<answer>` after the last `</think>`; a text cut off in its thinking or its answer has none."""
    assert final_answer(text) == expected


@given(
    st.text(alphabet="<>/atk ", max_size=80).map(lambda t: t.replace("a", "answer>").replace("t", "think>"))
)
def test_final_answer_never_fails(text: str) -> None:
    """Whatever the tags do, the answer is a piece of the text without white space at its ends, or None."""
    found = final_answer(text)
    assert found is None or (found == found.strip() and found in text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("work\nA: 18", "18"),
        ("work\n**Answer:** 18", "18"),
        ("so \\boxed{\\frac{1}{2}} it is", "\\frac{1}{2}"),
        ("steps\n#### 1,200", "1,200"),
        ("nothing said", None),
        ("\\boxed{never closed", None),
    ],
)
def test_stated_answer_reads_texts_without_tags(text: str, expected: str | None) -> None:
    """Box, hash marks or an answer line, for sources whose responses have no tags."""
    assert stated_answer(text) == expected


# -- the rules, one by one --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1,234.50", Fraction(2469, 2), ""),
        ("$1,234", 1234, "$"),
        ("18 dollars", 18, "$"),
        ("$18 per day", 18, "$/day"),
        ("60 km/h", 60, "km/hour"),
        ("60 kilometers per hour", 60, "km/hour"),
        ("-3/4", Fraction(-3, 4), ""),
        ("1 1/2", Fraction(3, 2), ""),
        ("1\\frac{1}{2}", Fraction(3, 2), ""),
        ("½", Fraction(1, 2), ""),
        ("2½ cups", Fraction(5, 2), "cup"),
        ("−7", -7, ""),
        ("12.5\\%", Fraction(25, 2), "%"),
        ("90^\\circ", 90, "degree"),
        ("3 \\times 10^{5}", 300_000, ""),
        ("2.5 million", 2_500_000, ""),
        ("5 m²", 5, "m^2"),
        ("5 square meters", 5, "m^2"),
        ("The answer is 18.", 18, ""),
        ("4 duck eggs", 4, "duck egg"),
    ],
)
def test_quantities_are_read_with_their_units(text: str, value: Fraction | int, unit: str) -> None:
    """Commas, currencies, fractions, percent, powers of ten and units are understood."""
    found = read_amount(text)
    assert found is not None
    assert (found.value, found.unit) == (value, unit)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1,23",
        "12,3456",
        "10 or 12",
        "10 or more",
        "5x",
        "5m",
        "9 * 2 = 17",
        "1/0",
        "5-ab",
        "³",
    ],
)
def test_what_is_no_quantity_is_none(text: str) -> None:
    """Wrong grouping, two numbers, products with letters and false arithmetic are no number."""
    assert read_amount(text) is None


def test_percent_equals_its_hundredth_and_above_one_the_bare_number() -> None:
    """`50%` is `0.5` and `50`; `0.5%` is not `0.5`."""
    assert equivalent("50%", "0.5") and equivalent("50%", "50") and equivalent("0.5", "50%")
    assert not equivalent("0.5%", "0.5") and not equivalent("5%", "0.5")


def test_a_unit_that_one_side_names_is_let_go_and_two_that_differ_are_not() -> None:
    """`18` answers `18 km`; `18 m` doesn't, and nothing is converted."""
    assert equivalent("18", "18 km") and equivalent("18 kilometers", "18 km") and equivalent("18 eggs", "18")
    assert (
        not equivalent("18 m", "18 km")
        and not equivalent("1000 m", "1 km")
        and not equivalent("18 cents", "$18")
    )


@pytest.mark.parametrize(
    ("answer", "gold", "same"),
    [
        ("(1, 2)", "(1,2)", True),
        ("(2, 1)", "(1,2)", False),
        ("[1, 2)", "(1,2)", False),
        ("\\left(\\dfrac{1}{2},\\ 3\\right)", "(1/2,3)", True),
        ("\\{2, 1\\}", "\\{1,2\\}", True),
        ("2 and 1", "1, 2", True),
        ("1, 1", "1, 2", False),
        ("(-\\infty, 0)", "(-∞,0)", True),
        ("(0,1) \\cup (2,3)", "(2,3)\\cup(0,1)", True),
        (
            "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
            "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
            True,
        ),
        (
            "\\begin{pmatrix} 1 & 3 \\\\ 2 & 4 \\end{pmatrix}",
            "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
            False,
        ),
        ("\\frac12", "\\frac{1}{2}", True),
        ("2\\sqrt3", "2\\sqrt{3}", True),
        ("2\\sqrt{3}", "3\\sqrt{2}", False),
        ("y = x + 1", "x+1", True),
        ("x = 1", "y = 1", False),
        ("x^2", "x2", False),
        ("x²", "x^{2}", True),
        ("0.33", "1/3", False),
        ("(B)", "B", True),
        ("**Paris**.", "paris", True),
        ("Paris or Rome", "Paris", False),
    ],
)
def test_mathematics_is_compared_part_by_part(answer: str, gold: str, same: bool) -> None:
    """Order counts in brackets only; one thing has several spellings; values are exact."""
    assert equivalent(answer, gold) is same


ALGEBRA = [
    ("(x+1)^2", "x^2+2x+1", True),
    ("(x+1)^2", "x^2+1", False),
    ("\\sqrt{12}", "2\\sqrt{3}", True),
    ("\\sqrt{16}", "4", True),
    ("\\frac{1}{\\sqrt{2}}", "\\frac{\\sqrt{2}}{2}", True),
    ("1.41421", "\\sqrt{2}", False),
    ("\\sin^2 x + \\cos^2 x", "1", True),
    ("\\sqrt{x^2}", "x", False),
    ("2y = 2x + 2", "y = x + 1", True),
    ("2x = 10", "10", False),
    ("x < 3", "3 > x", True),
    ("x < 3", "x > 3", False),
    ("5\\pi", "5", False),
    ("(\\sqrt{4}, 3)", "(2,3)", True),
]


@pytest.mark.parametrize(("answer", "gold", "same"), ALGEBRA)
def test_algebra_is_compared_by_value(answer: str, gold: str, same: bool) -> None:
    """Expressions are equal when their values are, with or without math-verify; an equation is no value."""
    assert equivalent(answer, gold, Task.MATH) is same


def test_a_sum_left_standing_is_no_number() -> None:
    """An answer that repeats the question's own sum says nothing, with or without math-verify; a root may stand."""
    assert not equivalent("79 + 17 - 60", "36") and not equivalent("9 \\times 2", "18")
    assert equivalent("9 * 2 = 18", "18")


# -- Countdown --------------------------------------------------------------------------------------------------------

PUZZLE = Puzzle((Fraction(3), Fraction(3), Fraction(8), Fraction(8)), Fraction(24))


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("8/(3-8/3)", True),
        ("8 ÷ (3 − 8 ÷ 3)", True),
        ("$8 \\div (3 - 8 \\div 3)$", True),
        ("8/(3-8/3) = 24", True),
        ("3*8", True),
        ("3 x 8", True),
        ("24", False),
        ("3*8*1", False),
        ("3*3*8/3", False),
        ("3**3-3", False),
        ("8//3*8", False),
        ("3*8 = 25", False),
        ("3+8 = 24", False),
        ("33-8-1", False),
        ("8/(3-3)", False),
        ("__import__('os')", False),
        ("(3)(8)", False),
        ("3*8)", False),
        ("", False),
    ],
)
def test_countdown_wants_an_expression_of_the_given_numbers(answer: str, right: bool) -> None:
    """Each number at most once, the four operations, exact fractions; powers, code and other numbers never."""
    assert solves(answer, PUZZLE) is right


def test_countdown_reads_its_puzzle_from_question_or_gold() -> None:
    """The question's numbers go first; the target is the gold expression's value or what the question asks for."""
    question = (
        "Using the numbers [79, 17, 60], create an equation that equals 36.\nUse each number exactly once."
    )
    assert read_puzzle(question, "(79+(17-60))") == Puzzle((79, 17, 60), 36, use_all=True)
    assert read_puzzle(question, "36") == read_puzzle(question, "(79+(17-60))")
    assert read_puzzle("", "4*6") == Puzzle((4, 6), 24)
    assert read_puzzle("Numbers: 1, 2, 3 and 4. Make 10.", "") == Puzzle((1, 2, 3, 4), 10)
    assert read_puzzle("", '{"numbers": [1, 2], "target": 3}') == Puzzle((1, 2), 3)
    assert read_puzzle("What is the capital of France?", "Paris") is None


def test_a_question_may_ask_for_all_numbers_or_for_plain_signs() -> None:
    """“Exactly once” forbids leaving one out; “only use +, -, *, /” forbids `÷` and a closing `= 24`."""
    asked = "Use the numbers 2, 3 and 4 exactly once each to reach 24. Only use +, -, *, / and parentheses."
    assert equivalent("2*3*4", "2*3*4", question=asked)
    assert not equivalent("2 × 3 × 4", "2*3*4", question=asked)
    assert not equivalent("2*3*4 = 24", "2*3*4", question=asked)
    assert equivalent("2 × 3 × 4 = 24", "2*3*4")
    assert not equivalent(
        "6*4", "6*4*1/1", question="Use the numbers 6, 4, 1 and 1, all the numbers, to make 24."
    )


class Made(NamedTuple):
    """An expression with the value it must have (None: it divides by zero) and the numbers in it."""

    text: str
    value: Fraction | None
    numbers: tuple[int, ...]


def _joined(parts: tuple[Made, str, Made]) -> Made:
    left, sign, right = parts
    operate = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[sign]
    broken = left.value is None or right.value is None or (sign == "/" and right.value == 0)
    value = None if broken else operate(left.value, right.value)
    return Made(f"({left.text}{sign}{right.text})", value, left.numbers + right.numbers)


expressions = st.recursive(
    st.integers(0, 99).map(lambda n: Made(str(n), Fraction(n), (n,))),
    lambda part: st.tuples(part, st.sampled_from("+-*/"), part).map(_joined),
    max_leaves=8,
)


@given(expressions)
def test_calculation_is_exact(made: Made) -> None:
    """The value is the one that fractions give, and the numbers are the ones that stand there."""
    found = calculate(made.text)
    assert (found and found.value) == made.value
    assert found is None or found.numbers == made.numbers


# -- choosing the task, and what can't be judged ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gold", "question", "task"),
    [
        ("18", "", Task.NUMBER),
        ("$1,200", "", Task.NUMBER),
        ("3/4", "", Task.NUMBER),
        ("\\frac{\\sqrt{2}}{2}", "", Task.MATH),
        ("(1, 2)", "", Task.MATH),
        ("5x-3", "", Task.MATH),
        ("Paris", "", Task.EXACT),
        ("mother-in-law", "", Task.EXACT),
        ("(79+(17-60))", "", Task.COUNTDOWN),
        ("36", "Using the numbers [79, 17, 60], create an equation that equals 36.", Task.COUNTDOWN),
        ("36", "Tom adds the numbers 17 and 19. What does he get?", Task.NUMBER),
        ("10-4", "Simplify 5 + 5 - 4 without adding.", Task.MATH),
    ],
)
def test_auto_chooses_the_task_by_gold_answer_and_question(gold: str, question: str, task: Task) -> None:
    """Puzzles, numbers, mathematics and words are told apart."""
    assert choose_task(gold, question) == task


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        (r"1.4422...", r"\sqrt[3]{3}"),
        ("2 hours 30 minutes", "150 minutes"),
        ("2 out of 4", "1 out of 2"),
        ("3 out of 4", "75%"),
    ],
)
def test_what_may_be_the_same_in_another_form_is_unjudged(answer: str, gold: str) -> None:
    """Digits that were cut off, a quantity in parts, a share of other numbers: never called wrong, nor right."""
    assert judge(answer, gold) == Decision.UNJUDGED


def test_what_does_not_fit_the_task_is_unjudged() -> None:
    """An empty gold answer, words for a number and a puzzle without numbers can't be judged; no answer is wrong."""
    assert judge("4", "  ") == Decision.UNJUDGED
    assert judge("4", "Paris", Task.NUMBER) == Decision.UNJUDGED
    assert judge("4", "Paris", Task.COUNTDOWN) == Decision.UNJUDGED
    assert judge(None, "4") == judge("", "4") == Decision.WRONG


@given(st.text(max_size=60), st.text(min_size=1, max_size=60), st.sampled_from(list(TASKS)))
def test_judging_never_fails(answer: str, gold: str, task: Task) -> None:
    """Any two texts get a decision."""
    assert judge(answer, gold, task) in Decision


@given(st.text(min_size=1, max_size=60).filter(lambda text: plain(text).strip()))
def test_an_answer_equals_itself(text: str) -> None:
    """The gold answer, written again, is right in every task that compares texts."""
    assert equivalent(text, text, Task.EXACT) and equivalent(text, text, Task.MATH)


# -- hostile texts ----------------------------------------------------------------------------------------------------

HOSTILE = {
    "unclosed answers": "<answer>" * 20_000,
    "unclosed thinking": "<think>" * 20_000,
    "closed thinking, unclosed answers": "</think>" + "<answer>" * 20_000,
    "a tower of powers": "<answer>9**9**9**9</answer>",
    "a tower of exponentials": "<answer>\\exp(\\exp(\\exp(99)))</answer>",
    "the sine of a huge number": "<answer>\\sin(9^{99 \\cdot 99 \\cdot 99 \\cdot 99})</answer>",
    "a tower in LaTeX": "<answer>9^{9^{9^{9^9}}}</answer>",
    "a factorial": "<answer>99999999999!</answer>",
    "a huge integer": f"<answer>{'9' * 100_000}</answer>",
    "a huge exponent": "<answer>1e999999999</answer>",
    "nested brackets": f"<answer>{'(' * 50_000}1{')' * 50_000}</answer>",
    "nested brackets that fit": f"<answer>{'(' * 140}1{')' * 140}</answer>",
    "nested boxes": "<answer>" + "\\boxed{" * 10_000 + "1" + "}" * 10_000 + "</answer>",
    "signs": f"<answer>{'-' * 290}1</answer>",
    "fractions": "<answer>" + "\\frac{" * 40 + "1</answer>",
    "NUL": "<answer>\0" + "18\0" * 20_000 + "</answer>",
    "one line of 1 MB": "<answer>" + "x" * 1_000_000 + "</answer>",
    "commas": f"<answer>{'1,' * 140}1</answer>",
    "spaces": f"<answer>1{' ' * 100_000}</answer> {'<answer>' * 9}",
    "a sum": "<answer>\\sum_{i=1}^{10^9} \\frac{1}{i^3}</answer>",
    "code": "<answer>__import__('time').sleep(9)</answer>",
    "ligatures": f"<answer>{'ﷺ' * 30_000}</answer>",
    "samples": "<sample><answer>1</answer></sample><reflect>" * 2_000,
}


@pytest.fixture(scope="module")
def warm() -> None:
    """An optional library loads at the first constants that floats can't tell apart, which is not what is timed."""
    equivalent("\\sqrt{10000000000000001}", "100000000", Task.MATH)


@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("gold", ["18", "(79+(17-60))", "\\frac{1}{2}", "\\{1,2,3\\}", "Paris"])
def test_hostile_outputs_score_nothing_in_bounded_time(name: str, gold: str) -> None:
    """0.0, and far below a second (a generous bound; the usual time is under 20 ms)."""
    started = time.perf_counter()
    assert score(HOSTILE[name], gold) == 0.0
    assert time.perf_counter() - started < 1.0


def test_hostile_outputs_are_fast(capsys: pytest.CaptureFixture[str]) -> None:
    """The slowest of them, printed; each takes some milliseconds (the bound leaves room for a busy machine)."""
    took = {name: min(_seconds(text) for _ in range(3)) for name, text in HOSTILE.items()}
    name = max(took, key=lambda one: took[one])
    with capsys.disabled():
        print(f"\n  hostile outputs: the slowest of {len(took)} took {1000 * took[name]:.1f} ms ({name})")
    assert took[name] < 0.5


def _seconds(text: str) -> float:
    started = time.perf_counter()
    score(text, "\\frac{1}{2}")
    return time.perf_counter() - started


def test_time_grows_with_the_text_and_no_faster() -> None:
    """Eight times the unclosed tags take about eight times as long, not sixty-four."""

    def seconds(tags: int) -> float:
        text = "<answer>" * tags
        return min(_timed(text) for _ in range(5))

    def _timed(text: str) -> float:
        started = time.perf_counter()
        for _ in range(20):
            score(text, "18")
        return time.perf_counter() - started

    assert seconds(400_000) < 8 * 4 * max(seconds(50_000), 1e-4)


# -- figures: near-misses, equivalents, stored labels -----------------------------------------------------------------


class Case(NamedTuple):
    """A kind of case, an answer (or a whole output) and the gold answer."""

    kind: str
    answer: str
    gold: str
    question: str = ""


def _tagged(answer: object) -> str:
    return f"<think>\n<sample>\nwork\n<answer>0</answer>\n</sample>\n</think>\n\nSo.\n\n<answer>\n{answer}\n</answer>"


def near_misses(rng: random.Random) -> Iterator[Case]:
    """Outputs that are wrong by a hair, of six kinds in turn, without end."""
    units = ["km", "m", "cm", "kg", "g", "hours", "minutes", "dollars", "cents", "miles", "%", "m^2"]
    while True:
        n = rng.randint(2, 5000)
        gold = rng.choice(
            [f"{n}", f"{n:,}", f"${n}", f"{n}.5", f"\\frac{{{n}}}{{{n + 1}}}", f"{n}\\sqrt{{2}}"]
        )
        yield Case(
            "off by one",
            _tagged(gold.replace(f"{n:,}" if "," in gold else str(n), str(n + rng.choice([-1, 1])), 1)),
            gold,
        )
        one, other = rng.sample(units, 2)
        yield Case("wrong unit", _tagged(f"{n} {one}"), f"{n} {other}")
        items = rng.sample(range(-50, 50), rng.choice([2, 3]))
        moved = items[1:] + items[:1]
        yield Case("reordered tuple", _tagged(str(tuple(moved))), str(tuple(items)))
        a, b, c = rng.sample(range(2, 60), 3)
        question = f"Using the numbers [{a}, {b}, {c}], create an equation that equals {a + b}. Use each number at most once."
        yield Case("number used twice", _tagged(f"{a} + {b} + {c} - {c}"), f"{a}+{b}", question)
        yield Case(
            "right answer outside the tags",
            f"<think>\nwork\n</think>\nIt is {n}.\n<answer>\n</answer> {n}",
            f"{n}",
        )
        cut = rng.random() < 0.3
        yield Case(
            "earlier right answer",
            f"<answer>{n}</answer> no: <answer>{n + 7}" + "</answer>" * (not cut),
            f"{n}",
        )


def test_no_near_miss_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    """0 of 1,000 outputs that are wrong by a hair get a reward."""
    source = near_misses(random.Random(1))
    cases = [next(source) for _ in range(1000)]
    paid = [case for case in cases if score(case.answer, case.gold, question=case.question) != 0.0]
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(case.kind for case in cases).items())
    with capsys.disabled():
        print(f"\n  near-misses: {len(paid)} false positives in {len(cases)} ({kinds})")
    assert paid == []


def equivalents(rng: random.Random) -> Iterator[Case]:
    """True equivalents written in other ways, without end."""
    while True:
        n, d = rng.randint(1000, 9999), rng.choice([2, 4, 5, 8, 10])
        a, b, c = rng.sample(range(2, 60), 3)
        share = Fraction(rng.randint(1, 99), d)
        yield Case("commas", rng.choice([f"{n:,}", f"{n}.00", f"{n:,}.0", f"+{n}", f" {n}. "]), f"{n}")
        yield Case(
            "currency",
            rng.choice([f"${n}", f"{n} dollars", f"\\${n}", f"${n:,}.00", f"${n} dollars"]),
            rng.choice([f"{n}", f"${n}"]),
        )
        yield Case("unit", rng.choice([f"{a} kilometers", f"{a}km", f"{a} \\text{{ km}}", f"{a}"]), f"{a} km")
        yield Case("counted", f"{a} {rng.choice(['eggs', 'duck eggs', 'days', 'people'])}", f"{a}")
        yield Case(
            "sentence",
            rng.choice(
                [
                    f"The answer is {a}.",
                    f"x = {a}",
                    f"$x={a}$",
                    f"{b} + {a - b} = {a}" if a > b else f"\\boxed{{{a}}}",
                ]
            ),
            f"{a}",
        )
        yield Case(
            "fraction",
            rng.choice(
                [
                    str(float(share)),
                    f"\\frac{{{share.numerator * 3}}}{{{share.denominator * 3}}}",
                    f"{share.numerator * 2}/{share.denominator * 2}",
                ]
            ),
            f"\\dfrac{{{share.numerator}}}{{{share.denominator}}}",
        )
        yield Case("percent", rng.choice([f"{a}\\%", f"{a} percent", f"{Fraction(a, 100)}", f"{a}"]), f"{a}%")
        yield Case(
            "scientific",
            rng.choice([f"{a} \\times 10^{{3}}", f"{a}000", f"{a} thousand", f"{a}e3"]),
            f"{a},000",
        )
        yield Case(
            "tuple",
            rng.choice([f"\\left({a},\\ {b}\\right)", f"$( {a} , {b} )$", f"({a}.0, {b * 2}/2)"]),
            f"({a},{b})",
        )
        yield Case(
            "set",
            rng.choice([f"{b}, {a}", f"\\{{{b},{a}\\}}", f"{b} and {a}"]),
            f"{a},{b}" if a > 9 and b < 10 else f"{a}, {b}",
        )
        yield Case("interval", f"\\left[{-a}, \\infty\\right)", f"[-{a},∞)")
        yield Case(
            "root",
            rng.choice(
                [f"{a}\\sqrt{b % 9 + 1}", f"{a} \\sqrt{{{b % 9 + 1}}}", f"{a}\\cdot\\sqrt{{{b % 9 + 1}}}"]
            ),
            f"{a}\\sqrt{{{b % 9 + 1}}}",
        )
        yield Case(
            "polynomial",
            rng.choice([f"y = x^{{2}} + {a}\\,x", f"x² + {a}x", f"\\( x^2+{a}x \\)"]),
            f"x^2+{a}x",
        )
        yield Case("words", rng.choice(["**paris**", "Paris.", '"Paris"', "\\text{Paris}"]), "Paris")
        yield Case("choice", rng.choice(["(C)", "C.", "**C**", "c"]), "C")
        question = f"Using the numbers [{a}, {b}, {c}], create an equation that equals {a * b + c}. Use each number exactly once."
        yield Case(
            "Countdown",
            rng.choice(
                [
                    f"{c}+{b}*{a}",
                    f"({a} × {b}) + {c}",
                    f"$({b} \\times {a}) + {c}$",
                    f"{c} + ({a}*{b}) = {a * b + c}",
                    f"{c}-(-{a}*{b})",
                ]
            ),
            f"(({a}*{b})+{c})",
            question,
        )


def test_true_equivalents_are_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    """At least 99 % of 1,000 right answers written in other ways are right."""
    source = equivalents(random.Random(2))
    cases = [next(source) for _ in range(1000)]
    missed = [case for case in cases if score(_tagged(case.answer), case.gold, question=case.question) != 1.0]
    with capsys.disabled():
        print(f"\n  true equivalents: {1000 - len(missed)} of 1000 recognised")
        for case in missed:
            print(f"    missed: {case}")
    assert len(missed) <= 10


@needs_data
@pytest.mark.parametrize("name", stored_labels.SOURCES)
def test_grading_agrees_with_stored_labels(name: str) -> None:
    """At least 99.5 % of the labels that real data sets store, and each disagreement has a reason that is stated."""
    found = stored_labels.compared(name)
    assert found.agreement >= 0.995
    assert [row for row, _ in found.differing if stored_labels.why(row) == "unexplained"] == []


@needs_data
def test_the_page_shows_the_agreement_with_stored_labels() -> None:
    """The table in docs/grading.md is what grading says today."""
    assert stored_labels.table() in PAGE.read_text(encoding="utf-8"), "Run `make docs`."


def test_quantity_defaults_name_no_unit() -> None:
    """A bare number has neither unit nor letter."""
    found = read_amount("7")
    assert found is not None and (found.value, found.unit, found.standing) == (7, "", False)


@pytest.mark.parametrize(
    ("gold", "answer", "decision"),
    [
        (r"0.\overline{3}", r"\frac13", Decision.RIGHT),
        (r"\frac{1}{6}", r"0.1\overline{6}", Decision.RIGHT),
        ("-7/3", r"-2.\bar3", Decision.RIGHT),
        ("1/3", "0.3\u0305", Decision.RIGHT),
        (r"33.\overline{3}\%", "1/3", Decision.RIGHT),
        (r"0.\overline{3}", "0.33", Decision.WRONG),
        (r"0.\overline{36}", r"0.3\overline{6}", Decision.WRONG),
    ],
)
def test_a_repeating_decimal_is_the_fraction_that_it_means(
    gold: str, answer: str, decision: Decision
) -> None:
    """Digits under a line go on without end; a decimal that stops is another number."""
    assert judge(answer, gold, "auto", "") is decision
