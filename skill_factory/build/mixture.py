"""Build a mixture: each source is opened and its columns settled, then all go through one build (`mixing.py`)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from skill_factory.build.engines import Engine
from skill_factory.build.folder import BuildFolder
from skill_factory.build.heldout import check_golds
from skill_factory.build.mixed_source import MixedSource
from skill_factory.build.pipeline import BuildResult, Comparing, Preview, build_ready, preview
from skill_factory.build.prepare import pinned_recipe, ready_recipe
from skill_factory.build.progress import ReportProgress, silent
from skill_factory.build.storage import folder_at
from skill_factory.errors import NothingUsable, RecipeError, SkillFactoryError
from skill_factory.formats import OwnFormats
from skill_factory.judge.facts import Ids
from skill_factory.judge.first_questions import different_questions
from skill_factory.overlap.ruling import compared_together, with_benchmarks
from skill_factory.recipe.mixture import Ingredient, Mixture
from skill_factory.recipe.model import Columns
from skill_factory.sources import RawSource, open_source, source_of_recipe
from skill_factory.tally import Tally
from skill_factory.wording import listed

Given = Mapping[str, str | RawSource]
"""The sources of a mixture by name: opened, or what a person would type."""


def build_mixture(
    mixture: Mixture,
    out: str | Path,
    sources: Given | None = None,
    *,
    workers: int = 0,
    fresh: bool = False,
    own_formats: OwnFormats | None = None,
    report: ReportProgress = silent,
    token: str | None = None,
    engine: Engine | None = None,
    exact: bool = False,
    against: Sequence[str] = (),
) -> BuildResult:
    """
    Build a mixture into the folder `out`, as `pipeline.build` builds one source.

    `sources` says where each source is; those on the Hub and the demo are known by the mixture itself. With `exact`, only
    the data that the mixture was built from is accepted. `against` names benchmarks whose questions stay out, in place of
    those that the mixture names. Errors: SkillFactoryError that names the source.
    """
    from skill_factory.build.engines.local import local_engine

    if workers < 0:
        raise RecipeError(f"The number of workers is 1 or more, or 0 for one per core; found {workers}.")
    raw = open_sources(mixture, sources or {}, token)
    with (engine or local_engine(workers))(raw, own_formats) as run:
        ready = settled(mixture, raw, own_formats)
        for one in ready.sources if ready.clean.holdout else ():
            with about(one):
                check_golds(one.recipe, True)
        ready, benchmarks = with_benchmarks(ready, against, token)

        @cache
        def pin() -> Mixture:
            return _pinned(ready, raw, mixture, exact)

        folder = BuildFolder(folder_at(out))
        # At once, if the build may be finished already, or belong to other data.
        recipe = pin() if exact or folder.holds_build() else ready
        return build_ready(folder, recipe, pin, run, report, fresh, Comparing(raw.sources, benchmarks))


def preview_mixture(
    mixture: Mixture,
    sources: Given | None = None,
    *,
    questions: int = 20,
    own_formats: OwnFormats | None = None,
    token: str | None = None,
    against: Sequence[str] = (),
) -> dict[str, Preview]:
    """
    By the name of each source the traces of its first usable questions, which is what the mixture draws from.

    A question of an earlier source isn't shown again. A source without usable questions has an empty one. Errors: those
    of `build_mixture`.
    """
    raw = open_sources(mixture, sources or {}, token)
    ready, benchmarks = with_benchmarks(settled(mixture, raw, own_formats), against, token)
    ready, _ = compared_together(raw.sources, ready, benchmarks)
    shown: dict[str, Preview] = {}
    earlier = np.zeros(0, np.uint64)
    for place, (source, one) in enumerate(zip(raw.sources, ready.sources, strict=True)):
        with about(one):
            try:
                shown[one.name] = preview(
                    source, one.recipe, questions=questions, own_formats=own_formats, elsewhere=earlier
                )
            except NothingUsable:
                shown[one.name] = Preview([], Tally(), one.recipe)
            if place + 1 < len(raw.sources):
                earlier = np.union1d(earlier, _question_ids(source, one.recipe.columns))
    return shown


def _question_ids(source: RawSource, columns: Columns) -> Ids:
    return np.unique(np.concatenate([ids for ids, _ in different_questions(source, columns)]))


def open_sources(mixture: Mixture, given: Given, token: str | None = None) -> MixedSource:
    """The sources of a mixture. Errors: RecipeError for a name that it doesn't have, SourceError for one that can't be opened."""
    names = tuple(one.name for one in mixture.sources)
    if strange := [name for name in given if name not in names]:
        raise RecipeError(f"The mixture has no source {strange[0]!r}. It has {listed(list(names))}.")
    opened = []
    for one in mixture.sources:
        with about(one):
            opened.append(_open(one, given, token))
    return MixedSource(names, tuple(opened))


def _open(one: Ingredient, given: Given, token: str | None) -> RawSource:
    where = given.get(one.name) or source_of_recipe(one.recipe.source)
    return open_source(where, one.recipe.source, token) if isinstance(where, str) else where


def settled(mixture: Mixture, raw: MixedSource, own: OwnFormats | None = None) -> Mixture:
    """The mixture with the columns of every source settled and checked. Errors: those of `ready_recipe`, with the source."""
    recipes = []
    for source, one in zip(raw.sources, mixture.sources, strict=True):
        with about(one):
            recipes.append(ready_recipe(source, one.recipe, None, own))
    return mixture.with_recipes(tuple(recipes))


def _pinned(ready: Mixture, raw: MixedSource, asked: Mixture, exact: bool) -> Mixture:
    """The settled mixture with the digest or commit of every source; `exact` holds it against the one that was asked for."""
    recipes = []
    for source, one, was in zip(raw.sources, ready.sources, asked.sources, strict=True):
        with about(one):
            spec = pinned_recipe(source, was.recipe, exact).source
        recipes.append(one.recipe.model_copy(update={"source": spec}))
    return ready.with_recipes(tuple(recipes))


@contextmanager
def about(one: Ingredient) -> Iterator[None]:
    """Errors in this block say which source they are about."""
    try:
        yield
    except SkillFactoryError as error:
        raise type(error)(f"Source {one.name!r}: {error}") from None
