"""What publishing a build folder or a raw set would change on the Hub: looked at first, shown, and only then done (`publish.py`).

A plan is plain data. It is made from the folder and from one commit of the repository, and it is made anew when the
repository has moved on; so it also tells whether an earlier attempt, whose answer got lost, has landed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from skill_factory.hub.client import check_name
from skill_factory.hub.errors import NotOnHub, SignInNeeded
from skill_factory.hub.layout import data_files
from skill_factory.hub.look import RepoLook, look
from skill_factory.publish.card import is_ours, merge_card, name_card, name_dataset_info
from skill_factory.publish.files import (
    KINDS,
    LocalBuild,
    LocalFile,
    local_file,
    rows_text,
    some,
)
from skill_factory.publish.raw_set import read_folder
from skill_factory.wording import file_size, many

STALE_NOTES = ("dataset_infos.json",)
"""Files of older libraries that would force the columns of the data that was there before."""


class Mode(StrEnum):
    """What to do with a repository that holds a data set already."""

    NEW = "new"
    """Refuse it."""
    PR = "pr"
    """Propose the change as a pull request; the repository stays as it is."""
    REPLACE = "replace"
    """Put the build in its place; its history keeps the old state."""


@dataclass(frozen=True)
class Shape:
    """Rows (None where not known) and columns of the data on one side."""

    rows: int | None
    columns: Mapping[str, str]


@dataclass(frozen=True)
class PushPlan:
    """What a push would do to one commit of a repository (`parent`; None while there is no repository)."""

    repo: str
    mode: Mode
    public: bool
    endpoint: str | None
    build: LocalBuild
    parent: str | None
    upload: tuple[LocalFile, ...]
    """Files that are new or differ."""
    delete: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    same: tuple[str, ...]
    before: Shape | None
    """The data there now; None when there are none."""
    theirs: Mapping[str, str] = field(default_factory=dict)
    """Ids of the data files there now: what somebody agreed to replace."""
    refusal: str = ""
    """Why this can't be done; empty when it can."""
    warnings: tuple[str, ...] = ()

    @property
    def creates(self) -> bool:
        return self.parent is None

    @property
    def unchanged(self) -> bool:
        """The repository holds exactly this already."""
        return not self.creates and not self.upload and not self.delete

    @property
    def title(self) -> str:
        kind = self.build.kind
        return f"Publish {many(self.build.rows, kind.noun)} ({kind.mark} {self.build.fingerprint[:12]})"

    def lines(self) -> list[str]:
        """The plan for a person, a sentence a line."""
        if self.unchanged:
            return [f"{self.repo} holds exactly this {self.build.kind.name} already; nothing would change."]
        return [*self._headlines(), *_column_lines(self), *self.warnings]

    def _headlines(self) -> list[str]:
        now = many(self.build.rows, "row")
        size = sum(file.size for file in self.upload)
        sends = f"{many(len(self.upload), 'file')} to send ({file_size(size)})"
        if self.creates:
            seen = "public" if self.public else "private"
            return [f"{self.repo} will be created ({seen}) with {now}.", f"{sends}."]
        was = "no data yet" if self.before is None else f"{rows_text(self.before.rows)} now"
        verb = "proposed as a pull request" if self.mode is Mode.PR else "put in place"
        changes = f"{len(self.added)} new, {len(self.changed)} changed, {len(self.delete)} deleted, {len(self.same)} kept"
        return [f"{self.repo} has {was}; {now} will be {verb}.", f"{sends}: {changes}."]


def plan_push(
    folder: Path,
    repo: str,
    mode: Mode = Mode.NEW,
    token: str | None = None,
    *,
    public: bool = False,
    endpoint: str | None = None,
    build: LocalBuild | None = None,
) -> PushPlan:
    """Look at the folder and at the repository, and say what a push would change; nothing is written.

    `build` is the folder as `read_folder` gave it, to save reading it twice. A plan that can't be carried out has a
    `refusal`. Errors: HubError (no token, bad name, unreachable, an unfinished folder).
    """
    check_name(repo)
    if not token:
        raise SignInNeeded("Publishing needs an account. Sign in, set HF_TOKEN, or run `hf auth login`.")
    build = build or read_folder(folder)
    try:
        remote = look(repo, token, endpoint=endpoint)
    except NotOnHub:
        return _plan_for_nothing(build, repo, mode, public, endpoint)
    return _plan_for(build, remote, mode, public, endpoint)


def _plan_for_nothing(
    build: LocalBuild, repo: str, mode: Mode, public: bool, endpoint: str | None
) -> PushPlan:
    files = named_files(build, repo, "", {})
    refusal = (
        f"There is no data set {repo} to propose a change to. Publish it as a new one."
        if mode is Mode.PR
        else ""
    )
    paths = tuple(file.path for file in files)
    return PushPlan(
        repo,
        mode,
        public,
        endpoint,
        build,
        None,
        files,
        (),
        paths,
        (),
        (),
        None,
        {},
        refusal,
        _warnings(build, ""),
    )


def _plan_for(
    build: LocalBuild, remote: RepoLook, mode: Mode, public: bool, endpoint: str | None
) -> PushPlan:
    there = {file.path: file for file in remote.files}
    stale = stale_files(build, remote)
    kept = {path: file.size for path, file in there.items() if path not in stale}
    files = named_files(build, remote.repo, remote.card, kept)
    upload = tuple(file for file in files if not file.same_as(there.get(file.path)))
    private = "It stays private: an existing repository's visibility is changed in its settings only."
    data = data_files(there)
    plan = PushPlan(
        repo=remote.repo,
        mode=mode,
        public=public,
        endpoint=endpoint,
        build=build,
        parent=remote.commit,
        upload=upload,
        delete=stale,
        added=tuple(file.path for file in upload if file.path not in there),
        changed=tuple(file.path for file in upload if file.path in there),
        same=tuple(file.path for file in files if file not in upload),
        before=_shape(remote) if data else None,
        theirs={path: there[path].oid for path in data},
        warnings=_warnings(build, private if public and remote.private else ""),
    )
    return plan if plan.unchanged or mode is not Mode.NEW or not data else _refused(plan, remote)


def _refused(plan: PushPlan, remote: RepoLook) -> PushPlan:
    holds = "; ".join(
        f"subset {c.name}: {rows_text(c.rows)}, columns {some(list(c.columns))}" for c in remote.configs
    )
    said = (
        f"{plan.repo} already holds another data set ({holds or some(list(plan.theirs))}). Nothing was changed. "
        "Choose another name, or replace it (--mode replace), or propose this as a pull request (--mode pr)."
    )
    return replace(plan, refusal=said)


def stale_files(build: LocalBuild, remote: RepoLook) -> tuple[str, ...]:
    """Files that must go with the commit, or old data would be read along with the new.

    In a data set of this kind that we published: all shards of our subset that the build doesn't write; what the owner
    put beside it stays. In any other: all its data, because this build takes its place. Never a file that is no data,
    but for our own texts about a raw set where a build is now, and the other way round.
    """
    there = {file.path for file in remote.files}
    ours = is_ours(remote.card)
    others = [kind for kind in KINDS if kind is not build.kind]
    same = ours and (build.kind.sign in there or not any(kind.sign in there for kind in others))
    folder = f"{build.data_folder}/"
    gone = [path for path in data_files(there) if not same or path.startswith(folder)]
    texts = [name for kind in others for name in kind.texts]
    notes = [*STALE_NOTES, *(texts if ours and not same else ())]
    written = {file.path for file in build.files}
    return tuple(path for path in (*gone, *sorted(there.intersection(notes))) if path not in written)


def named_files(build: LocalBuild, repo: str, card: str, kept: Mapping[str, int]) -> tuple[LocalFile, ...]:
    """The build's files with the repository's name in the two texts that have a place for it, the card merged."""
    sizes = {**kept, **{file.path: file.size for file in build.files}}
    texts = {
        file.path: file.content for file in build.files if file.path in ("README.md", "dataset_info.json")
    }
    readme = merge_card(name_card(_text(texts["README.md"]), repo), card, sizes)
    rewritten = {"README.md": readme}
    if "dataset_info.json" in texts:
        rewritten["dataset_info.json"] = name_dataset_info(_text(texts["dataset_info.json"]), repo)
    return tuple(
        local_file(f.path, rewritten[f.path].encode()) if f.path in rewritten else f for f in build.files
    )


def _text(content: Path | bytes) -> str:
    return content.decode("utf-8") if isinstance(content, bytes) else content.read_text("utf-8")


# words


def _shape(remote: RepoLook) -> Shape:
    config = remote.config()
    known = [one.rows for one in remote.configs]
    rows = None if any(one is None for one in known) else sum(one for one in known if one is not None)
    return Shape(rows, config.columns if config else {})


def _warnings(build: LocalBuild, more: str) -> tuple[str, ...]:
    left = (
        f"Not published, because they are no part of the {build.kind.name}: {some(list(build.left_out))}."
        if build.left_out
        else ""
    )
    return tuple(text for text in (left, more, *build.notes) if text)


def _column_lines(plan: PushPlan) -> list[str]:
    if plan.before is None:
        return []
    old, new = plan.before.columns, plan.build.columns
    gained, lost = [c for c in new if c not in old], [c for c in old if c not in new]
    other = [c for c in new if c in old and old[c] != new[c]]
    said = {"New columns": gained, "Columns that go": lost, "Columns of another type": other}
    return [f"{what}: {some(names)}." for what, names in said.items() if names]
