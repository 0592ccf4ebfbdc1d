"""The app: its frame and its pages. `app.py` and `pages/` of a checkout, and the entrance of a wheel, are doors to it."""

import importlib

import streamlit as st

from skill_factory.ui.frame import shell
from skill_factory.ui.frame.steps import CHOOSE, DATA, DIFFERENCE, FINISH, LOOK, MEASURE, START, SUITE, Step

__all__ = ["CHOOSE", "DATA", "DIFFERENCE", "FINISH", "LOOK", "MEASURE", "START", "SUITE", "door", "run"]


def run() -> None:
    """The whole app, once."""
    shell.run()


def door(step: Step) -> None:
    """
    The one line of a file of `pages/`: what the step shows, with the frame around it.

    Streamlit may run such a file alone, without the frame: `AppTest.switch_page` does, and so does a server that has
    not run `app.py` yet, because the folder is called `pages`. Then the whole app is run instead.
    """
    if not shell.framed():
        shell.run()
        st.stop()
    importlib.import_module(step.module).show()
