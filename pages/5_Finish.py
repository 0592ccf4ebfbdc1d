"""Build the data set, publish it, train with it."""

import streamlit as st

from skill_factory.ui import building, shell
from skill_factory.ui.child import ACTIVE, State
from skill_factory.ui.downloads import downloads
from skill_factory.ui.jobs import status
from skill_factory.ui.publishing import publishing
from skill_factory.ui.training import training

shell.page()
st.title("Finish")

job = building.shown()
if job is None:
    shell.needs_source("Here the data set is built, published and handed to a trainer.")
    building.offer()
    building.builds()
    st.stop()

now = status(job)
current = building.is_current(job)
if now.state in ACTIVE:
    building.watch(job)
elif now.state is not State.DONE:
    building.stopped(job, now)
else:
    building.made(job)
    publish, train, save = st.tabs(["Publish", "Train", "Download"], key="finish.part")
    with publish, shell.errors():
        publishing(job)
    with train, shell.errors():
        training(job)
    with save, shell.errors():
        downloads(job, current)

if now.state not in ACTIVE and not current:
    st.subheader("The recipe has changed since")
    building.offer()
building.builds(besides=job)
