"""The folder of a raw set: data, card and report to publish, and the work files of its runs.

OUT/README.md  report.toml  data/train-00000-of-00002.parquet …
OUT/.store/    answers (never deleted: they were paid for), progress.json, pilot.json; not part of the dataset
"""

import json
import os
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from skill_factory.errors import BuildFolderError
from skill_factory.generate.progress import GenerateProgress
from skill_factory.whole_files import write_whole

# The report is TOML because every JSON file in a folder that is read as a source counts as data.
REPORT, CARD, DATA = "report.toml", "README.md", "data"
SHARD_BYTES = 400_000_000
"""Few enough files for a large set, each small enough to be read by itself."""
GROUP_BYTES = 16_000_000
"""Text that is held in memory before it is written."""


class RawFolder:
    """A folder that holds a raw set, or is going to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = path / ".store"
        self.answers = self.work / "answers.sqlite"

    def check_free(self) -> None:
        """Errors: BuildFolderError where the folder holds something that wasn't generated here."""
        if self.path.suffix in (".parquet", ".jsonl", ".json", ".csv") or self.path.is_file():
            raise BuildFolderError(
                f"{self.path} names a file. Give a folder for --out: data, card and report go into it."
            )
        if self.path.is_dir() and not self.work.is_dir() and read_report(self.path) is None:
            names = sorted(entry.name for entry in self.path.iterdir())
            if names:
                raise BuildFolderError(
                    f"{self.path} isn't empty and was not made by generate (found {names[0]!r}). Choose another folder."
                )

    def note(self, progress: GenerateProgress) -> None:
        """Leave the progress for whoever watches; a run continues if that fails."""
        self._note("progress.json", progress.to_json())

    def note_pilot(self, figures: dict[str, Any]) -> None:
        """Leave a pilot's figures for the app."""
        self._note("pilot.json", json.dumps(figures, indent=1, ensure_ascii=False))

    def _note(self, name: str, text: str) -> None:
        with suppress(OSError):
            write_whole(self.work / name, text + "\n")

    def write_rows(self, schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> int:
        """Write rows as Parquet shards in place of the old ones; how many rows. Errors: BuildFolderError."""
        # Written apart and then moved, so that a run that is killed here leaves the old set whole.
        fresh = self.work / "data"
        try:
            fresh.mkdir(parents=True, exist_ok=True)
            for old in fresh.iterdir():
                old.unlink()
            written = _write_shards(fresh, schema, rows)
            self._swap(fresh)
        except OSError as error:
            raise BuildFolderError(
                f"Can't write the data to {self.path}: {error.strerror or error}."
            ) from None
        return written

    def _swap(self, fresh: Path) -> None:
        data = self.path / DATA
        data.mkdir(exist_ok=True)
        # The report belongs to the old data. Without one, a folder is known to be unfinished, wherever a run is killed.
        (self.path / REPORT).unlink(missing_ok=True)
        for old in data.glob("train-*.parquet"):
            old.unlink()
        shards = sorted(fresh.iterdir())
        for place, shard in enumerate(shards):
            os.replace(shard, data / f"train-{place:05d}-of-{len(shards):05d}.parquet")
        fresh.rmdir()

    def write_documents(self, card: str, report: dict[str, Any]) -> None:
        """Write the card, then the report, which marks the set as finished. Errors: BuildFolderError."""
        try:
            for name, text in ((CARD, card), (REPORT, tomli_w.dumps(report, multiline_strings=True))):
                # Made whole among the work files: what lies beside the data is pushed, so no partial file may.
                write_whole(self.work / name, text)
                os.replace(self.work / name, self.path / name)
        except OSError as error:
            raise BuildFolderError(
                f"Can't write the card to {self.path}: {error.strerror or error}."
            ) from None


def read_report(folder: str | Path) -> dict[str, Any] | None:
    """The report of a raw set that was generated; None for any other folder."""
    try:
        report = tomllib.loads((Path(folder) / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if "made" in report and "model" in report else None


def read_progress(folder: str | Path) -> GenerateProgress | None:
    """How far the last run into a folder has come, or came; None before the first."""
    tree = _read_note(folder, "progress.json")
    if tree is None:
        return None
    # A folder may come from a version with other fields.
    known = GenerateProgress.__dataclass_fields__
    return GenerateProgress(**{name: value for name, value in tree.items() if name in known})


def read_pilot(folder: str | Path) -> dict[str, Any] | None:
    """The figures of the last pilot into a folder (`Pilot.to_json`); None before the first."""
    return _read_note(folder, "pilot.json")


def _read_note(folder: str | Path, name: str) -> dict[str, Any] | None:
    try:
        tree: dict[str, Any] = json.loads((Path(folder) / ".store" / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return tree


def _write_shards(folder: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> int:
    """Row groups of about GROUP_BYTES, files of about SHARD_BYTES: memory stays that of one row group."""
    writer: pq.ParquetWriter | None = None
    group: list[dict[str, Any]] = []
    held = written = shard = number = 0
    for row in rows:
        group.append(row)
        held += 200 + sum(_size(value) for value in row.values())  # 200: what Python's objects weigh, roughly
        if held < GROUP_BYTES:
            continue
        writer = writer or pq.ParquetWriter(folder / f"{shard:05d}.parquet", schema, compression="zstd")
        writer.write_table(pa.Table.from_pylist(group, schema))
        number, written, held, group = number + len(group), written + held, 0, []
        if written >= SHARD_BYTES:
            writer.close()
            writer, written, shard = None, 0, shard + 1
    # A set without rows still gets a file, which says which columns it has.
    if group or (writer is None and shard == 0):
        writer = writer or pq.ParquetWriter(folder / f"{shard:05d}.parquet", schema, compression="zstd")
        writer.write_table(pa.Table.from_pylist(group, schema))
        number += len(group)
    if writer is not None:
        writer.close()
    return number


def _size(value: Any) -> int:
    if isinstance(value, list):
        return sum(_size(item) for item in value)
    return len(value) if isinstance(value, str) else 8
