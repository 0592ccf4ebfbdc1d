"""The button that stops what runs on its own."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from skill_factory.work.process import State


def stop_button(key: str, stop: Callable[..., None], work: Any, state: State, help: str) -> None:
    """A button that calls `stop` with the work; greyed out while it is stopping. `help` says what is kept."""
    st.button(
        "Stop",
        on_click=stop,
        args=(work,),
        key=key,
        icon=":material/stop_circle:",
        disabled=state is State.STOPPING,
        help=help,
    )
