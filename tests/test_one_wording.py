"""One thing is called by one name wherever people meet it: prompt variants, and what a trace shows."""

import pytest

from skill_factory.build.card import card
from skill_factory.build.pipeline import preview
from skill_factory.build.prepare import ready_recipe
from skill_factory.formats.record import TEACHES, TEACHES_WORDS
from skill_factory.insight.compare import measures
from skill_factory.insight.html import trace_html
from skill_factory.insight.simulated import forecast
from skill_factory.insight.tables import labels_table, teaches_table
from skill_factory.judge.judge import judge
from skill_factory.judge.source_facts import Narrow, all_facts
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.variants import NO_VARIANT, PAPER_VARIANTS, variant_titles, variant_words
from skill_factory.sources import open_source

DEMO = "demo:60"


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """The paper's recipe on the demo, with its columns."""
    return ready_recipe(open_source(DEMO), Recipe())


@pytest.fixture(scope="module")
def narrow(recipe: Recipe) -> Narrow:
    """The demo's facts."""
    return all_facts(open_source(DEMO), recipe)


def test_a_prompt_variant_is_called_the_same_in_chart_trace_and_card(recipe: Recipe, narrow: Narrow) -> None:
    """ "plan first" everywhere; the card adds what the data say, for those who filter by it."""
    seen = preview(DEMO, recipe)
    written = card(recipe, seen.tally, None)
    shown = "".join(trace_html(trace) for trace in seen.traces)
    charted = set(labels_table(narrow.facts)["variant"])
    for name, words in PAPER_VARIANTS.items():
        assert words in charted
        assert words in shown
        assert f"{words} (`{name}`)" in written


def test_what_a_trace_shows_is_said_the_same_in_chart_comparison_and_card(
    recipe: Recipe, narrow: Narrow
) -> None:
    """ "a mistake corrected" is one thing, so it has one name."""
    outlook = forecast(narrow.facts, judge(narrow.facts, recipe), recipe)
    written = card(recipe, preview(DEMO, recipe).tally, None)
    compared = [measure.name for measure in measures(outlook, outlook)]
    assert tuple(TEACHES_WORDS) == TEACHES
    assert set(teaches_table(outlook)["shows"]) <= set(TEACHES_WORDS.values())
    for words in TEACHES_WORDS.values():
        assert f"| {words} |" in written
        assert f"Traces with {words}" in compared


def test_a_variant_of_ones_own_keeps_its_name() -> None:
    """Only the underscores go; where none is named, nothing is said."""
    assert variant_words("chain_of_thought") == "chain of thought"
    assert variant_words("") == ""
    assert variant_titles(["", "a_b"]) == {"": NO_VARIANT, "a_b": "a b"}


def test_two_variants_that_would_read_the_same_stay_two() -> None:
    """A chart adds up what has one name, so two variants never share one."""
    titles = variant_titles(["plan_and_execute", "plan first", "a_b", "a b", "rephrase"])
    assert len(set(titles.values())) == 5
    assert titles["plan_and_execute"] == "plan_and_execute"
    assert titles["rephrase"] == "rephrase first"
