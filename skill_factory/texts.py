"""The texts of an Arrow column: looked at once, a few hundred at a time, and made again where one is shown."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import overload

import numpy as np
import pyarrow as pa

BLOCK = 512
"""Texts looked at together: so few stay in the processor's cache from the first look to the last."""


class Texts(Sequence[str]):
    """Texts by place; each is made when it is asked for, since most are judged and never shown."""

    __slots__ = ("_bytes", "_ends")

    def __init__(self, column: pa.Array) -> None:
        """`column` is of type large_string, without nulls."""
        _, ends, data = column.buffers()
        first, n = column.offset, len(column)
        self._ends: list[int] = np.frombuffer(ends, np.int64)[first : first + n + 1].tolist() if n else [0]
        self._bytes = memoryview(data or b"")

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        if place < 0:
            raise IndexError(place)
        return str(self._bytes[self._ends[place] : self._ends[place + 1]], "utf-8")

    def blocks(self) -> Iterator[tuple[slice, list[bytes], list[str]]]:
        """All texts in blocks: which places, their UTF-8 bytes, and they themselves."""
        for start in range(0, len(self), BLOCK):
            ends = self._ends[start : start + BLOCK + 1]
            first = ends[0]
            whole = self._bytes[first : ends[-1]].tobytes()
            raw = [whole[a - first : b - first] for a, b in pairwise(ends)]
            yield slice(start, start + len(raw)), raw, [one.decode() for one in raw]
