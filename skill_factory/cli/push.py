"""The command `push`: publish a build folder or a raw set on the Hub."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.cli.asking import agreed, say
from skill_factory.cli.output import JSON, plain
from skill_factory.errors import HubError
from skill_factory.whole_files import write_whole

if TYPE_CHECKING:
    from skill_factory.publish.plan import PushPlan
    from skill_factory.publish.push import PushResult, PushStep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.description = "Publish what `build` or `generate` made on the Hub, in one commit. The token is HF_TOKEN or the stored login."
    parser.add_argument(
        "folder",
        metavar="DIR",
        help="a finished build folder, a raw set that `generate` made, or a report of `measure`",
    )
    parser.add_argument("repo", metavar="USER/NAME", help="the dataset to publish it as")
    parser.add_argument(
        "--mode",
        choices=("new", "pr", "replace"),
        default="new",
        help="if there is a dataset already: refuse (default), propose a pull request, or replace it",
    )
    parser.add_argument("--public", action="store_true", help="visible to everybody; default: private")
    parser.add_argument("--yes", action="store_true", help="don't ask before replacing")
    parser.add_argument(
        "--card", default="", metavar="FILE", help="a card to publish instead of the folder's README.md"
    )
    parser.add_argument(
        "--parent",
        default="",
        metavar="COMMIT",
        help="publish only if this is still the dataset's newest commit",
    )
    parser.add_argument("--json", action="store_true", help=JSON)
    parser.add_argument(
        "--progress",
        default="",
        metavar="FILE",
        help="write the progress to this file instead of standard error",
    )


def run(args: argparse.Namespace) -> int:
    """Plan, show, ask before replacing, publish. Exit code 0 when the dataset is published, 1 if the answer was no."""
    from skill_factory.hub.client import stored_token
    from skill_factory.publish.plan import Mode
    from skill_factory.publish.push import push

    token = stored_token()
    plan = _plan(args, token)
    show = _noted_in(Path(args.progress)) if args.progress else _show_step
    if not args.progress:
        # The plan is shown also with --yes: it is the only record of what was replaced.
        say(plan.lines())
    if (
        plan.mode is Mode.REPLACE
        and plan.before
        and not plan.unchanged
        # Only replacing destroys something; a new repository or a pull request needs no question.
        and not (args.yes or _agreed_to_replace(plan.repo))
    ):
        say(["Nothing was changed."])
        return 1
    result = push(plan, str(token), show)
    if not args.progress:
        # Those of the plan were shown before it began.
        say([f"Warning: {warning}" for warning in result.warnings if warning not in plan.warnings])
    summary = {
        "url": result.url,
        "commit": result.commit,
        "unchanged": result.unchanged,
        "tag": result.tag,
        "pull_request": result.pull_request,
        "warnings": list(result.warnings),
    }
    if args.json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        print(plain(_outcome(plan, result)))
    return 0


def _plan(args: argparse.Namespace, token: str | None) -> "PushPlan":
    """What the push will change. Errors: HubError if it isn't possible."""
    from skill_factory.hub.errors import HubConflict
    from skill_factory.publish.files import with_card
    from skill_factory.publish.plan import Mode, plan_push
    from skill_factory.publish.raw_set import read_folder

    build = read_folder(Path(args.folder))
    if args.card:
        build = with_card(build, _bytes_of(args.card))
    plan = plan_push(Path(args.folder), args.repo, Mode(args.mode), token, public=args.public, build=build)
    # Before anything is shown or asked: a yes to something impossible helps nobody.
    if plan.refusal:
        raise HubError(plan.refusal)
    # The app shows a plan in one process and pushes in another: what was agreed to is this commit.
    if args.parent and plan.parent != args.parent and not plan.unchanged:
        raise HubConflict(
            f"{plan.repo} has changed since you looked at it. Nothing of yours was published. "
            "Look at the difference again, then decide."
        )
    return plan


def _bytes_of(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise HubError(f"The card {path} can't be read: {error.strerror}. Nothing was published.") from None


def _outcome(plan: "PushPlan", result: "PushResult") -> str:
    from skill_factory.publish.files import BUILD, RAW

    if result.unchanged:
        return (
            f"Unchanged: {result.url} already holds this {plan.build.kind.name} (commit {result.commit[:8]})."
        )
    if result.pull_request:
        return f"Proposed: {result.pull_request}"
    tag = f", tag {result.tag}" if result.tag else ""
    use = (
        f"Build from it: python -m skill_factory build {plan.repo} --out DIR"
        if plan.build.kind is RAW
        else f"Load it: load_dataset({plan.repo!r}, {plan.build.data_folder!r})"
        if plan.build.kind is BUILD
        else f"Load it: load_dataset({plan.repo!r})"
    )
    return f"Published: {result.url} (commit {result.commit[:8]}{tag})\n{use}"


def _agreed_to_replace(repo: str) -> bool:
    return agreed(f"Replace the data in {repo}?", f"Replacing the data in {repo}")


def _show_step(step: Any) -> None:
    share = f"{step.done / step.total:4.0%}" if step.total else "100%"
    say([f"  {share}  {step.what}"])


def _noted_in(path: Path) -> Callable[["PushStep"], None]:
    """A callback that keeps the last step in a file, which is whole at every moment."""

    def note(step: "PushStep") -> None:
        # Written whole each time: the page may read it at any moment.
        write_whole(path, json.dumps(asdict(step), ensure_ascii=False))

    return note
