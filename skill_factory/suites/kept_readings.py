"""What the first pass read of a partition, kept for the second: facts and answers, without the texts.

Whatever a row says stays in the sorted rows; what is kept is told by a hash of these, so that an engine that brings the rows
in another order reads them again.
"""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from xxhash import xxh3_128

from skill_factory.build.storage import on_disk, written_whole
from skill_factory.judge.facts import Facts, Reading, one_array, question_ids
from skill_factory.judge.texts import Texts
from skill_factory.recipe.model import Recipe

_FACTS = tuple(field.name for field in fields(Facts) if field.name != "variants")


def keepable(recipe: Recipe) -> bool:
    """Whether the texts of a reading are those of the rows; a recipe that changes texts as it reads them keeps nothing."""
    return recipe.filters.block_tags != "escape" and recipe.filters.given_away != "cut"


def keep(reading: Reading, rows: pa.Table, path: Path) -> None:
    """Write a reading, without its texts."""
    # On a disk only: from an object store it would take longer to fetch than to read again.
    if not on_disk(path):
        return
    facts: dict[str, Any] = {name: getattr(reading.facts, name) for name in _FACTS}
    texts = {"variants": reading.facts.variants, "golds": reading.golds, "answers": reading.answers}
    packed = {name: _packed(values) for name, values in texts.items()}
    with written_whole(path) as file:
        np.savez(file, allow_pickle=False, rows=_hash(rows), **facts, **packed)


def kept(rows: pa.Table, path: Path) -> Reading | None:
    """The reading of these very rows; None if none was kept."""
    if not on_disk(path) or not path.is_file():
        return None
    with np.load(path) as arrays:
        if not np.array_equal(arrays["rows"], _hash(rows)):
            return None
        facts: dict[str, Any] = {name: arrays[name] for name in _FACTS}
        variants, golds, answers = (_unpacked(arrays[name]) for name in ("variants", "golds", "answers"))
    _, _, questions = question_ids(rows["question"])
    return Reading(
        Facts(variants=tuple(name or "" for name in variants), **facts),
        questions.to_pylist(),
        golds,
        Texts(one_array(rows["response"])),
        answers,
        Texts(one_array(rows["reflections"]).flatten()),
    )


def _packed(values: Any) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Some texts as bytes: Arrow's own, since numpy pads every text to the longest."""
    batch = pa.record_batch([pa.array(values, pa.large_string())], ["texts"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return np.frombuffer(sink.getvalue(), np.uint8)


def _unpacked(data: "np.ndarray[Any, np.dtype[np.uint8]]") -> list[str | None]:
    texts: list[str | None] = pa.ipc.open_stream(pa.py_buffer(data)).read_all()["texts"].to_pylist()
    return texts


def _hash(rows: pa.Table) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    found = xxh3_128()
    for column in rows.columns:
        for data in _bytes(column):
            found.update(data)
            # So that no two columns run into each other.
            found.update(b"\x1f")
    return np.frombuffer(found.digest(), np.uint8)


def _bytes(column: pa.ChunkedArray) -> Iterator[Any]:
    array = one_array(column)
    # Where the values begin in the buffers, and how many they are: a slice shares the buffers of the whole.
    yield str((array.type, array.offset, len(array))).encode()
    yield from (buffer for buffer in array.buffers() if buffer is not None)
