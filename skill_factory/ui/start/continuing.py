"""Continue where you left off: the visitor's workspaces by name, to open, rename and delete."""

from contextlib import suppress

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import hosted
from skill_factory.ui.frame import cleanup, workspace
from skill_factory.ui.frame.buttons.deleting import delete_button
from skill_factory.ui.frame.buttons.renaming import rename_button
from skill_factory.ui.frame.earlier_builds import moment
from skill_factory.ui.frame.kept import arriving
from skill_factory.work.kept import workspaces
from skill_factory.work.kept.folder import Kept

AT_ONCE = 2
"""Workspaces that stand on the page; the others unfold."""


def show(kept: list[Kept]) -> None:
    """The list."""
    if not kept:
        return
    with st.container(border=True, key="continue"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**Continue where you left off**", width="stretch")
            if workspace.current().kept:
                st.button(
                    "Begin something new",
                    type="tertiary",
                    icon=":material/add:",
                    on_click=arriving.begin,
                    key="continue.new",
                    help="What you work on stays in this list.",
                )
        for place, one in enumerate(kept[:AT_ONCE]):
            _row(one, latest=place == 0)
        if older := kept[AT_ONCE:]:
            with st.expander(f"Older ({len(older)})", key="continue.older"):
                for one in older:
                    _row(one)
        if hosted():
            st.caption(f"Deleted when nobody has opened them for {cleanup.idle_words()}.")


def _row(kept: Kept, latest: bool = False) -> None:
    key = f"continue.row.{kept.id}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key=key):
        st.markdown(_line(kept))
        if st.button(
            "Continue" if latest else "Open",
            type="primary" if latest else "secondary",
            icon=":material/arrow_forward:" if latest else None,
            key=f"continue.open.{kept.id}",
        ):
            arriving.go(kept)
        rename_button(kept.title, f"continue.name.{kept.id}", lambda name: _rename(kept, name))
        lost = (
            f"“{kept.title}” is deleted with its recipe and all its versions, so undo can't bring it back. Your data and your "
            "builds stay."
        )
        delete_button("Delete", lost, f"continue.delete.{kept.id}", _forget, kept)


def _line(kept: Kept) -> str:
    of = f"{workspace.plain(kept.version.label)}, " if kept.name and kept.version.label else ""
    return f"**{workspace.plain(kept.title)}**  \n:small[{of}{moment(kept.changed)}]"


def _rename(kept: Kept, name: str) -> None:
    with suppress(SkillFactoryError):  # deleted in another tab meanwhile
        workspaces.rename(kept, name if name != kept.version.label else "")


def _forget(kept: Kept) -> None:
    mine = workspace.current().kept
    if mine is not None and mine.id == kept.id:
        arriving.begin()
    workspaces.forget(kept)
