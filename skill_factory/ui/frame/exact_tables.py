"""Exact narrow tables: shared by all sessions in memory and on disk, and read in the background if a source is large."""

import time
from collections.abc import Callable

import streamlit as st

from skill_factory.judge.source_facts import Narrow, forget_old, load
from skill_factory.recipe.model import Recipe
from skill_factory.work import reading
from skill_factory.work.reading import Progress, Reader, Request, table_file

KEPT = 6
"""Tables in memory, for all sessions together; one with a million reflections takes about 40 MB."""
UNWANTED = 60.0
"""Seconds; a page that shows a sample asks every second how far the reading has got."""


@st.cache_resource(show_spinner=False)
def _tables() -> dict[str, Narrow]:
    return {}


@st.cache_resource(show_spinner=False)
def _readers() -> dict[str, Reader]:
    return {}


@st.cache_resource(show_spinner=False)
def _asked() -> dict[str, float]:
    """When a page last asked for a table that is being read."""
    return {}


def unwanted(seconds: float = UNWANTED) -> Callable[[], None]:
    """What ends the readings that no page has asked for lately, for a thread of its own: their visitors are gone."""
    asked, readers = _asked(), _readers()

    def end() -> None:
        now = time.monotonic()
        for name, process in list(readers.items()):
            if process.poll() is None and now - asked.get(name, now) > seconds:
                readers.pop(name, None)
                process.terminate()

    return end


def known(name: str) -> Narrow | None:
    """The exact table of that name, if there is one yet."""
    table = _tables().get(name)
    if table is None and (table := load(table_file(name))):
        keep(name, table)
    return table


def keep(name: str, table: Narrow) -> None:
    """Keep an exact table in memory; when there are too many, the oldest goes."""
    tables = _tables()
    if name not in tables:
        while len(tables) >= KEPT:
            tables.pop(next(iter(tables)), None)
        tables[name] = table


def start(name: str, source: str, recipe: Recipe, token: str) -> None:
    """Start reading, unless it is already running; what this session was reading before is no longer wanted."""
    readers = _readers()
    _asked()[name] = time.monotonic()
    if name in readers and readers[name].poll() != 0:
        return  # running, or failed: then it stays failed until the data is chosen again
    before = st.session_state.get("_reading", "")
    if before != name and before in readers:
        readers.pop(before).terminate()
    st.session_state["_reading"] = name
    path = table_file(name)
    forget_old(path.parent)
    path.with_suffix(".json").unlink(missing_ok=True)
    readers[name] = reading.start(Request(source, recipe.to_toml(), str(path), token))


def forget_failed() -> None:
    """Forget readings that failed, so that they can be started again."""
    readers = _readers()
    for name in [name for name, process in readers.items() if process.poll() not in (None, 0)]:
        readers.pop(name, None)


def progress(name: str) -> Progress:
    """How far the reading of that table has got."""
    _asked()[name] = time.monotonic()
    return reading.progress(name, _readers().get(name))
