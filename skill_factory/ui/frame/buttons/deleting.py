"""Deleting in two steps: the first press says what is lost, the second deletes it."""

from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.ui.frame import workspace

P = ParamSpec("P")


def delete_button(
    label: str, lost: str, key: str, delete: Callable[P, None], *args: P.args, **options: P.kwargs
) -> None:
    """A button that asks: it opens what would be lost, with the button that calls `delete`. Its refusal is shown here."""
    with st.popover(label, icon=":material/delete:", key=f"{key}.ask"):
        st.markdown(workspace.plain(lost))
        st.button(
            "Delete for good",
            icon=":material/delete_forever:",
            on_click=lambda: _delete(key, lambda: delete(*args, **options)),
            key=key,
        )
    if refusal := st.session_state.pop(f"{key}.refused", ""):
        st.warning(workspace.plain(refusal), icon=":material/info:")


def _delete(key: str, delete: Callable[[], None]) -> None:
    # Another tab may have started it again since this page was drawn; an error in a callback would end the page.
    try:
        delete()
    except SkillFactoryError as error:
        st.session_state[f"{key}.refused"] = str(error)
