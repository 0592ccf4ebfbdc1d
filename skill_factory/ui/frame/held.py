"""What sessions of a shared server hold that is large: in all no more than a bound, for which the oldest is let go.

Whoever comes back to what was let go waits for it once more; a child reads it again.
"""

from typing import Any

import streamlit as st

ALL = 150_000_000
"""Bytes, of all sessions."""


@st.cache_resource(show_spinner=False)
def _holders() -> dict[tuple[int, str], tuple[dict[str, Any], int]]:
    """Session and kind → where that session keeps it, and its size; the oldest first."""
    return {}


def hold(kind: str, size: int) -> None:
    """Note that this session keeps a value of a kind (`opening.once`) of so many bytes; others may lose theirs for it."""
    kept, holders = st.session_state["_kept"], _holders()
    mine = (id(kept), kind)
    holders.pop(mine, None)
    holders[mine] = (kept, size)
    while sum(one for _, one in list(holders.values())) > ALL:
        oldest = next(iter(holders), mine)
        if oldest == mine:
            return
        theirs = holders.pop(oldest, None)
        if theirs is not None:
            theirs[0].pop(kind, None)
