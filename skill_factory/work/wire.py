"""Values on their way between the server and a limited child: JSON and plain buffers, never pickle.

A child reads hostile bytes, so what it answers may be anything. Only records of this package (dataclasses, named tuples,
enumerations, parts of a recipe) are made from an answer, by the names of their fields; nothing in it is run.
"""

import json
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from skill_factory.errors import SourceError
from skill_factory.grading import Task
from skill_factory.model import Reflection, Response
from skill_factory.recipe.model import Part
from skill_factory.work.wire_reading import PACKAGE, Missing, Reader

__all__ = ["PACKAGE", "Missing", "Shared", "pack", "unpack"]

LONG = 4096
"""Characters from which a text travels beside the JSON."""


@dataclass(frozen=True)
class Shared:
    """A large value that is sent once to each child, which keeps it under a name."""

    name: str
    value: Any


def pack(value: Any, whole: bool = True) -> bytes:
    """A value as bytes; with `whole` False, shared values travel as their names alone. Errors: TypeError."""
    writer = _Writer(whole)
    text = json.dumps(writer.put(value), separators=(",", ":")).encode()
    lengths = [len(text), *map(len, writer.buffers)]
    head = struct.pack(f"<I{len(lengths)}Q", len(lengths), *lengths)
    return b"".join([head, text, *writer.buffers])


def unpack(data: bytes, shared: dict[str, Any] | None = None) -> Any:
    """The inverse of `pack`; shared values are noted in, or taken from, `shared`. Errors: Missing, SourceError."""
    try:
        (count,) = struct.unpack_from("<I", data)
        lengths = struct.unpack_from(f"<{count}Q", data, 4)
        start = 4 + 8 * count
        parts = []
        for length in lengths:
            parts.append(memoryview(data)[start : start + length])
            start += length
        tree = json.loads(bytes(parts[0]))
        return Reader(parts[1:], {} if shared is None else shared).take(tree)
    except (
        struct.error,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        RecursionError,
        ImportError,
    ) as error:
        raise SourceError(
            f"What was read can't be shown ({type(error).__name__}). Is the data what it says?"
        ) from None


def _name(kind: type) -> str:
    if not kind.__module__.startswith(PACKAGE):
        raise TypeError(f"a {kind.__name__} can't be sent")
    return f"{kind.__module__}:{kind.__qualname__}"


class _Writer:
    """Turns a value into JSON and buffers; what is met twice is written once."""

    def __init__(self, whole: bool) -> None:
        self.buffers: list[Any] = []
        self._whole = whole
        self._met: dict[int, int] = {}
        self._held: list[Any] = []

    def put(self, value: Any) -> Any:
        if value is None or (isinstance(value, bool | float) and not isinstance(value, np.generic)):
            return value
        if isinstance(value, Enum):
            return {"e": [_name(type(value)), value.value]}
        if isinstance(value, str):
            return value if len(value) < LONG else {"u": self._buffer(value.encode("utf-8", "surrogatepass"))}
        if isinstance(value, int) and not isinstance(value, np.generic):
            return value
        if isinstance(value, np.generic):
            return self.put(value.item())
        return self._put_large(value)

    def _put_large(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.put(one) for one in value]
        if isinstance(value, bytes):
            return {"b": self._buffer(value)}
        if isinstance(value, np.ndarray):
            return self._put_array(value)
        if isinstance(value, pa.Table):
            return {"p": self._buffer(_ipc(value))}
        if isinstance(value, Counter | Mapping):
            tag = "c" if isinstance(value, Counter) else "d"
            return {tag: [[self.put(k), self.put(v)] for k, v in value.items()]}
        if isinstance(value, set | frozenset):
            return {"s": [self.put(one) for one in sorted(value)]}
        if isinstance(value, Path):
            return {"f": str(value)}
        return self._put_record(value)

    def _put_array(self, value: Any) -> Any:
        if value.dtype.kind not in "biuf":
            raise TypeError(f"an array of {value.dtype} can't be sent")
        return {
            "a": [value.dtype.str, list(value.shape), self._buffer(np.ascontiguousarray(value).tobytes())]
        }

    def _put_record(self, value: Any) -> Any:
        if (met := self._met.get(id(value))) is not None:
            return {"r": met}
        tree = self._record(value)
        # Numbered once it is written, as the reader numbers it once it is read; held, so that no other gets its id.
        self._met[id(value)] = len(self._held)
        self._held.append(value)
        return tree

    def _record(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, Shared):
            return {"k": [value.name, self.put(value.value) if self._whole else None]}
        if isinstance(value, Part):
            return {"m": [_name(kind), value.model_dump(mode="json")]}
        if isinstance(value, Response):
            said = [[one.id, self.put(one.text)] for one in value.reflections]
            return {
                "R": [
                    value.id,
                    value.correct,
                    self.put(value.answer),
                    self.put(value.variant),
                    self.put(value.text),
                    said,
                ]
            }
        if isinstance(value, Task):
            return {"T": value.name}
        if isinstance(value, Reflection):
            return {"F": [value.id, self.put(value.text)]}
        if isinstance(value, tuple) and kind is tuple:
            return {"t": [self.put(one) for one in value]}
        if isinstance(value, tuple):
            return {"o": [_name(kind), [self.put(one) for one in value]]}
        if is_dataclass(value):
            return {
                "o": [_name(kind), [self.put(getattr(value, one.name)) for one in fields(value) if one.init]]
            }
        raise TypeError(f"a {kind.__name__} can't be sent")

    def _buffer(self, data: bytes) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
