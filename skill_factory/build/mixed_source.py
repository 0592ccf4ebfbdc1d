"""Several sources as one: their pieces, each with the number of the source that it comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.recipe.model import Columns, Recipe, Source
from skill_factory.sources import Piece, RawSource
from skill_factory.sources.columns import Batch
from skill_factory.sources.neighbours import read_together

PART = pa.field("part", pa.int32())
"""One more column of canonical rows: the number of their source in the mixture."""


@dataclass(frozen=True)
class PieceOfPart:
    """A piece of one source of a mixture."""

    part: int
    name: str
    piece: Piece

    @property
    def size(self) -> int:
        """Bytes of its texts, roughly; 0 where unknown."""
        return self.piece.size

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """The rows in batches. Errors: SourceError."""
        return self.piece.batches(columns)


@dataclass(frozen=True)
class MixedSource:
    """The sources of a mixture, in its order."""

    labels: tuple[str, ...]
    """What the mixture calls each of them."""
    sources: tuple[RawSource, ...]

    @property
    def spec(self) -> Source:
        """Nothing: each source has a spec of its own, in the mixture."""
        return Source()

    @property
    def size(self) -> int:
        """Bytes of all of them; 0 if one is unknown."""
        sizes = [source.size for source in self.sources]
        return sum(sizes) if all(sizes) else 0

    @property
    def rows(self) -> int:
        """Rows of all of them; 0 if one is unknown."""
        rows = [source.rows for source in self.sources]
        return sum(rows) if all(rows) else 0

    def names(self) -> list[str]:
        """Names of all columns."""
        return [*dict.fromkeys(name for source in self.sources for name in source.names())]

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows of the first source."""
        return self.sources[0].head(rows)

    def pieces(self) -> list[Piece]:
        """All pieces, source by source; small neighbours of one source together."""
        return [
            PieceOfPart(part, name, piece)
            for part, (name, source) in enumerate(zip(self.labels, self.sources, strict=True))
            for piece in read_together(source.pieces())
        ]

    def pinned(self) -> Source:
        """Nothing, as for `spec`."""
        return Source()


def large_pieces(source: RawSource) -> Sequence[Piece]:
    """The pieces of a source as workers take them: small neighbours together."""
    return source.pieces() if isinstance(source, MixedSource) else read_together(source.pieces())


def recipe_for(piece: Piece, recipe: AnyRecipe) -> Recipe:
    """The recipe by which a piece is read."""
    if not isinstance(recipe, Mixture):
        return recipe
    # Pieces of a mixture come from `MixedSource.pieces`; any other would be read by the wrong recipe.
    if not isinstance(piece, PieceOfPart):
        raise TypeError("a piece of a mixture has to say which source it is of")
    return recipe.recipes[piece.part]
