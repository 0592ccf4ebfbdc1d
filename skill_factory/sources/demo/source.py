"""The embedded demo as a source: a world makes its raw data from a seed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from skill_factory.errors import SourceError
from skill_factory.recipe.model import Columns, Source
from skill_factory.sources import Piece
from skill_factory.sources.columns import Batch
from skill_factory.sources.demo.rows import (
    DEFAULT_QUESTIONS,
    RESPONSES_PER_VARIANT,
    SCHEMA,
    VARIANTS,
    demo_batches,
)
from skill_factory.sources.demo.worlds import COUNTDOWN, World, world_named

DEMO_VERSION = "1"
"""Grows when the same seed would make other rows."""


@dataclass(frozen=True)
class DemoSource:
    """The raw data of one of the demo's worlds for a number of questions; seed 0."""

    questions: int = DEFAULT_QUESTIONS
    world: World = COUNTDOWN

    @classmethod
    def named(cls, text: str) -> "DemoSource":
        """From `demo`, `demo:N`, `demo:WORLD` or `demo:WORLD:N`. Errors: SourceError."""
        _, *given = text.split(":")
        world = world_named(given.pop(0)) if given and re.match("[a-z]", given[0]) else COUNTDOWN
        number = ":".join(given)
        if number and not (number.isdecimal() and len(number) <= 9 and int(number) >= 1):
            raise SourceError(f"demo:N takes a number of questions from 1; found {number!r}. Try demo:500.")
        return cls(int(number) if number else DEFAULT_QUESTIONS, world)

    @property
    def spec(self) -> Source:
        """Kind, world and number of questions."""
        named = "" if self.world is COUNTDOWN else f"{self.world.name}:"
        return Source(kind="demo", name=f"{named}{self.questions}")

    @property
    def size(self) -> int:
        """Bytes of its texts, roughly."""
        return self.questions * 12_000

    @property
    def rows(self) -> int:
        """Each question has the same number of rows, so they are known before any is made."""
        return self.questions * len(VARIANTS) * RESPONSES_PER_VARIANT

    def names(self) -> list[str]:
        """The published script's columns."""
        return list(SCHEMA.names)

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows."""
        found: list[dict[str, Any]] = []
        for batch in demo_batches(min(self.questions, rows), 0, world=self.world):
            found.extend(batch.to_pylist())
            if len(found) >= rows:
                break
        return found[:rows]

    def pieces(self) -> list[Piece]:
        """One piece: the demo is small, and made faster than it is shared out."""
        return [_DemoPiece(self.questions, self.world)]

    def pinned(self) -> Source:
        """The demo's digest is the version of its maker."""
        return self.spec.model_copy(update={"digest": f"demo-{DEMO_VERSION}"})


@dataclass(frozen=True)
class _DemoPiece:
    questions: int
    world: World
    size = 0

    def batches(self, columns: Columns) -> Iterator[Batch]:
        yield from demo_batches(self.questions, 0, world=self.world)
