"""What starts a build, of one source or of several: why it can't start, what to know, and the button."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.ui.frame import shell, uploads, visitor, workspace
from skill_factory.work.builds import Job
from skill_factory.work.home import home
from skill_factory.work.quota import refusal


def begin(start: Callable[[], Job]) -> None:
    """Start a build and make it the one that the page shows; or keep why it wasn't started."""
    try:
        job = start()
    except OSError as error:
        st.session_state["build.refused"] = uploads.no_room("The build", home(), error)
        return
    except SkillFactoryError as error:
        st.session_state["build.refused"] = str(error)
        return
    workspace.current().job = job.id
    st.query_params["job"] = job.id


def not_started() -> None:
    """Why the last press started nothing, once."""
    if refused := st.session_state.pop("build.refused", ""):
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
