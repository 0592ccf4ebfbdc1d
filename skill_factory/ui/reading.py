"""Exact narrow tables: kept in memory and on disk, and read by a process of their own where a source is large."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from skill_factory.home import place
from skill_factory.narrow import Narrow, Request, forget_old, load
from skill_factory.recipe import Recipe
from skill_factory.ui import child

KEPT = 6
"""Tables in memory, over all sessions; one of a million reflections takes some 40 MB."""


@dataclass(frozen=True)
class Progress:
    """How far the reading is."""

    done: int = 0
    of: int = 0
    error: str = ""
    ready: bool = False
    lost: bool = False
    """Nobody is reading it: another session has ended the reading that both waited for."""


@st.cache_resource(show_spinner=False)
def _tables() -> dict[str, Narrow]:
    return {}


@st.cache_resource(show_spinner=False)
def _readers() -> dict[str, "subprocess.Popen[str]"]:
    return {}


def known(name: str) -> Narrow | None:
    """The exact table of that name, if it was made."""
    found = _tables().get(name)
    if found is None and (found := load(place("facts") / f"{name}.npz")):
        keep(name, found)
    return found


def keep(name: str, table: Narrow) -> None:
    """Keep an exact table in memory; the one that was kept first goes when there are too many."""
    tables = _tables()
    if name not in tables:
        while len(tables) >= KEPT:
            tables.pop(next(iter(tables)), None)
        tables[name] = table


def start(name: str, source: str, recipe: Recipe, token: str) -> None:
    """Start reading, unless it is going on; what this session was reading before is no longer wanted."""
    readers = _readers()
    if name in readers and readers[name].poll() != 0:
        return  # going on, or failed: then it stays so until the data are chosen again
    before = st.session_state.get("_reading", "")
    if before != name and before in readers:
        readers.pop(before).terminate()
    st.session_state["_reading"] = name
    path = place("facts") / f"{name}.npz"
    forget_old(path.parent)
    path.with_suffix(".json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "skill_factory.narrow"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=child.environment("")
    )
    readers[name] = process
    # The page that waits for its first numbers, and the browser beside it, go before.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)
    if process.stdin:
        process.stdin.write(Request(source, recipe.to_toml(), str(path), token).to_json())
        process.stdin.close()


def forget_failed() -> None:
    """Let what failed be read again."""
    readers = _readers()
    for name in [name for name, process in readers.items() if process.poll() not in (None, 0)]:
        readers.pop(name, None)


def progress(name: str) -> Progress:
    """How far the reading of that table is."""
    path = place("facts") / f"{name}.npz"
    if path.exists():
        return Progress(ready=True)
    try:
        told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    process = _readers().get(name)
    if process is not None and process.poll() not in (None, 0) and "error" not in told:
        told["error"] = "Reading all of the data stopped before its end. Choose the data again to start over."
    return Progress(told.get("done", 0), told.get("of", 0), told.get("error", ""), lost=process is None)
