"""What a chart answers, in one computed sentence: its title, and its name for those who can't see it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skill_factory.formats import format_of
from skill_factory.formats.record import TEACHES, TEACHES_WORDS
from skill_factory.insight.expected import Outlook
from skill_factory.insight.tables import MOST_ATTEMPTS, biggest_drop
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.model import Recipe
from skill_factory.tally import LevelTally, Tally
from skill_factory.wording import many, percent

if TYPE_CHECKING:
    import pandas as pd


def yield_finding(table: "pd.DataFrame", recipe: Recipe) -> str:
    """How many questions the first chosen format gets at the recipe's N, and where it ends."""
    code, n = recipe.traces.formats[0], recipe.traces.attempts
    mine = table[table["code"] == code].set_index("attempts")["questions"]
    if not len(mine):
        return f"How many questions {code} can use is known once it is built."
    here = int(mine.get(n, 0))
    name = f"“{format_of(code).name}”"
    usable = [int(k) for k, questions in mine.items() if questions]
    if not usable:
        return f"No question can be used for {name} under these settings."
    said = f"{many(here, 'question')} can be used for {name} at N = {n}"
    if max(usable) < min(usable[0] + 1, MOST_ATTEMPTS) and here:
        return said
    if not here:
        return f"At N = {n} no question can be used for {name}; the largest N with any is {max(usable)}"
    return f"{said}; {_beyond(max(usable), int(mine[max(usable)]), n)}"


def _beyond(last: int, left: int, n: int) -> str:
    if last == MOST_ATTEMPTS:
        return f"{left:,} would still do at N = {last}"
    return "one more attempt and none is left" if last == n else f"beyond N = {last} none is left"


def drops_finding(ledger: Mapping[Level, LevelTally]) -> str:
    """The drop that costs the largest share of its level."""
    found = biggest_drop(ledger)
    if found is None:
        return "Nothing is dropped"
    level, reason, n = found
    noun = many(n, level.value.removesuffix("s"))
    share = percent(n / ledger[level].read)
    return f"The costliest rule drops {noun} ({share}), each because {sentence(level, reason)}"


def balance_finding(table: "pd.DataFrame") -> str:
    """How many questions can teach a retry: those with right and wrong responses."""
    every = int(table["questions"].sum())
    if not every:
        return "No question has a kept response"
    mixed = int(table.loc[table["where"] == "some", "questions"].sum())
    never = int(table.loc[table["where"] == "none", "questions"].sum())
    always = int(table.loc[table["where"] == "all", "questions"].sum())
    return (
        f"{mixed:,} of {many(every, 'question')} have both right and wrong responses; "
        f"{never:,} are never right, {always:,} always"
    )


def labels_finding(table: "pd.DataFrame") -> str:
    """Which variant is right most and least often."""
    right = table[table["truth"] == "right"].sort_values(["share", "variant"])
    if not len(right):
        return "There are no responses"
    if len(right) == 1:
        return f"{percent(float(right['share'].iloc[0]))} of the responses are right"
    low, high = right.iloc[0], right.iloc[-1]
    if high["share"] - low["share"] < 0.02:
        return f"All prompt variants are right about equally often ({percent(float(high['share']))})"
    return (
        f"“{high['variant']}” is right most often ({percent(float(high['share']))}), "
        f"“{low['variant']}” least ({percent(float(low['share']))})"
    )


def critic_finding(table: "pd.DataFrame") -> str:
    """Share of right and of wrong responses that at least one critique judges as they are."""
    sums = table.groupby("truth")[["kept", "responses"]].sum()
    shares = {truth: float(row["kept"] / row["responses"]) for truth, row in sums.iterrows()}
    if not shares:
        return "There are no critiques to look at"
    if len(shares) == 1:
        truth, share = next(iter(shares.items()))
        return f"{percent(share)} of the {truth} responses have a critique that says so"
    right, wrong = shares["right"], shares["wrong"]
    said = f"A critique recognises {percent(right)} of the right responses and {percent(wrong)} of the wrong ones"
    if abs(right - wrong) < 0.1:
        return said
    return f"{said}: {'mistakes' if wrong < right else 'right answers'} are missed more often"


def critiques_finding(table: "pd.DataFrame") -> str:
    """What four more critiques for each dropped response would bring back."""
    four = table[table["extra"] == 4]
    dropped, regained = int(four["dropped"].sum()), int(four["regained"].sum())
    if not dropped:
        return "Every response has a critique that judges it rightly; more critiques would add none."
    return (
        f"Four more critiques for each of the {many(dropped, 'response')} without a right one "
        f"would bring back about {regained:,}."
    )


def teaches_finding(seen: Outlook) -> str:
    """How much of the data set shows a mistake corrected."""
    every = sum(sum(shows) for shows in seen.by_attempts.values())
    if not every:
        return "No trace can be made under these settings"
    wrong = sum(shows[TEACHES.index("ends_wrong")] for shows in seen.by_attempts.values()) / every
    said = f"{percent(seen.fixing)} of the traces show {TEACHES_WORDS['wrong_to_right']}"
    return f"{said}; {percent(wrong)} end wrong" if wrong else said


def cutoff_finding(tally: Tally, tokens: int, share: float) -> str:
    """How many traces a trainer would cut at so many tokens."""
    if not tally.counts["trace_chars"].total():
        return "There are no traces to measure"
    if not share:
        return f"No trace is longer than {tokens:,} tokens"
    return (
        f"{percent(share)} of the traces are longer than {tokens:,} tokens: a trainer would cut off their end"
    )
