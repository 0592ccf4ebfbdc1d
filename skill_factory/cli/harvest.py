"""The command `harvest`: a model's own attempts and reflections become raw data for the next dataset."""

import argparse
from pathlib import Path

from skill_factory.cli.options.measure import add_outputs, settings_of
from skill_factory.cli.options.recipe import add_recipe_options, columns_of, recipe_of, token_for
from skill_factory.cli.output import plain, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = (
        "Turn each attempt in a model's outputs into a response, labelled by its grade, and each reflection into a "
        "reflection of it: raw data that `build` reads as it is."
    )
    add_outputs(parser)
    parser.add_argument("--out", required=True, metavar="FILE.parquet", help="the file to write")
    parser.add_argument("--replace", action="store_true", help="replace the file if it is there")
    add_recipe_options(parser)


def run(args: argparse.Namespace) -> int:
    """Harvest and say what came of it. Errors: SkillFactoryError."""
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.errors import SourceError
    from skill_factory.measure.harvesting import harvest

    arrow_alone()
    out = Path(args.out)
    if out.exists() and not args.replace:
        raise SourceError(f"{out} is there already. Give another --out, or --replace it.")
    # `build` tells formats by their ending, so another one would make the file unreadable there.
    if out.suffix != ".parquet":
        raise SourceError(
            f"Raw data is written as Parquet; found --out {out.name}. Give a name that ends in .parquet."
        )
    recipe = recipe_of(args)
    # One login serves all sources, so it is asked for once.
    token = next((token for name in args.outputs if (token := token_for(name))), None)
    harvested = harvest(
        args.outputs,
        out,
        recipe,
        columns=columns_of(args),
        run=args.run_column,
        settings=settings_of(args, recipe.traces.seed),
        token=token,
    )
    if args.json:
        tell({"path": str(out), **harvested.to_json()})
        return 0
    for line in [*harvested.lines(), f"Written: {out}. Look at it with `inspect {out}`."]:
        print(plain(line))
    return 0
