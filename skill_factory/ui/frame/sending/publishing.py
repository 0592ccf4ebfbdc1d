"""Publish a finished build: where to, what is there, what would change, the card, one button, then its progress."""

import logging
from typing import NamedTuple

import streamlit as st

from skill_factory.errors import BuildFolderError, HubError
from skill_factory.hub.client import Account, check_name, safe_name
from skill_factory.publish.plan import Mode, PushPlan
from skill_factory.suites.desk import suite_report
from skill_factory.suites.suite import BASE
from skill_factory.ui.frame import away, loading, shell, visitor, workspace
from skill_factory.ui.frame.buttons.stopping import stop_button
from skill_factory.ui.frame.sending import card_view
from skill_factory.ui.frame.signing_in import signed_in
from skill_factory.wording import many
from skill_factory.work import looking, pushes
from skill_factory.work.builds import Job
from skill_factory.work.process import ACTIVE, State
from skill_factory.work.pushes import Sending

log = logging.getLogger(__name__)

LOOK_SECONDS = 90.0
"""For a look at what would change, on a shared server: every file of the build is read once."""
MODE_WORDS = {
    Mode.PR: "as a pull request, for its owner to accept",
    Mode.REPLACE: "in place of what is there; the history keeps the old version",
}


class Target(NamedTuple):
    """Where to publish, and how."""

    repo: str
    mode: Mode
    public: bool


def publishing(job: Job) -> None:
    """A push on its way, its result, or the form that starts one."""
    last = pushes.status(job)
    if last is not None and last.state in ACTIVE:
        _watch(job)
    elif last is not None and last.result is not None and st.session_state.get("publish.again") != job.id:
        _published(last, job)
    else:
        if last is not None and last.result is None:
            _unsent(last, job)
        _form(job)


def _form(job: Job) -> None:
    """Everything from signing in to the button, top to bottom."""
    who = signed_in()
    if who is None:
        # The card can be read, and written, before signing in.
        card_view.edited_card(job, "USER/NAME")
        return
    target = _target(who, job)
    if target is None:
        return
    card = card_view.edited_card(job, target.repo)
    plan = _plan(job, target, card)
    _changes(plan)
    agreed = _agreed(plan)
    with st.container(horizontal=True, horizontal_alignment="right"):
        label = f"Propose to {target.repo}" if target.mode is Mode.PR else f"Publish to {target.repo}"
        if st.button(
            label, type="primary", disabled=not agreed, key="publish.go", icon=":material/cloud_upload:"
        ):
            _send(job, plan, card)


def _target(who: Account, job: Job) -> Target | None:
    owner, name, seen = st.columns([2, 3, 2])
    with owner:
        space = st.selectbox(
            "Owner", who.namespaces, key="publish.owner", help="You, or one of your organisations"
        )
    with name:
        suggested = safe_name(f"{job.label.rsplit('/', 1)[-1]}-traces".lower())
        typed = st.text_input("Name", suggested, key="publish.name", persist_state="session").strip()
    with seen:
        few = "Only you" if space == who.name else f"Only members of {space}"
        public = st.selectbox(
            "Who can see it",
            [False, True],
            key="publish.public",
            format_func=lambda everybody: "Everybody" if everybody else few,
        )
    repo = f"{space}/{typed}"
    try:
        check_name(repo)
    except HubError as error:
        st.warning(shell.plain(f"{error} For example: {safe_name(typed)}"), icon=":material/info:")
        return None
    return Target(repo, st.session_state.get(_mode_of(repo)) or Mode.NEW, public)


def _mode_of(repo: str) -> str:
    """The key of a choice that counts for one dataset only: what was chosen for it isn't chosen for another."""
    return f"publish.mode.{repo}"


def _plan(job: Job, target: Target, card: str) -> PushPlan:
    token = workspace.current().token
    asked = (job.out, target.repo, target.mode, target.public, card, token)

    def made() -> PushPlan:
        with st.spinner(f"Looking at {target.repo} …"):
            return away.run(looking.push_plan, *asked, what=target.repo, seconds=LOOK_SECONDS)

    # Once for each target and card: a page runs again at every click, and each look asks the Hub and reads every
    # file.
    return loading.once("push plan", asked, made)


def _changes(plan: PushPlan) -> None:
    """What is already there and what would change; if something is there, the ways to publish all the same."""
    taken = plan.before is not None and not plan.unchanged
    if taken or plan.mode is not Mode.NEW:
        st.radio(
            f"{plan.repo} already has data. Publish",
            list(MODE_WORDS),
            format_func=MODE_WORDS.__getitem__,
            index=None,
            key=_mode_of(plan.repo),
            persist_state="session",
        )
    if plan.refusal:
        st.info(
            "Choose one of these, or another name." if taken else shell.plain(plan.refusal),
            icon=":material/info:",
        )
        return
    st.markdown("\n".join(f"- {shell.plain(line)}" for line in plan.lines()))
    if plan.delete or plan.changed or plan.added:
        with st.expander("File by file", icon=":material/description:"):
            files = {"new": plan.added, "changed": plan.changed, "deleted": plan.delete, "kept": plan.same}
            rows = [{"Change": change, "File": path} for change, paths in files.items() for path in paths]
            st.dataframe(rows, hide_index=True, alt="Files that would change")


def _agreed(plan: PushPlan) -> bool:
    if plan.refusal or plan.unchanged:
        return False
    if plan.mode is not Mode.REPLACE or plan.before is None:
        return True
    # Replacing what others may be loading takes more than a click, so the name is typed.
    typed = st.text_input(
        f"To replace what is there, type {plan.repo}",
        key="publish.confirm",
        placeholder=plan.repo,
        autocomplete="off",
    )
    return typed.strip() == plan.repo


def _send(job: Job, plan: PushPlan, card: str) -> None:
    try:
        pushes.start(job, plan, card, workspace.current().token, visitor.key())
    except BuildFolderError as error:
        st.warning(shell.plain(str(error)), icon=":material/hourglass_top:")
        return
    # Afterwards something else is there, so the next plan has to look again.
    st.session_state.get("_kept", {}).pop("push plan", None)
    st.session_state["publish.again"] = ""
    st.rerun()


def _config(job: Job) -> str:
    """The config that a reader loads first: of a suite, its base."""
    return "sft_train" if suite_report(job.out) is None else BASE


def _again(job: Job, repo: str) -> None:
    """Show the empty form: what was agreed to once isn't agreed to again."""
    st.session_state["publish.again"] = job.id
    for name in (_mode_of(repo), "publish.confirm"):
        st.session_state.pop(name, None)


# -- while and after -----------------------------------------------------------------------------------------------


@st.fragment(run_every=0.7)
def _watch(job: Job) -> None:
    pushes.here(job)
    now = pushes.status(job)
    if now is None or now.state not in ACTIVE:
        st.rerun()
    doing = "Stopping …" if now.state is State.STOPPING else f"Publishing to {now.asked.repo}: {_doing(now)}"
    st.progress(now.share, text=shell.plain(doing))
    st.caption("It runs on its own: you can close this page and come back through its address.")
    stop_button(
        "publish.stop",
        pushes.stop,
        job,
        now.state,
        "Everything goes in one commit at the very end; until then nothing changes on the Hub.",
    )


def _doing(now: Sending) -> str:
    if now.before is not None:
        before = f"in the queue, {many(now.before, 'piece')} of work before this one"
        return before if now.before else "next in the queue"
    if now.step is None:
        return "looking at what is there …"
    return "committing everything at once …" if now.share == 1 else f"sending {now.step.what}"


def _unsent(last: Sending, job: Job) -> None:
    """Why the last try didn't end in a commit."""
    if last.state is State.STOPPED:
        st.info(
            f"Publishing to {shell.plain(last.asked.repo)} was stopped. See below what is there now.",
            icon=":material/pause_circle:",
        )
        return
    loading.once(
        "push log", (job.id, last.said), lambda: log.error("push %s: %s", job.id[:6], pushes.fault(job))
    )
    st.error(shell.plain(last.said), icon=":material/error:")


def _published(last: Sending, job: Job) -> None:
    done, repo = last.result, last.asked.repo
    if done is None:
        return
    name = f"**{shell.plain(repo)}**"
    what = f"The pull request to {name} is open." if done.pull_request else f"{name} is published."
    st.success(
        f"{what} Commit {done.commit[:8]}{f', tag {done.tag}' if done.tag else ''}.",
        icon=":material/check_circle:",
    )
    for warning in done.warnings:
        st.warning(shell.plain(warning), icon=":material/info:")
    with st.container(horizontal=True):
        label = "Open the pull request" if done.pull_request else "Open it on the Hub"
        st.link_button(label, done.pull_request or done.url, icon=":material/open_in_new:", type="primary")
        st.button(
            "Publish again",
            on_click=_again,
            args=(job, repo),
            key="publish.restart",
            icon=":material/replay:",
            help="Somewhere else, or with other words on its card.",
        )
    revision = f', revision="refs/pr/{done.pull_request.rsplit("/", 1)[-1]}"' if done.pull_request else ""
    until = "until it is accepted " if done.pull_request else ""
    st.markdown(f"Load it {until}with this line. The files for a trainer are made under Train.")
    st.code(
        f'load_dataset("{repo}", "{_config(job)}", split="train"{revision})',
        language="python",
        wrap_lines=True,
    )
