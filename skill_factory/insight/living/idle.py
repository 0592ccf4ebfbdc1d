"""Controls that do nothing under a recipe, each with the reason: a page greys them out and says why."""

from collections.abc import Iterator

from skill_factory.formats import FORMATS, format_of
from skill_factory.formats.record import ResponseCounts
from skill_factory.judge.facts import Facts
from skill_factory.model import TraceFormat
from skill_factory.recipe.model import Recipe

POOLS_OF = {"backtrack": TraceFormat.BACKTRACK.value, "confirm": TraceFormat.CONFIRM.value}
"""Pools of phrases that one format alone uses."""
PLENTY = ResponseCounts(1_000, 500)
"""A question from which every format can make what it makes at most."""


def idle(recipe: Recipe, facts: Facts | None = None) -> dict[str, str]:
    """
    Field of the recipe → why changing it changes no trace, as a sentence; fields that do something are missing.

    `facts` are those of the whole source; without them only what follows from the recipe is said. Formats of a caller's
    own may use any field, so with one of them nothing is said of what formats use.
    """
    said = dict(_by_the_recipe(recipe))
    if {*recipe.traces.formats} <= {*FORMATS}:
        said |= dict(_by_formats(recipe))
    if facts is not None and not (facts.response_tags.any() or facts.reflection_tags.any()):
        said["filters.block_tags"] = "No text of this data contains a trace tag."
    return said


def _by_the_recipe(recipe: Recipe) -> Iterator[tuple[str, str]]:
    if not recipe.columns.reflections:
        for path in ("filters.ban", "filters.ban_substrings", "filters.reflection_chars"):
            yield path, "This data has no reflections."
    elif not recipe.filters.ban:
        yield "filters.ban_substrings", "No words are banned."
    if not recipe.cutoff.tokens:
        yield "cutoff.action", "No cut-off is set."


def _by_formats(recipe: Recipe) -> Iterator[tuple[str, str]]:
    traces = recipe.traces
    kinds = [format_of(code) for code in traces.formats]
    several = len(kinds) > 1
    if not any(kind.draws_attempts for kind in kinds):
        yield (
            "traces.sample_attempts",
            f"{_these(several)} of a fixed number of attempts, or of every number.",
        )
    elif traces.attempts == 2:
        yield "traces.sample_attempts", "With N = 2 there is only one number from 2 to N."
    if not any(kind.needs.n_responses for kind in kinds):
        yield "traces.distinct_variants", "The chosen format draws attempts of any prompt variant."
    if not several and traces.repeats == 1:
        yield "balance.drop_duplicates", "One format without repeats makes no trace twice."
    if _most_of_a_question(recipe) <= 1:
        yield "balance.per_question", "No question gives more than one trace."
    for pool, code in POOLS_OF.items():
        if code not in traces.formats:
            yield f"phrases.add.{pool}", f"Only the format “{format_of(code).name}” uses these phrases."
    if traces.attempts == 1 or {*traces.formats} == {TraceFormat.ONE_CORRECT.value}:
        for pool in ("generic", "correct", "incorrect"):
            yield f"phrases.add.{pool}", "Every trace has one attempt, so nothing stands between two."


def _these(several: bool) -> str:
    return "The chosen formats make traces" if several else "The chosen format makes traces"


def _most_of_a_question(recipe: Recipe) -> float:
    """How many traces a question gives at most; infinite where a format doesn't say."""
    most = 0.0
    for kind in (format_of(code) for code in recipe.traces.formats):
        if recipe.traces.attempts < kind.needs.attempts:
            continue  # gives nothing at this N
        # The drawn numbers of an expectation say an average, not a most.
        if kind.expects is None or not kind.needs.n_responses:
            return float("inf")
        most += sum(sum(shows) for _, _, shows in kind.expects(PLENTY, recipe.traces)) * recipe.traces.repeats
    return round(most, 6)
