"""How partitions get built: on this machine (`local`), or on a Ray cluster (`ray`). Both give the same bytes."""

from dataclasses import dataclass
from typing import Protocol

from skill_factory.build_folder import BuildFolder
from skill_factory.formats import OwnFormats
from skill_factory.progress import Report
from skill_factory.recipe import Recipe
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


class Engine(Protocol):
    """Scatters a source into partitions and builds each that is not there yet into the folder."""

    def __call__(
        self, source: RawSource, recipe: Recipe, folder: BuildFolder, report: Report, own: OwnFormats | None
    ) -> Built:
        """Run to the end. Errors: SkillFactoryError, OSError."""
        ...
