"""At the end of the strip: what the workspace is called, with its link, and the buttons that undo and redo."""

from contextlib import suppress

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.ui.frame import cleanup, workspace
from skill_factory.ui.frame.kept import arriving, session
from skill_factory.wording import many
from skill_factory.work.kept import workspaces


def show() -> None:
    """Draw it once there is something to keep."""
    mine = workspace.current()
    if mine.kept is None and not mine.of:
        return
    with st.container(
        key="kept", horizontal=True, vertical_alignment="center", gap="xsmall", width="content"
    ):
        if mine.kept is None:
            st.markdown(workspace.plain(mine.name), width="content")
            return
        _name()
        _walk("Undo", -1, mine.kept.undoable)
        _walk("Redo", +1, mine.kept.redoable)


def _walk(name: str, by: int, left: int) -> None:
    # With Alt, since Ctrl+Z alone belongs to the text that is being typed.
    keys, done = ("Mod+Alt+Z", "undone") if by < 0 else ("Mod+Alt+Y", "redone")
    st.button(
        name,
        icon=f":material/{name.lower()}:",
        type="tertiary",
        on_click=session.walk,
        args=(by,),
        disabled=not left,
        key=f"kept.{name.lower()}",
        help=f"{name} ({keys.replace('Mod', 'Ctrl')}): {many(left, 'change')} of data or recipe can be {done}.",
        shortcut=keys,
    )


def _name() -> None:
    kept = workspace.current().kept
    if kept is None:
        return
    with st.popover(workspace.plain(kept.title), type="tertiary", icon=":material/bookmark:"):
        st.session_state["kept.name"] = kept.name
        st.text_input(
            "Name of this workspace",
            key="kept.name",
            placeholder=kept.title,
            on_change=_rename,
            max_chars=workspaces.LONGEST_NAME,
        )
        st.markdown(_where())
        st.code(f"{workspace.address()}?{arriving.PARAMETER}={kept.id}", language=None, wrap_lines=True)


def _where() -> str:
    if hosted():
        return (
            "Every change is kept on this server, and deleted when nobody has opened the workspace for "
            f"{cleanup.idle_words()}. This link leads you back to it; whoever else opens it gets a copy. Your token isn't in it."
        )
    return "Every change is kept on this computer. This link leads back to it. A token is never kept."


def _rename() -> None:
    mine = workspace.current()
    if mine.kept is not None:
        with suppress(SkillFactoryError):  # deleted in another tab meanwhile
            mine.kept = workspaces.rename(mine.kept, st.session_state.get("kept.name", ""))
