"""The command `build`: build a dataset of training traces, here or on a machine of the Hub."""

import argparse
import json
from typing import TYPE_CHECKING, Any

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
from skill_factory.cli.output import say, tell
from skill_factory.errors import RecipeError

if TYPE_CHECKING:
    from skill_factory.build.engines import Engine
    from skill_factory.build.pipeline import BuildResult
    from skill_factory.recipe.mixture import AnyRecipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("source", nargs="?", default="", help=SOURCE)
    parser.add_argument("--out", default="", metavar="DIR", help="the build folder")
    parser.add_argument(
        "--workers", type=int, default=0, metavar="W", help="worker processes; default: one per core"
    )
    parser.add_argument(
        "--memory",
        default="",
        metavar="SIZE",
        help="maximum memory, e.g. 1GB; reduces the workers if necessary",
    )
    parser.add_argument("--fresh", action="store_true", help="replace the build in the folder")
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="what runs the build")
    parser.add_argument(
        "--ray-address", default="", metavar="ADDR", help="a running Ray cluster; default: start one"
    )
    job = parser.add_argument_group(
        "on a machine of the Hub", "for sources on the Hub and the demo; shows the price first"
    )
    job.add_argument(
        "--on", choices=("here", "hf-jobs"), default="here", help="run here, or as a job on the Hub"
    )
    job.add_argument("--to", default="", metavar="USER/NAME", help="where the job publishes the dataset")
    job.add_argument("--mode", choices=("new", "pr", "replace"), default="new", help="as in `push`")
    job.add_argument("--public", action="store_true", help="publish for everybody; default: private")
    job.add_argument(
        "--flavor",
        default="",
        metavar="NAME",
        help="kind of machine; default: eight cores without an accelerator",
    )
    job.add_argument(
        "--minutes", type=int, default=60, metavar="M", help="stop the job after this time; default: 60"
    )
    job.add_argument("--yes", action="store_true", help="don't ask before starting the job")
    add_against(parser)
    add_recipe_options(parser)


def run(args: argparse.Namespace) -> int:
    """Build, and print the result. Errors: SkillFactoryError."""
    from skill_factory.arrow_alone import arrow_alone
    from skill_factory.build.pipeline import build
    from skill_factory.build.progress import TerminalReport

    arrow_alone()
    if mixed(args):
        return _build_mixed(args)
    recipe = recipe_of(args)
    # Before `--out` is asked for: a job writes to the Hub, not to a folder here.
    if args.on == "hf-jobs":
        return _build_on_jobs(args, recipe)
    if not args.out:
        raise RecipeError("A build needs a folder to write to: --out DIR.")
    source = source_of(args, recipe)
    report = TerminalReport()
    try:
        result = build(
            source,
            args.out,
            recipe,
            columns=columns_of(args),
            workers=args.workers,
            fresh=args.fresh,
            report=report,
            token=token_for(source, *args.against),
            engine=_engine(args),
            # A published dataset's recipe is built from the very data it names, or not at all.
            exact=args.recipe.startswith("hf:"),
            against=args.against,
        )
    finally:
        # Also after an error: a half-written progress line would stand before its sentence.
        report.close()
    return _told(args, result)


def _build_mixed(args: argparse.Namespace) -> int:
    from skill_factory.build.mixture import build_mixture
    from skill_factory.build.progress import TerminalReport

    mixture, places = mixture_of(args)
    if args.on == "hf-jobs":
        return _build_on_jobs(args, mixture, places)
    if not args.out:
        raise RecipeError("A build needs a folder to write to: --out DIR.")
    report = TerminalReport()
    try:
        result = build_mixture(
            mixture,
            args.out,
            places,
            workers=args.workers,
            fresh=args.fresh,
            report=report,
            token=token_for_any(mixture, places, *args.against),
            engine=_engine(args),
            exact=args.recipe.startswith("hf:"),
            against=args.against,
        )
    finally:
        report.close()
    return _told(args, result)


def _told(args: argparse.Namespace, result: "BuildResult") -> int:
    """Say what was built, from one source or several."""
    from skill_factory.cli.output import show_build

    same = _same_as_published(args.recipe, result.report)
    if args.json:
        summary = {"path": str(result.path), "resumed": result.resumed, "already": result.already}
        tell({**summary, **same, **result.report})
        return 0
    show_build(result)
    if same:
        words = "the same rows as" if same["same_as_published"] else "NOT the same rows as"
        say(f"  digest      {result.report['rows_digest']}: {words} the published dataset")
    return 0


def _build_on_jobs(
    args: argparse.Namespace, recipe: "AnyRecipe", places: dict[str, str] | None = None
) -> int:
    from skill_factory.cli.hub_jobs import build_on_jobs
    from skill_factory.recipe.model import Recipe

    if not args.to:
        raise RecipeError("A job publishes what it builds. Say where: --to USER/NAME.")
    if args.against:
        raise RecipeError(
            "A job gets a recipe and none of your files. Build once here with --against, and start the job with the recipe.toml "
            "of that build, whose benchmarks are on the Hub."
        )
    # The job gets a recipe and no options, so the mapping has to be in it.
    if args.map and isinstance(recipe, Recipe):
        recipe = recipe.changed({f"columns.{field}": value for field, value in columns_of(args).items()})
    return build_on_jobs(
        recipe,
        args.to,
        source=args.source,
        places=places,
        mode=args.mode,
        public=args.public,
        flavor=args.flavor,
        minutes=args.minutes,
        yes=args.yes,
    )


def _same_as_published(name: str, report: dict[str, Any]) -> dict[str, bool]:
    """Whether a rebuilt dataset has the published rows; empty for a recipe that isn't from the Hub."""
    if not name.startswith("hf:"):
        return {}
    from skill_factory.hub.client import read_text, stored_token

    repo, _, revision = name.removeprefix("hf:").partition("@")
    # The digest covers all rows, whatever library versions wrote them.
    published = json.loads(read_text(repo, "report.json", stored_token(), revision or None))
    return {"same_as_published": published.get("rows_digest") == report["rows_digest"]}


def _engine(args: argparse.Namespace) -> "Engine | None":
    from skill_factory.build.engines.local import local_engine
    from skill_factory.build.engines.workers import workers_within

    if args.engine == "ray":
        from skill_factory.build.engines.ray import ray_engine

        return ray_engine(args.ray_address)
    # Without a limit the build chooses its own workers.
    return local_engine(workers_within(args.memory, args.workers)) if args.memory else None
