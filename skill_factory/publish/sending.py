"""The contents of files go up, group by group; the Hub shows none of them before the commit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skill_factory.errors import HubError
from skill_factory.publish.files import LocalFile
from skill_factory.publish.push_plan import Mode, PushPlan

if TYPE_CHECKING:
    from huggingface_hub import HfApi

GROUPS = 20
"""Shards are sent in about this many groups at most, since each group costs requests; few files go one by one."""


@dataclass(frozen=True)
class PushStep:
    """How far a push is: `done` of `total` bytes are sent; `what` names the step or the file that was just sent."""

    what: str
    done: int
    total: int


ReportStep = Callable[[PushStep], None]


def sent(hub: "HfApi", plan: PushPlan, progress: ReportStep) -> Iterable[Any]:
    """Upload the contents of all files, group by group; the Hub shows none of them before the commit."""
    from huggingface_hub import CommitOperationAdd

    done, total = 0, sum(file.size for file in plan.upload)
    # In groups, so that progress moves and a broken connection repeats one group only.
    for group in groups(plan.upload):
        operations = [CommitOperationAdd(file.path, _content(file)) for file in group]
        hub.preupload_lfs_files(
            plan.repo, operations, repo_type="dataset", create_pr=plan.mode is Mode.PR, free_memory=False
        )
        for file in group:
            done += file.size
            progress(PushStep(file.path, done, total))
        yield from operations


def _content(file: LocalFile) -> str | bytes:
    """The content in the form that the library takes. Errors: HubError if the file has changed since the plan was made."""
    if isinstance(file.content, bytes):
        return file.content
    # By its size alone: reading all files again would take as long as sending them.
    if not file.content.is_file() or file.content.stat().st_size != file.size:
        raise HubError(
            f"{file.content} has changed since the plan was made. Nothing was published; try again."
        )
    return str(file.content)


def groups(files: Sequence[LocalFile]) -> list[Sequence[LocalFile]]:
    """The files in groups of about the same size; one file each if there are few."""
    # Rounded up, so that there are never more than GROUPS.
    step = max(1, -(-len(files) // GROUPS))
    return [files[start : start + step] for start in range(0, len(files), step)]
