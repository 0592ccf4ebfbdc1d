"""Build the dataset, publish it, train with it."""

from pathlib import Path

import streamlit as st

from skill_factory.tally import tally_from_json
from skill_factory.ui.finish import building, built_summary, built_view
from skill_factory.ui.finish.downloads import downloads
from skill_factory.ui.finish.training import training
from skill_factory.ui.frame import shell
from skill_factory.ui.frame.earlier_builds import earlier_builds
from skill_factory.ui.frame.sending.publishing import publishing
from skill_factory.work import builds, pushes
from skill_factory.work.builds import Job, status
from skill_factory.work.process import ACTIVE, State

CSS = Path(__file__).with_name("finish.css")


def show() -> None:
    """The page, from top to bottom."""
    st.title("Finish")
    st.html(CSS)

    job = building.open_build()
    if job is None:
        shell.needs_source("Here the dataset is built, published and handed to a trainer.")
        building.offer_build()
        earlier_builds()
        return  # not st.stop: the strip isn't finished yet

    now = status(job)
    current = building.is_current(job)
    if now.state in ACTIVE:
        building.watch_build(job)
    elif now.state is not State.DONE:
        building.stopped_build(job, now)
    else:
        building.finished_build(job)
        if not current:
            building.whose_numbers()
        # First the ways on, which end below the window's edge otherwise; what was built stands below them, whole.
        exits(job, current)
        contents(job, current)
        building.where_it_went(job)

    if now.state not in ACTIVE and not current:
        st.subheader("The recipe has changed since this build")
        building.offer_build()
    earlier_builds(besides=job)


def contents(job: Job, current: bool) -> None:
    """What was built: at a glance, and all of it."""
    report, recipe = builds.report(job), job.recipe
    if report is None:
        return
    st.subheader("What was built")
    with shell.errors():
        built_summary.show(job, recipe, tally_from_json(report))
    every = st.expander(
        "Browse the built data", icon=":material/list_alt:", on_change="rerun", key="built.browse"
    )
    if every.open:
        with every, shell.errors():
            built_view.browse(job, recipe, current)


def exits(job: Job, current: bool) -> None:
    """Three ways on, equal in size."""
    st.subheader("Where should it go?")
    with st.container(key="exits"):
        # Whoever comes back to a build on its way to the Hub sees how far it is.
        first = "Publish" if pushes.status(job) else "Download"
        save, publish, train = st.tabs(["Download", "Publish", "Train"], key="finish.part", default=first)
    with save, shell.errors():
        downloads(job, current)
    with publish, shell.errors():
        publishing(job)
    with train, shell.errors():
        training(job)
