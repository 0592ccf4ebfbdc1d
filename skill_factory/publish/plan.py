"""What publishing a folder would change on the Hub: planned first, then shown, and only then done (`push.py`).

A plan is plain data, made from the folder and from one commit of the repository. When the repository has moved on, the
plan is made again; so it also shows whether an earlier push, whose answer got lost, has gone through.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from skill_factory.build.owned import HELD_OUT
from skill_factory.hub.client import check_name
from skill_factory.hub.errors import NotOnHub, SignInNeeded
from skill_factory.hub.file_patterns import data_files
from skill_factory.hub.look import RepoLook, look
from skill_factory.publish.card import holds_out, is_ours, merge_card, name_card, name_dataset_info
from skill_factory.publish.changed import changed_section, with_section
from skill_factory.publish.files import (
    KINDS,
    SUITE,
    LocalBuild,
    LocalFile,
    first_names,
    local_file,
    rows_text,
)
from skill_factory.publish.pictures import show_pictures, with_pictures
from skill_factory.publish.push_plan import Mode, PushPlan, Shape
from skill_factory.publish.raw_set import read_folder
from skill_factory.suites.desk import ARMS, RUN

__all__ = ["Mode", "PushPlan", "Shape", "named_files", "plan_push", "stale_files"]

STALE_NOTES = ("dataset_infos.json",)
"""Files of older libraries that would force the columns of the old data on the new."""


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
    """Compare the folder with the repository, and say what a push would change; nothing is written.

    `build` is the folder as `read_folder` returned it, to avoid reading it twice. A plan that can't be carried out has a
    `refusal`. Errors: HubError (no token, a bad name, an unreachable Hub, an unfinished folder).
    """
    check_name(repo)
    if not token:
        raise SignInNeeded("Publishing needs an account. Sign in, set HF_TOKEN, or run `hf auth login`.")
    # Before the Hub is asked: an unfinished folder needs no network to be told.
    build = with_pictures(build or read_folder(folder))
    try:
        remote = look(repo, token, endpoint=endpoint)
    except NotOnHub:
        # Not an error: that is how every first push begins.
        return _plan_for_nothing(build, repo, mode, public, endpoint)
    section = changed_section(build, remote, token, endpoint)
    return _plan_for(build, remote, mode, public, endpoint, section)


def _plan_for_nothing(
    build: LocalBuild, repo: str, mode: Mode, public: bool, endpoint: str | None
) -> PushPlan:
    files = named_files(build, repo, "", {}, endpoint)
    refusal = (
        f"There is no dataset {repo} to propose a change to. Publish a new one instead."
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
    build: LocalBuild, remote: RepoLook, mode: Mode, public: bool, endpoint: str | None, section: str
) -> PushPlan:
    # Ids are compared, never contents: a plan costs a listing, however large the data is.
    there = {file.path: file for file in remote.files}
    stale = stale_files(build, remote)
    # The card is merged with what will be there after the commit, so stale files don't count.
    kept = {path: file.size for path, file in there.items() if path not in stale}
    files = named_files(build, remote.repo, remote.card, kept, endpoint, section)
    upload = tuple(file for file in files if not file.same_as(there.get(file.path)))
    private = (
        "It stays private: the visibility of an existing repository can only be changed in its settings."
    )
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
        f"subset {c.name}: {rows_text(c.rows)}, columns {first_names(list(c.columns))}"
        for c in remote.configs
    )
    reason = (
        f"{plan.repo} already holds another dataset ({holds or first_names(list(plan.theirs))}). Nothing was changed. "
        "Choose another name, replace the data (--mode replace), or propose yours as a pull request (--mode pr)."
    )
    return replace(plan, refusal=reason)


def stale_files(build: LocalBuild, remote: RepoLook) -> tuple[str, ...]:
    """Files that the commit must delete, or old data would be read together with the new.

    In a dataset of this kind that we published: the shards of our subset that the build doesn't write; whatever the owner
    put beside them stays. In any other dataset: all of its data, because this build replaces it. Files other than data
    are never deleted, except our own texts about a raw set where a build is published now, and the other way round.
    """
    there = {file.path for file in remote.files}
    ours = is_ours(remote.card)
    others = [kind for kind in KINDS if kind is not build.kind]
    # A build published over a raw set of ours is another kind of dataset, so nothing of the old one may stay.
    same = ours and (build.kind.sign in there or not any(kind.sign in there for kind in others))
    folders = [f"{build.data_folder}/"]
    if holds_out(remote.card):
        # What an earlier build held out may be among the traces of this one.
        folders.append(f"{HELD_OUT}/")
    # In a dataset of the same kind other subsets are the owner's, and stay.
    gone = [path for path in data_files(there) if not same or path.startswith(tuple(folders))]
    texts = [name for kind in others for name in kind.texts]
    notes = [*STALE_NOTES, *(texts if ours and not same else ())]
    notes += arm_texts(there) if ours and SUITE.sign in there else []
    written = {file.path for file in build.files}
    stale = dict.fromkeys((*gone, *sorted(there.intersection(notes))))
    return tuple(path for path in stale if path not in written)


def arm_texts(there: Collection[str]) -> list[str]:
    """Texts and scripts of the arms of a suite: they go with the arm's shards, or with the whole suite."""
    arms = {
        path.split("/")[1] for path in there if path.startswith(f"{ARMS}/") and path.endswith("/recipe.toml")
    }
    return [
        path
        for path in there
        for folder, _, name in [path.partition("/")]
        if (folder == ARMS and name.endswith(("/recipe.toml", "/report.json")))
        or (folder == RUN and path.endswith(".sh") and name.rsplit(".", 2)[0] in arms)
    ]


def named_files(
    build: LocalBuild,
    repo: str,
    card: str,
    kept: Mapping[str, int],
    endpoint: str | None = None,
    section: str = "",
) -> tuple[LocalFile, ...]:
    """The build's files, with the repository's name in the two texts that mention it, and the card with a section merged."""
    sizes = {**kept, **{file.path: file.size for file in build.files}}
    texts = {
        file.path: file.content for file in build.files if file.path in ("README.md", "dataset_info.json")
    }
    # Named first, then merged: the merged card must not hold the placeholder either.
    named = show_pictures(name_card(_text(texts["README.md"]), repo), build, repo, endpoint)
    readme = merge_card(with_section(named, section), card, sizes)
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
    known = [subset.rows for subset in remote.configs]
    rows = (
        None
        if any(subset is None for subset in known)
        # One subset without a count makes the total unknown; a partial sum would look exact.
        else sum(subset for subset in known if subset is not None)
    )
    return Shape(rows, config.columns if config else {})


def _warnings(build: LocalBuild, more: str) -> tuple[str, ...]:
    left = (
        f"Not published, because they don't belong to the {build.kind.name}: {first_names(list(build.left_out))}."
        if build.left_out
        else ""
    )
    return tuple(text for text in (left, more, *build.notes) if text)
