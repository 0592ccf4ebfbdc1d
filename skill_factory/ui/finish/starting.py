"""What starts a build, of one source or of several: why it can't start, what to know, and the button."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from skill_factory.ui.frame import build_start, shell, visitor
from skill_factory.work.quota import refusal


def not_started() -> None:
    """Why the last press started nothing, once."""
    if refused := build_start.refused():
        st.warning(shell.plain(refused), icon=":material/hourglass_top:")


def start_button(label: str, rows: int, text_bytes: float, on_click: Callable[..., Any], *args: Any) -> bool:
    """The button, or why there is no room for such a build; whether it stands there."""
    if refused := refusal(rows, text_bytes, visitor.mark()):
        st.warning(shell.plain(refused), icon=":material/hard_drive:")
        return False
    st.caption(
        "The build runs on its own: you can close this page and come back through its link. "
        "Then publish it, train with it or download it here."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            label,
            type="primary",
            icon=":material/play_arrow:",
            on_click=on_click,
            args=args,
            key="build.start",
        )
    return True
