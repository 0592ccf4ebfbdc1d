"""The command `inspect`: what a source holds, and what can be made of it."""

import argparse

from skill_factory.cli.endpoint_options import add_price
from skill_factory.cli.output import tell
from skill_factory.cli.recipe_options import (
    SOURCE,
    add_against,
    add_recipe_options,
    columns_of,
    recipe_of,
    token_for,
)

COMPARED = 1_000
"""Labels that a first look holds against all that speaks about them; `grade --compare` takes every one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("source", help=SOURCE)
    parser.add_argument(
        "--whole", action="store_true", help="read all of a large source, not only the first rows"
    )
    add_price(parser)
    add_against(parser)
    add_recipe_options(parser)


def run(args: argparse.Namespace) -> int:
    """Look at the source, and print what was found. Errors: SkillFactoryError."""
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.cli.output import show_inspection
    from skill_factory.insight.inspection import inspect

    arrow_alone()
    inspection = inspect(
        args.source,
        recipe_of(args),
        columns=columns_of(args),
        whole=args.whole,
        token=token_for(args.source, *args.against),
        most_compared=COMPARED,
        against=args.against,
    )
    if args.json:
        tell(inspection.to_json())
    else:
        show_inspection(inspection, args.price_in, args.price_out)
    return 0
