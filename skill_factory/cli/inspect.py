"""The command `inspect`: what a source holds, and what can be made of it."""

import argparse

from skill_factory.cli.output import tell
from skill_factory.cli.recipe_options import SOURCE, add_recipe_options, columns_of, recipe_of, token_for


def add_arguments(made: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    made.add_argument("source", help=SOURCE)
    made.add_argument(
        "--whole", action="store_true", help="read all of a large source, not only its first rows"
    )
    add_recipe_options(made)


def run(args: argparse.Namespace) -> int:
    """Look at the source and say what was found. Errors: SkillFactoryError."""
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.cli.output import show_inspection
    from skill_factory.insight.inspection import inspect

    arrow_alone()
    found = inspect(
        args.source, recipe_of(args), columns=columns_of(args), whole=args.whole, token=token_for(args.source)
    )
    tell(found.to_json()) if args.json else show_inspection(found)
    return 0
