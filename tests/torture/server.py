"""The app's server in a process of its own, on a free port of 127.0.0.1."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.command import ROOT


class Server:
    """A context manager; `variables` are added to its environment. `restart` keeps its port and its home."""

    LISTENS: tuple[str, ...] = ("--server.address", "127.0.0.1")

    def __init__(self, home: Path, **variables: str) -> None:
        self.home, self._variables = home, variables
        home.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "serve.py",
            "--server.port",
            str(self.port),
            *self.LISTENS,
            "--server.fileWatcherType",
            "none",
            "--browser.serverAddress",
            "localhost",
        ]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(words, cwd=ROOT, env=self._environment(), stdout=log, stderr=log)
        self.wait()

    def wait(self) -> None:
        """Until it answers. Errors: RuntimeError where it doesn't."""
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2).read()
                return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("the server did not start")

    def end(self, how: signal.Signals) -> None:
        """End it by a signal and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
            self.process = None

    def log(self) -> str:
        """What it wrote."""
        return (self.home / "server.log").read_text(encoding="utf-8", errors="replace")

    def _environment(self) -> dict[str, str]:
        kept = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("HF_", "SPACE_", "SKILL_"))
        }
        fenced = {
            "HF_HOME": str(self.home / "hf"),
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "SKILL_FACTORY_HOME": str(self.home),
        }
        return {**kept, **fenced, **self._variables}
