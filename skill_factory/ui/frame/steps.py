"""The steps of the journey, one page each."""

import importlib
from typing import NamedTuple

import streamlit as st
from streamlit.navigation.page import StreamlitPage

PACKAGED = False
"""Whether the app runs from an installed package, whose entrance has no files of pages beside it."""


class Step(NamedTuple):
    """A step of the journey."""

    path: str
    """The page's door beside `app.py`."""
    module: str
    """What the page shows: the module's `show`."""
    title: str
    icon: str
    help: str
    hidden: bool = False
    """Whether it is reached from another page, and not from the navigation."""

    def target(self) -> str | StreamlitPage:
        """What links and switches lead to."""
        return self.page() if PACKAGED else self.path

    def page(self) -> StreamlitPage:
        """The page for the navigation; its address is the title either way."""
        if not PACKAGED:
            return st.Page(
                self.path,
                title=self.title,
                icon=self.icon,
                help=self.help,
                visibility="hidden" if self.hidden else "visible",
            )
        first = self.title == "Start"
        return st.Page(
            self._show,
            title=self.title,
            icon=self.icon,
            help=self.help,
            url_path=self.title,
            default=first,
            visibility="hidden" if self.hidden else "visible",
        )

    def _show(self) -> None:
        importlib.import_module(self.module).show()


START = Step(
    "pages/1_Start.py",
    "skill_factory.ui.start.page",
    "Start",
    ":material/flag:",
    "What you get, what you need, and three ways to begin.",
)
DATA = Step(
    "pages/2_Data.py",
    "skill_factory.ui.data.page",
    "Data",
    ":material/database:",
    "Pick your data, say which column holds what, and see if it's ready.",
)
CHOOSE = Step(
    "pages/3_Choose.py",
    "skill_factory.ui.choose.page",
    "Choose",
    ":material/tune:",
    "Choose the traces, with live numbers next to each choice.",
)
LOOK = Step(
    "pages/4_Look.py",
    "skill_factory.ui.look.page",
    "Look",
    ":material/visibility:",
    "Read the traces exactly as the build will write them.",
)
FINISH = Step(
    "pages/5_Finish.py",
    "skill_factory.ui.finish.page",
    "Finish",
    ":material/check_circle:",
    "Build the dataset, publish it, train with it.",
)
MEASURE = Step(
    "pages/6_Measure.py",
    "skill_factory.ui.measure.page",
    "Measure",
    ":material/monitoring:",
    "See what a model's outputs show of the skill, and make raw data of them.",
)
SUITE = Step(
    "pages/7_Suite.py",
    "skill_factory.ui.suite.page",
    "Suite",
    ":material/account_tree:",
    "Build arms of one recipe from the same questions, and compare them.",
    hidden=True,
)
DIFFERENCE = Step(
    "pages/8_Difference.py",
    "skill_factory.ui.difference.page",
    "Difference",
    ":material/compare_arrows:",
    "See what differs between two builds.",
    hidden=True,
)
STEPS = (START, DATA, CHOOSE, LOOK, FINISH, MEASURE)
ALL_STEPS = (*STEPS, SUITE, DIFFERENCE)
"""Those beside the navigation too."""
NO_PAGE = "nopage"
"""What the address of Start says where somebody asked for a page that doesn't exist."""
