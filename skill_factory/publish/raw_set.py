"""A raw set that `generate` made, as it will be published; `.store`, with paid answers and work files, isn't published."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skill_factory.errors import HubError
from skill_factory.publish.files import BUILD, RAW, LocalBuild, footers, left_out, local_file, read_build
from skill_factory.wording import many


def read_folder(folder: Path) -> LocalBuild:
    """A finished build or a raw set, with every file read once for its ids. Errors: HubError if it is neither."""
    from skill_factory.generate.folder import read_report

    report = None if (folder / BUILD.report).exists() else read_report(folder)
    return read_build(folder) if report is None else _read_raw(folder, report)


def _read_raw(folder: Path, report: Mapping[str, Any]) -> LocalBuild:
    from skill_factory.generate.folder import DATA, RawFolder
    from skill_factory.generate.store import in_use

    if in_use(RawFolder(folder).answers):
        raise HubError(f"A run is still generating into {folder}. Wait until it has finished, then publish.")
    shards = sorted((folder / DATA).glob("train-*.parquet"))
    texts = [folder / name for name in RAW.texts if (folder / name).is_file()]
    if len(texts) < len(RAW.texts) or not shards:
        lacks = "data" if not shards else "README.md"
        raise HubError(f"{folder} is a raw set without {lacks}. Run the same `generate` command again.")
    rows, columns = footers(shards)
    if not rows:
        raise HubError(f"{folder} has no responses to publish. Generate some first.")
    files = {path: local_file(path.relative_to(folder).as_posix(), path) for path in (*texts, *shards)}
    fingerprint = files[folder / RAW.report].sha256
    left = left_out(folder, files)
    return LocalBuild(
        folder, tuple(files.values()), rows, columns, DATA, fingerprint, left, RAW, _notes(report)
    )


def _notes(report: Mapping[str, Any]) -> tuple[str, ...]:
    """What a raw set lacks, compared with what it was meant to be."""
    made, pilot = report["made"], report.get("pilot")
    missing = (
        ()
        if made.get("complete")
        else (f"It isn't complete: {many(made.get('missing', 0), 'answer')} didn't come.",)
    )
    part = (
        (f"It is a pilot: {pilot['questions']:,} of {pilot['questions_total']:,} questions.",)
        if pilot
        else ()
    )
    return (*missing, *part)
