"""Build a mixture: each source is opened and its columns settled, then all go through one build (`mixing.py`)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from skill_factory.build.engines import Engine
from skill_factory.build.folder import BuildFolder
from skill_factory.build.mixed_source import MixedSource
from skill_factory.build.pipeline import BuildResult, build_ready
from skill_factory.build.prepare import pinned_recipe, ready_recipe
from skill_factory.build.progress import ReportProgress, silent
from skill_factory.build.storage import folder_at
from skill_factory.errors import RecipeError, SkillFactoryError
from skill_factory.formats import OwnFormats
from skill_factory.recipe.mixture import Ingredient, Mixture
from skill_factory.sources import RawSource, open_source, source_of_recipe
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
) -> BuildResult:
    """
    Build a mixture into the folder `out`, as `pipeline.build` builds one source.

    `sources` says where each source is; those on the Hub and the demo are known by the mixture itself. With `exact`, only
    the data that the mixture was built from is accepted. Errors: SkillFactoryError that names the source.
    """
    from skill_factory.build.engines.local import local_engine

    if workers < 0:
        raise RecipeError(f"The number of workers is 1 or more, or 0 for one per core; found {workers}.")
    raw = open_sources(mixture, sources or {}, token)
    with (engine or local_engine(workers))(raw, own_formats) as run:
        ready = settled(mixture, raw, own_formats)

        @cache
        def pin() -> Mixture:
            return _pinned(ready, raw, mixture, exact)

        folder = BuildFolder(folder_at(out))
        # At once, if the build may be finished already, or belong to other data.
        recipe = pin() if exact or folder.holds_build() else ready
        return build_ready(folder, recipe, pin, run, report, fresh)


def open_sources(mixture: Mixture, given: Given, token: str | None = None) -> MixedSource:
    """The sources of a mixture. Errors: RecipeError for a name that it doesn't have, SourceError for one that can't be opened."""
    names = tuple(one.name for one in mixture.sources)
    if strange := [name for name in given if name not in names]:
        raise RecipeError(f"The mixture has no source {strange[0]!r}. It has {listed(list(names))}.")
    opened = []
    for one in mixture.sources:
        with _about(one):
            opened.append(_open(one, given, token))
    return MixedSource(names, tuple(opened))


def _open(one: Ingredient, given: Given, token: str | None) -> RawSource:
    where = given.get(one.name) or source_of_recipe(one.recipe.source)
    return open_source(where, one.recipe.source, token) if isinstance(where, str) else where


def settled(mixture: Mixture, raw: MixedSource, own: OwnFormats | None = None) -> Mixture:
    """The mixture with the columns of every source settled and checked. Errors: those of `ready_recipe`, with the source."""
    recipes = []
    for source, one in zip(raw.sources, mixture.sources, strict=True):
        with _about(one):
            recipes.append(ready_recipe(source, one.recipe, None, own))
    return mixture.with_recipes(tuple(recipes))


def _pinned(ready: Mixture, raw: MixedSource, asked: Mixture, exact: bool) -> Mixture:
    """The settled mixture with the digest or commit of every source; `exact` holds it against the one that was asked for."""
    recipes = []
    for source, one, was in zip(raw.sources, ready.sources, asked.sources, strict=True):
        with _about(one):
            spec = pinned_recipe(source, was.recipe, exact).source
        recipes.append(one.recipe.model_copy(update={"source": spec}))
    return ready.with_recipes(tuple(recipes))


@contextmanager
def _about(one: Ingredient) -> Iterator[None]:
    """Errors in this block say which source they are about."""
    try:
        yield
    except SkillFactoryError as error:
        raise type(error)(f"Source {one.name!r}: {error}") from None
