"""Processes that outlive the page: each works for a folder, which remembers it by number and time of start."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from skill_factory.hosting import visitor_environment

_NOTHING: Mapping[str, str] = {}


class State(StrEnum):
    """What a process is doing, or how it ended."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


ACTIVE = (State.WAITING, State.RUNNING, State.STOPPING)


def start(
    path: Path, command: Sequence[str], token: str = "", key: str = "", more: Mapping[str, str] = _NOTHING
) -> None:
    """Run a command for a folder: its output goes to `told` there, its errors to `log`; `more` is for its environment."""
    (path / "stopping").unlink(missing_ok=True)
    with (path / "told").open("wb") as told, (path / "log").open("wb") as log:
        # A session of its own: Ctrl-C in the terminal of the server is not meant for the process.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=told, stderr=log, start_new_session=True,
            env={**visitor_environment(token, key), **more},
        )  # fmt: skip
    (path / "process").write_text(f"{process.pid} {_stamp(process.pid)}", encoding="utf-8")


def state(path: Path, patience: float) -> State:
    """
    How the process of a folder stands: FAILED where it ended unasked, which its caller may know to be DONE.

    One that has not stopped by itself some seconds after it was asked to is ended here.
    """
    asked = path / "stopping"
    if not alive(path):
        return State.STOPPED if asked.exists() else State.FAILED
    if not asked.exists():
        return State.RUNNING
    if time.time() - asked.stat().st_mtime > patience:
        send(path, signal.SIGKILL)
    return State.STOPPING


def told(path: Path) -> dict[str, Any]:
    """The object that a command has printed at its end; empty before that."""
    lines = read(path / "told").strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def why(path: Path, id: str, ended: str) -> str:
    """Why a process failed: its last sentence, an apology for a fault of ours, or `ended` where it had no time to speak."""
    lines = [line for line in read(path / "log").splitlines() if line.strip() and not line.startswith("{")]
    if any(line.startswith("Traceback") for line in lines):
        return f"Something went wrong that is not your fault. If it happens again, report it with the id {id[:8]}."
    return lines[-1] if lines else ended


def alive(path: Path) -> bool:
    """Whether the process of a folder is running."""
    words = read(path / "process").split()
    if len(words) != 2:
        return False
    stamp = _stamp(int(words[0]))
    return bool(stamp) and stamp == words[1]


def ask_to_stop(path: Path) -> None:
    """Ask a process to stop, as Ctrl-C would."""
    (path / "stopping").touch()
    send(path, signal.SIGINT)


def send(path: Path, which: signal.Signals) -> None:
    """Send a signal to the process of a folder, if it is running; SIGKILL also to those it has started."""
    if not alive(path):
        return
    pid = int(read(path / "process").split()[0])
    with contextlib.suppress(ProcessLookupError):
        # A build answers Ctrl-C for its workers too; at the end of patience all of them are ended.
        os.killpg(pid, which) if which is signal.SIGKILL else os.kill(pid, which)


def read(path: Path) -> str:
    """What a file holds, or nothing."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _stamp(pid: int) -> str:
    """What tells this process from a later one with the same number; empty where it has ended."""
    stat = read(Path(f"/proc/{pid}/stat"))
    if stat:
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    if Path("/proc/self").exists():
        return ""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return ""
    return "running"
