"""Read the traces exactly as the build will write them, and what was kept and dropped on the way."""

import streamlit as st

from skill_factory.ui.frame import shell
from skill_factory.ui.look.look import part


def show() -> None:
    """The page, from top to bottom."""
    st.title("Look")
    shell.needs_source(
        "Here you read the traces exactly as the build will write them, and see what was left out and why."
    )
    part()
