"""The traces of a mixture's partition between making and choosing: a file of rows for each source, and a note of each trace."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from skill_factory.build.folder import BuildFolder
from skill_factory.build.scatter import InPieces
from skill_factory.build.storage import on_disk, write_whole, written_whole
from skill_factory.tally import Tally, tally_from_json
from skill_factory.traces.counting import Notes
from skill_factory.whole_files import replaced_whole

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class MadePart:
    """What is noted of the traces that one source could give in a partition, in written order."""

    keys: Keys
    """The order key of each."""
    draws: Keys
    notes: Notes
    tally: Tally
    """All numbers but those of the traces that may be written."""


@contextmanager
def _rows_written(path: Path) -> Iterator[Any]:
    """A file of rows that appears whole; on a disk in pieces, as sorted rows are written."""
    if not on_disk(path):
        with written_whole(path) as file:
            yield file
        return
    with replaced_whole(path) as partial, InPieces(partial, "wb") as file:
        yield file


class Made:
    """The files of one partition; it is made when its last one, the note, is there."""

    def __init__(self, folder: BuildFolder, p: int) -> None:
        self._folder, self._name = folder, f"made-{p:05d}"

    def _path(self, suffix: str) -> Path:
        return self._folder.work / f"{self._name}.{suffix}"

    @property
    def done(self) -> bool:
        """Whether the partition is made."""
        return self._path("json").is_file()

    def write(self, place: int, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
        """Write the rows of one source."""
        # Not compressed: the rows are read once, soon, and what isn't chosen is never compressed at all.
        with _rows_written(self._path(f"{place:02d}.arrow")) as file, pa.ipc.new_stream(file, schema) as out:
            for table in tables:
                out.write_table(table)

    def note(self, parts: Sequence[MadePart]) -> None:
        """Note all sources: the arrays, then the small file that says the partition is made."""
        for place, part in enumerate(parts):
            packed = io.BytesIO()
            arrays: dict[str, Any] = part.notes.arrays()
            np.savez(packed, keys=part.keys, draws=part.draws, **arrays)
            with written_whole(self._path(f"{place:02d}.npz")) as file:
                file.write(packed.getvalue())
        said = [
            {"traces": len(part.draws), "shapes": part.notes.shapes, "tally": part.tally.to_json()}
            for part in parts
        ]
        write_whole(self._path("json"), json.dumps(said))

    def _said(self, place: int) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._path("json").read_text(encoding="utf-8"))[place]
        return said

    def traces(self, place: int) -> int:
        """How many traces a source could give."""
        return int(self._said(place)["traces"])

    def array(self, name: str, place: int) -> Keys:
        """The order key (`keys`) or the draw (`draws`) of each trace of a source."""
        with self._path(f"{place:02d}.npz").open("rb") as file, np.load(file) as arrays:
            found: Keys = arrays[name]
            return found

    def read(self, place: int) -> MadePart:
        """All that is noted of a source."""
        said = self._said(place)
        with self._path(f"{place:02d}.npz").open("rb") as file, np.load(file) as arrays:
            notes = Notes.of(said["shapes"], arrays)
            return MadePart(arrays["keys"], arrays["draws"], notes, tally_from_json(said["tally"]))

    def tables(self, place: int) -> Iterator[pa.Table]:
        """The rows of a source, some at a time, as they were written."""
        path = self._path(f"{place:02d}.arrow")
        # Mapped on a disk: each row is copied once, on its way to its place in the shard.
        with (
            pa.memory_map(str(path)) if on_disk(path) else path.open("rb") as file,
            pa.ipc.open_stream(file) as batches,
        ):
            for batch in batches:
                yield pa.Table.from_batches([batch])

    def remove(self) -> None:
        """Remove the rows, once the partition's shard and tally are written; the note says that it was made."""
        for path in self._folder.work.glob(f"{self._name}.*.arrow"):
            path.unlink(missing_ok=True)
