"""Labels that real datasets store, held against grading: `python -m tests.stored_labels` prints the table of docs/grading.md."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from skill_factory.grading import Decision, Task, final_answer, judge, stated_answer
from skill_factory.grading.countdown import calculate

DATA = Path(__file__).parents[2] / "shared" / "data"


class Labelled(NamedTuple):
    """A text's answer with its gold answer and the label that the data set stores."""

    answer: str | None
    gold: str
    right: bool
    task: Task
    question: str


def gsm8k() -> Iterator[Labelled]:
    """Solutions of four models to GSM8K questions; their last line is the answer."""
    with (DATA / "gsm8k_example_model_solutions.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            gold = stated_answer(row["ground_truth"]) or ""
            for told in (value for value in row.values() if isinstance(value, dict)):
                yield Labelled(
                    stated_answer(told["solution"]), gold, told["is_correct"], Task.NUMBER, row["question"]
                )


def countdown() -> Iterator[Labelled]:
    """Responses of seven checkpoints to Countdown puzzles, graded from their text."""
    import pyarrow.parquet as pq

    column = "model_responses__mutated_prompts"
    for row in pq.read_table(DATA / "raw_countdown.parquet").to_pylist():
        answer = final_answer(row[column][0])
        yield Labelled(
            answer, row["answer"], row[f"{column}__eval_is_correct"][0], Task.AUTO, row["question"]
        )


def game_of_24() -> Iterator[Labelled]:
    """Solutions to the game of 24; a puzzle's numbers stand in the first steps of its solutions."""
    for puzzle in json.loads((DATA / "tot_game24_cot100.json").read_text(encoding="utf-8")):
        question = f"Use the numbers {_numbers_of_24(puzzle['ys'])} exactly once each to obtain 24."
        for text, info in zip(puzzle["ys"], puzzle["infos"], strict=True):
            yield Labelled(stated_answer(text), "24", info["r"] == 1, Task.COUNTDOWN, question)


def _numbers_of_24(solutions: list[str]) -> str:
    """The four numbers that most first steps begin with: two that are joined, and two that are left beside the result."""
    seen: Counter[tuple[int, ...]] = Counter()
    for text in solutions:
        step = re.search(r"^(\d+) [-+*/] (\d+) = (\d+) \(left: ([\d ]+)\)", text, re.MULTILINE)
        left = step[4].split() if step else []
        if step and step[3] in left and len(left) == 3:
            left.remove(step[3])
            seen[tuple(sorted(map(int, [step[1], step[2], *left])))] += 1
    return ", ".join(map(str, seen.most_common(1)[0][0]))


SOURCES: dict[str, Callable[[], Iterator[Labelled]]] = {
    "GSM8K, solutions of four models": gsm8k,
    "Countdown, responses of seven checkpoints": countdown,
    "Game of 24, Tree of Thoughts": game_of_24,
}


class Compared(NamedTuple):
    """The labels of one dataset, and those that grading contradicts."""

    labels: int
    differing: tuple[tuple[Labelled, Decision], ...]

    @property
    def agreement(self) -> float:
        """Share of labels that grading gives too; what is unjudged earns nothing, so it is not right."""
        return 1 - len(self.differing) / self.labels


@cache
def compared(name: str) -> Compared:
    """All labels of a dataset against grading."""
    rows = list(SOURCES[name]())
    judged = [(row, judge(row.answer, row.gold, row.task, row.question)) for row in rows]
    return Compared(
        len(rows), tuple((row, found) for row, found in judged if (found == Decision.RIGHT) != row.right)
    )


def why(row: Labelled) -> str:
    """Why grading says otherwise than the label."""
    sides = [calculate(side) for side in (row.answer or "").split("=")]
    if len(sides) == 2 and all(sides) and sides[0].value != sides[1].value:
        return f"the equation is false (the label looks at its left side, {sides[0].value}, alone)"
    return "unexplained"


def table() -> str:
    """The agreement with each dataset, and every disagreement with its reason."""
    lines = ["| dataset | labels | agree | where they differ |", "| --- | ---: | ---: | --- |"]
    for name in SOURCES:
        found = compared(name)
        differ = (
            "; ".join(f"`{row.answer}` for `{row.gold}`: {why(row)}" for row, _ in found.differing) or "–"
        )
        lines.append(f"| {name} | {found.labels:,} | {found.agreement:.2%} | {differ} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
