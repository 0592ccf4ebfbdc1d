"""What the page Data asks of benchmarks, in the manner of `looking.py`: at home here, hosted in a limited child."""

from collections.abc import Sequence
from dataclasses import dataclass

from skill_factory.overlap.leaks import responses_of
from skill_factory.overlap.pairs import Pair
from skill_factory.overlap.questions import QuestionsOf
from skill_factory.overlap.ruling import overlap_of, with_benchmarks, with_leaks
from skill_factory.recipe.model import Benchmark, Recipe
from skill_factory.sources import RawSource
from skill_factory.work.opening import Address, at

MOST_PAIRS = 20_000
"""Pairs that a page takes: as many decisions as a recipe on a shared server holds."""


@dataclass(frozen=True)
class Checked:
    """What was found when all questions of a source were compared with some benchmarks."""

    benchmarks: list[Benchmark]
    questions: int
    pairs: list[Pair]


def checked_against(
    source: "Address | RawSource", recipe: Recipe, given: Sequence[str], token: str, responses: bool = False
) -> Checked:
    """
    Compare all questions of a source with the benchmarks that a person named; with `responses`, look for their solutions too.

    Errors: SourceError, HubError.
    """
    bare = recipe.model_copy(update={"clean": recipe.clean.decisions()})
    asked, benchmarks = with_benchmarks(bare, given, token or None)
    own = at(source)
    found = overlap_of(QuestionsOf(own, recipe.columns), benchmarks, False)
    found = with_leaks(found, responses_of((own, recipe.columns)), benchmarks, responses)
    return Checked(list(asked.clean.against), found.questions, found.pairs[:MOST_PAIRS])
