"""Processes that outlive the page: each works for a folder, which remembers it by number and time of start."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from skill_factory.home import hosted

TOKEN = "SKILL_FACTORY_TOKEN"
"""Carries the visitor's token to the process: an argument would show in the machine's list of processes."""
KEY = "SKILL_FACTORY_API_KEY"
"""The same for the key of a model server."""
_LOGINS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", KEY)


def start(path: Path, command: Sequence[str], token: str = "", key: str = "") -> None:
    """Run a command for a folder: its output goes to `told` there, its errors to `log`."""
    (path / "stopping").unlink(missing_ok=True)
    with (path / "told").open("wb") as told, (path / "log").open("wb") as log:
        # A session of its own: Ctrl-C in the terminal of the server is not meant for the process.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=told, stderr=log, env=environment(token, key), start_new_session=True,
        )  # fmt: skip
    (path / "process").write_text(f"{process.pid} {_stamp(process.pid)}", encoding="utf-8")


def environment(token: str, key: str = "") -> Mapping[str, str]:
    """That of the server, without a login of its own: a visitor's process acts for the visitor alone."""
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    kept = {name: value for name, value in os.environ.items() if name not in _LOGINS}
    given = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), TOKEN: token}
    given |= {KEY: key} if key else {}
    return {**kept, **given, **({"SKILL_FACTORY_HOSTED": "1"} if hosted() else {})}


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
