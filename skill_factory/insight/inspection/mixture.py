"""A first look at a mixture: every source by itself, with its doubts under its name, and the shares that will come out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skill_factory.build.mixed_source import MixedSource
from skill_factory.build.mixture import Given, about, open_sources, settled
from skill_factory.errors import ColumnError, RecipeError
from skill_factory.insight.inspection.advice import overlap_advice
from skill_factory.insight.inspection.inspecting import inspect
from skill_factory.insight.inspection.reading import ONE_LOOK
from skill_factory.insight.inspection.record import Inspection
from skill_factory.insight.mixed import Mixed, mixed, offers
from skill_factory.judge.source_facts import Narrow, sample_facts
from skill_factory.overlap.ruling import Overlap, compared_together, with_benchmarks
from skill_factory.recipe.mixture import Mixture
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource

EVERYTHING = 1 << 62
"""Bytes of text that no source has."""


_OPTIONS = (
    "In a mixture, what an option such as --attempts or --map says is written below its source: attempts = 5 in "
    "[sources.traces], correct = ['is_right'] in [sources.columns]."
)


@dataclass(frozen=True)
class MixtureInspection:
    """What the sources of a mixture hold, as far as they were read, and what will come of them."""

    parts: dict[str, Inspection]
    """By the name of the source."""
    mixed: Mixed | None
    """None where a source isn't ready to be mixed."""
    problem: str
    """Why it can't be built as it is; empty if it can."""
    overlap: Overlap | None = None
    """Questions of all sources that benchmarks ask too, and near-duplicates; None where the mixture asks for neither."""

    @property
    def advice(self) -> list[str]:
        """What to do next: first for the mixture, then for each source, which is named."""
        whole = [self.problem] if self.problem else []
        each = [f"{name}: {line}" for name, part in self.parts.items() for line in part.advice]
        if any(" --" in line for line in each):
            each.append(_OPTIONS)
        return [*whole, *overlap_advice(self.overlap), *each]

    def to_json(self) -> dict[str, Any]:
        """The inspection as JSON values."""
        shares = {"problem": self.problem} if self.mixed is None else self.mixed.to_json()
        doubts = [
            {"source": name, **doubt.to_json()} for name, part in self.parts.items() for doubt in part.doubts
        ]
        return {
            "mixture": {**shares, "problem": self.problem},
            "doubts": doubts,
            "advice": self.advice,
            **({} if self.overlap is None else self.overlap.to_json()),
            "sources": {name: part.to_json() for name, part in self.parts.items()},
        }


def inspect_mixture(
    mixture: Mixture,
    sources: Given | None = None,
    *,
    whole: bool = False,
    token: str | None = None,
    most_compared: int = 0,
    against: Sequence[str] = (),
) -> MixtureInspection:
    """
    Look at every source of a mixture as `inspect` does, and forecast what comes of them.

    All questions are compared together, with the benchmarks in `against` or those that the mixture names. Errors: those
    of `inspect`, with the name of the source.
    """
    raw = open_sources(mixture, sources or {}, token)
    parts: dict[str, Inspection] = {}
    for source, one in zip(raw.sources, mixture.sources, strict=True):
        with about(one):
            parts[one.name] = inspect(source, one.recipe, whole=whole, most_compared=most_compared)
    mixture, benchmarks = with_benchmarks(mixture, against, token)
    try:
        ready = settled(mixture, raw)
    except (ColumnError, RecipeError) as error:
        return MixtureInspection(parts, None, str(error))
    ready, overlap = compared_together(raw.sources, ready, benchmarks)
    found = _forecast(ready, raw, whole)
    return MixtureInspection(parts, found, found.problem, overlap if mixture.clean.asks else None)


def forecast_mixture(
    mixture: Mixture,
    sources: Given | None = None,
    *,
    whole: bool = False,
    token: str | None = None,
    against: Sequence[str] = (),
) -> Mixed:
    """What will come of a mixture, and what it has too little of. Errors: those of `build_mixture`."""
    raw = open_sources(mixture, sources or {}, token)
    ready, benchmarks = with_benchmarks(settled(mixture, raw), against, token)
    ready, _ = compared_together(raw.sources, ready, benchmarks)
    return _forecast(ready, raw, whole)


def _forecast(mixture: Mixture, raw: MixedSource, whole: bool) -> Mixed:
    narrows = [_narrow(s, recipe, whole) for s, recipe in zip(raw.sources, mixture.recipes, strict=True)]
    scales = [narrow.scale(source.rows) for narrow, source in zip(narrows, raw.sources, strict=True)]
    return mixed(mixture, offers(mixture.recipes, narrows, scales))


def _narrow(source: RawSource, recipe: Recipe, whole: bool) -> Narrow:
    every = whole or 0 < source.size <= ONE_LOOK
    return sample_facts(source, recipe, EVERYTHING if every else ONE_LOOK)
