"""Builds made before on this computer: a list with a way back to each, on Start and on Finish."""

from datetime import datetime
from functools import partial

import streamlit as st

from skill_factory.hosting import hosted
from skill_factory.reasons import Level
from skill_factory.ui.frame import workspace
from skill_factory.ui.frame.buttons.deleting import delete_button
from skill_factory.ui.frame.buttons.renaming import rename_button
from skill_factory.ui.frame.steps import DIFFERENCE, FINISH
from skill_factory.wording import many
from skill_factory.work import builds
from skill_factory.work.builds import Job
from skill_factory.work.process import ACTIVE, State


def earlier_builds(besides: Job | None = None) -> None:
    """List the builds besides the one shown. A shared server lists none: there the link of a build is its key."""
    listed = (
        [job for job in builds.recent() if besides is None or job.id != besides.id] if not hosted() else []
    )
    if not listed:
        return
    with st.expander(f"Earlier builds ({len(listed)})", icon=":material/history:", key="builds.earlier"):
        for job in listed:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(_line(job))
                st.button("Open", on_click=_open, args=(job,), key=f"build.open.{job.id}")
                rename_button(job.title, f"build.name.{job.id}", partial(builds.rename, job))
                if builds.status(job).state not in ACTIVE:
                    lost = f"The traces of “{job.title}” are deleted from this computer. What you have published or downloaded stays."
                    delete_button("Delete", lost, f"build.forget.{job.id}", _forget, job)
        if len(builds.recent()) > 1:
            st.page_link(DIFFERENCE.target(), label="Compare two builds", icon=":material/compare_arrows:")
        # A callback can't change the page: it only notes that it should change.
        if st.session_state.pop("build.opened", False):
            st.switch_page(FINISH.target())


def started(job: Job) -> str:
    """When a build was started: "28 November, 21:45"."""
    return moment(job.started)


def moment(seconds: float) -> str:
    """A time as lists show it: "28 November, 21:45"."""
    return datetime.fromtimestamp(seconds).strftime("%d %B, %H:%M").lstrip("0")


def _line(job: Job) -> str:
    state = builds.status(job).state
    what = many(builds.ledger(job)[Level.TRACES].kept, "trace") if state is State.DONE else state.value
    return f"**{workspace.plain(job.title)}** · {what} · {started(job)}"


def _open(job: Job) -> None:
    workspace.current().job = job.id
    st.session_state["build.opened"] = True


def _forget(job: Job) -> None:
    builds.forget(job)
    if workspace.current().job == job.id:
        workspace.current().job = ""
