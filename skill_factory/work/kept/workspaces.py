"""Workspaces: what a visitor works on, kept on disk, so that no reload, restart or crash loses it.

A workspace is a folder whose name can't be guessed, so the name works as its key. It holds `made.json` (whose it is), one
file per version of the recipe, and `now.json`, which lists the versions and says which one is shown. Every file appears
whole, and a version is there before `now.json` names it: a writer that is killed leaves what was there before. What can't
be read all the same is counted (`lost`), and the nearest version that can be read takes its place.

No token is ever a part of it.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from skill_factory import locks
from skill_factory.errors import BuildFolderError
from skill_factory.hosting import hosted
from skill_factory.whole_files import SUFFIX, write_whole
from skill_factory.work.home import forget_old, new_place, place
from skill_factory.work.kept.folder import Kept, Version, read, stamp_of, version_of
from skill_factory.work.process import folder_of

KIND = "workspaces"
VERSIONS = 60
"""Versions that a workspace keeps."""
LEAST = 12
"""Versions that stay however large they are."""
BYTES = 10_000_000
"""Bytes of versions beyond which the oldest go."""
PATIENCE = 3.0
"""Seconds to wait for another writer of the same workspace."""
LONGEST_NAME = 80
DELETED = "This workspace was deleted, perhaps in another tab."


def find(id: str) -> Kept | None:
    """The workspace of that name; None if it isn't there, or nothing of it can be read."""
    path = folder_of(KIND, id)
    return read(path) if path is not None and path.is_dir() else None


def recent(owner: str = "", most: int = 100) -> list[Kept]:
    """The workspaces of an owner, the one that was written last first."""
    found = [kept for path in place(KIND).iterdir() if (kept := find(path.name))]
    found = [kept for kept in found if kept.owner == owner]
    return sorted(found, key=lambda kept: -kept.changed)[:most]


def forget_uploads(days: float) -> None:
    """Delete uploads older than so many days; at home, those that a workspace names stay as long as it does."""
    if not hosted():
        for kept in recent():
            for folder in {Path(one).parent for one in (*kept.version.sources, *kept.outputs) if one}:
                if folder.parent == place("uploads"):
                    with suppress(OSError):
                        os.utime(folder)
    forget_old("uploads", days)


# -- writing -------------------------------------------------------------------------------------------------------


def new(
    version: Version,
    owner: str = "",
    name: str = "",
    job: str = "",
    cutoff: int = 0,
    page: str = "",
    outputs: tuple[str, ...] = (),
) -> Kept:
    """Keep a piece of work in a folder of its own. Errors: BuildFolderError where it can't be written."""
    path, started = new_place(KIND), int(time.time())
    fresh = Kept(path, owner, started, version, (), -1, 0, name[:LONGEST_NAME], job, cutoff, page, outputs)
    try:
        write_whole(path / "made.json", json.dumps({"owner": owner, "started": started}))
        return _added(fresh, version)
    except OSError as error:
        shutil.rmtree(path, ignore_errors=True)
        raise _unwritten(error) from None


def keep(kept: Kept, version: Version, job: str, cutoff: int, outputs: tuple[str, ...] = ()) -> Kept:
    """
    Write what is worked on now. A change of data or recipe becomes a version of its own; those undone before it go.

    Whoever writes last wins, and the version that another tab wrote before stays one step of undo away.
    Errors: BuildFolderError where it was deleted or can't be written.
    """
    with _written(kept) as now:
        told = replace(now, job=job, cutoff=cutoff, outputs=outputs)
        return _added(told, version) if not version.same_work(now.version) else _amended(told, version)


def step(kept: Kept, by: int) -> Kept:
    """Undo (−1) or redo (+1); beyond the ends, nothing changes. Versions that can't be read are passed over and counted."""
    with _written(kept) as now:
        at, lost = now.at + by, 0
        while 0 <= at < len(now.listed):
            version = version_of(now.path / f"{now.listed[at]}.json")
            if version is not None:
                return _said(replace(now, at=at, version=version, lost=lost))
            at, lost = at + by, lost + 1
        return replace(now, lost=lost)


def rename(kept: Kept, name: str) -> Kept:
    """Call it something; an empty name gives its data's name back."""
    with _written(kept) as now:
        return _said(replace(now, name=" ".join(name.split())[:LONGEST_NAME]))


def turn(kept: Kept, page: str) -> Kept:
    """Note which page is open, to which its visitor will come back."""
    with _written(kept) as now:
        return _said(replace(now, page=page))


def forget(kept: Kept) -> None:
    """Delete it with all its versions. Uploads and builds stay: they have keys of their own."""
    shutil.rmtree(kept.path, ignore_errors=True)


def size(kept: Kept) -> int:
    """Bytes on disk."""
    return sum(one.stat().st_size for one in kept.path.iterdir())


@contextmanager
def _written(kept: Kept) -> Iterator[Kept]:
    """The workspace as it is now, held against other writers. Errors: BuildFolderError."""
    if not kept.path.is_dir():  # a lock would bring the folder back
        raise BuildFolderError(DELETED)
    lock, ends = None, time.monotonic() + PATIENCE
    try:
        # A write takes milliseconds, so it is waited for rather than refused.
        while (lock := locks.take(kept.path / "lock")) is None:
            if time.monotonic() > ends:
                raise BuildFolderError("Another tab is writing this workspace. Try again in a moment.")
            time.sleep(0.01)
        # Read again under the lock: another tab may have written since this page was drawn.
        now = read(kept.path)
        if now is None:
            raise BuildFolderError(DELETED)
        yield now
    except OSError as error:
        gone = not (kept.path / "made.json").exists()
        raise (BuildFolderError(DELETED) if gone else _unwritten(error)) from None
    finally:
        if lock is not None:
            lock.release()


def _unwritten(error: OSError) -> BuildFolderError:
    return BuildFolderError(
        f"What you changed couldn't be kept on disk: {error.strerror or error}. Make room where the app keeps its work "
        "(SKILL_FACTORY_HOME), or save the recipe as a file on Start."
    )


def _added(kept: Kept, version: Version) -> Kept:
    name = f"{kept.number + 1:06d}"
    write_whole(kept.path / f"{name}.json", _json(version))
    # What was undone goes when something new is done, as in every editor.
    listed = _within_bounds(kept.path, [*kept.listed[: kept.at + 1], name])
    done = _said(replace(kept, version=version, listed=listed, at=len(listed) - 1))
    # After `now.json`: a version that it still names must not be gone.
    _sweep(done)
    return done


def _amended(kept: Kept, version: Version) -> Kept:
    """The same version with what was found out about its data since."""
    write_whole(kept.path / f"{kept.listed[kept.at]}.json", _json(version))
    return _said(replace(kept, version=version))


def _said(kept: Kept) -> Kept:
    """Write `now.json`."""
    told = replace(kept, number=kept.number + 1)
    tree = {
        "name": told.name,
        "job": told.job,
        "cutoff": told.cutoff,
        "page": told.page,
        "outputs": told.outputs,
        "number": told.number,
        "versions": told.listed,
        "at": told.at,
    }
    write_whole(told.path / "now.json", json.dumps(tree))
    return replace(told, stamp=stamp_of(told.path))


def _json(version: Version) -> str:
    return json.dumps(asdict(version), ensure_ascii=False)


def _within_bounds(path: Path, names: list[str]) -> tuple[str, ...]:
    """The last versions, as many as there is room for."""
    kept: list[str] = []
    room = BYTES
    for name in reversed(names[-VERSIONS:]):
        with suppress(OSError):
            room -= (path / f"{name}.json").stat().st_size
        # A few steps of undo stay, however long the recipe's lists have grown.
        if room < 0 and len(kept) >= LEAST:
            break
        kept.append(name)
    return tuple(reversed(kept))


def _sweep(kept: Kept) -> None:
    """Remove versions that `now.json` no longer names, and what a killed writer left."""
    for one in kept.path.iterdir():
        if one.name.endswith(SUFFIX) or (one.stem.isdecimal() and one.stem not in kept.listed):
            with suppress(OSError):
                os.unlink(one)
