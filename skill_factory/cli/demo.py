"""The command `demo`: write the demo's raw data."""

import argparse

from skill_factory.cli.output import JSON, plain, tell


def add_arguments(made: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    made.add_argument("--out", required=True, metavar="FILE.parquet")
    made.add_argument("--questions", type=int, default=500, metavar="N")
    made.add_argument("--seed", type=int, default=0, metavar="S")
    made.add_argument("--json", action="store_true", help=JSON)


def run(args: argparse.Namespace) -> int:
    """Write the file, and say how many rows it holds."""
    from skill_factory.sources.demo.rows import write_demo

    rows = write_demo(args.out, args.questions, args.seed)
    told = {"path": args.out, "rows": rows, "questions": args.questions, "seed": args.seed}
    words = f"{rows:,} synthetic rows for {args.questions:,} questions in {args.out}"
    tell(told) if args.json else print(plain(words))
    return 0
