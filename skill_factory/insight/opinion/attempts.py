"""Which N suits: what each gives in questions, traces and corrected mistakes."""

from collections.abc import Sequence
from typing import NamedTuple

from skill_factory.formats.record import TEACHES
from skill_factory.insight.expected import Outlook
from skill_factory.insight.opinion.prices import QUESTION_TOKENS, average
from skill_factory.insight.simulated import forecast
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import KEPT, Judgement, judge_questions
from skill_factory.model import TraceFormat
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.tokens import estimated_tokens
from skill_factory.wording import inflect, many

MOST_ATTEMPTS = 5
"""The paper's N: larger ones aren't proposed."""
NEAR = 0.9
"""An N with at least this share of the most corrected mistakes counts as well as the best; then more questions win."""


class TradeOff(NamedTuple):
    """What an N would give."""

    attempts: int
    questions: int
    traces: int
    corrected: int
    """Traces in which a mistake is corrected."""
    tokens: int


def trade_offs(
    facts: Facts, judgement: Judgement, recipe: Recipe, whole: bool = True, most: int = MOST_ATTEMPTS
) -> tuple[TradeOff, ...]:
    """
    What N = 1 … `most` would give in the recipe's formats; an N without a question is left out.

    Counted as everywhere else: on the build's own draws where these are few enough, and never on a sample's.
    """
    usual = TraceFormat.CORRECT_LAST_FULL if recipe.columns.reflections else TraceFormat.NO_REFLECTION
    formats = recipe.traces.formats if recipe.columns.reflections else (usual.value,)
    each = _tokens_of_attempt(facts, judgement, recipe)
    rows = []
    for n in range(1, most + 1):
        traces = recipe.traces.model_copy(update={"formats": formats, "attempts": n})
        asked = recipe.model_copy(update={"traces": traces})
        seen = forecast(facts, judge_questions(facts, judgement, asked), asked, *(() if whole else (0,)))
        if seen.questions:
            rows.append(_trade_off(n, seen, each))
    return tuple(rows)


def _trade_off(n: int, seen: Outlook, each: float) -> TradeOff:
    # Limits cut the traces evenly.
    every = sum(sum(shows) for shows in seen.by_attempts.values())
    part = min(1.0, seen.traces / every) if every else 0.0
    corrected = sum(shows[TEACHES.index("wrong_to_right")] for shows in seen.by_attempts.values())
    # A drawn number of attempts is about the middle of 2 and N.
    attempts = sum((k or (n + 2) / 2) * sum(shows) for k, shows in seen.by_attempts.items())
    tokens = part * (attempts * each + every * QUESTION_TOKENS)
    return TradeOff(n, seen.questions, seen.traces, round(part * corrected), round(tokens))


def _tokens_of_attempt(facts: Facts, judgement: Judgement, recipe: Recipe) -> float:
    """Tokens of a kept response with one of its kept reflections, on average."""
    chars = average(facts.response_chars[judgement.response_code == KEPT])
    if recipe.columns.reflections:
        chars += average(facts.reflection_chars[judgement.reflection_code == KEPT])
    return estimated_tokens(chars, recipe.cutoff.chars_per_token)


def best_attempts(table: Sequence[TradeOff]) -> TradeOff | None:
    """
    The N that suits: with the most corrected mistakes, or within a tenth of that with more questions.

    An N that another one beats in questions, traces and corrected mistakes is never taken. Where no mistake can be
    corrected, traces count instead. None for an empty table.
    """
    fixes = any(row.corrected for row in table)
    worth = {row: row.corrected if fixes else row.traces for row in table}
    near = [row for row in table if worth[row] >= NEAR * max(worth.values())]
    # Of equal ones that with fewer tokens.
    return max(near, key=lambda row: (row.questions, worth[row], row.traces, -row.tokens), default=None)


def trade_off_sentence(table: Sequence[TradeOff], best: TradeOff) -> str:
    """What the N gives, and what its neighbours would give and take."""
    told = f"{many(best.questions, 'question')} can be used and {inflect(best.questions, 'gives', 'give')} {_given(best)}"
    others = [row for row in table if abs(row.attempts - best.attempts) == 1 and row.attempts > 1]
    beside = [
        f"N = {row.attempts} would use {many(row.questions, 'question')} and give {_given(row)}"
        for row in others
    ]
    if best.attempts == MOST_ATTEMPTS:
        beside.append(f"the paper tried no more than {MOST_ATTEMPTS} attempts per trace")
    elif best.attempts == max(row.attempts for row in table):
        beside.append(f"no question has {best.attempts + 1} usable answers")
    return "; ".join([told, *beside]) + "."


def _given(row: TradeOff) -> str:
    return f"about {many(row.traces, 'trace')}, {row.corrected:,} with a mistake corrected"
