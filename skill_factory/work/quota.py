"""What one build, and one visitor, may take of a disk: said before it begins, not by a torn file."""

import shutil
from pathlib import Path

from skill_factory.errors import BuildFolderError
from skill_factory.hosting import hosted
from skill_factory.whole_files import write_whole
from skill_factory.wording import file_size
from skill_factory.work.home import home, place
from skill_factory.work.kept import workspaces

ROWS = 5_000_000
"""Rows of one visitor's source on a shared server."""
TEXT = 20_000_000_000
"""Bytes of traces that one build may write there."""
SHARE = 60_000_000_000
"""Bytes of that disk that one visitor's workspaces may hold, with their uploads and builds."""
WORKSPACES = 30
"""Workspaces that one visitor may have there."""
NEEDED = 2.0
"""A build's files, and those on the way to them, as a multiple of its text."""
_UNPACKED = ".unpacked"
"""The file beside an uploaded archive that says what it unpacks to; no upload's name begins with a dot."""


def note_unpacked(upload: Path, size: int) -> None:
    """Remember what an uploaded archive holds on the disk while it is read, so that it counts in its visitor's share."""
    if size:
        write_whole(upload.parent / _UNPACKED, str(size))


def taken(owner: str) -> int:
    """
    Bytes that a visitor's workspaces hold: their versions, and the uploads and builds that they name, each once.

    An archive counts as it was sent and as it is unpacked.
    """
    folders: set[Path] = set()
    for kept in workspaces.recent(owner, most=WORKSPACES):
        folders.add(kept.path)
        sources = {Path(source).parent for source in (*kept.version.sources, *kept.outputs) if source}
        # A set: two workspaces on one upload hold it once.
        folders |= {source for source in sources if source.parent == place("uploads")}
        folders |= {place("builds") / kept.job} if kept.job else set()
    return sum(_bytes(one) for folder in folders for one in folder.rglob("*") if one.is_file())


def _bytes(path: Path) -> int:
    return int(path.read_text(encoding="utf-8")) if path.name == _UNPACKED else path.stat().st_size


def check_room_for_work(owner: str) -> None:
    """Errors: BuildFolderError where a visitor of a shared server has no room for another workspace."""
    if not hosted():
        return
    found = len(workspaces.recent(owner, most=WORKSPACES))
    if found >= WORKSPACES:
        raise BuildFolderError(
            f"You have {found} workspaces on this shared server, which is the maximum, so what you change now isn't kept. "
            "Delete one on Start, or save the recipe as a file."
        )
    if (held := taken(owner)) > SHARE:
        raise BuildFolderError(
            f"Your workspaces hold {file_size(held)} with their uploads and builds, and {file_size(SHARE)} is your share of "
            "this server's disk, so what you change now isn't kept. Delete one on Start."
        )


def refusal(rows: int, text_bytes: float, owner: str = "") -> str:
    """Why a build of so many rows and so much text can't begin; empty where it can."""
    if hosted() and rows > ROWS:
        return (
            f"The data has {rows:,} rows, and at most {ROWS:,} can be built on this shared server. Give fewer, or build on "
            "your own computer."
        )
    if hosted() and text_bytes > TEXT:
        return (
            f"This recipe would write {file_size(text_bytes)}, and at most {file_size(TEXT)} can be built on this shared "
            "server. Ask for fewer traces, or build on your own computer."
        )
    if hosted() and owner and (held := taken(owner)) + text_bytes > SHARE:
        return (
            f"Your workspaces already hold {file_size(held)} on this shared server, and {file_size(SHARE)} is your share of "
            "its disk. Delete a workspace or a build on Start, or ask for fewer traces."
        )
    # Also at home: a full disk ends a build in the middle, and often other programs with it.
    free = shutil.disk_usage(home()).free
    if text_bytes * NEEDED > free:
        return (
            f"This build needs about {file_size(text_bytes * NEEDED)} of disk, and {file_size(free)} are free where the app "
            "keeps its work (SKILL_FACTORY_HOME). Make room there, or ask for fewer traces."
        )
    return ""
