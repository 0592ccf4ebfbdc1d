"""
A raw set that `generate` made, a report of `measure`, or a suite, as it will be published.

A raw set's `.store`, with paid answers and work files, isn't published.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skill_factory.build.owned import FILES, HELD_OUT
from skill_factory.errors import HubError
from skill_factory.publish.files import (
    BUILD,
    MEASURED,
    RAW,
    SUITE,
    LocalBuild,
    footers,
    left_out,
    local_file,
    read_build,
)
from skill_factory.suites.desk import ARMS, RUN, suite_report
from skill_factory.wording import listed, many


def read_folder(folder: Path) -> LocalBuild:
    """A finished build, a suite, a raw set or a report, with every file read once for its ids. Errors: HubError if it is none of them."""
    from skill_factory.generate.folder import read_report

    # Asked first: a report of `measure` has a report.json too, as builds have.
    if _is_measured(folder):
        return _read_measured(folder)
    if (suite := suite_report(folder)) is not None:
        return _read_suite(folder, suite)
    # A folder with both reports is taken for the build.
    report = None if (folder / BUILD.report).exists() else read_report(folder)
    return read_build(folder) if report is None else _read_raw(folder, report)


def _is_measured(folder: Path) -> bool:
    """Whether a folder is a report of `measure`, whose report.json lists runs."""
    try:
        return "runs" in json.loads((folder / MEASURED.report).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _read_measured(folder: Path) -> LocalBuild:
    outputs = folder / "outputs.parquet"
    texts = [folder / name for name in MEASURED.texts]
    if missing := [path.name for path in (*texts, outputs) if not path.is_file()]:
        raise HubError(
            f"{folder} is a report without {listed(missing, 'and')}. Run the same `measure` command again."
        )
    pictures = sorted((folder / "charts").glob("*.svg"))
    rows, columns = footers([outputs])
    files = {
        path: local_file(path.relative_to(folder).as_posix(), path) for path in (*texts, *pictures, outputs)
    }
    left = left_out(folder, files)
    fingerprint = files[folder / MEASURED.report].sha256
    return LocalBuild(folder, tuple(files.values()), rows, columns, "charts", fingerprint, left, MEASURED)


def _read_suite(folder: Path, report: Mapping[str, Any]) -> LocalBuild:
    """A finished suite: the arms that its report lists, and its scripts; whatever else lies there stays at home."""
    arms = [folder / ARMS / name for name in report["arms"]]
    texts = [folder / name for name in SUITE.texts]
    texts += [arm / name for arm in arms for name in ("recipe.toml", "report.json")]
    if missing := [path.relative_to(folder).as_posix() for path in texts if not path.is_file()]:
        raise HubError(
            f"{folder} is a suite without {listed(missing[:3], 'and')}. Run the same `ablate` command again with --fresh."
        )
    if (folder / ".work").exists():
        raise HubError(
            f"The suite in {folder} isn't finished. Run the same `ablate` command again, then publish."
        )
    shards = [path for arm in arms for path in sorted(arm.glob("sft_train/train-*.parquet"))]
    held = sorted((folder / HELD_OUT).glob("test-*-of-*.parquet"))
    run = sorted(path for name in report["arms"] for path in (folder / RUN).glob(f"{name}.*.sh"))
    files = {
        path: local_file(path.relative_to(folder).as_posix(), path) for path in (*texts, *run, *held, *shards)
    }
    rows, columns = footers(shards)
    # An arm is a build folder of its own, whose card isn't needed where one card has all of them.
    own = {arm / name for arm in arms for name in FILES}
    own |= {arm / HELD_OUT / path.name for arm in arms for path in held}
    left = left_out(folder, {*files, *own})
    return LocalBuild(
        folder, tuple(files.values()), rows, columns, ARMS, str(report["fingerprint"]), left, SUITE
    )


def _read_raw(folder: Path, report: Mapping[str, Any]) -> LocalBuild:
    from skill_factory.generate.folder import DATA, RawFolder
    from skill_factory.generate.store import in_use

    # The report is written at the end of a run, so it could belong to an earlier and smaller one.
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
    # The report says what was asked and what came, so it stands for the data.
    fingerprint = files[folder / RAW.report].sha256
    left = left_out(folder, files)
    return LocalBuild(
        folder, tuple(files.values()), rows, columns, DATA, fingerprint, left, RAW, _notes(report)
    )


def _notes(report: Mapping[str, Any]) -> tuple[str, ...]:
    """What a raw set lacks, compared with what it was meant to be."""
    totals, pilot = report["made"], report.get("pilot")
    missing = (
        ()
        if totals.get("complete")
        else (f"It isn't complete: {many(totals.get('missing', 0), 'answer')} didn't come.",)
    )
    part = (
        (f"It is a pilot: {pilot['questions']:,} of {pilot['questions_total']:,} questions.",)
        if pilot
        else ()
    )
    return (*missing, *part)
