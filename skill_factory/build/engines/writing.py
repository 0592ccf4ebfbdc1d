"""What a worker of any engine does with a partition: build it, write it, return its tally."""

import pyarrow as pa

from skill_factory.build.folder import BuildFolder
from skill_factory.build.pipeline import build_partition
from skill_factory.formats import OwnFormats
from skill_factory.recipe.model import Recipe
from skill_factory.tally import Tally
from skill_factory.traces.plan import Written
from skill_factory.traces.rows import schema


def write_part(
    p: int,
    rows: pa.Table,
    recipe: Recipe,
    folder: BuildFolder,
    written: Written | None,
    own: OwnFormats | None,
) -> Tally:
    """Build partition p from its canonical rows into the folder's work files, and return its tally."""
    part = build_partition(rows, recipe, own, written)
    folder.write_partition(p, part.rows, schema(recipe.output.lineage), part.tally)
    return part.tally
