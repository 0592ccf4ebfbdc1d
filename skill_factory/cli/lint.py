"""The command `lint`: check traces, ours or not."""

import argparse
from pathlib import Path

from skill_factory.cli.output import JSON, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("path", help="a file or folder of traces")
    parser.add_argument("--json", action="store_true", help=JSON)


def run(args: argparse.Namespace) -> int:
    """Check, and print what was found; the exit code is 1 if anything was."""
    from skill_factory.cli.output import show_lint
    from skill_factory.traces.lint import lint_path

    report = lint_path(Path(args.path))
    tell(report.to_json()) if args.json else show_lint(report)
    # As other linters do, so that it can stop a script or a CI run.
    return 1 if report.findings else 0
