"""Our grader beside math-verify: what each accepts that is different, what it finds that is the same, and how long it takes."""

import json
import logging
import statistics
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from skill_factory.grading import equivalent
from tests.grading_grammar import Pair, pairs

CASES = Path(__file__).parents[2].parent / "shared" / "cases" / "grading_pairs.jsonl"
DRAWN = 2000


class Line(NamedTuple):
    """One grader on one set of pairs."""

    pairs: str
    grader: str
    accepted: int
    different: int
    found: int
    same: int
    median: float
    most: float
    worst: float


def lines(seed: int) -> list[Line]:
    """Both graders on the pairs from outside (clear ones, where they are at hand) and on drawn ones."""
    sets = {f"{DRAWN:,} pairs of the grammar": list(islice(pairs(seed), DRAWN))}
    if CASES.is_file():
        sets = {"clear pairs from outside": _from_outside(), **sets}
    graders: dict[str, Callable[[Pair], bool]] = {"ours": _ours, "math-verify": _theirs()}
    return [
        _measured(name, grader, rows, decide)
        for name, rows in sets.items()
        for grader, decide in graders.items()
    ]


def _from_outside() -> list[Pair]:
    rows = map(json.loads, CASES.read_text(encoding="utf-8").splitlines())
    return [
        Pair(row["kind"], row["gold"], row["answer"], row["same"], row["question"])
        for row in rows
        if row["level"] == "clear"
    ]


def _ours(pair: Pair) -> bool:
    return equivalent(pair.answer, pair.gold, question=pair.question)


def _theirs() -> Callable[[Pair], bool]:
    from math_verify import parse, verify

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)

    def decide(pair: Pair) -> bool:
        # Its own way with answers that stand alone: as LaTeX where they are, else as they stand.
        gold, answer = (
            parse(f"${text}$" if "\\" in text and "$" not in text else text, parsing_timeout=None)
            for text in (pair.gold, pair.answer)
        )
        return bool(verify(gold, answer, timeout_seconds=None))

    return decide


def _measured(name: str, grader: str, rows: Iterable[Pair], decide: Callable[[Pair], bool]) -> Line:
    said, took = [], []
    for pair in rows:
        started = time.thread_time()
        said.append((pair.same, decide(pair)))
        took.append(1000 * (time.thread_time() - started))
    same, different = [yes for truth, yes in said if truth], [yes for truth, yes in said if not truth]
    return Line(
        name,
        grader,
        sum(different),
        len(different),
        sum(same),
        len(same),
        statistics.median(took),
        statistics.quantiles(took, n=20)[-1],
        max(took),
    )


def table(seed: int) -> list[str]:
    """The lines as a table."""
    head = "| pairs | grader | different, accepted | same, found | ms: median | 95th percentile | worst |"
    return [
        head,
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {one.pairs} | {one.grader} | {one.accepted} of {one.different} | {one.found} of {one.same} | {one.median:.2f} | {one.most:.2f} | {one.worst:.1f} |"
            for one in lines(seed)
        ),
    ]


if __name__ == "__main__":
    print("\n".join(table(0)))
