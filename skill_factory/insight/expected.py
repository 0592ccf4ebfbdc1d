"""What a recipe would give, before anything is built: traces by label and what they show, from the narrow table alone.

Counts follow from how many kept and how many right responses a question has; what the traces show is an expectation
over the draws. No text is read, so a moved slider is answered in milliseconds.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import NamedTuple

import numpy as np

from skill_factory.judge.facts import Flags
from skill_factory.judge.judge import Judgement, usable_for
from skill_factory.model import TraceFormat
from skill_factory.reasons import QuestionReason, TraceReason
from skill_factory.recipe.model import Recipe
from skill_factory.traces.formats import FORMATS

TEACHES = ("one_attempt", "all_right", "wrong_to_right", "ends_wrong")
"""What a trace shows, as the tally counts it."""

Shows = tuple[float, float, float, float]
"""Expected traces of one plan, in the order of TEACHES."""
NOTHING: Shows = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Outlook:
    """What a build would come to."""

    questions: int
    """Questions that give at least one trace."""
    traces: int
    by_label: dict[str, int]
    by_attempts: dict[int, Shows]
    """Expected traces by number of attempts (0 where it is drawn) and by what they show, in the order of TEACHES."""
    exact: bool
    """False where only building tells the number: a limit by length, by label or by wrong attempts, or drawn sizes."""
    drawn: bool = False
    """Whether this was counted on the build's own draws (`drawn.py`), not expected."""

    @property
    def fixing(self) -> float:
        """Share of the traces that show a mistake being put right; 0 without traces."""
        every = sum(sum(shows) for shows in self.by_attempts.values())
        fixing = sum(shows[TEACHES.index("wrong_to_right")] for shows in self.by_attempts.values())
        return fixing / every if every else 0.0


class Pool(NamedTuple):
    """Kept and right responses of a question."""

    kept: int
    right: int


def able(judgement: Judgement, recipe: Recipe, code: str, attempts: int = 0) -> Flags:
    """Which questions give at least one trace of a format, at the recipe's N or another one."""
    n = attempts or recipe.traces.attempts
    passed = usable_for(judgement, recipe, code, n)
    if code == TraceFormat.BACKTRACK:
        return passed & (judgement.question_right < judgement.question_kept) & (n >= 2)
    if code == TraceFormat.CONFIRM:
        return passed & (judgement.question_right >= 2) & (n >= 2)
    return passed


def why_not(judgement: Judgement, recipe: Recipe, code: str) -> dict[str, int]:
    """Questions that can't give a trace of a format, by the first reason; reasons of questions, then of traces."""
    n = recipe.traces.attempts
    codes = list(QuestionReason)
    held = judgement.question_code
    algorithm_1 = code == TraceFormat.ALGORITHM_1
    distinct = recipe.traces.distinct_variants and not algorithm_1
    wrong = judgement.question_kept - judgement.question_right
    rules: list[tuple[str, Flags]] = [
        (QuestionReason.EXCLUDED, held == codes.index(QuestionReason.EXCLUDED) + 1),
        (QuestionReason.OUTSIDE_PASS_RATE, held == codes.index(QuestionReason.OUTSIDE_PASS_RATE) + 1),
        (QuestionReason.TOO_FEW_RESPONSES, (judgement.question_kept < n) & (not algorithm_1)),
        (QuestionReason.NO_CORRECT_RESPONSE, judgement.question_right < 1),
        (QuestionReason.TOO_FEW_VARIANTS, (judgement.question_variants < n) & distinct),
        (TraceReason.NEEDS_TWO_ATTEMPTS, _all(held, n < 2 and code in _TWO_AT_LEAST)),
        (TraceReason.NEEDS_WRONG_RESPONSE, (wrong < 1) & (code == TraceFormat.BACKTRACK)),
        (TraceReason.NEEDS_TWO_CORRECT, (judgement.question_right < 2) & (code == TraceFormat.CONFIRM)),
    ]
    left = np.ones(len(held), np.bool_)
    found: dict[str, int] = {}
    for reason, failed in rules:
        if number := int((left & failed).sum()):
            found[str(reason)] = number
        left &= ~failed
    return found


_TWO_AT_LEAST = frozenset({TraceFormat.BACKTRACK, TraceFormat.CONFIRM})


def _all(like: np.ndarray[tuple[int], np.dtype[np.int8]], value: bool) -> Flags:
    return np.full(len(like), value, np.bool_)


def outlook(judgement: Judgement, recipe: Recipe) -> Outlook:
    """What a build of this recipe would come to. Own formats are not counted."""
    asked, balance = recipe.traces, recipe.balance
    some = np.zeros(len(judgement.question_code), np.bool_)
    expected: defaultdict[str, float] = defaultdict(float)
    shows: dict[int, Shows] = {}
    for code in asked.formats:
        if code not in FORMATS:
            continue
        which = able(judgement, recipe, code)
        some |= which
        for pool, questions in _pools(judgement, which):
            for label, attempts, plan in _plans(code, pool, recipe):
                here = _scaled(plan, questions * asked.repeats)
                expected[label] += sum(here)
                shows[attempts] = _sum(shows.get(attempts, NOTHING), here)
    limited = {label: min(n, balance.label_limits.get(label, n)) for label, n in expected.items()}
    traces = round(sum(limited.values()))
    if balance.per_question:
        traces = min(traces, balance.per_question * int(some.sum()))
    if balance.max_traces:
        traces = min(traces, balance.max_traces)
    labels = {label: round(n) for label, n in limited.items()}
    return Outlook(int(some.sum()), traces, labels, dict(sorted(shows.items())), _exact(recipe))


def _exact(recipe: Recipe) -> bool:
    cut = recipe.cutoff.tokens and recipe.cutoff.action != "keep"
    several = recipe.balance.per_question and (len(recipe.traces.formats) > 1 or recipe.balance.label_limits)
    drawn = TraceFormat.ALGORITHM_1 in recipe.traces.formats
    known = all(code in FORMATS for code in recipe.traces.formats)
    return known and not (cut or several or drawn or recipe.balance.min_wrong or recipe.balance.exclude)


def _pools(judgement: Judgement, which: Flags) -> Iterator[tuple[Pool, int]]:
    """The different pools of some questions, and how many questions have each: few, however many questions."""
    kept, right = judgement.question_kept[which], judgement.question_right[which]
    if not len(kept):
        return
    width = int(kept.max()) + 1
    values, numbers = np.unique(kept.astype(np.int64) * width + right, return_counts=True)
    for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
        yield Pool(*divmod(value, width)), number


# -- what one question gives ---------------------------------------------------------------------------------------


def _plans(code: str, pool: Pool, recipe: Recipe) -> Iterator[tuple[str, int, Shows]]:
    """(label, attempts, expected traces by what they show) of one question and repeat."""
    n, drawn = recipe.traces.attempts, recipe.traces.sample_attempts
    every = range(1, n + 1)
    sizes = range(2, n + 1) if drawn else range(n, n + 1)
    chance = 1 / len(sizes)
    match code:
        case TraceFormat.RANDOM:
            yield from (("random", m, _any_order(pool, m)) for m in every)
        case TraceFormat.NO_REFLECTION:
            yield from (("no_reflection", m, _right_last(pool, m)) for m in every)
        case TraceFormat.CORRECT_LAST_FULL:
            yield from ((f"{m}C", m, _right_last(pool, m)) for m in every)
        case TraceFormat.ONE_CORRECT:
            yield "0C", 1, _right_last(pool, 1)
        case TraceFormat.CORRECT_LAST:
            yield from ((f"{m}C", m, _scaled(_right_last(pool, m), chance)) for m in sizes)
        case TraceFormat.BACKTRACK:
            yield from (("*C*IC", m, (0.0, 0.0, chance, 0.0)) for m in sizes)
        case TraceFormat.CONFIRM:
            yield from (("*CC", m, _scaled(_two_right_last(pool, m), chance)) for m in sizes)
        case _:
            yield "algorithm1", 0, _algorithm_1(pool.right, pool.kept - pool.right, n)


def _right_last(pool: Pool, n: int) -> Shows:
    """One right response last, n − 1 of the others before it."""
    if n == 1:
        return 1.0, 0.0, 0.0, 0.0
    all_right = comb(pool.right - 1, n - 1) / comb(pool.kept - 1, n - 1)
    return 0.0, all_right, 1 - all_right, 0.0


def _any_order(pool: Pool, n: int) -> Shows:
    ends_right = pool.right / pool.kept
    if n == 1:
        return ends_right, 0.0, 0.0, 1 - ends_right
    all_right = comb(pool.right, n) / comb(pool.kept, n)
    return 0.0, all_right, ends_right - all_right, 1 - ends_right


def _two_right_last(pool: Pool, n: int) -> Shows:
    all_right = comb(pool.right - 2, n - 2) / comb(pool.kept - 2, n - 2)
    return 0.0, all_right, 1 - all_right, 0.0


@lru_cache(maxsize=20_000)
def _algorithm_1(right: int, wrong: int, most: int) -> Shows:
    """Expected traces until the right responses are used up (arXiv 2512.04072, Algorithm 1)."""
    if not right:
        return NOTHING
    expected = NOTHING
    for asked in range(1, most + 1):
        n_right = min(asked, right)
        for asked_wrong in range(n_right):
            n_wrong = min(asked_wrong, wrong)
            one = (float(n_right == 1), float(n_right > 1 and not n_wrong), float(n_wrong > 0), 0.0)
            rest = _algorithm_1(right - n_right, wrong - n_wrong, most)
            expected = _sum(expected, _scaled(_sum(one, rest), 1 / most / n_right))
    return expected


def _sum(these: Shows, those: Shows) -> Shows:
    one, all_right, fixed, ends_wrong = (a + b for a, b in zip(these, those, strict=True))
    return one, all_right, fixed, ends_wrong


def _scaled(shows: Shows, by: float) -> Shows:
    one, all_right, fixed, ends_wrong = (value * by for value in shows)
    return one, all_right, fixed, ends_wrong
