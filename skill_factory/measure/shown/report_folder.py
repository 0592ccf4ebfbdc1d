"""The report folder: `report.json`, a card with pictures, and `outputs.parquet` with a row per output; `push` publishes it."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from skill_factory.errors import BuildFolderError
from skill_factory.measure.measurement import Measurement
from skill_factory.measure.shown.card import CHARTS, card_of
from skill_factory.measure.shown.pictures import pictures_of
from skill_factory.model import hex_id
from skill_factory.whole_files import write_whole

REPORT, CARD, OUTPUTS = "report.json", "README.md", "outputs.parquet"
_IDS = ("output_id", "question_id", "gold_id")


def check_free(out: Path) -> None:
    """Errors: BuildFolderError where the folder holds something that `measure` did not write."""
    if out.is_file():
        raise BuildFolderError(
            f"{out} is a file. Give a folder for --out: card, report and outputs go into it."
        )
    # A folder with anything else in it may be somebody's work, and a report would overwrite its README.md.
    if out.is_dir() and any(out.iterdir()) and not is_report(out):
        name = min(path.name for path in out.iterdir())
        raise BuildFolderError(
            f"{out} is not empty and holds no report of `measure` (found {name!r}). Choose another folder."
        )


def is_report(folder: Path) -> bool:
    """Whether a folder holds a report that was written here."""
    try:
        return "runs" in json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def write_report(measurement: Measurement, out: Path) -> None:
    """Write the folder, the report last. Errors: BuildFolderError."""
    check_free(out)
    try:
        (out / CHARTS).mkdir(parents=True, exist_ok=True)
        # Pictures of runs that are no longer measured would be published with the rest.
        for old in (out / CHARTS).glob("*.svg"):
            old.unlink()
        for name, picture in pictures_of(measurement).items():
            write_whole(out / CHARTS / name, picture)
        pq.write_table(
            outputs_table(measurement.table), out / OUTPUTS, compression="zstd", row_group_size=100_000
        )
        write_whole(out / CARD, card_of(measurement))
        # Last, since a folder counts as a report by this file: one that was interrupted doesn't.
        write_whole(out / REPORT, json.dumps(measurement.to_json(), indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise BuildFolderError(
            f"Can't write the report to {out}: {error.strerror or error}. Choose another folder."
        ) from None


def outputs_table(table: pa.Table) -> pa.Table:
    """The rows as they are written: ids as 16 hexadecimal digits, runs as plain text."""
    for name in _IDS:
        place = table.schema.get_field_index(name)
        ids = pa.array([hex_id(one) for one in table.column(name).to_pylist()], pa.string())
        table = table.set_column(place, name, ids)
    table = table.set_column(
        table.schema.get_field_index("run"), "run", table.column("run").cast(pa.string())
    )
    # It serves votes alone, and says nothing that `final` and the text don't.
    table = table.drop_columns(["final_id"])
    # Sorted, so that the file is the same however the work was shared out.
    return table.take(
        pc.sort_indices(
            table, [("run", "ascending"), ("question_id", "ascending"), ("output_id", "ascending")]
        )
    )
