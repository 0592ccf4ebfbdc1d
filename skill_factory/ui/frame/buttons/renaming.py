"""Renaming what stands in a list: a button that opens a field with the name."""

from collections.abc import Callable

import streamlit as st

from skill_factory.work.kept.workspaces import LONGEST_NAME


def rename_button(name: str, key: str, rename: Callable[[str], None]) -> None:
    """A button that opens the name in a field; Enter, or leaving the field, calls `rename`. Empty means the data's own name."""
    with st.popover("Rename", icon=":material/edit:", key=f"{key}.ask"):
        st.session_state[key] = name
        st.text_input("Name", key=key, max_chars=LONGEST_NAME, on_change=_take, args=(key, rename))


def _take(key: str, rename: Callable[[str], None]) -> None:
    if key in st.session_state:  # a browser may report a field after its page was left
        rename(st.session_state[key])
