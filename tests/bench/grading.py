"""What an answer made to be slow costs the reward, in milliseconds of processor time of its thread."""

import gc
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from skill_factory.grading import Task, equivalent
from skill_factory.grading.groups import MOST_UNORDERED
from skill_factory.grading.reward import score
from tests.test_grading import HOSTILE

DRAWN = 2000
"""Short answers that are looked for by chance."""
CLIMBED = 4000
"""Those that are made from the slowest so far, by changing them."""
KEPT = 30
"""Of the slowest, from which the next are made."""
NAMES = ["x", "y", "a", "b", "n", "2", "3", "17", "0.5", "1234567", "\\pi", "e", "99999999", "x_1", "\\theta"]
CONSTANTS = [
    "2",
    "17",
    "0.1",
    "\\pi",
    "e",
    "99999999999999",
    "100000000000000\\sqrt{2}",
    "\\sqrt{2}",
    "e^{30}",
]
PIECES = [
    *"(){}[],;:/^_+-=<>%$'!.ABxi0129",
    "1,000",
    " ",
    "\\pm ",
    "\\text{",
    " or ",
    " and ",
    " of ",
    " per ",
    "the ",
    "\\frac",
    "\\sqrt",
    "\\le ",
    "\\cup ",
    "(A)",
    "B) ",
    "apples",
    "two ",
    "hundred ",
    "half ",
    "十",
    "分之",
    "个",
    "\\begin{pmatrix}",
    "\\end{pmatrix}",
    "&",
    "\\\\",
    "\\in ",
    "\\infty ",
    "answer is ",
    "\\boxed{",
    "**",
    "°",
    "pm",
    "\\{",
    "|",
    "yes, it is",
    "\\lfloor ",
    "\\binom",
    "e5",
    "*10^",
    "{2}",
    "\\over ",
    "x^2",
    "\\sin ",
    "\\circ",
    "³",
    "½",
    "ﷺ",
    "１",
    "，",
]
"""What the readers look for, to be put together at random."""
GOLDS = ["\\frac{x}{2}", "\\sqrt{2}", "y = 2x + 1", "x < 3", "0", "100000000000000\\sqrt{2}+1", "e^{x}"]


def figures(seed: int) -> list[tuple[str, float, float, float]]:
    """(what, median, 95th percentile, worst) of hostile outputs, and of short algebra that is drawn and made slower."""
    equivalent(
        "\\sqrt{10000000000000001}", "100000000", Task.MATH
    )  # the library loads where floats do not tell
    gc.collect()
    gc.freeze()  # to look through all of the library once in a while is not what an answer costs
    dice = random.Random(seed)
    outputs = [_milliseconds(_scored, text) for text in HOSTILE.values()]
    drawn = [_drawn(dice) for _ in range(DRAWN)]
    took = [_milliseconds(_compared, pair) for pair in drawn]
    slowest = sorted(zip(took, drawn, strict=True), reverse=True)[:KEPT]
    climbed = [_climb(dice, slowest) for _ in range(CLIMBED)]
    pieced = [_milliseconds(_judged, _pieced(dice)) for _ in range(CLIMBED)]
    return [
        (f"{CLIMBED:,} texts of the readers' own signs up to 300 characters", *_spread(pieced)),
        (f"{len(outputs)} hostile outputs, up to 1 MB", *_spread(outputs)),
        (f"{DRAWN:,} drawn pieces of algebra up to 300 characters", *_spread(took)),
        (f"{CLIMBED:,} made from the slowest of them, and from these again", *_spread(climbed)),
    ]


def _scored(text: str) -> None:
    score(text, "\\frac{1}{2}")


def _judged(pair: tuple[str, str]) -> None:
    equivalent(*pair)


def _pieced(dice: random.Random) -> tuple[str, str]:
    """An answer of few or many kinds of signs, and a gold answer that is nearly the same or a usual one."""
    kinds = dice.sample(PIECES, dice.randint(1, 5)) if dice.random() < 0.7 else PIECES
    answer = "".join(dice.choice(kinds) for _ in range(dice.choice([20, 80, 300])))[:300]
    nearly = answer[:150] + dice.choice(["", "+0", ", 0", " 1"]) + answer[150:298]
    return answer, dice.choice([nearly[:300], *GOLDS, "18", "{1,2,3}", "(2,5)", "B", "$5", "3:30", "Paris"])


def _compared(pair: tuple[str, str]) -> None:
    equivalent(*pair, Task.MATH)


def _milliseconds(task: Callable[[Any], None], given: Any) -> float:
    started = time.thread_time()
    task(given)
    return 1000 * (time.thread_time() - started)


def _spread(took: list[float]) -> tuple[float, float, float]:
    return statistics.median(took), statistics.quantiles(took, n=20)[-1], max(took)


def _drawn(dice: random.Random) -> tuple[str, str]:
    """An answer and a gold answer: a usual one, or the answer itself in other dress, which takes the longest."""
    names = dice.choice([NAMES, CONSTANTS])
    if dice.random() < 0.1:  # a set, in the other order and another form
        parts = [_expression(dice, 2, names)[:45] for _ in range(MOST_UNORDERED)]
        return ", ".join(parts), ", ".join(f"{part}+0" for part in reversed(parts))
    answer = _expression(dice, dice.randint(2, 5), names)[:290]
    return answer, dice.choice([*GOLDS, *_dressed(answer)])


def _dressed(text: str) -> list[str]:
    return [f"{text}+0", f"0+{text}", f"1\\cdot({text})"]


def _climb(dice: random.Random, slowest: list[tuple[float, tuple[str, str]]]) -> float:
    """Change one of the slowest, measure it, and keep it among them if it is slower than the last of them."""
    _, (answer, gold) = dice.choice(slowest)
    begin = dice.randrange(len(answer) + 1)
    part = _expression(dice, dice.randint(0, 2), dice.choice([NAMES, CONSTANTS]))
    changed = [
        answer[:begin] + part + answer[begin + dice.randint(0, 12) :],
        answer[:begin] + answer[begin + dice.randint(1, 5) :],
        answer + dice.choice([" + ", "-", " ", "*"]) + dice.choice(slowest)[1][0],
        dice.choice(["\\sqrt{", "\\ln(", "\\sin(", "|", "("]) + answer,
    ]
    answer = dice.choice(changed)[:290]
    pair = (answer, dice.choice([gold, *_dressed(answer)]))
    took = _milliseconds(_compared, pair)
    if took > slowest[-1][0]:
        slowest[-1] = (took, pair)
        slowest.sort(reverse=True)
    return took


def _expression(dice: random.Random, depth: int, names: list[str]) -> str:
    if depth == 0 or dice.random() < 0.2:
        return dice.choice(names)

    def part() -> str:
        return _expression(dice, depth - 1, names)

    def several(joint: str) -> str:
        return joint.join(part() for _ in range(dice.randint(2, 4)))

    function = dice.choice(["sin", "tan", "ln", "exp", "arctan", "sec", "log_2", "arcsin"])
    shapes: list[Callable[[], str]] = [
        lambda: f"\\frac{{{part()}}}{{{part()}}}",
        lambda: f"\\sqrt{{{part()}}}",
        lambda: f"\\sqrt[3]{{{part()}}}",
        lambda: f"({part()})^{{{dice.choice(['2', '10', '99', 'x', '-1', '0.5'])}}}",
        lambda: f"\\{function} {part()}",
        lambda: f"\\{function}({part()})",
        lambda: several(" + "),
        lambda: several(dice.choice([" \\cdot ", "*", "\\times ", " "])),
        lambda: f"({part()})",
        lambda: f"|{part()}|",
        lambda: "-" * dice.randint(1, 6) + part(),
        lambda: f"{dice.randint(1, 9)}\\frac{{1}}{{{dice.randint(2, 9)}}}",
        lambda: f"{dice.choice('xyf')} = {part()}",
    ]
    return dice.choice(shapes)()
