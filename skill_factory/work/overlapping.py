"""What the page Data asks of benchmarks, in the manner of `looking.py`: at home here, hosted in a limited child."""

from collections.abc import Sequence
from dataclasses import dataclass

from skill_factory.overlap.questions import QuestionsOf
from skill_factory.overlap.ruling import Pair, overlap_of, with_benchmarks
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
    source: "Address | RawSource", recipe: Recipe, given: Sequence[str], token: str
) -> Checked:
    """Compare all questions of a source with the benchmarks that a person named. Errors: SourceError, HubError."""
    bare = recipe.model_copy(update={"clean": recipe.clean.decisions()})
    asked, benchmarks = with_benchmarks(bare, given, token or None)
    found = overlap_of(QuestionsOf(at(source), recipe.columns), benchmarks, False)
    return Checked(list(asked.clean.against), found.questions, found.pairs[:MOST_PAIRS])
