"""The command `inspect`: what a source holds, and what can be made of it."""

import argparse
from typing import TYPE_CHECKING

from skill_factory.cli.options.endpoint import add_price
from skill_factory.cli.options.recipe import (
    SOURCE,
    add_against,
    add_recipe_options,
    columns_of,
    mixed,
    mixture_of,
    recipe_of,
    source_of,
    token_for,
    token_for_any,
)
from skill_factory.cli.output import say, show_opinion, show_shares, tell

if TYPE_CHECKING:
    from skill_factory.insight.inspection.mixture import MixtureInspection

COMPARED = 400
"""Labels that a first look holds against all that speaks about them; `grade --compare` takes every one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("source", nargs="?", default="", help=SOURCE)
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
    if mixed(args):
        return _inspect_mixed(args)
    recipe = recipe_of(args)
    source = source_of(args, recipe)
    inspection = inspect(
        source,
        recipe,
        columns=columns_of(args),
        whole=args.whole,
        token=token_for(source, *args.against),
        most_compared=COMPARED,
        against=args.against,
    )
    if args.json:
        tell(inspection.to_json())
    else:
        show_inspection(inspection, args.price_in, args.price_out)
    return 0


def _inspect_mixed(args: argparse.Namespace) -> int:
    from skill_factory.insight.inspection.mixture import inspect_mixture

    mixture, places = mixture_of(args)
    inspection = inspect_mixture(
        mixture,
        places,
        whole=args.whole,
        token=token_for_any(mixture, places, *args.against),
        most_compared=COMPARED,
        against=args.against,
    )
    if args.json:
        tell(inspection.to_json())
    else:
        _show_mixture(inspection, args.price_in, args.price_out)
    return 0


def _show_mixture(inspection: "MixtureInspection", price_in: float, price_out: float) -> None:
    """The shares first; then the opinion on each source, and what to do, with the name of the source."""
    if inspection.mixed is not None:
        show_shares(inspection.mixed)
    for name, part in inspection.parts.items():
        say(f"\n{name}")
        show_opinion(part.opinion, price_in, price_out)
    say("\nWhat to do")
    for line in inspection.advice:
        say(f"  - {line}")
