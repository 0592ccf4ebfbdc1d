"""Archives: a folder of data in one file, unpacked within bounds."""

import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from skill_factory.errors import SourceError
from skill_factory.sources.columns import excerpt
from skill_factory.sources.packed.tars import unpack_tar
from skill_factory.sources.packed.zips import unpack_zip
from skill_factory.sources.unreadable import UNREADABLE, why


def unpacked(path: Path) -> TemporaryDirectory[str]:
    """The data of an archive in a folder of its own, which goes when nobody holds it. Errors: SourceError."""
    folder = TemporaryDirectory(prefix="skill-factory-")
    unpack = unpack_zip if path.name.lower().endswith(".zip") else unpack_tar
    try:
        unpack(path, Path(folder.name))
    except (*UNREADABLE, tarfile.TarError) as error:
        folder.cleanup()
        raise SourceError(
            f"{excerpt(path.name)} can't be unpacked: {excerpt(why(error), 120)}. Is the archive complete, and without a password?"
        ) from None
    except SourceError:
        folder.cleanup()
        raise
    return folder
