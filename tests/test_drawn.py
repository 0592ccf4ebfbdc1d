"""What is drawn from the narrow table before a build is what the build then writes and its card says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_factory.build.card import card
from skill_factory.formats import FORMATS
from skill_factory.insight.expected import TEACHES, Outlook
from skill_factory.insight.simulated import forecast
from skill_factory.model import hex_id
from skill_factory.reasons import Level
from skill_factory.recipe.model import Recipe
from skill_factory.tally import Tally
from skill_factory.wording import percent
from tests.test_outlook import MAPPED, built, question

pools = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=6)
limits = st.fixed_dictionaries(
    {
        "balance.max_traces": st.integers(0, 12),
        "balance.per_question": st.integers(0, 3),
        "balance.min_wrong": st.integers(0, 2),
        "balance.label_limits": st.sampled_from([{}, {"3C": 2}, {"random": 1}]),
        "traces.sample_attempts": st.booleans(),
        "traces.distinct_variants": st.booleans(),
    }
)


def shown(tally: Tally) -> dict[str, int]:
    """What the traces of a build show."""
    found = dict.fromkeys(TEACHES, 0)
    for key, n in tally.counts["teaches"].items():
        found[key.rpartition("|")[2]] += n
    return found


def foretold(seen: Outlook) -> dict[str, float]:
    """What they were said to show."""
    columns = zip(*seen.by_attempts.values(), strict=True)
    return (
        dict(zip(TEACHES, map(sum, columns), strict=True)) if seen.by_attempts else dict.fromkeys(TEACHES, 0)
    )


@settings(max_examples=80, deadline=None)
@given(pools, st.lists(st.sampled_from(list(FORMATS)), min_size=1, max_size=3, unique=True), limits)
def test_what_is_drawn_is_what_is_built(
    pools: list[tuple[int, int]], codes: list[str], limits: dict[str, object]
) -> None:
    """Traces, questions, labels, lengths and lessons, for every format under every limit that needs no text."""
    rows = [
        one for k, (right, wrong) in enumerate(pools) for one in question(f"q{k}", right, wrong, variants=3)
    ]
    if not rows:
        return
    recipe = MAPPED.changed(
        {"traces.formats": tuple(codes), "traces.attempts": 3, "traces.repeats": 2, **limits}
    )
    part = built(rows, recipe)
    seen = forecast(part.facts, part.judgement, recipe)
    assert seen.drawn and seen.exact
    assert seen.traces == part.tally.ledger[Level.TRACES].kept
    assert {k: n for k, n in seen.by_label.items() if n} == dict(part.tally.counts["traces_by_label"])
    assert {n: sum(shows) for n, shows in seen.by_attempts.items()} == {
        int(n): found for n, found in part.tally.counts["attempts"].items()
    }
    assert foretold(seen) == shown(part.tally)


def test_the_card_says_the_same_share() -> None:
    """One definition, one rounding: the share of traces with a mistake that is corrected."""
    rows = [one for k in range(40) for one in question(f"q{k}", 2 + k % 3, 3)]
    part = built(rows, MAPPED)
    seen = forecast(part.facts, part.judgement, MAPPED)
    line = next(one for one in card(MAPPED, part.tally, None).splitlines() if "a mistake corrected" in one)
    assert line.endswith(f"| {percent(seen.fixing)} |")


def test_many_traces_are_expected_not_drawn() -> None:
    """Where drawing would take too long the page goes by the expectation, and knows that it does."""
    part = built(question("q", 3, 3), MAPPED)
    assert forecast(part.facts, part.judgement, MAPPED, most=5).drawn
    assert not forecast(part.facts, part.judgement, MAPPED, most=4).drawn


def test_a_recipe_that_nothing_can_be_built_from_yet_is_not_drawn() -> None:
    """Formats with critiques, and no column of critiques: the page says what would be there with some."""
    recipe = MAPPED.changed({"columns.reflections": ()})
    judged = built(question("q", 3, 3), MAPPED)
    assert not forecast(judged.facts, judged.judgement, recipe).drawn
    bare = recipe.changed({"traces.formats": ("no_reflection",)})
    assert forecast(judged.facts, judged.judgement, bare).drawn


@pytest.mark.parametrize(
    "changes", [{"cutoff.tokens": 100, "cutoff.action": "drop"}, {"balance.exclude": (hex_id(1),)}]
)
def test_what_only_the_texts_tell_is_not_called_exact(changes: dict[str, object]) -> None:
    """Too long for the cut-off, or left out by hand: that is known once it is built."""
    part = built(question("q", 3, 3), MAPPED)
    recipe: Recipe = MAPPED.changed(changes)
    assert not forecast(part.facts, part.judgement, recipe).exact
