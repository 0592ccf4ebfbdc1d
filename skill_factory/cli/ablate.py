"""The command `ablate`: build every arm of a suite from the same questions."""

import argparse
from typing import TYPE_CHECKING

from skill_factory.cli.options.recipe import (
    SOURCE,
    add_against,
    add_recipe_options,
    columns_of,
    recipe_of,
    source_of,
    token_for,
)
from skill_factory.cli.output import plain, say, tell
from skill_factory.errors import RecipeError

if TYPE_CHECKING:
    from skill_factory.build.engines import Engine
    from skill_factory.suites.suite import Suite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = (
        "Build arms that change one base recipe, from the same questions and in equal sizes, as one repository with a "
        "config for each. The options of a recipe change the base."
    )
    parser.add_argument("source", nargs="?", default="", help=SOURCE)
    parser.add_argument(
        "--suite", default="paper", metavar="FILE", help="a suite file, or a shipped suite (paper)"
    )
    parser.add_argument("--out", default="", metavar="DIR", help="the folder of the suite")
    parser.add_argument(
        "--equal", choices=("traces", "tokens"), default="", help="what all arms have equally much of"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ARM",
        help="this arm beside the base; may be given several times",
    )
    parser.add_argument("--show", action="store_true", help="only say which arms would be built")
    parser.add_argument(
        "--workers", type=int, default=0, metavar="W", help="worker processes; default: one per core"
    )
    parser.add_argument("--fresh", action="store_true", help="replace the suite in the folder")
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="what runs the builds")
    parser.add_argument(
        "--ray-address", default="", metavar="ADDR", help="a running Ray cluster; default: start one"
    )
    add_recipe_options(parser)
    add_against(parser)


def run(args: argparse.Namespace) -> int:
    """Say what will be built, build it, and print the table. Errors: SkillFactoryError."""
    import sys

    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.build.progress import TerminalReport
    from skill_factory.suites.ablating import ablate
    from skill_factory.suites.differences import HEAD, cells

    arrow_alone()
    suite = _suite(args)
    if not args.json:
        size = f" (grid: {suite.size})" if suite.size else ""
        say(f"{suite.name}: {len(suite.every_arm)} arms{size}, equal in {suite.equal.value}")
        for arm in suite.every_arm:
            say(f"  {arm.name:<24} {arm.words}")
    if args.show:
        if args.json:
            tell(
                {
                    "arms": [arm.name for arm in suite.every_arm],
                    "size": suite.size,
                    "equal": suite.equal.value,
                }
            )
        return 0
    if not args.out:
        raise RecipeError("A suite needs a folder to write to: --out DIR.")
    source = source_of(args, suite.base)
    report = TerminalReport()

    def warn(line: str) -> None:
        report.close()
        print(plain(line), file=sys.stderr, flush=True)

    try:
        result = ablate(
            source,
            args.out,
            suite,
            columns=columns_of(args),
            workers=args.workers,
            fresh=args.fresh,
            report=report,
            say=warn,
            token=token_for(source, *args.against),
            engine=_engine(args),
            against=args.against,
        )
    finally:
        report.close()
    if args.json:
        table = [row.to_json() for row in result.rows]
        tell(
            {"path": str(result.path), "already": result.already, "fingerprint": result.suite.fingerprint()}
            | {"equal": suite.equal.value, "arms": table, "notes": list(result.notes)}
        )
        return 0
    say(f"\n{result.path}" + (" already holds this suite. Nothing was done." if result.already else ""))
    rows = [HEAD, *cells(result.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        texts = [
            f"{c:>{w}}" if 0 < k < 7 else f"{c:<{w}}"
            for k, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        say("  " + "  ".join(texts).rstrip())
    return 0


def _suite(args: argparse.Namespace) -> "Suite":
    from dataclasses import replace

    from skill_factory.suites.suite import Equal, checked, load_suite

    suite = load_suite(args.suite)
    base = recipe_of(args, suite.base)
    suite = suite.with_base(base)
    if args.only:
        known = {arm.name: arm for arm in suite.arms}
        if unknown := [name for name in args.only if name not in known]:
            raise RecipeError(f"The suite has no arm {unknown[0]!r}. Arms: {', '.join(known)}.")
        suite = checked(replace(suite, arms=tuple(known[name] for name in dict.fromkeys(args.only)), size=""))
    return replace(suite, equal=Equal(args.equal)) if args.equal else suite


def _engine(args: argparse.Namespace) -> "Engine | None":
    if args.engine != "ray":
        return None
    from skill_factory.build.engines.ray import ray_engine

    return ray_engine(args.ray_address)
