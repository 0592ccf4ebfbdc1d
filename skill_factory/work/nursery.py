"""The nursery: one process that has imported everything and never sees a visitor's bytes; limited children are its forks.

So a child costs milliseconds instead of a second of imports, however often hostile input ends one. The nursery does as it
is told on a socket: bear a child, which gets the other end of a line, or end one. It alone knows which children live, so
nobody else's process is ever ended by an old number.
"""

import importlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from skill_factory.arrow_alone import arrow_alone
from skill_factory.errors import SkillFactoryError
from skill_factory.hosting import visitor_environment
from skill_factory.work import child
from skill_factory.work.home import place

START = "from skill_factory.work.nursery import main; main()"
WARM = (
    "skill_factory.sources.files", "skill_factory.sources.demo.source", "skill_factory.sources.hub",
    "skill_factory.build.pipeline", "skill_factory.insight.browse", "skill_factory.insight.compare",
    "skill_factory.insight.fitness", "skill_factory.work.looking", "skill_factory.work.looking_texts", "skill_factory.work.outputs",
    "huggingface_hub.hf_api", "huggingface_hub.hf_file_system", "yaml",
)  # fmt: skip
"""Imported once, before the first child."""
ORDER = struct.Struct("<cq")
"""What is asked, and of which child."""
BEAR, END, WAIT = b"b", b"e", b"w"
ENDING = 2.0
"""Seconds in which a child whose line has closed is gone."""
KIND = "unpacked"
"""Of work in the app's home: a folder for each child."""
GONE = 0
"""Said of a child that isn't known any more."""


@dataclass
class Nursery:
    """The server's end of it; it is started when the first child is wanted, and again where it has ended."""

    _process: subprocess.Popen[bytes] | None = None
    _line: socket.socket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def bear(self) -> socket.socket:
        """The line of a new child, which says its number as soon as it lives."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            for _ in range(2):
                try:
                    socket.send_fds(self._started(), [ORDER.pack(BEAR, 0)], [theirs.fileno()])
                    break
                except OSError:  # it has ended since it was last asked
                    self._drop()
        return ours

    def end(self, number: int) -> int:
        """End a child, whatever it does; how it ended, as `subprocess` says it."""
        return self._ask(END, number)

    def ended(self, number: int) -> int:
        """How a child ended whose line has closed; GONE where that isn't known."""
        return self._ask(WAIT, number)

    def close(self) -> None:
        """End the nursery; its children end as their lines close."""
        with self._lock:
            self._drop()

    def _ask(self, order: bytes, number: int) -> int:
        with self._lock:
            try:
                line = self._started()
                line.settimeout(ENDING + 5)
                line.sendall(ORDER.pack(order, number))
                said = child.exactly(line, 8)
            except OSError:
                said = None
            if said is None:
                self._drop()
                return GONE
            return int(struct.unpack("<q", said)[0])

    def _started(self) -> socket.socket:
        if self._line is None:
            self._line, theirs = socket.socketpair()
            # One thread for linear algebra: more would have to be left behind at every fork.
            environment = {**visitor_environment(""), "OPENBLAS_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # what a reader prints may hold the text it fell over
                env=environment, start_new_session=True,
            )  # fmt: skip
            theirs.close()
        return self._line

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDING)  # it ends its children, and what they unpacked goes
            self._process.kill()
            self._process.wait()
        self._process = self._line = None


# -- the process ---------------------------------------------------------------------------------------------------


def main() -> None:
    """Import what requests need, then do as told until the server's end closes."""
    line = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C in the server's terminal: its end of the line closes
    arrow_alone()
    for name in WARM:
        importlib.import_module(name)
    living: set[int] = set()
    with suppress(OSError):
        while told := _order(line):
            order, number, lent = told
            if order == BEAR and lent is not None:
                living.add(_born(line, lent))
                living -= _reaped(living)
            else:
                line.sendall(struct.pack("<q", _ended(number, order == END, living)))
    for number in [*living]:  # the server is gone, and nobody waits for them
        _ended(number, True, living)


def _order(line: socket.socket) -> tuple[bytes, int, socket.socket | None] | None:
    data, lent, _, _ = socket.recv_fds(line, ORDER.size, 1)
    if len(data) < ORDER.size:
        return None
    order, number = ORDER.unpack(data)
    return order, number, socket.socket(fileno=lent[0]) if lent else None


def _born(line: socket.socket, lent: socket.socket) -> int:
    if number := os.fork():
        lent.close()
        return number
    # The child from here on.
    try:
        os.setsid()
        line.close()
        child.live(lent, _folder(os.getpid()))
    finally:
        os._exit(0)


def _reaped(living: set[int]) -> set[int]:
    """Those that have ended and that nobody has asked after for long enough: all but the newest few."""
    gone = {one for one in sorted(living)[:-50] if os.waitpid(one, os.WNOHANG)[0]}
    for number in gone:
        _cleared(number)
    return gone


def _folder(number: int) -> Path:
    """Where a child keeps what it unpacks."""
    try:
        folder = place(KIND) / f"child-{number}"
        folder.mkdir(mode=0o700, exist_ok=True)
    except (OSError, SkillFactoryError):  # it works all the same; what needs the folder says what is wrong
        return Path(tempfile.gettempdir())
    return folder


def _cleared(number: int) -> None:
    with suppress(OSError, SkillFactoryError):
        shutil.rmtree(place(KIND) / f"child-{number}", ignore_errors=True)


def _ended(number: int, now: bool, living: set[int]) -> int:
    if number not in living:
        return GONE
    if now:
        os.kill(number, signal.SIGKILL)
    until = time.monotonic() + ENDING
    while time.monotonic() < until:
        gone, status = os.waitpid(number, os.WNOHANG)
        if gone:
            living.discard(number)
            _cleared(number)
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    return GONE
