"""What a recipe would give, before anything is built: traces by label and by what they show, from the narrow table alone.

Counts follow from how many kept and how many right responses a question has. What the traces show is an expectation over
the draws, which each format's record knows. No text is read, so a moved slider gets its answer in milliseconds.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from skill_factory.formats import format_of
from skill_factory.formats.chances import scaled, summed
from skill_factory.formats.record import NOTHING, TEACHES, Format, ResponseCounts, Shows
from skill_factory.judge.facts import Flags
from skill_factory.judge.judge import Judgement, usable_for
from skill_factory.reasons import QuestionReason, TraceReason
from skill_factory.recipe.model import Recipe


@dataclass(frozen=True)
class Outlook:
    """What is expected of a build."""

    questions: int
    """Questions that give at least one trace."""
    traces: int
    by_label: dict[str, int]
    by_attempts: dict[int, Shows]
    """Expected traces by number of attempts (0 if that is drawn), and by what they show, in the order of TEACHES."""
    exact: bool
    """False if only a build can tell the number: with a limit by length, label or wrong attempts, or with drawn sizes."""
    drawn: bool = False
    """Whether this was counted on the build's own draws (`simulated.py`) instead of expected."""

    @property
    def fixing(self) -> float:
        """The share of traces that show a mistake corrected; 0 without traces."""
        every = sum(sum(shows) for shows in self.by_attempts.values())
        fixing = sum(shows[TEACHES.index("wrong_to_right")] for shows in self.by_attempts.values())
        return fixing / every if every else 0.0


@dataclass(frozen=True)
class Drawn:
    """What a format without an expectation gives: drawn for some questions, and scaled to all that can give it."""

    questions: Flags
    by_label: Mapping[str, float]
    by_attempts: Mapping[int, Shows]


Simulate = Callable[[Format], Drawn]


def questions_able(judgement: Judgement, recipe: Recipe, code: str, attempts: int = 0) -> Flags:
    """Which questions give at least one trace of a format, at the recipe's N or at another."""
    n = attempts or recipe.traces.attempts
    needs = format_of(code).needs
    wrong = judgement.question_kept - judgement.question_right
    passed = usable_for(judgement, recipe, needs, n)
    return passed & (judgement.question_right >= needs.right) & (wrong >= needs.wrong) & (n >= needs.attempts)


def why_not(judgement: Judgement, recipe: Recipe, code: str) -> dict[str, int]:
    """How many questions can't give a trace of a format, by the first reason: first those of questions, then of traces."""
    n, needs = recipe.traces.attempts, format_of(code).needs
    codes = list(QuestionReason)
    held = judgement.question_code
    right, wrong = judgement.question_right, judgement.question_kept - judgement.question_right
    distinct = recipe.traces.distinct_variants and needs.n_responses
    rules: list[tuple[str, Flags]] = [
        (QuestionReason.EXCLUDED, held == codes.index(QuestionReason.EXCLUDED) + 1),
        (QuestionReason.OUTSIDE_PASS_RATE, held == codes.index(QuestionReason.OUTSIDE_PASS_RATE) + 1),
        (QuestionReason.TOO_FEW_RESPONSES, (judgement.question_kept < n) & needs.n_responses),
        (QuestionReason.NO_CORRECT_RESPONSE, right < 1),
        (QuestionReason.TOO_FEW_VARIANTS, (judgement.question_variants < n) & distinct),
        (TraceReason.NEEDS_TWO_ATTEMPTS, np.full(len(held), n < needs.attempts, np.bool_)),
        (TraceReason.NEEDS_WRONG_RESPONSE, wrong < needs.wrong),
        (TraceReason.NEEDS_TWO_CORRECT, right < needs.right),
    ]
    left = np.ones(len(held), np.bool_)
    numbers: dict[str, int] = {}
    for reason, failed in rules:
        if number := int((left & failed).sum()):
            numbers[str(reason)] = number
        left &= ~failed
    return numbers


def outlook(judgement: Judgement, recipe: Recipe, simulate: Simulate | None = None) -> Outlook:
    """
    What is expected of a build of this recipe.

    A format whose record has no expectation is left to `simulate`; without that it counts as nothing.
    """
    traces_part, balance = recipe.traces, recipe.balance
    any_trace = np.zeros(len(judgement.question_code), np.bool_)
    expected: defaultdict[str, float] = defaultdict(float)
    shows: dict[int, Shows] = {}
    for code in traces_part.formats:
        kind = format_of(code)
        if kind.expects is None:
            if simulate is not None:
                drawn = simulate(kind)
                any_trace |= drawn.questions
                for label, n in drawn.by_label.items():
                    expected[label] += n
                for attempts, here in drawn.by_attempts.items():
                    shows[attempts] = summed(shows.get(attempts, NOTHING), here)
            continue
        which = questions_able(judgement, recipe, code)
        any_trace |= which
        for counts, questions in _response_counts(judgement, which):
            for label, attempts, plan in kind.expects(counts, traces_part):
                here = scaled(plan, questions * traces_part.repeats)
                expected[label] += sum(here)
                shows[attempts] = summed(shows.get(attempts, NOTHING), here)
    limited = {label: min(n, balance.label_limits.get(label, n)) for label, n in expected.items()}
    traces = round(sum(limited.values()))
    if balance.per_question:
        traces = min(traces, balance.per_question * int(any_trace.sum()))
    if balance.max_traces:
        traces = min(traces, balance.max_traces)
    labels = {label: round(n) for label, n in limited.items()}
    return Outlook(int(any_trace.sum()), traces, labels, dict(sorted(shows.items())), _exact(recipe))


def _exact(recipe: Recipe) -> bool:
    cut = recipe.cutoff.limits_traces
    # A limit per question cuts only those with more traces; with several formats or limited types no sum tells how many.
    several = recipe.balance.per_question and (len(recipe.traces.formats) > 1 or recipe.balance.label_limits)
    kinds = [format_of(code) for code in recipe.traces.formats]
    # If the number of attempts is drawn, so is the number of traces.
    drawn = any(kind.expects is None or not kind.needs.n_responses for kind in kinds)
    equal = recipe.balance.drop_duplicates and (len(kinds) > 1 or recipe.traces.repeats > 1)
    by_hand = recipe.balance.exclude or recipe.review.rejected
    return not (cut or several or drawn or equal or recipe.balance.min_wrong or by_hand)


def _response_counts(judgement: Judgement, which: Flags) -> Iterator[tuple[ResponseCounts, int]]:
    """The different counts of responses, and how many questions have each: few, however many questions there are."""
    kept, right = judgement.question_kept[which], judgement.question_right[which]
    if not len(kept):
        return
    width = int(kept.max()) + 1
    values, numbers = np.unique(kept.astype(np.int64) * width + right, return_counts=True)
    for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
        yield ResponseCounts(*divmod(value, width)), number
