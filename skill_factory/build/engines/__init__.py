"""How partitions are built: on this machine (`local.py`) or on a Ray cluster (`ray.py`), with the same bytes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from skill_factory.build.folder import BuildFolder
from skill_factory.build.progress import ReportProgress
from skill_factory.formats import OwnFormats
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.sources import RawSource
from skill_factory.tally import Tally


@dataclass(frozen=True)
class BuiltPartitions:
    """What an engine built; shards and tallies are in the folder's work files."""

    partitions: list[Tally]
    """The tally of each partition, in written order."""
    rows: Tally
    """The tally of the rows that were read."""
    resumed: int
    """How many partitions an earlier run had finished."""


class RunBuild(Protocol):
    """Sorts a source into partitions and builds those that aren't in the folder yet."""

    def __call__(
        self, recipe: AnyRecipe, folder: BuildFolder, report: ReportProgress, pin: Callable[[], AnyRecipe]
    ) -> BuiltPartitions:
        """
        Run to the end.

        `pin` gives the recipe with its source's digest; the folder has to know it before it holds anything that a later
        run would use. Errors: SkillFactoryError, OSError.
        """
        ...


class Engine(Protocol):
    """Stands by for a source while its recipe gets settled, so that the workers are ready when there is work."""

    def __call__(self, source: RawSource, own: OwnFormats | None) -> AbstractContextManager[RunBuild]:
        """A context in which builds from this source can run, with the caller's own formats."""
        ...
