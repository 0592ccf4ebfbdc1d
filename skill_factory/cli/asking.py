"""What a command says besides its result, on standard error, and the one question that it may ask there."""

import sys

from skill_factory.cli.output import plain
from skill_factory.errors import HubError


def say(lines: list[str]) -> None:
    """Print lines on standard error, without control characters from the data."""
    for line in lines:
        print(plain(line), file=sys.stderr, flush=True)


def agreed(question: str, what: str) -> bool:
    """Whether the user agrees. Errors: HubError that names the option, if there is no terminal to ask at."""
    # A script has nobody to ask; waiting for an answer would hang it, and assuming one would be worse.
    if not sys.stdin.isatty():
        raise HubError(f"{what} needs your consent. Nothing was changed. Run again with --yes.")
    # On standard error, since standard output may be going into a file.
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
