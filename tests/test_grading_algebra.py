"""Algebra is read in one way or not at all, and is equal where its values are, in bounded time."""

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_factory.grading import Decision, Task, equivalent, judge
from skill_factory.grading.algebra import same_statements
from skill_factory.grading.expressions import MOST_SIGNS, Term, read_statement
from skill_factory.grading.plain import plain
from skill_factory.grading.values import letters_of, value_at

WITHOUT_THE_LIBRARY = "the optional extra math-verify is not installed"


def same_algebra(answer: str, gold: str) -> bool:
    """Whether two texts are read, and are the same expression, equation or inequality."""
    one, other = read_statement(plain(answer)), read_statement(plain(gold))
    return one is not None and other is not None and same_statements(one, other)


# -- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2x", "2*x"),
        ("-x^2", "-(x^{2})"),
        ("2\\pi r", "2*\\pi*r"),
        ("\\frac12", "1/2"),
        ("\\frac1{2}", "\\frac{1}{2}"),
        ("\\sqrt3x", "\\sqrt{3}*x"),
        ("2sqrt(3)/3", "\\frac{2\\sqrt{3}}{3}"),
        ("9\\frac{1}{3}", "9+\\frac{1}{3}"),
        ("-9\\frac{1}{3}", "-(9+\\frac{1}{3})"),
        ("2\\frac{x}{3}", "2*\\frac{x}{3}"),
        ("2(3)", "6"),
        ("x(x+1)", "x*x+x"),
        ("x^2y", "(x^2)*y"),
        ("\\sin^2 x", "(\\sin(x))*(\\sin(x))"),
        ("\\sin(x)^2", "(\\sin(x))*(\\sin(x))"),
        ("\\sin 2x\\cos x", "(\\sin(2*x))*(\\cos(x))"),
        ("\\sin^{-1} 0.5", "\\frac{\\pi}{6}"),
        ("\\log_2 8", "3"),
        ("\\log 1000", "3"),
        ("|x-1||x|", "|x-1|*|x|"),
        ("\\left(x+1\\right)^{2}", "[x+1]*[x+1]"),
        ("x_1+x_{12}", "x_{12}+x_1"),
        ("2--3", "5"),
        ("2 \\cdot -3", "-6"),
    ],
)
def test_notation_is_read_as_people_read_it(text: str, said: str) -> None:
    """Powers bind before signs, products need no sign, a whole number before a fraction is a mixed number."""
    assert same_algebra(text, said)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1/2x",
            "a/bc",
            "2/3\\pi",
            "x^23",
            "x^-1",
            "2 3",
            "x 2",
            "\\sqrt 16",
            "\\frac123",
            "{a+b}c",
            "{-1}^2",
        ),
        *(
            "2\\frac12 x",
            "2\\frac{3}{2}",
            "\\sin x \\cdot y",
            "\\sin x/2",
            "\\sin x(x+1)",
            "\\sin^2(x)^2",
            "f(x)",
        ),
        *(
            "y(t)",
            "\\ln|x|y",
            "9{12}",
            "\\tan^2 17 (3)",
            "3!!",
            "1,000x",
            "90^\\circ",
            "3 \\pm 2",
            "I",
            "a cat",
            "x^2^3",
            "x = y = z",
            "1 < x < 2",
            "(x",
            "x)",
        ),
        *("||x||", "", "2 +", "\\sum x", "x\\", "\\frac{1}", "5\\%", "x'"),
    ],
)
def test_what_has_two_meanings_or_none_is_not_read(text: str) -> None:
    """Nothing is guessed: such an answer is right in the gold answer's own form only."""
    assert read_statement(text) is None
    assert not same_algebra(text, text + "+0")


@given(
    st.text(alphabet="xy12.()[]{}|^_+-*/=<\\ ", max_size=60), st.sampled_from(["x", "1", "y=x", "\\sqrt{2}"])
)
def test_no_text_makes_reading_fail(text: str, gold: str) -> None:
    """Whatever the signs, there is a verdict."""
    assert same_algebra(text, gold) in (True, False)


# -- comparing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "gold", "same"),
    [
        ("(x+1)^2", "x^2+2x+1", True),
        ("(x+1)^{10}", "(1+x)^9(x+1)", True),
        ("\\frac{x^2-1}{x-1}", "x+1", True),
        ("\\tan x", "\\frac{\\sin x}{\\cos x}", True),
        ("\\arcsin x + \\arccos x", "\\frac{\\pi}{2}", True),
        ("(e^x)^2", "e^{2x}", True),
        ("x^{\\frac12}", "\\sqrt{x}", True),
        ("\\sqrt{3+2\\sqrt{2}}", "1+\\sqrt{2}", True),
        ("\\sqrt{3+2\\sqrt{2}}-\\sqrt{2}-1", "0", True),
        ("\\sqrt{x^2}", "|x|", True),
        ("\\sqrt{x^2}", "x", False),
        ("\\sqrt{x^2y^2}", "xy", False),
        ("\\sqrt{x}\\sqrt{y}", "\\sqrt{xy}", False),
        ("\\ln(xy)", "\\ln x + \\ln y", False),
        ("\\ln x^2", "2\\ln x", False),
        ("7y-7x", "1", False),
        ("2", "2c", False),
        ("x+2m", "x+2", False),
        ("5", "2(3)", False),
        ("\\pi(R^2-r^2)", "0", False),
        ("\\frac{1}{x-x}", "\\frac{2}{x-x}", False),
        ("1.414213562373", "\\sqrt{2}", False),
        ("1.4142135623731", "\\sqrt{2}", False),
        ("1.414213562373095", "\\sqrt{2}", False),
        ("0.333333333333333", "\\frac{x}{3x}", False),
        ("3.14159265358979", "\\pi", False),
        ("2x+2=2y", "y=x+1", True),
        ("x+1=-y", "y=x+1", False),
        ("1=2", "3=5", False),
        ("x=1", "y=1", False),
        ("2x<6", "x<3", True),
        ("-2x<6", "x>-3", True),
        ("-2x<6", "x<-3", False),
        ("x<3", "x\\le 3", False),
        ("x \\ge 2", "2 \\leq x", True),
        ("x \\ne 1", "1 \\neq x", True),
        ("x = 1", "x \\ne 1", False),
    ],
)
def test_values_decide_at_positive_and_negative_points(answer: str, gold: str, same: bool) -> None:
    """What holds for positive letters only is no equality, a rounded root no root, and an order has its direction."""
    assert same_algebra(answer, gold) is same and same_algebra(gold, answer) is same


CLOSE = [
    ("\\sqrt{10000000000000001}", "100000000", False),
    ("e^{\\pi\\sqrt{163}}", "262537412640768744", False),
    ("100000000000000\\sqrt{2}+1", "100000000000000\\sqrt{2}+1.1", False),
    ("100000000000000\\sqrt{2}+1", "1+\\sqrt{2}\\cdot 100000000000000", True),
    ("\\sqrt{1000000000001}-1000000", "\\frac{1}{\\sqrt{1000000000001}+1000000}", True),
    ("\\sqrt{2}^{40}", "1048576", True),
]


@pytest.mark.parametrize(("answer", "gold", "same"), CLOSE)
def test_what_a_float_cannot_tell_apart_is_left_to_the_library(answer: str, gold: str, same: bool) -> None:
    """Thirty digits decide, where floats agree by their few digits; a long number is not proven by a root near it."""
    pytest.importorskip("math_verify", reason=WITHOUT_THE_LIBRARY)
    assert same_algebra(answer, gold) is same


# -- reading and values against the library ---------------------------------------------------------------------------

LETTERS = ["x", "y", "n", "\\theta", "x_1"]
NUMBERS = ["2", "3", "17", "0.5", "12", "\\pi", "e"]


def algebra(dice: random.Random, depth: int, names: list[str]) -> str:
    """A random expression; many are unclear to people, and some to every reader."""
    if depth == 0 or dice.random() < 0.25:
        return dice.choice(names)

    def part() -> str:
        return algebra(dice, depth - 1, names)

    function = dice.choice(["sin", "cos", "tan", "ln", "exp", "arctan", "sec", "cot", "csc", "log"])
    shapes: list[Callable[[], str]] = [
        lambda: f"\\frac{{{part()}}}{{{part()}}}",
        lambda: f"\\frac{dice.choice('123')}{dice.choice('245')}",
        lambda: f"\\sqrt{{{part()}}}",
        lambda: f"\\sqrt[3]{{{part()}}}",
        lambda: f"\\sqrt{dice.choice('23')}",
        lambda: f"({part()})^{dice.choice(['2', '3', '{-1}', '{0.5}', '{10}', '{' + part() + '}'])}",
        lambda: f"\\{function}{dice.choice([' ', '^2 '])}{part()}",
        lambda: f"\\{function}({part()})",
        lambda: f"\\log_{dice.choice(['2', '{10}'])} {part()}",
        lambda: dice.choice([" + ", "-"]).join(part() for _ in range(dice.randint(2, 3))),
        lambda: dice.choice([" \\cdot ", "*", " ", "", "/"]).join(part() for _ in range(2)),
        lambda: f"\\left({part()}\\right)",
        lambda: f"|{part()}|",
        lambda: "-" * dice.randint(1, 3) + part(),
        lambda: f"{dice.randint(1, 9)}\\frac{{{dice.randint(1, 5)}}}{{{dice.randint(2, 9)}}}",
        lambda: f"{dice.randint(2, 9)}{part()}",
    ]
    return dice.choice(shapes)()


def test_the_library_reads_the_same() -> None:
    """Wherever math-verify reads a drawn text too, its expression has the same values."""
    pytest.importorskip("math_verify", reason=WITHOUT_THE_LIBRARY)
    dice, compared = random.Random(4), 0
    while compared < 60:
        text = algebra(dice, dice.randint(1, 3), LETTERS + NUMBERS)
        statement, theirs = read_statement(text), _read_by_the_library(text)
        if statement is None or theirs is None or _whole_before_bracket(statement.term):
            continue
        letters = sorted(letters_of(statement.term))
        for point in range(2):
            mine = value_at(statement.term, letters, point)
            value = _library_value(theirs, letters, point)
            if mine is not None and value is not None:
                compared += 1
                size = max(abs(value), abs(complex(mine.number)))
                assert abs(complex(mine.number) - value) <= 1e-9 * size + mine.doubt, text


def _read_by_the_library(text: str):
    from latex2sympy2_extended import NormalizationConfig
    from math_verify import LatexExtractionConfig, parse
    from sympy import Expr

    config = LatexExtractionConfig(
        normalization_config=NormalizationConfig(units=False, malformed_operators=True)
    )
    read = parse(f"${text}$", extraction_config=(config,), fallback_mode="no_fallback", parsing_timeout=None)
    return read[0] if read and isinstance(read[0], Expr) else None


def _library_value(expression, letters: list[str], point: int) -> complex | None:
    from sympy import Rational

    named = {str(symbol).replace("{", "").replace("}", ""): symbol for symbol in expression.free_symbols}
    at = {}
    for letter in letters:
        where = value_at(Term(letter), letters, point)
        assert where is not None
        at[named.get(letter)] = Rational(str(where.number))
    try:
        return complex(expression.evalf(20, subs=at, maxn=60))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None


def _whole_before_bracket(term: Term) -> bool:
    """Does `2(3)` stand in it? The library adds the two, as if they were a mixed number."""
    whole = [part.what == "number" and part.number.denominator == 1 for part in term.parts]
    return (term.what == "*" and sum(whole) > 1) or any(map(_whole_before_bracket, term.parts))


def test_the_doubt_bounds_the_error() -> None:
    """The value of a drawn constant is as near to 300 digits' as its doubt says."""
    mpmath = pytest.importorskip("mpmath", reason=WITHOUT_THE_LIBRARY)
    from skill_factory.grading.constants import _worked_out

    context = mpmath.mp.clone()
    context.dps = 300
    dice, compared = random.Random(5), 0
    while compared < 300:
        statement = read_statement(algebra(dice, dice.randint(2, 4), [*NUMBERS, "999999999999", "0.1"]))
        value = value_at(statement.term, [], 0) if statement else None
        if statement and value is not None:
            compared += 1
            exact = context.mpc(_worked_out(statement.term, context))
            rounding = 0 if isinstance(value.number, complex) else 1e-15 * abs(value.number)
            assert abs(context.mpc(complex(value.number)) - exact) <= value.doubt + rounding, statement


# -- time -------------------------------------------------------------------------------------------------------------

SLOW = {
    "letters": ("x y " * 50, "y x " * 50),
    "powers": ("+".join(["x^9"] * 25), "x^9+" + "+".join(["x^9"] * 24)),
    "fractions": ("+".join(["\\frac1x"] * 24), "0+" + "+".join(["\\frac1x"] * 24)),
    "roots": ("+".join(["\\sqrt x"] * 32), "0+" + "+".join(["\\sqrt x"] * 32)),
    "functions": ("+".join(["\\tan x"] * 32), "0+" + "+".join(["\\tan x"] * 32)),
    "nested roots": ("\\sqrt{" * 11 + "x" + "}" * 11, "(" + "\\sqrt{" * 10 + "x" + "}" * 10 + ")^{0.5}"),
    "towers": ("9^{9^{9^{9}}}", "\\sqrt{2}"),
    "exponentials": ("\\exp(\\exp(\\exp(99)))", "\\sqrt{2}"),
    "the sine of a tower": ("\\sin(9^{99 \\cdot 99 \\cdot 99 \\cdot 99})", "\\sqrt{2}"),
    "close constants": (
        "100000000000000\\sqrt{2}+1" + "+\\sqrt{2}" * 17,
        "1+100000000000000\\sqrt{2}" + "+\\sqrt{2}" * 17,
    ),
    "a set": (
        ", ".join(f"\\sqrt{{{k}x}}+x^2+x y" for k in range(1, 7)),
        ", ".join(f"x^2+\\sqrt{{{k}x}}+y x" for k in range(6, 0, -1)),
    ),
    "a set of close constants": (
        ", ".join(f"100000000000000\\sqrt2+{k}.5" for k in range(1, 7)),
        ", ".join(f"{k}.5+100000000000000\\sqrt2" for k in range(6, 0, -1)),
    ),
    "brackets": ("(" * 140 + "x" + ")" * 140, "x"),
}


@pytest.mark.parametrize("name", SLOW)
def test_short_algebra_is_bounded(name: str) -> None:
    """A tenth of a second of this thread at most, ten times what the slowest takes."""
    equivalent("\\sqrt{10000000000000001}", "100000000", Task.MATH)  # what is optional loads here
    answer, gold = SLOW[name]
    equivalent(answer, gold, Task.MATH)
    started = time.thread_time()
    equivalent(answer, gold, Task.MATH)
    assert time.thread_time() - started < 0.1


def test_the_signs_of_a_text_are_bounded() -> None:
    """More of them are compared by their form alone."""
    assert read_statement("+".join("x" * (MOST_SIGNS // 2))) is not None
    assert read_statement("+".join("x" * (MOST_SIGNS // 2 + 1))) is None


@pytest.mark.parametrize(
    ("gold", "answer", "decision"),
    [
        (r"\frac{n!}{k!(n-k)!}", r"\binom{n}{k}", Decision.RIGHT),
        ("(n+1)!", "(n+1)n!", Decision.RIGHT),
        (r"\binom{n}{2}", r"\frac{n(n-1)}{2}", Decision.RIGHT),
        (r"\binom{n}{2}", r"\frac{n(n+1)}{2}", Decision.WRONG),
        (r"\binom{n}{k}", r"\binom{n}{k-1}", Decision.WRONG),
        ("n!", r"(n-1)!", Decision.WRONG),
    ],
)
def test_factorials_are_compared_where_letters_are_whole(gold: str, answer: str, decision: Decision) -> None:
    """Between whole numbers a factorial has no value, so there a difference could not be seen."""
    assert judge(answer, gold, "math", "") is decision


def test_what_has_no_values_to_compare_is_unjudged() -> None:
    """To call it wrong would be a label without a reason."""
    assert judge(r"\lfloor (x+100)! \rfloor", r"(99+x)!", "math", "") is Decision.UNJUDGED
