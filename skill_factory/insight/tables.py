"""Small tables for people: what the charts draw, and what can be unfolded below them.

They come from the narrow table and its judgement while a setting is being tried, from a tally once something is made. Each
is a pandas frame whose columns are named in its docstring; counts are whole numbers, shares are between 0 and 1.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skill_factory.formats import FORMATS, format_of
from skill_factory.formats.record import TEACHES, TEACHES_WORDS
from skill_factory.insight.expected import Outlook, outlook, questions_able, why_not
from skill_factory.insight.simulated import forecast
from skill_factory.judge.facts import Facts
from skill_factory.judge.judge import Judgement
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.tokens import estimated_tokens
from skill_factory.recipe.variants import variant_titles
from skill_factory.tally import LevelTally, Tally, TraceChars, keyed

if TYPE_CHECKING:
    import pandas as pd

MOST_ATTEMPTS = 10
"""Largest N that tables and sliders show."""

TRUTH = ("wrong", "right")


# -- which formats, how many attempts ------------------------------------------------------------------------------


def yield_table(judgement: Judgement, recipe: Recipe, codes: Sequence[str] | None = None) -> "pd.DataFrame":
    """code, format, chosen, attempts (N = 1..10), questions: how many questions could give a trace of the format."""
    import pandas as pd

    rows = [
        (
            code,
            format_of(code).name,
            code in recipe.traces.formats,
            n,
            int(questions_able(judgement, recipe, code, n).sum()),
        )
        for code in codes or FORMATS
        for n in range(1, MOST_ATTEMPTS + 1)
    ]
    return pd.DataFrame(rows, columns=["code", "format", "chosen", "attempts", "questions"])


def gains_table(judgement: Judgement, recipe: Recipe, codes: Sequence[str] | None = None) -> "pd.DataFrame":
    """code, format, chosen, attempts (N = 1..10), traces, corrected: what each format alone is expected to give at each N."""
    import pandas as pd

    rows = []
    for code in codes or FORMATS:
        for n in range(1, MOST_ATTEMPTS + 1):
            alone = recipe.traces.model_copy(update={"formats": (code,), "attempts": n})
            seen = outlook(judgement, recipe.model_copy(update={"traces": alone}))
            corrected = round(seen.fixing * seen.traces)
            rows.append(
                (code, format_of(code).name, code in recipe.traces.formats, n, seen.traces, corrected)
            )
    return pd.DataFrame(rows, columns=["code", "format", "chosen", "attempts", "traces", "corrected"])


class FormatReach(NamedTuple):
    """How many questions and traces a format could give."""

    code: str
    questions: int
    traces: int
    why_not: Mapping[str, int]
    """Questions that can't give one, by the first reason."""


def format_reach(facts: Facts, judgement: Judgement, recipe: Recipe, code: str) -> FormatReach:
    """Questions and traces of one format alone, under the other settings of the recipe, and why there aren't more."""
    alone = recipe.model_copy(update={"traces": recipe.traces.model_copy(update={"formats": (code,)})})
    seen = forecast(facts, judgement, alone, most=0)
    return FormatReach(code, seen.questions, seen.traces, why_not(judgement, recipe, code))


def why_sentence(reason: str) -> str:
    """What keeps a question from a format, as half a sentence."""
    level = Level.TRACES if reason.startswith("needs_") else Level.QUESTIONS
    return sentence(level, reason)


# -- what was dropped ----------------------------------------------------------------------------------------------


def ledger_table(ledger: Mapping[Level, LevelTally]) -> "pd.DataFrame":
    """level, read, kept, dropped: one row for each level that was looked at."""
    import pandas as pd

    rows = [
        (level.value, numbers.read, numbers.kept, numbers.dropped.total())
        for level, numbers in ledger.items()
        if numbers.read
    ]
    return pd.DataFrame(rows, columns=["level", "read", "kept", "dropped"])


def drops_table(ledger: Mapping[Level, LevelTally]) -> "pd.DataFrame":
    """level, reason, short, why, count, share, rank: kept first (rank 0), then the reasons, the most common first."""
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for level, numbers in ledger.items():
        if not numbers.read:
            continue
        share = numbers.kept / numbers.read
        rows.append((level.value, "kept", "kept", "it is used", numbers.kept, share, 0))
        ranked = sorted(numbers.dropped.items(), key=lambda pair: (-pair[1], pair[0]))
        for rank, (reason, n) in enumerate(ranked, 1):
            short = reason.replace("_", " ")
            rows.append((level.value, reason, short, sentence(level, reason), n, n / numbers.read, rank))
    return pd.DataFrame(rows, columns=["level", "reason", "short", "why", "count", "share", "rank"])


def biggest_drop(ledger: Mapping[Level, LevelTally]) -> tuple[Level, str, int] | None:
    """Level, reason and number of the drop that takes the largest share of its level; None if nothing was dropped."""
    drops = [
        (n / numbers.read, level, reason, n)
        for level, numbers in ledger.items()
        for reason, n in numbers.dropped.items()
        if numbers.read and n
    ]
    if not drops:
        return None
    _, level, reason, n = max(drops, key=lambda drop: drop[0])
    return level, reason, n


# -- right and wrong -----------------------------------------------------------------------------------------------

BINS = 10


def balance_table(judgement: Judgement, recipe: Recipe) -> "pd.DataFrame":
    """
    start, end, label, where, questions, inside: questions by their share of right kept responses.

    All wrong and all right are bars of their own (`where` is none, some or all); `start` and `end` are the places on
    the axis, shares for the bars between. Questions without a kept response have no share. `inside` is the number of
    questions in the recipe's pass-rate window.
    """
    import pandas as pd

    some = judgement.question_kept > 0
    kept, right = judgement.question_kept[some], judgement.question_right[some]
    share = right / np.maximum(kept, 1)
    low, high = recipe.balance.pass_rate
    place = np.where(right == 0, 0, np.where(right == kept, BINS + 1, 1))
    between = place == 1
    # Whole numbers decide the bin, so that 3 of 10 never lands in two places.
    place[between] = 1 + right[between].astype(np.int64) * BINS // kept[between]
    every = np.bincount(place, minlength=BINS + 2)
    within = np.bincount(place[(share >= low) & (share <= high)], minlength=BINS + 2)
    ends = [(-0.09, -0.02), *((k / BINS, (k + 1) / BINS) for k in range(BINS)), (1.02, 1.09)]
    names = ["none right", *(f"{k * 10}–{k * 10 + 10} % right" for k in range(BINS)), "all right"]
    where = ["none", *["some"] * BINS, "all"]
    rows = [(*ends[k], names[k], where[k], int(every[k]), int(within[k])) for k in range(BINS + 2)]
    return pd.DataFrame(rows, columns=["start", "end", "label", "where", "questions", "inside"])


def window_of(start: float, end: float) -> tuple[float, float]:
    """The pass-rate window that a stretch of the balance chart's axis means; the outer bars count by their middle."""
    # Between the outer bars a window never touches 0 or 1, or it would take them along.
    low = 0.0 if start <= -0.055 else min(max(round(start, 2), 0.01), 1.0)
    high = 1.0 if end >= 1.055 else max(min(round(end, 2), 0.99), 0.0)
    return (low, high) if low <= high else (high, low)


def labels_table(facts: Facts) -> "pd.DataFrame":
    """variant, truth, responses, share (of the variant's): right and wrong by prompt variant."""
    import pandas as pd

    # One number for variant and label, so that one pass counts both.
    codes = facts.response_variant.astype(np.int64) * 2 + facts.response_correct
    counts = np.bincount(codes, minlength=2 * len(facts.variants)).reshape(-1, 2)
    titles = variant_titles(facts.variants)
    rows = [
        (titles[name], TRUTH[k], int(pair[k]), float(pair[k] / pair.sum()))
        for name, pair in zip(facts.variants, counts, strict=True)
        if pair.sum()
        for k in (1, 0)
    ]
    return pd.DataFrame(rows, columns=["variant", "truth", "responses", "share"])


# -- what the traces are -------------------------------------------------------------------------------------------


def teaches_table(seen: Outlook) -> "pd.DataFrame":
    """attempts, shows, traces, share (of that length): what traces of each length teach; 0 attempts means a drawn number."""
    import pandas as pd

    rows = [
        (attempts, TEACHES_WORDS[name], n, n / sum(shows))
        for attempts, shows in seen.by_attempts.items()
        for name, n in zip(TEACHES, shows, strict=True)
        if n
    ]
    return pd.DataFrame(rows, columns=["attempts", "shows", "traces", "share"])


def cutoff_table(tally: Tally, chars_per_token: float) -> "pd.DataFrame":
    """attempts, tokens, longer, traces: share of the traces of that length which are longer than so many tokens."""
    import pandas as pd

    sizes: dict[int, dict[int, int]] = {}
    for key, n in keyed(TraceChars, tally.counts["trace_chars"]):
        of_length = sizes.setdefault(key.attempts, {})
        of_length[key.chars] = of_length.get(key.chars, 0) + n
    rows = [
        (attempts, estimated_tokens(longest, chars_per_token), longer / every, every)
        for attempts, of_length in sorted(sizes.items())
        for every in [sum(of_length.values())]
        for longest, longer in _left_over(of_length)
    ]
    return pd.DataFrame(rows, columns=["attempts", "tokens", "longer", "traces"])


def _left_over(sizes: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """(characters, how many traces are longer), from 0 characters on."""
    left = sum(sizes.values())
    yield 0, left
    for chars, n in sorted(sizes.items()):
        left -= n
        yield chars, left


def too_long(tally: Tally, tokens: int, chars_per_token: float) -> float:
    """Share of the traces that are longer than so many tokens; 0 without traces."""
    sizes = [(key.chars, n) for key, n in keyed(TraceChars, tally.counts["trace_chars"])]
    every = sum(n for _, n in sizes)
    over = sum(n for chars, n in sizes if estimated_tokens(chars, chars_per_token) > tokens)
    return over / every if every else 0.0
