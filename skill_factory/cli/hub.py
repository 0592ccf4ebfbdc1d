"""The commands that talk to the Hub: `push` a build folder or a raw set, make the app a `space`."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_factory.errors import HubError

if TYPE_CHECKING:
    from skill_factory.publish.plan import PushPlan
    from skill_factory.publish.push import PushResult, PushStep
    from skill_factory.recipe.model import Recipe


def add_arguments(commands: Any) -> None:
    """Add `push` and `space` to the commands of the command line."""
    _push_arguments(commands)
    _space_arguments(commands)


def _push_arguments(commands: Any) -> None:
    made = commands.add_parser(
        "push",
        help="publish a build folder or a raw set on the Hub",
        description="Publish what `build` or `generate` made on the Hub, in one commit. The token is HF_TOKEN or the stored login.",
    )
    made.add_argument(
        "folder", metavar="DIR", help="a finished build folder, or a raw set that `generate` made"
    )
    made.add_argument("repo", metavar="USER/NAME", help="the data set to publish it as")
    made.add_argument(
        "--mode",
        choices=("new", "pr", "replace"),
        default="new",
        help="where a data set is already: refuse (default), propose a pull request, or put this in its place",
    )
    made.add_argument("--public", action="store_true", help="visible to everybody; default: private")
    made.add_argument("--yes", action="store_true", help="don't ask before replacing")
    made.add_argument(
        "--card", default="", metavar="FILE", help="a card to publish instead of the folder's README.md"
    )
    made.add_argument(
        "--parent", default="", metavar="COMMIT", help="only while this is the data set's newest commit"
    )
    made.add_argument(
        "--json", action="store_true", help="one JSON object on standard output and nothing else there"
    )
    made.add_argument(
        "--progress", default="", metavar="FILE", help="say in this file how far it is, not on standard error"
    )
    made.set_defaults(run=run_push)


def _space_arguments(commands: Any) -> None:
    made = commands.add_parser(
        "space",
        help="run this app as a Space of your own",
        description="Create a Space from this checkout, or bring it up to date. Docker Spaces need a paid plan.",
    )
    made.add_argument("repo", metavar="USER/NAME", help="the Space")
    made.add_argument("--public", action="store_true", help="visible to everybody; default: private")
    made.add_argument(
        "--bucket", default="", metavar="USER/NAME", help="storage bucket to mount; default: none"
    )
    made.add_argument(
        "--json", action="store_true", help="one JSON object on standard output and nothing else there"
    )
    made.set_defaults(run=run_space)


def run_push(args: argparse.Namespace) -> int:
    """Plan, show, ask where something is replaced, publish. 0 when the data set is there, 1 when the answer was no."""
    from skill_factory.hub.client import stored_token
    from skill_factory.publish.plan import Mode
    from skill_factory.publish.push import push

    token = stored_token()
    plan = _plan(args, token)
    show = _noted_in(Path(args.progress)) if args.progress else _show_step
    if not args.progress:
        _tell(plan.lines())
    if (
        plan.mode is Mode.REPLACE
        and plan.before
        and not plan.unchanged
        and not (args.yes or _agreed_to_replace(plan.repo))
    ):
        _tell(["Nothing was changed."])
        return 1
    result = push(plan, str(token), show)
    if not args.progress:
        _tell([f"Warning: {warning}" for warning in result.warnings if warning not in plan.warnings])
    told = {
        "url": result.url, "commit": result.commit, "unchanged": result.unchanged, "tag": result.tag,
        "pull_request": result.pull_request, "warnings": list(result.warnings),
    }  # fmt: skip
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(_outcome(plan, result))
    return 0


def _plan(args: argparse.Namespace, token: str | None) -> "PushPlan":
    """What the push will change. Errors: HubError where that may not be."""
    from skill_factory.hub.errors import HubConflict
    from skill_factory.publish.files import with_card
    from skill_factory.publish.plan import Mode, plan_push
    from skill_factory.publish.raw_set import read_folder

    build = read_folder(Path(args.folder))
    if args.card:
        build = with_card(build, _bytes_of(args.card))
    plan = plan_push(Path(args.folder), args.repo, Mode(args.mode), token, public=args.public, build=build)
    if plan.refusal:
        raise HubError(plan.refusal)
    if args.parent and plan.parent != args.parent and not plan.unchanged:
        raise HubConflict(
            f"{plan.repo} has changed since it was looked at. Nothing of yours was put in. "
            "Look at the difference again, then decide."
        )
    return plan


def _bytes_of(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise HubError(f"The card {path} can't be read: {error.strerror}. Nothing was published.") from None


def _outcome(plan: "PushPlan", result: "PushResult") -> str:
    from skill_factory.publish.files import RAW

    if result.unchanged:
        return (
            f"Unchanged: {result.url} holds this {plan.build.kind.name} already (commit {result.commit[:8]})."
        )
    if result.pull_request:
        return f"Proposed: {result.pull_request}"
    tag = f", tag {result.tag}" if result.tag else ""
    use = (
        f"Build from it: python -m skill_factory build {plan.repo} --out DIR"
        if plan.build.kind is RAW
        else f"Load it: load_dataset({plan.repo!r}, {plan.build.data_folder!r})"
    )
    return f"Published: {result.url} (commit {result.commit[:8]}{tag})\n{use}"


def build_on_jobs(
    recipe: "Recipe",
    repo: str,
    *,
    source: str = "",
    mode: str = "new",
    public: bool = False,
    flavor: str = "",
    minutes: int = 60,
    yes: bool = False,
) -> int:
    """`build --on hf-jobs`: say the cost, ask, start the job, follow its log. 0 when it has published, 1 after a no."""
    from skill_factory.hub.client import stored_token
    from skill_factory.publish.hub_jobs import FLAVOR, cost_line, follow, job_source, machines, run_on_jobs
    from skill_factory.publish.plan import Mode

    token, asked = stored_token(), job_source(recipe, source)
    known = {machine.name: machine for machine in machines(token)}
    machine = known.get(flavor or FLAVOR)
    if machine is None:
        raise HubError(f"The Hub rents out no machine {flavor or FLAVOR!r}. Found: {', '.join(known)}.")
    _tell([f"A job will build from {asked} and publish to {repo}; it is stopped after {minutes} minutes."])
    _tell([cost_line(machine, minutes)])
    if not (yes or _agreed("Start it?", "A job costs money, so starting it")):
        _tell(["Nothing was started."])
        return 1
    job = run_on_jobs(
        recipe,
        repo,
        token,
        source=asked,
        mode=Mode(mode),
        public=public,
        flavor=machine.name,
        minutes=minutes,
    )
    _tell([f"Started: {job.url}"])
    for line in follow(job):
        _tell([line])
    return 0


def _agreed(question: str, what: str) -> bool:
    """The answer to the one question; without a terminal to ask at, an error that names the option."""
    if not sys.stdin.isatty():
        raise HubError(f"{what} needs a yes. Nothing was changed. Run again with --yes.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _agreed_to_replace(repo: str) -> bool:
    return _agreed(f"Replace the data in {repo}?", f"Replacing what is in {repo}")


def _show_step(step: Any) -> None:
    share = f"{step.done / step.total:4.0%}" if step.total else "100%"
    _tell([f"  {share}  {step.what}"])


def _noted_in(path: Path) -> Callable[["PushStep"], None]:
    """Keep the last step in a file, whole at every moment."""

    def note(step: "PushStep") -> None:
        whole = path.with_name(f"{path.name}.new")
        whole.write_text(json.dumps(asdict(step), ensure_ascii=False), encoding="utf-8")
        whole.replace(path)

    return note


def _tell(lines: list[str]) -> None:
    from skill_factory.cli.main import plain

    for line in lines:
        print(plain(line), file=sys.stderr, flush=True)


def run_space(args: argparse.Namespace) -> int:
    """Create or update the Space from the checkout that this package lies in."""
    from skill_factory.hub.client import stored_token
    from skill_factory.publish.space import create_space

    root = Path(__file__).parents[2]
    done = create_space(args.repo, root, stored_token(), public=args.public, bucket=args.bucket)
    told = {"url": done.url, "commit": done.commit, "created": done.created, "unchanged": done.unchanged}
    what = "Created" if done.created else "Unchanged" if done.unchanged else "Updated"
    print(json.dumps(told) if args.json else f"{what}: {done.url}")
    return 0
