"""The command `diff`: what differs between two builds."""

import argparse

from skill_factory.cli.options.recipe import token_for
from skill_factory.cli.output import JSON, plain, tell

BUILT = "a build folder, or a published build: user/name or user/name@revision"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("first", help=BUILT)
    parser.add_argument("second", help=BUILT)
    parser.add_argument("--json", action="store_true", help=JSON)


def run(args: argparse.Namespace) -> int:
    """Compare, and print what differs; the exit code is 1 where the traces do. Errors: SkillFactoryError."""
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.insight.difference import difference, open_built

    arrow_alone()
    found = difference(*(open_built(text, token_for(text)) for text in (args.first, args.second)))
    if args.json:
        tell(found.to_json())
    else:
        for line in found.lines():
            print(plain(line))
    # As `diff` of files does, so that a script can ask.
    return 0 if found.same else 1
