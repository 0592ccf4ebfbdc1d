"""At the head of the strip: which of several sources the pages show, and a way to another one."""

import streamlit as st

from skill_factory.ui.frame import workspace
from skill_factory.ui.frame.mixed import mixing

KEY = "mixed.shown"


def show() -> None:
    """Draw it where there are several sources."""
    mix = workspace.current().mix
    if mix is None:
        return
    st.session_state[KEY] = mix.at
    st.selectbox(
        "Source that the pages show",
        range(len(mix.parts)),
        format_func=mix.names.__getitem__,
        key=KEY,
        on_change=_take,
        label_visibility="collapsed",
        width=220,
    )


def _take() -> None:
    mixing.show(int(st.session_state[KEY]))
