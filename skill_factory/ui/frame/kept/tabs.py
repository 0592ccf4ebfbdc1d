"""Which tabs show a workspace, so that what one of them changes is shown by the others without their asking for it."""

import threading
from typing import Any

from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

_open: dict[str, str] = {}
"""Session → the workspace that it shows."""
_lock = threading.Lock()


def shows(workspace: str) -> None:
    """Note what this tab shows; sessions that have ended are forgotten."""
    mine = _session()
    if not mine:
        return
    with _lock:
        _open[mine] = workspace
        for session in [one for one in _open if one != mine and _active(one) is None]:
            del _open[session]


def wake(workspace: str) -> None:
    """Have every other tab of this server that shows the workspace run again."""
    mine = _session()
    with _lock:
        others = [session for session, shown in _open.items() if shown == workspace and session != mine]
    for session in others:
        if (found := _active(session)) is not None:
            # On the server's own thread, where a press of a button would arrive, too.
            found._event_loop.call_soon_threadsafe(found.request_rerun, found._client_state)


def _session() -> str:
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context is not None and exists() else ""


def _active(session: str) -> Any:
    """Streamlit's own record of a session that somebody looks at."""
    if not exists() or not get_instance().is_active_session(session):
        return None
    found = get_instance()._session_mgr.get_active_session_info(session)
    return found.session if found is not None else None
