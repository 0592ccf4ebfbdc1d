"""How partitions get built: on this machine (`local`), or on a Ray cluster (`ray`). Both give the same bytes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from skill_factory.build.folder import BuildFolder
from skill_factory.build.progress import Report
from skill_factory.formats import OwnFormats
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource
from skill_factory.tally import Tally


@dataclass(frozen=True)
class Built:
    """What an engine did; shards and tallies lie in the folder's work files."""

    partitions: list[Tally]
    """In written order."""
    rows: Tally
    """Of the rows that were read."""
    resumed: int
    """Partitions that an earlier run had finished."""


class Run(Protocol):
    """Scatters the source into partitions and builds each that is not there yet into the folder."""

    def __call__(
        self, recipe: Recipe, folder: BuildFolder, report: Report, pin: Callable[[], Recipe]
    ) -> Built:
        """
        Run to the end. `pin` gives the recipe with its source's digest, which the folder has to know before it holds
        anything that a later run would use. Errors: SkillFactoryError, OSError.
        """
        ...


class Engine(Protocol):
    """Stands by for a source while its recipe is settled, so that the workers are there when there is work."""

    def __call__(self, source: RawSource, own: OwnFormats | None) -> AbstractContextManager[Run]:
        """What is built from this source, with formats of the caller's own."""
        ...
