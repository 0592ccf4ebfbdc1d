"""What you get, what you need, and three ways to begin."""

import streamlit as st

from skill_factory.ui.frame import shell, source_pickers, workspace
from skill_factory.ui.frame.earlier_builds import earlier_builds
from skill_factory.ui.start import recipe_files, start


def show() -> None:
    """The page, from top to bottom."""
    st.title("Turn a model's attempts into training traces")

    left, right = st.columns([2, 3], gap="large")
    with left:
        start.what_is_needed()
        with st.container(border=True, key="doors"):
            source_pickers.of_recipe()
            # Once data is chosen, continuing with it is the main thing to do.
            source_pickers.demo(primary=not workspace.current().source)
            hub_tab, file_tab = st.tabs(["From the Hub", "My file"], key="doors.tab")
            with hub_tab:
                source_pickers.hub()
            with file_tab:
                source_pickers.file()
        if workspace.current().source:
            shell.go(shell.DATA, f"Continue with {shell.plain(workspace.current().label)}")
    with right:
        start.example_trace()

    recipe_files.recipe_section()
    earlier_builds()
    start.glossary_list()
