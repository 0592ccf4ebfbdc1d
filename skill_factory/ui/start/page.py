"""What you get, what you need, and three ways to begin."""

import streamlit as st

from skill_factory.ui.frame import source_pickers, tour
from skill_factory.ui.frame.earlier_builds import earlier_builds
from skill_factory.ui.frame.kept import arriving
from skill_factory.ui.start import continuing, recipe_files, start


def show() -> None:
    """The page, from top to bottom: first what this is and how to begin, then what it does."""
    kept = arriving.own()
    left, right = st.columns([5, 6], gap="large")
    with left:
        start.promise()
        continuing.show(kept)
        with st.container(border=True, key="doors"):
            source_pickers.of_recipe()
            # Once there is work, continuing with it is the main thing to do.
            source_pickers.demo(primary=not kept)
            hub_tab, file_tab = st.tabs(["From the Hub", "My file"], key="doors.tab")
            with hub_tab:
                source_pickers.hub()
            with file_tab:
                source_pickers.file()
    with right:
        if not kept:
            tour.offer()
        start.assembling()
        start.what_is_needed()
    start.journey()
    start.example_trace()
    recipe_files.recipe_section()
    earlier_builds()
    start.glossary_list()
    start.links()
