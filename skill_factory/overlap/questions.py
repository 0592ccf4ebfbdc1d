"""The different questions of a source, in blocks, again and again: from memory where they fit, else read again."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from skill_factory.asked import spoken_in
from skill_factory.judge.first_questions import different_questions
from skill_factory.recipe.model import Columns
from skill_factory.sources import RawSource

Ids = npt.NDArray[np.uint64]
Block: TypeAlias = tuple[Ids, list[str]]
"""Ids and texts of some questions."""
Blocks: TypeAlias = Iterable[Block]
"""Different questions, each once; they can be gone through several times."""

BLOCK = 20_000
"""Questions in a block, at most."""


class QuestionsOf:
    """Every different question of a source, once. Errors: SourceError while they are read."""

    KEPT = 256_000_000
    """Characters that are kept."""

    def __init__(self, source: RawSource, columns: Columns) -> None:
        self._source, self._columns = source, columns
        self._kept: list[Block] | None = None

    def __iter__(self) -> Iterator[Block]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Block] | None = []
        seen, size = set[int](), 0
        for ids, texts in different_questions(self._source, self._columns):
            new = [k for k, one in enumerate(ids.tolist()) if one not in seen]
            seen.update(ids[new].tolist())
            # Of a conversation, what the user said: nobody asks what a tool gives back.
            block = ids[new], [spoken_in(texts[k]) for k in new]
            size += sum(map(len, block[1]))
            kept = [*kept, block] if kept is not None and size <= self.KEPT else None
            yield from in_blocks(*block)
        self._kept = [cut for block in kept for cut in in_blocks(*block)] if kept is not None else None


def in_blocks(ids: Ids, texts: list[str]) -> Iterator[Block]:
    """The same questions in blocks of at most BLOCK, which bound the memory of what compares them."""
    for start in range(0, len(texts), BLOCK):
        yield ids[start : start + BLOCK], texts[start : start + BLOCK]
