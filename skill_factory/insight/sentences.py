"""What a chart answers, in one computed sentence: its title, and its description for those who can't see it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skill_factory.formats import format_of
from skill_factory.formats.record import TEACHES, TEACHES_WORDS
from skill_factory.insight.expected import Outlook
from skill_factory.insight.tables import MOST_ATTEMPTS, biggest_drop
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.tally import LevelTally, Tally
from skill_factory.wording import inflect, many, percent

if TYPE_CHECKING:
    import pandas as pd

ALIKE = 0.02
"""Shares that differ by less are called equal: a few responses more or less would turn them around."""


def yield_finding(table: "pd.DataFrame", recipe: Recipe) -> str:
    """How many questions the first chosen format can use at the recipe's N, and at which N there are none left."""
    code, n = recipe.traces.formats[0], recipe.traces.attempts
    by_attempts = table[table["code"] == code].set_index("attempts")["questions"]
    if not len(by_attempts):
        return f"The build will tell how many questions {code} can use."
    questions = int(by_attempts.get(n, 0))
    name = f"“{format_of(code).name}”"
    usable = [int(k) for k, number in by_attempts.items() if number]
    if not usable:
        return f"Under these settings, no question can be used for {name}."
    if not questions:
        return f"At N = {n}, no question can be used for {name}; the largest N that works is {max(usable)}"
    answer = f"{many(questions, 'question')} can be used for {name} at N = {n}"
    # A format that works at a single N has no "beyond" to speak of.
    if max(usable) < min(usable[0] + 1, MOST_ATTEMPTS):
        return answer
    return f"{answer}; {_beyond(max(usable), int(by_attempts[max(usable)]), n)}"


def gain_finding(table: "pd.DataFrame", recipe: Recipe, of: str) -> str:
    """What the first chosen format is expected to give at the recipe's N, and at which N it gives most."""
    code, n = recipe.traces.formats[0], recipe.traces.attempts
    numbers = table[table["code"] == code].set_index("attempts")[of]
    if not len(numbers):
        return f"The build will tell what {code} gives."
    name, what = f"“{format_of(code).name}”", GAINS[of]
    most = int(numbers.max())
    if not most:
        return f"Under these settings, {name} gives no {what}"
    best, here = int(numbers.idxmax()), int(numbers.get(n, 0))
    given = f"{name} gives about {here:,} {what} at N = {n}" if here else f"{name} gives no {what} at N = {n}"
    return f"{given}, more than at any other N" if best == n else f"{given}; most, {most:,}, at N = {best}"


GAINS = {"traces": "traces", "corrected": "traces that correct a mistake"}


def _beyond(last: int, left: int, n: int) -> str:
    if last == MOST_ATTEMPTS:
        return f"{left:,} still can at N = {last}"
    return "none beyond that" if last == n else f"none beyond N = {last}"


def drops_finding(ledger: Mapping[Level, LevelTally]) -> str:
    """The reason that drops the largest share of its level."""
    biggest = biggest_drop(ledger)
    if biggest is None:
        return "Nothing is dropped"
    level, reason, n = biggest
    noun = many(n, level.value.removesuffix("s"))
    share = percent(n / ledger[level].read)
    return f"The biggest loss is {noun} ({share}), {inflect(n, 'dropped', 'each dropped')} because {sentence(level, reason)}"


def balance_finding(table: "pd.DataFrame") -> str:
    """How many questions can show a retry: those with both right and wrong responses."""
    every = int(table["questions"].sum())
    if not every:
        return "No question has a kept response"
    mixed = int(table.loc[table["where"] == "some", "questions"].sum())
    never = int(table.loc[table["where"] == "none", "questions"].sum())
    always = int(table.loc[table["where"] == "all", "questions"].sum())
    return (
        f"{mixed:,} of {many(every, 'question')} {inflect(mixed, 'has', 'have')} both right and wrong kept responses; "
        f"never right: {never:,}, always right: {always:,}"
    )


def labels_finding(table: "pd.DataFrame") -> str:
    """Which prompt variant is right most often, and which least often."""
    right = table[table["truth"] == "right"].sort_values(["share", "variant"])
    if not len(right):
        return "There are no responses"
    if len(right) == 1:
        return f"{percent(float(right['share'].iloc[0]))} of the responses are right"
    low, high = right.iloc[0], right.iloc[-1]
    if high["share"] - low["share"] < ALIKE:
        return f"All prompt variants are right about equally often ({percent(float(high['share']))})"
    return (
        f"“{high['variant']}” is right most often ({percent(float(high['share']))}), "
        f"“{low['variant']}” least often ({percent(float(low['share']))})"
    )


def reflections_finding(table: "pd.DataFrame") -> str:
    """The share of right and of wrong responses that at least one reflection judges correctly."""
    sums = table.groupby("truth")[["kept", "responses"]].sum()
    shares = {truth: float(row["kept"] / row["responses"]) for truth, row in sums.iterrows()}
    if not shares:
        return "There are no reflections to look at"
    if len(shares) == 1:
        truth, share = next(iter(shares.items()))
        return f"{percent(share)} of the {truth} responses have a reflection that says so"
    right, wrong = shares["right"], shares["wrong"]
    answer = f"Reflections recognise {percent(right)} of the right responses and {percent(wrong)} of the wrong ones"
    if abs(right - wrong) < 0.1:
        return answer
    return f"{answer}: {'mistakes' if wrong < right else 'right answers'} are missed more often"


def more_reflections_finding(table: "pd.DataFrame") -> str:
    """How many dropped responses four more reflections each would bring back."""
    four = table[table["extra"] == 4]
    dropped, regained = int(four["dropped"].sum()), int(four["regained"].sum())
    if not dropped:
        return (
            "Every response has a reflection that judges it correctly, so more reflections would add nothing."
        )
    return (
        f"{many(dropped, 'response')} {inflect(dropped, 'has', 'have')} no reflection that judges "
        f"{inflect(dropped, 'it', 'them')} correctly. Four more for each would bring back about {regained:,}."
    )


def teaches_finding(outlook: Outlook) -> str:
    """How many of the traces show a mistake corrected, and how many end wrong."""
    every = sum(sum(shows) for shows in outlook.by_attempts.values())
    if not every:
        return "No trace can be made under these settings"
    wrong = sum(shows[TEACHES.index("ends_wrong")] for shows in outlook.by_attempts.values()) / every
    answer = f"{percent(outlook.fixing)} of the traces show {TEACHES_WORDS['wrong_to_right']}"
    return f"{answer}; {percent(wrong)} end wrong" if wrong else answer


def cutoff_finding(tally: Tally, tokens: int, share: float) -> str:
    """How many traces a trainer would cut at so many tokens."""
    if not tally.counts["trace_chars"].total():
        return "There are no traces to measure"
    if not share:
        return f"No trace is longer than {tokens:,} tokens"
    return (
        f"{percent(share)} of the traces are longer than {tokens:,} tokens: a trainer would cut off their end"
    )


def given_away_finding(given: int, on_wrong: int) -> str:
    """How many of the reflections on wrong responses state the gold answer."""
    state = "states" if given == 1 else "state"
    return f"{given:,} of {many(on_wrong, 'reflection')} on wrong responses {state} the gold answer."
