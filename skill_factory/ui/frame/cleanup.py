"""A shared server deletes what it keeps of its visitors once they have been away for some time."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import streamlit as st

from skill_factory.hosting import hosted
from skill_factory.ui.frame import exact_tables, workspace
from skill_factory.wording import many
from skill_factory.work import builds, makings, nursery, pushes, suites
from skill_factory.work.home import forget_old, place
from skill_factory.work.kept import workspaces
from skill_factory.work.process import ACTIVE

HOURS = "SKILL_FACTORY_IDLE_HOURS"
"""Environment variable: hours for which a visitor's files are kept after the last visit; default: 24."""
OFTEN = 0.02
"""The share of that time after which the server looks again."""


def idle_days() -> float:
    """Days after which a visitor's files are deleted."""
    return float(os.environ.get(HOURS) or 24) / 24


def idle_words() -> str:
    """That time in words: "24 hours"."""
    hours = idle_days() * 24
    return many(round(hours), "hour") if hours >= 1 else "less than an hour"


@st.cache_resource(show_spinner=False)
def _last() -> dict[str, float]:
    return {}


@st.cache_resource(show_spinner=False)
def _watching() -> threading.Thread:
    """Ends, also when nobody comes, what visitors who left had begun."""
    # The dictionaries are asked for here: outside a session Streamlit's caches know none.
    end = exact_tables.unwanted()

    def watch() -> None:
        while True:
            time.sleep(10)
            end()

    thread = threading.Thread(target=watch, daemon=True, name="what nobody waits for")
    thread.start()
    return thread


def tidy() -> None:
    """Note that this visitor is here, and delete what those left behind who haven't been for too long."""
    if not hosted():
        return
    _watching()
    now, last, days = time.time(), _last(), idle_days()
    pause = min(300.0, days * 86_400 * OFTEN)
    mine = workspace.current()
    own = mine.kept.path if mine.kept else None
    for kept in (own, _upload_of(mine.source), _build_of(mine.job), _made_of(mine.source)):
        if kept is not None and now - last.get(str(kept), 0.0) > pause:
            last[str(kept)] = now
            with suppress(OSError):
                os.utime(kept)
    if now - last.get("", 0.0) <= pause:
        return
    last[""] = now
    with suppress(OSError):  # another visitor's run may be tidying at this moment
        _remove_old(days)


def _remove_old(days: float) -> None:
    for path in place(builds.KIND).iterdir():
        job = builds.find(path.name)
        if job is not None and (builds.status(job).state in ACTIVE or pushes.running(job)):
            with suppress(OSError):
                os.utime(path)
    for path in place(suites.KIND).iterdir():
        suite = suites.find(path.name)
        if suite is not None and (suites.status(suite).state in ACTIVE or pushes.running(suite)):
            with suppress(OSError):
                os.utime(path)
    for path in place(makings.KIND).iterdir():
        making = makings.find(path.name)
        if making is not None and makings.status(making).running:
            with suppress(OSError):
                os.utime(path)
    for kind in (
        "uploads",
        "arriving",
        nursery.KIND,
        builds.KIND,
        makings.KIND,
        suites.KIND,
        workspaces.KIND,
        "tours",
        "facts",
    ):
        forget_old(kind, days)


def _upload_of(source: str) -> Path | None:
    folder = Path(source).parent
    return folder if source and folder.parent == place("uploads") else None


def _made_of(source: str) -> Path | None:
    folder = Path(source).parent
    return folder if source and folder.parent == place(makings.KIND) else None


def _build_of(id: str) -> Path | None:
    job = builds.find(id)
    return job.path if job else None
