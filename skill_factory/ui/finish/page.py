"""Build the dataset, publish it, train with it."""

import streamlit as st

from skill_factory.ui.finish import building
from skill_factory.ui.finish.downloads import downloads
from skill_factory.ui.finish.publishing import publishing
from skill_factory.ui.finish.training import training
from skill_factory.ui.frame import shell
from skill_factory.ui.frame.earlier_builds import earlier_builds
from skill_factory.work.builds import status
from skill_factory.work.process import ACTIVE, State


def show() -> None:
    """The page, from top to bottom."""
    st.title("Finish")

    job = building.open_build()
    if job is None:
        shell.needs_source("Here the dataset is built, published and handed to a trainer.")
        building.offer_build()
        earlier_builds()
        st.stop()

    now = status(job)
    current = building.is_current(job)
    if now.state in ACTIVE:
        building.watch_build(job)
    elif now.state is not State.DONE:
        building.stopped_build(job, now)
    else:
        building.finished_build(job)
        publish, train, save = st.tabs(["Publish", "Train", "Download"], key="finish.part")
        with publish, shell.errors():
            publishing(job)
        with train, shell.errors():
            training(job)
        with save, shell.errors():
            downloads(job, current)

    if now.state not in ACTIVE and not current:
        st.subheader("The recipe has changed since this build")
        building.offer_build()
    earlier_builds(besides=job)
