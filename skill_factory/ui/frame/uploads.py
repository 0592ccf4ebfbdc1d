"""Uploads of a shared server lie on its disk, not in its memory, and what no page takes goes soon.

Streamlit keeps what it receives as bytes for the life of a session. Here its keeper is told to keep an empty file in its
place, and the bytes wait on disk under the file's id until a page takes them.
"""

import contextlib
import os
import re
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

from streamlit.runtime import exists, get_instance

from skill_factory.errors import SourceError
from skill_factory.work.home import place

AT_ONCE = 3
"""Files of one session that may be on their way."""
KEPT = 3
"""Files of one session that wait to be taken."""
KEPT_SMALL = 5
"""Files of one session that stay there."""
SMALL = 1_100_000
"""Bytes up to which a file stays where Streamlit has it: recipes, which are read again and again, have one megabyte at most."""
RESERVE = 1_000_000_000
"""Bytes of the disk that no upload gets."""
MINUTES = 10
"""After which a file that no page has taken goes."""


def is_here(session: str) -> bool:
    """Whether the session is one of this server's."""
    return exists() and get_instance().is_active_session(session)


def watch() -> None:
    """Have Streamlit's keeper of uploads hand large ones over to the disk, from the first one on."""
    keeper: Any = get_instance()._uploaded_file_mgr
    if getattr(keeper, "hands_over", False):
        return
    keeper.hands_over = True
    keeper.add_file = partial(_add, keeper, keeper.add_file)


def _add(keeper: Any, add: Any, session_id: str, file: Any) -> None:
    if len(file.data) > SMALL:
        path = _waiting(file.file_id, session_id)
        path.write_bytes(file.data)
        file = file._replace(data=b"")
    add(session_id, file)


def make_room(session: str) -> None:
    """Remove what no page took: of this session beyond KEPT, of all after MINUTES."""
    waiting = sorted(place("arriving").glob(f"{_safe(session)}.*"), key=lambda path: path.stat().st_mtime)
    late = time.time() - 60 * MINUTES
    old = [path for path in place("arriving").iterdir() if path.stat().st_mtime < late]
    for path in {*waiting[: max(0, len(waiting) - KEPT + 1)], *old}:
        path.unlink(missing_ok=True)
    keeper: Any = get_instance()._uploaded_file_mgr
    small = list(keeper.file_storage.get(session, {}))
    for file_id in small[: max(0, len(small) - KEPT_SMALL)]:
        keeper.remove_file(session, file_id)


def keep(sent: Any, path: Path) -> Path:
    """Write what a visitor has sent to a place of its own. Errors: SourceError where the disk is full, with nothing left."""
    found = next(iter(place("arriving").glob(f"*.{_safe(sent.file_id)}")), None)
    try:
        if found is not None:
            os.replace(found, path)
        elif not sent.getbuffer() and sent.size:
            raise SourceError(f"{sent.name} waited too long on this server. Send it again.")
        else:
            path.write_bytes(sent.getbuffer())
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()
        raise SourceError(no_room(sent.name, path.parent.parent, error)) from None
    return path


def no_room(name: str, folder: Path, error: OSError) -> str:
    """Why a file couldn't be kept: in most cases the disk is full."""
    free = shutil.disk_usage(folder).free
    return (
        f"{name} couldn't be kept: {error.strerror or error}. {free / 1e6:,.0f} MB are free where the app keeps its work "
        "(SKILL_FACTORY_HOME). Make room there, or set it to another disk."
    )


def _waiting(file_id: str, session: str) -> Path:
    return place("arriving") / f"{_safe(session)}.{_safe(file_id)}"


def _safe(text: str) -> str:
    return re.sub(r"[^\w-]", "_", text)[:80]
