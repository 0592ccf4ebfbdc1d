"""The texts of an Arrow column: looked at once, some thousand at a time, and made again where one is shown."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from xxhash import xxh3_64_intdigest

BLOCK = 2048
"""Texts looked at together: few enough to stay in the processor's cache from the first look to the last."""

Positions: TypeAlias = npt.NDArray[np.int64]


class Texts(Sequence[str]):
    """Texts by place; each is made when it is asked for, since a build asks for none of them."""

    __slots__ = ("_bytes", "_limits", "column")

    def __init__(self, column: pa.Array) -> None:
        """`column` is of type large_string, without nulls."""
        _, ends, data = column.buffers()
        first, n = column.offset, len(column)
        self.column = column
        self._bytes = memoryview(data or b"")
        self._limits = np.frombuffer(ends, np.int64)[first : first + n + 1] if n else np.zeros(1, np.int64)

    def __len__(self) -> int:
        return len(self._limits) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        if place < 0:
            raise IndexError(place)
        return str(self._bytes[self._limits[place] : self._limits[place + 1]], "utf-8")

    def blocks(self) -> Iterator["Block"]:
        """All texts, some thousand at a time."""
        for start in range(0, len(self), BLOCK):
            limits = self._limits[start : start + BLOCK + 1]
            # A copy as bytes: a text is cut out of bytes a third faster than out of a view of Arrow's memory.
            whole = bytes(self._bytes[limits[0] : limits[-1]])
            yield Block(slice(start, start + len(limits) - 1), whole, limits - limits[0])


class Block:
    """Some thousand texts, one after the other, and what can be said of all of them at once."""

    def __init__(self, places: slice, whole: bytes, limits: Positions) -> None:
        self.places = places
        """Where they stand in the column."""
        self._whole, self._limits = whole, limits

    def __len__(self) -> int:
        return len(self._limits) - 1

    @cached_property
    def raw(self) -> list[bytes]:
        """The UTF-8 bytes of each."""
        whole = self._whole
        return [whole[start:end] for start, end in pairwise(self._limits.tolist())]

    @cached_property
    def texts(self) -> list[str]:
        """They themselves."""
        return [one.decode() for one in self.raw]

    def ids(self) -> npt.NDArray[np.uint64]:
        """The id of each, as `draws.text_id` makes it."""
        return np.fromiter(map(xxh3_64_intdigest, self.raw), np.uint64, len(self))

    def chars(self) -> Positions:
        """The characters of each."""
        if self._whole.isascii():
            return np.diff(self._limits)
        return np.fromiter(map(len, self.texts), np.int64, len(self))

    def empty(self) -> npt.NDArray[np.bool_]:
        """Whether each holds nothing but white space."""
        found: npt.NDArray[np.bool_] = self._limits[1:] == self._limits[:-1]
        # Only what begins with white space, or with a byte that ASCII does not know, can be all white space.
        filled = np.flatnonzero(~found)
        first = self._codes[self._limits[filled]]
        for place in filled[(first <= ord(" ")) | (first > 127)].tolist():
            found[place] = self.texts[place].isspace()
        return found

    def between(self, opening: bytes, closing: bytes) -> tuple[Positions, list[bytes]]:
        """What stands between the first opening mark and the first closing one behind it: in which texts, and what."""
        openings, closings = self._all(opening), self._all(closing)
        owner = np.searchsorted(self._limits, openings, side="right") - 1
        # Where one text ends and the next begins there may seem to be a mark; it belongs to neither.
        chosen = openings + len(opening) <= self._limits[owner + 1]
        chosen[1:] &= owner[1:] != owner[:-1]
        openings, owner = openings[chosen], owner[chosen]
        behind = np.searchsorted(closings, openings)
        closings = np.append(closings, len(self._whole))[behind]
        closed = closings + len(closing) <= self._limits[owner + 1]
        starts, ends = openings[closed] + len(opening), closings[closed]
        whole = self._whole
        return owner[closed], [
            whole[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]

    @cached_property
    def _codes(self) -> npt.NDArray[np.uint8]:
        return np.frombuffer(self._whole, np.uint8)

    @cached_property
    def _brackets(self) -> Positions:
        """Where a `<` stands."""
        return np.flatnonzero(self._codes == ord("<"))

    def _all(self, mark: bytes) -> Positions:
        """Where a mark that begins with `<` stands, also across two texts."""
        found = self._brackets[self._brackets + len(mark) <= len(self._whole)]
        for behind, code in enumerate(mark[1:], 1):
            found = found[self._codes[found + behind] == code]
        return found
