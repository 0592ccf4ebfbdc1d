"""The command `demo`: write the demo's raw data."""

import argparse

from skill_factory.cli.output import JSON, plain, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--out", required=True, metavar="FILE.parquet", help="the file to write")
    parser.add_argument(
        "--questions", type=int, default=500, metavar="N", help="number of questions; default: 500"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="another seed gives other puzzles; default: 0"
    )
    parser.add_argument(
        "--world",
        default="countdown",
        metavar="NAME",
        help="what is asked: countdown, or sums, which a small model can learn; default: countdown",
    )
    parser.add_argument("--json", action="store_true", help=JSON)


def run(args: argparse.Namespace) -> int:
    """Write the file, and print how many rows it has."""
    from skill_factory.sources.demo.rows import write_demo
    from skill_factory.sources.demo.worlds import world_named

    rows = write_demo(args.out, args.questions, args.seed, world_named(args.world))
    summary = {"path": args.out, "rows": rows, "questions": args.questions, "seed": args.seed}
    words = f"{rows:,} synthetic rows for {args.questions:,} questions in {args.out}"
    tell(summary) if args.json else print(plain(words))
    return 0
