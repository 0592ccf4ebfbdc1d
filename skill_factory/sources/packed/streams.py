"""A text that is packed by itself (.gz, .zst, .bz2, .xz), unpacked as it is read, and not without end."""

import gzip
import io
from collections.abc import Callable
from typing import IO, Any

import pyarrow as pa

from skill_factory.errors import SourceError

LARGEST_UNPACKED = 1_000_000_000
MOST_UNPACKED = 100
"""Above LARGEST_UNPACKED a packed file may be so many times as large as it is stored; texts pack to a tenth at best."""
MOST_MEMORY = 200_000_000
"""Bytes of memory that an .xz file may ask for: `xz -9` asks for a third of it."""
_PIECE = 1 << 18


def unpacking(raw: Any, name: str, size: int, packing: str) -> IO[bytes]:
    """
    The bytes of a file that is packed as its ending says; the same where it isn't packed. `size` is as it is stored.

    Reading raises SourceError for a file that unpacks without end, and the kinds of `unreadable.UNREADABLE` for a damaged one.
    """
    opened = _OPENED.get(packing)
    if opened is None:
        return raw  # type: ignore[no-any-return]
    return io.BufferedReader(_Bounded(opened(raw), name, size, raw), _PIECE)


def _bz2(raw: Any) -> Any:
    import bz2  # not in every Python

    return _Streams(raw, bz2.BZ2Decompressor)


def _xz(raw: Any) -> Any:
    import lzma

    # The file itself says how much memory it takes to unpack it: up to four gigabytes.
    return _Streams(raw, lambda: lzma.LZMADecompressor(memlimit=MOST_MEMORY))


_OPENED: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda raw: gzip.GzipFile(fileobj=raw),
    ".zst": lambda raw: pa.input_stream(raw, compression="zstd"),
    ".bz2": _bz2,
    ".xz": _xz,
    ".lzma": _xz,
}


class _Streams:
    """What stands in one packed stream after the other, as parallel packers write them."""

    def __init__(self, raw: Any, decompressor: Callable[[], Any]) -> None:
        self._raw, self._new = raw, decompressor
        self._one, self._left = decompressor(), b""

    def read(self, size: int) -> bytes:
        """So many bytes at most; none at the end."""
        while True:
            if self._one.eof and not self._next():
                return b""
            if self._one.needs_input and not self._left:
                self._left = self._raw.read(_PIECE)
                if not self._left:
                    raise EOFError("it ends in the middle")
            data = self._unpack(size)
            if data:
                return data

    def _next(self) -> bool:
        """Whether another stream follows; zeros between and behind them are allowed."""
        self._left = self._one.unused_data.lstrip(b"\0")
        while not self._left and (piece := self._raw.read(_PIECE)):
            self._left = piece.lstrip(b"\0")
        if self._left:
            self._one = self._new()
        return bool(self._left)

    def _unpack(self, size: int) -> bytes:
        taken, self._left = self._left, b""
        try:
            return bytes(self._one.decompress(taken, size))
        except OSError as error:  # as bare as one of the network's
            raise EOFError(str(error)) from None

    def close(self) -> None:
        """Nothing: the file beneath is closed by who reads."""


class _Bounded(io.RawIOBase):
    """A stream that unpacks, as a raw stream of Python's. Errors: SourceError for a file that unpacks without end."""

    def __init__(self, stream: Any, name: str, size: int, packed: Any) -> None:
        self._stream, self._name, self._packed = stream, name, packed
        self._most = max(LARGEST_UNPACKED, MOST_UNPACKED * size)
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._read += len(data)
        if self._read > self._most:
            raise SourceError(
                f"{self._name} unpacks to more than {MOST_UNPACKED} times its size, so it is hardly data. "
                "If it is, give it unpacked."
            )
        return len(data)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()
