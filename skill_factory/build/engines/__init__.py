"""How partitions are built: on this machine (`local.py`) or on a Ray cluster (`ray.py`), with the same bytes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from skill_factory.build.folder import BuildFolder
from skill_factory.build.progress import ReportProgress
from skill_factory.formats import OwnFormats
from skill_factory.recipe.mixture import AnyRecipe
from skill_factory.recipe.model import Recipe
from skill_factory.sources import RawSource
from skill_factory.tally import Tally
from skill_factory.traces.plan import Written


@dataclass(frozen=True)
class BuiltPartitions:
    """What an engine built; shards and tallies are in the folder's work files."""

    partitions: list[Tally]
    """The tally of each partition, in written order."""
    rows: Tally
    """The tally of the rows that were read."""
    resumed: int
    """How many partitions an earlier run had finished."""


class WritePart(Protocol):
    """What a worker does with a partition: it writes into the folder, and the tally is there only if all is whole."""

    def __call__(
        self,
        p: int,
        rows: pa.Table,
        recipe: Recipe,
        folder: BuildFolder,
        written: Written | None,
        own: OwnFormats | None,
    ) -> Tally:
        """Write partition p of these canonical rows, and return its tally."""
        ...


class RunBuild(Protocol):
    """Sorts a source into partitions and builds those that aren't in the folder yet."""

    def __call__(
        self,
        recipe: AnyRecipe,
        folder: BuildFolder,
        report: ReportProgress,
        pin: Callable[[], AnyRecipe],
        part: WritePart | None = None,
    ) -> BuiltPartitions:
        """
        Run to the end; `part` does something else with each partition than a build does.

        `pin` gives the recipe with its source's digest; the folder has to know it before it holds anything that a later
        run would use. Errors: SkillFactoryError, OSError.
        """
        ...


class Engine(Protocol):
    """Stands by for a source while its recipe gets settled, so that the workers are ready when there is work."""

    def __call__(self, source: RawSource, own: OwnFormats | None) -> AbstractContextManager[RunBuild]:
        """A context in which builds from this source can run, with the caller's own formats."""
        ...
