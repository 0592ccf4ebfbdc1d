"""What came over the line becomes values again: plain JSON, buffers, and records of this package alone."""

import importlib
from collections import Counter
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from skill_factory.grading import TASKS
from skill_factory.model import Reflection, Response
from skill_factory.recipe.model import Part

PACKAGE = "skill_factory."


class Missing(Exception):
    """The child doesn't hold a shared value (any more)."""


class Reader:
    """Makes the value again, from records of this package alone."""

    def __init__(self, buffers: list[memoryview], shared: dict[str, Any]) -> None:
        self._buffers, self._shared = buffers, shared
        self._met: list[Any] = []

    def take(self, tree: Any) -> Any:
        if isinstance(tree, list):
            return [self.take(one) for one in tree]
        if not isinstance(tree, dict):
            return tree
        # Exactly one tag: anything else isn't ours and raises.
        ((tag, inside),) = tree.items()
        if tag == "r":
            return self._met[inside]
        plain = self._plain(tag, inside)
        if plain is not _NOTHING:
            return plain
        made = self._made(tag, inside)
        self._met.append(made)
        return made

    def _plain(self, tag: str, inside: Any) -> Any:
        match tag:
            case "u":
                return bytes(self._buffers[inside]).decode("utf-8", "surrogatepass")
            case "b":
                return bytes(self._buffers[inside])
            case "a":
                return self._array(*inside)
            case "p":
                return _table(self._buffers[inside])
            case "c":
                return Counter({self.take(k): self.take(v) for k, v in inside})
            case "d":
                return {self.take(k): self.take(v) for k, v in inside}
            case "s":
                return {self.take(one) for one in inside}
            case "f":
                return Path(inside)
            case "e":
                return _kind(inside[0], Enum)(inside[1])
        return _NOTHING

    def _array(self, dtype: str, shape: list[int], place: int) -> Any:
        kind = np.dtype(dtype)
        # Numbers and truth values only: an array of objects would hold addresses of memory.
        if kind.kind not in "biuf":
            raise ValueError(f"an array of {dtype}")
        return np.frombuffer(self._buffers[place], kind).reshape(shape)

    def _made(self, tag: str, inside: Any) -> Any:
        match tag:
            case "k":
                return self._kept(*inside)
            case "m":
                return _kind(inside[0], Part).model_validate(inside[1])
            case "R":
                number, correct, answer, variant, text, said = inside
                reflections = [Reflection(one, 0, (self.take(words),)) for one, words in said]
                return Response(
                    number,
                    0,
                    correct,
                    self.take(answer),
                    self.take(variant),
                    (self.take(text),),
                    (reflections,),
                )
            case "T":
                return TASKS[inside]
            case "F":
                return Reflection(inside[0], 0, (self.take(inside[1]),))
            case "t":
                return tuple(self.take(one) for one in inside)
            case "o":
                return _record_of(inside[0], [self.take(one) for one in inside[1]])
        raise ValueError(f"no value is marked {tag!r}")

    def _kept(self, name: str, value: Any) -> Any:
        if value is not None:
            self._shared.pop(name, None)  # the last one in is the last one to go
            self._shared[name] = self.take(value)
        elif name not in self._shared:
            raise Missing(name)
        return self._shared[name]


_NOTHING = object()


def _kind(name: str, wanted: type) -> Any:
    """The class of that name. Errors: ValueError for one that isn't a record of this package."""
    module, _, path = name.partition(":")
    # Only from this package, and below only the very kind that was expected at this place.
    kind: Any = importlib.import_module(module) if module.startswith(PACKAGE) else None
    for step in path.split("."):
        kind = getattr(kind, step)
    if not (isinstance(kind, type) and issubclass(kind, wanted) and kind.__module__ == module):
        raise ValueError(f"{name} isn't a record")
    return kind


def _record_of(name: str, values: list[Any]) -> Any:
    kind: Any = _kind(name, object)
    if issubclass(kind, tuple):
        return kind._make(values)
    if not is_dataclass(kind):
        raise ValueError(f"{name} isn't a record")
    names = [one.name for one in fields(kind) if one.init]
    make: Any = kind
    return make(**dict(zip(names, values, strict=True)))


def _table(data: memoryview) -> pa.Table:
    """A table that was looked through: offsets that point outside it would be read by whoever uses it."""
    try:
        table = pa.ipc.open_stream(pa.py_buffer(data)).read_all()
        # In full, since offsets are what hostile bytes would bend.
        table.validate(full=True)
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None
    return table
