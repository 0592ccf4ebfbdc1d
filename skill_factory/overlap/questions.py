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
    """Every different question of a source, or of several, once. Errors: SourceError while they are read."""

    KEPT = 256_000_000
    """Characters that are kept."""

    def __init__(self, source: RawSource, columns: Columns, *more: tuple[RawSource, Columns]) -> None:
        self._sources = [(source, columns), *more]
        self._kept: list[Block] | None = None
        self._found: list[tuple[int, Ids]] = []

    def __iter__(self) -> Iterator[Block]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Block] | None = []
        seen, size = set[int](), 0
        self._found = []
        for place, ids, texts in self._read():
            new = [k for k, one in enumerate(ids.tolist()) if one not in seen]
            seen.update(ids[new].tolist())
            # Of a conversation, what the user said: nobody asks what a tool gives back.
            block = ids[new], [spoken_in(texts[k]) for k in new]
            self._found.append((place, block[0]))
            size += sum(map(len, block[1]))
            kept = [*kept, block] if kept is not None and size <= self.KEPT else None
            yield from in_blocks(*block)
        self._kept = [cut for block in kept for cut in in_blocks(*block)] if kept is not None else None

    def _read(self) -> Iterator[tuple[int, Ids, list[str]]]:
        for place, (source, columns) in enumerate(self._sources):
            for ids, texts in different_questions(source, columns):
                yield place, ids, texts

    def first_sources(self, ids: Ids) -> npt.NDArray[np.int64]:
        """Of each of these questions, all of them read before, the place of the first source that has it."""
        every = np.concatenate([np.zeros(0, np.uint64), *(found for _, found in self._found)])
        places = np.repeat([place for place, _ in self._found], [len(found) for _, found in self._found])
        order = np.argsort(every)
        first: npt.NDArray[np.int64] = places[order][np.searchsorted(every, ids, sorter=order)]
        return first


def in_blocks(ids: Ids, texts: list[str]) -> Iterator[Block]:
    """The same questions in blocks of at most BLOCK, which bound the memory of what compares them."""
    for start in range(0, len(texts), BLOCK):
        yield ids[start : start + BLOCK], texts[start : start + BLOCK]
