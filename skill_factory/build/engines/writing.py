"""What a worker of any engine does with a partition: build it, write it, return its tally."""

import pyarrow as pa

from skill_factory.build.engines import WritePart
from skill_factory.build.folder import BuildFolder
from skill_factory.build.made import Made
from skill_factory.build.mixing import make_part, write_mixed
from skill_factory.build.pipeline import build_partition
from skill_factory.build.shares import Chosen
from skill_factory.formats import OwnFormats
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.tally import Tally
from skill_factory.traces.plan import Written
from skill_factory.traces.rows import schema

Given = Written | Chosen | None
"""What a partition has to know of the others: what was written before it, or what is taken of each source."""


def write_part(
    p: int,
    rows: pa.Table,
    recipe: AnyRecipe,
    folder: BuildFolder,
    written: Given,
    own: OwnFormats | None,
) -> Tally:
    """Build partition p from its canonical rows into the folder's work files, and return its tally."""
    if isinstance(recipe, Mixture) and isinstance(written, Chosen):
        return write_mixed(p, recipe, folder, written)  # its traces are made already
    if isinstance(recipe, Mixture) or isinstance(written, Chosen):
        raise TypeError("a mixture is written by what is chosen of its sources, and nothing else is")
    part = build_partition(rows, recipe, own, written)
    folder.write_partition(p, part.rows, schema(recipe), part.tally)
    return part.tally


def make(p: int, rows: pa.Table, recipe: Mixture, folder: BuildFolder, own: OwnFormats | None) -> int:
    """Make the traces of partition p of a mixture, unless an earlier run has; its number."""
    if not Made(folder, p).done:
        make_part(p, rows, recipe, folder, own)
    return p


def do_part(
    part: WritePart,
    p: int,
    rows: pa.Table,
    recipe: AnyRecipe,
    folder: BuildFolder,
    written: Given,
    own: OwnFormats | None,
) -> Tally:
    """Do with partition p what `part` says; a mixture is always written."""
    if isinstance(recipe, Mixture) or isinstance(written, Chosen):
        return write_part(p, rows, recipe, folder, written, own)
    return part(p, rows, recipe, folder, written, own)


def sets_limits(recipe: AnyRecipe) -> bool:
    """Whether each partition has to wait for those before it, since a limit counts from the head of the dataset."""
    return not isinstance(recipe, Mixture) and bool(recipe.balance.max_traces or recipe.balance.label_limits)
