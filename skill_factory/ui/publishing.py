"""Publish a finished build: where to, what is there, what would change, the card, one button."""

from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from skill_factory.errors import HubError
from skill_factory.hub import Account, check_name, safe_name
from skill_factory.publish import PushResult, PushStep, push
from skill_factory.push_files import LocalBuild, local_file, read_build
from skill_factory.push_plan import Mode, PushPlan, plan_push
from skill_factory.ui import card_view, loading, shell, workspace
from skill_factory.ui.jobs import Job
from skill_factory.ui.signing_in import signed_in

MODE_WORDS = {
    Mode.NEW: "as a new data set",
    Mode.PR: "as a pull request, for its owner to accept",
    Mode.REPLACE: "in place of what is there; its history keeps the old state",
}


class Target(NamedTuple):
    """Where to publish, and how."""

    repo: str
    mode: Mode
    public: bool


def publishing(job: Job) -> None:
    """From sign-in to the link, top to bottom."""
    who = signed_in()
    if who is None:
        card_view.edited(job, "USER/NAME")
        return
    if (done := st.session_state.get("published", {}).get(job.id)) is not None:
        _published(done)
    target = _target(who, job)
    if target is None:
        return
    build = loading.once("local build", job.id, lambda: read_build(job.out))
    build = _with_card(build, card_view.edited(job, target.repo))
    plan = _plan(job, target, build)
    _changes(plan)
    agreed = _agreed(plan)
    with st.container(horizontal=True, horizontal_alignment="right"):
        label = f"Propose to {target.repo}" if target.mode is Mode.PR else f"Publish to {target.repo}"
        if st.button(
            label, type="primary", disabled=not agreed, key="publish.go", icon=":material/cloud_upload:"
        ):
            _push(plan, job)


def _target(who: Account, job: Job) -> Target | None:
    owner, name, seen = st.columns([2, 3, 2])
    with owner:
        space = st.selectbox(
            "Owner", who.namespaces, key="publish.owner", help="You, or an organisation of yours"
        )
    with name:
        suggested = safe_name(f"{job.label.rsplit('/', 1)[-1]}-traces".lower())
        typed = st.text_input("Name", suggested, key="publish.name", persist_state="session").strip()
    with seen:
        few = "Only you" if space == who.name else f"Only members of {space}"
        public = st.selectbox(
            "Who can see it", [False, True], key="publish.public",
            format_func=lambda everybody: "Everybody" if everybody else few,
        )  # fmt: skip
    repo = f"{space}/{typed}"
    try:
        check_name(repo)
    except HubError as error:
        st.warning(shell.plain(f"{error} For example: {safe_name(typed)}"), icon=":material/info:")
        return None
    mode = st.session_state.get("publish.mode", Mode.NEW)
    return Target(repo, mode, public)


def _with_card(build: LocalBuild, text: str) -> LocalBuild:
    files = tuple(local_file("README.md", text.encode()) if f.path == "README.md" else f for f in build.files)
    return replace(build, files=files)


def _plan(job: Job, target: Target, build: LocalBuild) -> PushPlan:
    token = workspace.current().token
    card = next(f.sha256 for f in build.files if f.path == "README.md")

    def made() -> PushPlan:
        with st.spinner(f"Looking at {target.repo} …"):
            return plan_push(job.out, target.repo, target.mode, token, public=target.public, build=build)

    return loading.once("push plan", (job.id, target, card, token), made)


def _changes(plan: PushPlan) -> None:
    """What is there already and what would change; ways on where something is there."""
    taken = plan.before is not None and not plan.unchanged
    if taken or plan.mode is not Mode.NEW:
        st.radio(
            f"{plan.repo} holds data already. Publish", list(MODE_WORDS), format_func=MODE_WORDS.__getitem__,
            key="publish.mode", persist_state="session",
        )  # fmt: skip
    if plan.refusal:
        st.info(
            "Choose one of the ways above, or another name. Nothing was changed."
            if taken
            else shell.plain(plan.refusal),
            icon=":material/info:",
        )
        return
    st.markdown("\n".join(f"- {shell.plain(line)}" for line in plan.lines()))
    if plan.delete or plan.changed or plan.added:
        with st.expander("File by file", icon=":material/description:"):
            rows = [
                {"change": what, "file": path}
                for what, paths in (("new", plan.added), ("changed", plan.changed), ("deleted", plan.delete), ("kept", plan.same))
                for path in paths
            ]  # fmt: skip
            st.dataframe(rows, hide_index=True, alt="Files that would change")


def _agreed(plan: PushPlan) -> bool:
    if plan.refusal or plan.unchanged:
        return False
    if plan.mode is not Mode.REPLACE or plan.before is None:
        return True
    typed = st.text_input(
        f"To replace what is there, type {plan.repo}", key="publish.confirm", placeholder=plan.repo, autocomplete="off"
    )  # fmt: skip
    return typed.strip() == plan.repo


def _push(plan: PushPlan, job: Job) -> None:
    bar = st.progress(0.0, text="Sending …")

    def told(step: PushStep) -> None:
        bar.progress(min(1.0, step.done / step.total if step.total else 1.0), text=f"Sending: {step.what}")

    try:
        done = push(plan, workspace.current().token, told)
    except HubError as error:
        bar.empty()
        st.error(shell.plain(str(error)), icon=":material/error:")
        return
    st.session_state.setdefault("published", {})[job.id] = done
    st.session_state.get("_kept", {}).pop("push plan", None)
    st.session_state.pop("publish.mode", None)
    st.session_state.pop("publish.confirm", None)
    st.rerun()


def _published(done: PushResult) -> None:
    what = "The pull request is open." if done.pull_request else "It is published."
    at = done.pull_request or done.url
    st.success(
        f"{what} Commit {done.commit[:8]}{f', tag {done.tag}' if done.tag else ''}.",
        icon=":material/check_circle:",
    )
    st.link_button("Open it on the Hub", at, icon=":material/open_in_new:")
    for warning in done.warnings:
        st.warning(shell.plain(warning), icon=":material/info:")
    repo = "/".join(done.url.rstrip("/").rsplit("/", 2)[-2:])
    st.markdown("What now: load it like this, or make the trainer's files under Train.")
    st.code(f'load_dataset("{repo}", "sft_train", split="train")', language="python")
