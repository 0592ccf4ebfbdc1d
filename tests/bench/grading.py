"""What an answer made to be slow costs the reward, in milliseconds of processor time."""

import random
import statistics
import time
from collections.abc import Callable

from skill_factory.grading import Task, equivalent
from skill_factory.grading.reward import score
from tests.test_grading import HOSTILE

SHORT = 300
"""Short answers that are looked for by chance: algebra that the library behind `math` has to read."""
NAMES = ["x", "y", "a", "b", "n", "2", "3", "17", "0.5", "1234567", "\\pi", "e", "99999999"]


def figures(seed: int) -> list[tuple[str, float, float, float]]:
    """(what, median, 95th percentile, worst) of hostile outputs, and of short algebra that is drawn by the seed."""
    equivalent("\\sqrt{12}", "2\\sqrt{3}", Task.MATH)  # the library loads at the first comparison
    dice = random.Random(seed)
    drawn = [_expression(dice, dice.randint(2, 5))[:299] for _ in range(SHORT)]
    outputs = [min(_milliseconds(_scored, text) for _ in range(3)) for text in HOSTILE.values()]
    first = [_milliseconds(_compared, text) for text in drawn]
    again = [_milliseconds(_compared, text) for text in drawn]
    return [
        (f"{len(outputs)} hostile outputs, up to 1 MB", *_spread(outputs)),
        (f"{SHORT} drawn pieces of algebra below 300 characters, seen first", *_spread(first)),
        ("the same, seen again", *_spread(again)),
    ]


def _scored(text: str) -> None:
    score(text, "\\frac{1}{2}")


def _compared(text: str) -> None:
    equivalent(text, "\\frac{x}{2}", Task.MATH)


def _milliseconds(task: Callable[[str], None], text: str) -> float:
    started = time.process_time()
    task(text)
    return 1000 * (time.process_time() - started)


def _spread(took: list[float]) -> tuple[float, float, float]:
    return statistics.median(took), statistics.quantiles(took, n=20)[-1], max(took)


def _expression(dice: random.Random, depth: int) -> str:
    if depth == 0 or dice.random() < 0.2:
        return dice.choice(NAMES)

    def part() -> str:
        return _expression(dice, depth - 1)

    several = [part() for _ in range(dice.randint(2, 4))]
    shapes = [
        f"\\frac{{{part()}}}{{{part()}}}",
        f"\\sqrt{{{part()}}}",
        f"{{{part()}}}^{{{dice.choice(['2', '10', '99', 'x', '-1', '0.5'])}}}",
        f"\\{dice.choice(['sin', 'tan', 'ln', 'exp', 'arctan', 'sec'])} {part()}",
        f"\\log_{{{dice.choice(['2', '10', 'x'])}}} {part()}",
        " + ".join(several),
        dice.choice([" \\cdot ", "*", "\\times ", " "]).join(several),
        f"({part()})",
        "-" * dice.randint(1, 6) + part(),
        f"{dice.choice('xyf')} = {part()}",
    ]
    return dice.choice(shapes)
