"""Functions of ours that touch a visitor's bytes, patterns or recipes, run beside a shared server and not in it.

A few warm children (`child.py`) serve all visitors. Each request has bounds of memory, processor time and wall time; what
passes them ends with its child, and the visitor reads one sentence. What a child answers is data (`wire.py`).
"""

import atexit
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from skill_factory import errors
from skill_factory.errors import SkillFactoryError, SourceError
from skill_factory.hosting import cores, visitor_environment
from skill_factory.work.child import MEMORY, Answer, Request, send
from skill_factory.work.wire import Missing, pack, unpack

log = logging.getLogger(__name__)
T = TypeVar("T")

SECONDS = 20.0
"""Of the processor, for a request of a page: a sample is read in one or two."""
WALL = 4.0
"""Times as many seconds may pass meanwhile: a busy machine, or the Hub, is nobody's fault."""
PATIENCE = 60.0
"""Seconds that a request waits for a child."""
LARGEST = 150_000_000
"""Bytes of an answer."""
LONG = 3.0
"""Seconds after which a request gives way to others."""
PULSE = 0.1
START = "from skill_factory.work.child import main; main()"

Pulse = Callable[[float], None]
"""Told every PULSE for how many seconds a request has been going on; raises to give it up."""


class TookTooMuch(SourceError):
    """A request was ended at one of its bounds; the same request would be again."""


def run(
    function: Callable[..., T], *arguments: Any, what: str = "This", seconds: float = SECONDS,
    pulse: Pulse = lambda elapsed: None,
) -> T:  # fmt: skip
    """
    What a function of this package gives, found by a child; `what` is what a sentence about its end calls its data.

    Errors: those of the function, as far as they are errors of use; TookTooMuch; whatever `pulse` raises.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    child = children().take(pulse)
    good = False
    try:
        for whole in (False, True):
            asked = pack(Request(name, list(arguments), seconds), whole)
            answer = child.ask(asked, what, seconds, pulse)
            if not answer.missing:
                break
        good = not (answer.memory or answer.fault) and not child.tired
    finally:
        children().give_back(child, good)
    value: T = _value(answer, what)
    return value


def _value(answer: Answer, what: str) -> Any:
    if answer.memory:
        raise TookTooMuch(too_large(what))
    if answer.fault:
        raise RuntimeError(answer.fault)
    if answer.error:
        kind = getattr(errors, answer.error, SourceError)
        known = isinstance(kind, type) and issubclass(kind, SkillFactoryError)
        raise (kind if known else SourceError)(answer.said)
    return answer.value


def too_large(what: str) -> str:
    """What is said where memory didn't do."""
    return (
        f"{what} takes more than the {MEMORY / 1e9:g} GB of memory that each visitor of this shared server has. "
        "Give less of it, or run the app on your own computer."
    )


def too_long(what: str, seconds: float) -> str:
    """What is said where time didn't do."""
    return (
        f"{what} takes longer than the {seconds:g} seconds of computing that each visitor of this shared server has. "
        "Give less of it, or run the app on your own computer."
    )


def broken(what: str) -> str:
    """What is said where the child fell over what it read."""
    return f"{what} can't be read: its reader stopped in the middle. Is it complete, and what it says it is?"


@dataclass
class Child:
    """A process that answers one request at a time."""

    process: subprocess.Popen[bytes]
    line: socket.socket
    tired: bool = False
    """It was made to give way, and can't be taken back: it serves no other request."""

    @classmethod
    def started(cls) -> "Child":
        """A new one; it imports what it needs while its first request is on the way."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # what a reader prints may hold the text it fell over
            env=visitor_environment(""), start_new_session=True,
        )  # fmt: skip
        theirs.close()
        return cls(process, ours)

    def ask(self, request: bytes, what: str, seconds: float, pulse: Pulse) -> Answer:
        """Its answer. Errors: TookTooMuch, SourceError where it fell over."""
        began = time.monotonic()
        try:
            self.line.settimeout(seconds * WALL)
            send(self.line, request)
            answer: Answer = unpack(self._receive(began, what, seconds, pulse))
        except Missing:
            raise TookTooMuch(broken(what)) from None
        except (OSError, EOFError):
            raise self._fallen(what, seconds) from None
        if not isinstance(answer, Answer):
            raise SourceError(broken(what))
        return answer

    def _receive(self, began: float, what: str, seconds: float, pulse: Pulse) -> bytes:
        size = int(struct.unpack("<Q", self._exactly(8, began, what, seconds, pulse))[0])
        if size > LARGEST:
            raise TookTooMuch(too_large(what))
        return self._exactly(size, began, what, seconds, pulse)

    def _exactly(self, size: int, began: float, what: str, seconds: float, pulse: Pulse) -> bytes:
        data = bytearray()
        self.line.settimeout(PULSE)
        while len(data) < size:
            try:
                piece = self.line.recv(min(1 << 20, size - len(data)))
            except TimeoutError:
                elapsed = time.monotonic() - began
                if elapsed > seconds * WALL:
                    raise TookTooMuch(too_long(what, seconds)) from None
                self._give_way(elapsed)
                pulse(elapsed)
                continue
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def _give_way(self, elapsed: float) -> None:
        if elapsed > LONG and not self.tired:
            self.tired = True
            try:
                os.setpriority(os.PRIO_PROCESS, self.process.pid, 5)
            except OSError:
                return

    def _fallen(self, what: str, seconds: float) -> SourceError:
        """Why it ended by itself."""
        try:
            code = self.process.wait(2)
        except subprocess.TimeoutExpired:
            code = 0
        if -code in (signal.SIGXCPU, signal.SIGALRM):
            return TookTooMuch(too_long(what, seconds))
        if -code == signal.SIGKILL:  # nobody but the system's watch over its memory does that
            return TookTooMuch(too_large(what))
        return TookTooMuch(broken(what))

    def end(self) -> None:
        """End it, whatever it does."""
        self.line.close()
        self.process.kill()
        self.process.wait()


@dataclass
class Children:
    """All children of this server: some idle and warm, and no more than so many at once."""

    most: int
    idle: list[Child] = field(default_factory=list)
    busy: int = 0
    _change: threading.Condition = field(default_factory=threading.Condition)
    _line: list[object] = field(default_factory=list)

    def take(self, pulse: Pulse) -> Child:
        """A child of one's own until it is given back; who came first is served first. Errors: SourceError."""
        began, me = time.monotonic(), object()
        with self._change:
            self._line.append(me)
            try:
                while self._line[0] is not me or self.busy >= self.most:
                    self._change.wait(PULSE)
                    elapsed = time.monotonic() - began
                    if elapsed > PATIENCE:
                        raise SourceError("This server is busy with other visitors. Try again in a minute.")
                    pulse(elapsed)
                self.busy += 1
            finally:
                self._line.remove(me)
                self._change.notify_all()
            child = next((self.idle.pop() for _ in range(len(self.idle)) if self.idle), None)
        if child is None or child.process.poll() is not None:
            child = Child.started()
        self.keep_one_warm()
        return child

    def give_back(self, child: Child, good: bool) -> None:
        """Take it back; one that was ended, or that may be spoilt, is replaced."""
        if not good:
            child.end()
        with self._change:
            self.busy -= 1
            if good:
                self.idle.append(child)
            self._change.notify_all()
        self.keep_one_warm()

    def keep_one_warm(self) -> None:
        """Start one ahead of whoever comes next, unless as many as may be are there."""
        with self._change:
            if not self.idle and self.busy < self.most:
                self.idle.append(Child.started())

    def end(self) -> None:
        """End those that are idle; the others see their line close."""
        with self._change:
            for child in self.idle:
                child.end()
            self.idle.clear()


_all: dict[str, Children] = {}
_starting = threading.Lock()


def children() -> Children:
    """Those of this server: two for every core, since some wait for the Hub."""
    with _starting:
        if "all" not in _all:
            _all["all"] = Children(max(2, min(8, 2 * cores())))
            _all["all"].keep_one_warm()
            atexit.register(_all["all"].end)
        return _all["all"]
