"""The command `space`: run this app as your own Space on the Hub."""

import argparse
import json
from pathlib import Path

from skill_factory.cli.output import JSON, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = (
        "Create a Space from this checkout, or update it. Docker Spaces need a paid plan of the Hub."
    )
    parser.add_argument("repo", metavar="USER/NAME", help="the name of the Space")
    parser.add_argument("--public", action="store_true", help="visible to everybody; default: private")
    parser.add_argument(
        "--bucket", default="", metavar="USER/NAME", help="a storage bucket to mount; default: none"
    )
    parser.add_argument("--json", action="store_true", help=JSON)


def run(args: argparse.Namespace) -> int:
    """Create or update the Space from the checkout that holds this package."""
    from skill_factory.hub.client import stored_token
    from skill_factory.publish.space import create_space

    # A Space is made from a checkout: an installed package has no Dockerfile beside it.
    root = Path(__file__).parents[2]
    done = create_space(args.repo, root, stored_token(), public=args.public, bucket=args.bucket)
    summary = {"url": done.url, "commit": done.commit, "created": done.created, "unchanged": done.unchanged}
    what = "Created" if done.created else "Unchanged" if done.unchanged else "Updated"
    say(json.dumps(summary) if args.json else f"{what}: {done.url}")
    return 0
