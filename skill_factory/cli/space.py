"""The command `space`: run this app as a Space of your own."""

import argparse
import json
from pathlib import Path

from skill_factory.cli.output import JSON, say


def add_arguments(made: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    made.description = (
        "Create a Space from this checkout, or bring it up to date. Docker Spaces need a paid plan."
    )
    made.add_argument("repo", metavar="USER/NAME", help="the Space")
    made.add_argument("--public", action="store_true", help="visible to everybody; default: private")
    made.add_argument(
        "--bucket", default="", metavar="USER/NAME", help="storage bucket to mount; default: none"
    )
    made.add_argument("--json", action="store_true", help=JSON)


def run(args: argparse.Namespace) -> int:
    """Create or update the Space from the checkout that this package lies in."""
    from skill_factory.hub.client import stored_token
    from skill_factory.publish.space import create_space

    root = Path(__file__).parents[2]
    done = create_space(args.repo, root, stored_token(), public=args.public, bucket=args.bucket)
    told = {"url": done.url, "commit": done.commit, "created": done.created, "unchanged": done.unchanged}
    what = "Created" if done.created else "Unchanged" if done.unchanged else "Updated"
    say(json.dumps(told) if args.json else f"{what}: {done.url}")
    return 0
