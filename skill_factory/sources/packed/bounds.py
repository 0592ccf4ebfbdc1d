"""What an archive may hold, and how large it may become: the same for each kind of archive."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import gettempdir

from skill_factory.errors import SourceError
from skill_factory.hosting import hosted
from skill_factory.hub.file_patterns import is_archive
from skill_factory.sources.columns import excerpt
from skill_factory.wording import file_size

MOST_ENTRIES = 10_000
LARGEST_UNPACKED = 2_000_000_000
A_VISITORS = 500_000_000
"""Bytes on a shared server that the archive of one visitor may unpack to: they lie on its disk like any upload."""
MOST_UNPACKED = 100
"""An archive may be so many times as large unpacked as it is; texts pack to a tenth at best."""
SMALL = 10_000_000
"""Unpacked bytes that no ratio is asked of."""
_OTHER_ARCHIVES = (".7z", ".rar")


@dataclass
class Bounds:
    """What was found in an archive so far; counted before anything is written."""

    path: Path
    files: int = 0
    size: int = 0

    def admit(self, name: str, size: int, is_instead: str = "") -> None:
        """
        Count one more file, or what stands there instead of one.

        Errors: SourceError for what no archive of data holds: too many files or bytes, links, ways out, archives within.
        """
        self.files += 1
        self.size += size
        self._check_room()
        if said := self._more_than_data(name, is_instead):
            raise SourceError(
                f"{excerpt(self.path.name)} {said}. Unpack it yourself and give the folder with the data."
            )

    def _more_than_data(self, name: str, is_instead: str) -> str:
        shown = excerpt(name, 60)
        if self.files > MOST_ENTRIES:
            return f"holds more than {MOST_ENTRIES:,} files, which is the maximum"
        most = min(LARGEST_UNPACKED, max(SMALL, MOST_UNPACKED * self.path.stat().st_size))
        if self.size > most:
            return f"would unpack to more than {file_size(most)}, so it is hardly data"
        if is_instead:
            return f"holds {is_instead} ({shown})"
        # Windows packs names with backslashes, which lead out of the folder there.
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
            return f"holds a path that leads out of it ({shown})"
        if is_archive(name) or name.lower().endswith(_OTHER_ARCHIVES):
            return f"holds another archive ({shown})"
        return ""

    def _check_room(self) -> None:
        name = excerpt(self.path.name)
        if hosted() and self.size > A_VISITORS:
            raise SourceError(
                f"{name} would unpack to more than {file_size(A_VISITORS)}, and no more is kept on this shared server. Upload "
                "less, publish it as a private Hub dataset, or run the app on your own computer."
            )
        if (free := shutil.disk_usage(gettempdir()).free) < self.size:
            raise SourceError(
                f"{name} would unpack to more than {file_size(self.size)}, and {file_size(free)} of disk are free. Make room "
                "there."
            )


def write(pieces: Iterator[bytes], target: Path, size: int, archive: Path) -> None:
    """Write one file of an archive, and count what comes out of it, whatever its header says. Errors: SourceError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with target.open("wb") as file:
        for piece in pieces:
            # The size in the header was checked, but headers can lie: what comes out is counted as well.
            written += len(piece)
            if written > size:
                raise SourceError(
                    f"{excerpt(archive.name)} unpacks to more than it says. Unpack it yourself and give the folder."
                )
            file.write(piece)
    target.chmod(0o600)


def is_rubbish(name: str) -> bool:
    """Whether an entry is what a system leaves in archives: hidden files, and what macOS adds."""
    return any(
        part.startswith(".") or part == "__MACOSX" for part in name.split("/") if part not in ("..", ".")
    )
