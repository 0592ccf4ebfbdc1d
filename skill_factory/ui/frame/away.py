"""The one door to a visitor's bytes, patterns and recipes: on a shared server they are another process's to look at."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from skill_factory.hosting import hosted
from skill_factory.work import limited
from skill_factory.work.limited import SECONDS, TookTooMuch
from skill_factory.work.wire import Shared, pack

T = TypeVar("T")
SOON = 1.0
"""Seconds that a request goes on though its visitor has moved on: most are done by then, and their child stays warm."""
REMEMBERED = 30
"""Requests that were ended and would be again."""


def run(function: Callable[..., T], *arguments: Any, what: str = "", seconds: float = SECONDS) -> T:
    """
    `function(*arguments)`: here at home, in a limited child on a shared server. A `Seen` travels as its address.

    What was ended at a limit is not tried again for this visitor. Errors: those of the function; TookTooMuch.
    """
    if not hosted():
        return function(*(one.value if isinstance(one, Shared) else one for one in arguments))
    sent = [getattr(one, "address", one) for one in arguments]
    if get_script_run_ctx(suppress_warning=True) is None:  # a download, which is answered outside the session
        return limited.run(function, *sent, what=what or "This", seconds=seconds)
    ended: dict[str, str] = st.session_state.setdefault("_ended", {})
    asked = f"{function.__qualname__} {hashlib.blake2b(pack(sent, whole=False), digest_size=16).hexdigest()}"
    if said := ended.get(asked):
        raise TookTooMuch(said)
    called = what or getattr(st.session_state.get("workspace"), "label", "") or "This"
    try:
        return limited.run(function, *sent, what=called, seconds=seconds, pulse=_still_wanted)
    except TookTooMuch as error:
        while len(ended) >= REMEMBERED:
            ended.pop(next(iter(ended)))
        ended[asked] = str(error)
        raise


def _still_wanted(elapsed: float) -> None:
    """Give up what nobody waits for: the session's state is where Streamlit says that its visitor left or moved on."""
    if elapsed >= SOON:
        st.session_state.get("_ended")
