"""Publish a build folder or a raw set: one commit with everything in it, or the repository stays as it was.

The client library doesn't retry a commit, and a commit whose answer got lost may have gone through all the same. So each
attempt is guarded by the commit that it was planned on, and before another attempt the repository is looked at again: a
commit that went through then shows as "already holds exactly this".
"""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from skill_factory.errors import HubError
from skill_factory.hub.client import client, web_address
from skill_factory.hub.errors import (
    HubConflict,
    Wait,
    explain,
    patiently,
    pause_after,
    plainly,
    status_of,
    trouble,
)
from skill_factory.hub.look import list_files
from skill_factory.publish.plan import Mode, PushPlan, plan_push
from skill_factory.publish.sending import PushStep, ReportStep, sent

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["PushResult", "PushStep", "ReportStep", "push"]

ATTEMPTS = 5


@dataclass(frozen=True)
class PushResult:
    """Where the dataset is now: its commit, and its tag or pull request ("" for none)."""

    url: str
    commit: str
    unchanged: bool
    tag: str = ""
    pull_request: str = ""
    warnings: tuple[str, ...] = ()


def push(
    plan: PushPlan, token: str, progress: ReportStep = lambda _: None, wait: Wait = time.sleep
) -> PushResult:
    """Carry out a plan: everything in one commit, or nothing.

    Errors: HubConflict if the repository holds, or has got in the meantime, other data than the plan was made on;
    SignInNeeded for a refused token; HubError otherwise. After any of them, or after a kill, this can be called again.
    """
    _check(plan)
    hub = client(token, plan.endpoint)
    if plan.unchanged:
        return _unchanged(hub, plan, wait)
    # Created empty first: a commit needs a repository, and its first commit is what the plan is then guarded by.
    if plan.creates:
        plan = _create(hub, plan, token, wait)
    # A pull request whose answer got lost can only be recognised by not having been there before.
    known_prs = _pull_requests(hub, plan)
    for attempt in range(ATTEMPTS):
        try:
            return _finish(hub, plan, *_commit(hub, plan, progress), wait=wait)
        except trouble() as error:
            pause = _pause(error, attempt)
            if pause is None or attempt == ATTEMPTS - 1:
                raise explain(error, plan.repo, True) from error
            wait(pause)
        if landed := _landed_pull_request(hub, plan, token, known_prs):
            return _finish(hub, plan, *landed, wait=wait)
        # The other commit may have been our own: then there is nothing left to send.
        plan = _plan_again(plan, token)
        if plan.unchanged:
            return _finish(hub, plan, str(plan.parent), "", wait=wait)
    raise HubError(f"Publishing to {plan.repo} failed {ATTEMPTS} times. Try again later.")


def _check(plan: PushPlan) -> None:
    if plan.refusal:
        raise HubConflict(plan.refusal)


def _create(hub: "HfApi", plan: PushPlan, token: str, wait: Wait) -> PushPlan:
    """Create the empty repository, and plan again on its first commit: another publisher may have been faster."""
    visibility: Any = "public" if plan.public else "private"
    with plainly(plan.repo, token):
        patiently(
            # `exist_ok`: if the answer to the first try got lost, the second finds what it has created.
            lambda: hub.create_repo(plan.repo, repo_type="dataset", visibility=visibility, exist_ok=True),
            wait,
        )
    again = _plan_again(plan, token)
    _check(again)
    return again


def _plan_again(plan: PushPlan, token: str) -> PushPlan:
    """The same plan for what the repository holds now. Errors: HubConflict if that isn't what the user agreed to replace."""
    again = plan_push(
        plan.build.folder,
        plan.repo,
        plan.mode,
        token,
        public=plan.public,
        endpoint=plan.endpoint,
        build=plan.build,
    )
    _check(again)
    # The data files, not the commit: an edit of the card in between changes nothing that was agreed to.
    if plan.mode is Mode.REPLACE and not again.unchanged and again.theirs != plan.theirs:
        raise HubConflict(
            f"Somebody else published to {plan.repo} at the same moment, and their data is there now. "
            "Nothing of yours was published. Look at the difference again, then decide."
        )
    return again


def _pause(error: Exception, attempt: int) -> float | None:
    # 409 and 412: somebody else's commit came first, so a look is enough and no long wait.
    return 0.5 * 2**attempt if status_of(error) in (409, 412) else pause_after(error, attempt)


def _commit(hub: "HfApi", plan: PushPlan, progress: ReportStep) -> tuple[str, str]:
    """Send the contents, then the one commit; returns its id, and the address of its pull request."""
    from huggingface_hub import CommitOperationDelete

    proposed = plan.mode is Mode.PR
    operations: list[Any] = list(sent(hub, plan, progress))
    # Deletions belong to the same commit: old shards beside new ones would be read as one dataset.
    operations += [CommitOperationDelete(path, is_folder=False) for path in plan.delete]
    total = sum(file.size for file in plan.upload)
    progress(PushStep("one commit with everything", total, total))
    try:
        commit = hub.create_commit(
            plan.repo,
            operations,
            commit_message=plan.title,
            repo_type="dataset",
            parent_commit=plan.parent,
            create_pr=proposed,
        )
    # How the library reports front matter that the Hub refuses.
    except ValueError as error:
        raise HubError(f"The Hub didn't accept the card of {plan.repo}: {error}") from error
    return str(commit.oid), str(commit.pr_url or "")


# after a lost answer


def _pull_requests(hub: "HfApi", plan: PushPlan) -> set[str]:
    """The names of all pull requests, so that a new one can be recognised."""
    if plan.mode is not Mode.PR:
        return set()
    with plainly(plan.repo, str(hub.token)):
        refs = patiently(
            lambda: hub.list_repo_refs(plan.repo, repo_type="dataset", include_pull_requests=True)
        )
    return {ref.ref for ref in refs.pull_requests or []}


def _landed_pull_request(hub: "HfApi", plan: PushPlan, token: str, known: set[str]) -> tuple[str, str] | None:
    """Commit and address of a pull request that appeared in the meantime and holds exactly this."""
    for ref in sorted(_pull_requests(hub, plan) - known):
        info, files = list_files(plan.repo, token, ref, plan.endpoint)
        there = {file.path: file for file in files}
        # By content, since the pull request of somebody else may have come in the same moment.
        if all(file.same_as(there.get(file.path)) for file in plan.upload) and not {*plan.delete} & {*there}:
            page = f"{web_address(plan.repo, endpoint=plan.endpoint)}/discussions/{ref.rsplit('/', 1)[-1]}"
            return str(info.sha), page
    return None


# the end


def _finish(hub: "HfApi", plan: PushPlan, commit: str, pull_request: str, *, wait: Wait) -> PushResult:
    url = web_address(plan.repo, endpoint=plan.endpoint)
    done = PushResult(url, commit, False, "", pull_request, plan.warnings)
    return done if plan.mode is Mode.PR else _tag(hub, plan, done, wait)


def _unchanged(hub: "HfApi", plan: PushPlan, wait: Wait) -> PushResult:
    """The result if there is nothing to send; adds the tag if an earlier push was killed before it could."""
    done = PushResult(
        web_address(plan.repo, endpoint=plan.endpoint), str(plan.parent), True, warnings=plan.warnings
    )
    with plainly(plan.repo, str(hub.token)):
        tags = patiently(lambda: hub.list_repo_refs(plan.repo, repo_type="dataset").tags, wait)
    name = _tag_name(plan)
    # Any tag of this fingerprint will do; a numbered one stands for the same data.
    known = any(tag.name.startswith(name) for tag in tags)
    return replace(done, tag=name) if known or plan.mode is Mode.PR else _tag(hub, plan, done, wait)


def _tag_name(plan: PushPlan) -> str:
    return plan.build.mark


def _tag(hub: "HfApi", plan: PushPlan, done: PushResult, wait: Wait) -> PushResult:
    """Tag the commit with the fingerprint. The data is already published, so a failure here is only a warning."""
    name = _tag_name(plan)
    # The same recipe may be published again after something else; a tag can't be moved.
    for tag in (name, *(f"{name}-{number}" for number in range(2, 10))):
        try:
            patiently(lambda tag=tag: _make_tag(hub, plan.repo, tag, done.commit), wait)  # type: ignore[misc]
            return replace(done, tag=tag)
        except trouble() as error:
            if status_of(error) != 409:
                # Not an error: whoever reads that publishing failed would publish again.
                warning = f"The dataset is published, but it couldn't be tagged {tag}: {explain(error, plan.repo, True)}"
                return replace(done, warnings=(*done.warnings, warning))
    return replace(done, warnings=(*done.warnings, f"Not tagged: {name} and its successors are taken."))


def _make_tag(hub: "HfApi", repo: str, tag: str, commit: str) -> None:
    hub.create_tag(repo, tag=tag, revision=commit, repo_type="dataset")
