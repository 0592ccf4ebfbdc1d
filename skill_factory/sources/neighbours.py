"""Small pieces that stand side by side in a source, read as one.

Row groups of a thousand rows, or thousands of small files: sorted one by one, each would leave a file of its own, and
every partition takes rows from every such file. Whoever looks for a few questions reads them one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skill_factory.recipe.model import Columns
from skill_factory.sources import Piece
from skill_factory.sources.columns import Batch

PIECES, SMALLEST, LARGEST = 32, 16_000_000, 128_000_000
"""How many pieces come of a source, and bytes that one made of several has."""


@dataclass(frozen=True)
class Neighbours:
    """Pieces that are read as one."""

    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(piece.size for piece in self.pieces)

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """The rows of one after the other."""
        for piece in self.pieces:
            yield from piece.batches(columns)


def read_together(pieces: Sequence[Piece]) -> list[Piece]:
    """All pieces in order, small ones together; one of unknown size stands alone."""
    sizes = [piece.size or LARGEST for piece in pieces]
    wanted = min(max(sum(sizes) // PIECES, SMALLEST), LARGEST)
    return [Neighbours(tuple(pieces[k] for k in run)) for run in runs(sizes, wanted)]


def runs(sizes: Sequence[int], wanted: int) -> Iterator[range]:
    """Neighbours that have at most the wanted bytes together, or are one."""
    start = together = 0
    for place, size in enumerate(sizes):
        if place > start and together + size > wanted:
            yield range(start, place)
            start, together = place, 0
        together += size
    if sizes:
        yield range(start, len(sizes))
