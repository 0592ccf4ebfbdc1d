"""Read an uploaded file once in a process of its own, before a shared server opens it.

The readers of such files are large C++ programs: what a damaged file does to them must not happen to the server, where
other visitors are. `python -m skill_factory.sources.check FILE` ends with 0, or with 2 and a sentence.
"""

import resource
import subprocess
import sys
from pathlib import Path

from skill_factory.errors import SourceError
from skill_factory.recipe.model import Columns
from skill_factory.sources.files import PACKED, TEXTS

MEMORY = 4_000_000_000
"""Address space of the reading process; what it uses of it is a third at most."""
SECONDS = 90


def check_upload(path: Path) -> None:
    """Errors: SourceError for a file of a format of bytes that can't be read, saying why."""
    if path.suffix.lower() in (*TEXTS, *PACKED):
        return
    words = [sys.executable, "-m", "skill_factory.sources.check", str(path)]
    root = str(Path(__file__).parents[2])
    try:
        done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise SourceError(
            f"{path.name} takes longer than {SECONDS} seconds to read. Give less, or build on your own computer."
        ) from None
    if done.returncode == 2 and done.stderr.strip():
        raise SourceError(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        raise SourceError(f"{path.name} can't be read: its reader stopped. Is the file complete?")


def main(path: Path) -> int:
    """Read all of the file and forget it."""
    from skill_factory.sources.files import FileSource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        source = FileSource.open(str(path))
        names = source.names()
        for piece in source.pieces():
            for _ in piece.batches(Columns(question_rest=tuple(names))):
                pass
    except SourceError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
