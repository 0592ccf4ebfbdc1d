"""The command with small partitions, in a process of its own: `python -m tests.drive BYTES WORDS…`.

A build of some hundred rows then has many partitions and starts workers, as one of a million rows does.
"""

import subprocess
import sys
import time
from pathlib import Path

from tests import command

PIECE = 12_000
"""Bytes of text in a partition unless a test asks for others."""


def words(*arguments: object, size: int = PIECE) -> list[str]:
    """The command line of a driven run."""
    return ["-m", "tests.drive", *map(str, (size, *arguments))]


def run(*arguments: object, size: int = PIECE) -> command.Run:
    """Run the command to its end."""
    return command.python(*words(*arguments, size=size))


def start(*arguments: object, size: int = PIECE) -> subprocess.Popen[str]:
    """Start the command and leave it running."""
    return subprocess.Popen(
        [sys.executable, *words(*arguments, size=size)],
        cwd=command.ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finished(out: Path) -> list[Path]:
    """The partitions of an unfinished build that are whole: those with a tally."""
    return sorted(path.with_suffix(".parquet") for path in (out / ".work").glob("part-*.json"))


def wait_for(out: Path, partitions: int, process: subprocess.Popen[str], seconds: float = 60.0) -> None:
    """Wait until so many partitions of a running build are finished."""
    end = time.monotonic() + seconds
    while len(finished(out)) < partitions:
        assert process.poll() is None, f"the build ended too early: {process.communicate()}"
        assert time.monotonic() < end, "the build is too slow"
        time.sleep(0.002)


if __name__ == "__main__":
    from skill_factory.build import scatter
    from skill_factory.build.engines import local
    from skill_factory.cli.main import main

    scatter.PARTITION_BYTES = int(sys.argv[1])
    local.SMALL_BYTES = 0
    sys.exit(main(sys.argv[2:]))
