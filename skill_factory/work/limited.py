"""Functions of ours that touch a visitor's bytes, patterns or recipes, run beside a shared server and not in it.

A few warm children (`child.py`) serve all visitors. Each request has bounds of memory, processor time and wall time; what
passes them ends with its child, and the visitor reads one sentence. What a child answers is data (`wire.py`).
"""

import atexit
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from skill_factory import errors
from skill_factory.errors import SkillFactoryError, SourceError
from skill_factory.hosting import cores
from skill_factory.work.child import MEMORY, NUMBER, Answer, Request, send
from skill_factory.work.nursery import Nursery
from skill_factory.work.wire import Missing, Shared, pack, unpack

T = TypeVar("T")

SECONDS = 20.0
"""Of the processor, for a request of a page: a sample is read in one or two."""
WALL = 4.0
"""Times as many seconds may pass meanwhile: a busy machine, or the Hub, is nobody's fault."""
PATIENCE = 60.0
"""Seconds that a request waits for a child."""
BIRTH = 15.0
"""Seconds, WALL-fold as well, in which a child is there."""
LARGEST = 150_000_000
"""Bytes of an answer."""
LONG = 3.0
"""Seconds of computing after which a request gives way to others."""
PULSE = 0.1
FEW = 8
"""Values that are noted of a child, so that who needs them again comes to it again."""

Pulse = Callable[[float], None]
"""Told every PULSE for how many seconds a request has been going on; raises to give it up."""


class TookTooMuch(SourceError):
    """A request was ended at one of its bounds; the same request would be again."""


def run(
    function: Callable[..., T],
    *arguments: Any,
    what: str = "This",
    seconds: float = SECONDS,
    pulse: Pulse = lambda elapsed: None,
) -> T:
    """
    What a function of this package gives, found by a child; `what` is what a sentence about its end calls its data.

    Errors: those of the function, as far as they are errors of use; TookTooMuch; whatever `pulse` raises.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    values = _values(arguments)
    child = children().take(pulse, values)
    good = False
    try:
        for whole in (False, True):
            asked = pack(Request(name, list(arguments), seconds), whole)
            answer = child.ask(asked, what, seconds, pulse)
            if not answer.missing:
                break
        good = not (answer.memory or answer.fault) and not child.tired
        child.knows = [*(one for one in child.knows if one not in values), *values][-FEW:]
    finally:
        children().give_back(child, good)
    value: T = _value(answer, what)
    return value


def _values(arguments: tuple[Any, ...]) -> list[str]:
    """What a child keeps of a request: large values, and the source that it opened."""
    names = [one.name for one in arguments if isinstance(one, Shared)]
    return names + [one.text for one in arguments if isinstance(getattr(one, "text", None), str)]


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

    nursery: Nursery
    line: socket.socket
    number: int = 0
    """Of its process; 0 until it has said it."""
    tired: bool = False
    """It was made to give way, and can't be taken back: it serves no other request."""
    knows: list[str] = field(default_factory=list)
    """Names of what it keeps, those asked for last at the end."""
    _computed: float = 0.0

    @classmethod
    def started(cls, nursery: Nursery) -> "Child":
        """A new one, which comes into the world while nobody waits for it."""
        return cls(nursery, nursery.bear())

    def lives(self, pulse: Pulse) -> bool:
        """Whether it is there; one that is just coming is waited for. Errors: TookTooMuch; whatever `pulse` raises."""
        if self.number:
            return self._is_silent()
        try:
            said = self._exactly(NUMBER.size, time.monotonic(), "Starting", BIRTH, pulse)
        except (OSError, EOFError):
            return False
        self.number = int(NUMBER.unpack(said)[0])
        return True

    def _is_silent(self) -> bool:
        """It says nothing unasked; where it has ended, its line has closed."""
        self.line.setblocking(False)
        try:
            self.line.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def ask(self, request: bytes, what: str, seconds: float, pulse: Pulse) -> Answer:
        """Its answer. Errors: TookTooMuch, SourceError where it fell over."""
        began, self._computed = time.monotonic(), self.computed()
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
        if elapsed > LONG and not self.tired and self.computed() - self._computed > LONG:
            self.tired = True
            try:
                os.setpriority(os.PRIO_PROCESS, self.number, 5)
            except OSError:
                return

    def computed(self) -> float:
        """Seconds of the processor that it has had: a busy machine makes nobody's request a long one."""
        try:
            words = Path(f"/proc/{self.number}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return 0.0  # this system doesn't say
        user, system = words.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _fallen(self, what: str, seconds: float) -> SourceError:
        """Why it ended by itself."""
        code = self.nursery.ended(self.number)
        if -code in (signal.SIGXCPU, signal.SIGALRM):
            return TookTooMuch(too_long(what, seconds))
        if -code == signal.SIGKILL:  # nobody but the system's watch over its memory does that
            return TookTooMuch(too_large(what))
        return TookTooMuch(broken(what))

    def end(self) -> None:
        """End it, whatever it does."""
        self.line.close()
        if self.number:
            self.nursery.end(self.number)


@dataclass
class Children:
    """All children of this server: some idle and warm, and no more than so many at once."""

    most: int
    idle: list[Child] = field(default_factory=list)
    busy: int = 0
    nursery: Nursery = field(default_factory=Nursery)
    _change: threading.Condition = field(default_factory=threading.Condition)
    _line: list[object] = field(default_factory=list)

    def take(self, pulse: Pulse, values: list[str] | None = None) -> Child:
        """
        A child of one's own until it is given back, if possible one that keeps these values; who came first is served
        first. Errors: SourceError; whatever `pulse` raises.
        """
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
        try:
            child = self._living(pulse, values or [])
        except BaseException:
            with self._change:
                self.busy -= 1
                self._change.notify_all()
            raise
        self.keep_one_warm()
        return child

    def _living(self, pulse: Pulse, values: list[str]) -> Child:
        for _ in range(2 * self.most):
            with self._change:
                self.idle.sort(key=lambda one: sum(name in one.knows for name in values))
                child = self.idle.pop() if self.idle else Child.started(self.nursery)
            try:
                if child.lives(pulse):
                    return child
            except BaseException as error:
                child.end()
                if isinstance(error, TookTooMuch):
                    break
                raise
            child.end()
        raise SourceError("This server is busy with other visitors. Try again in a minute.")

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
                self.idle.append(Child.started(self.nursery))

    def end(self) -> None:
        """End those that are idle; the others see their line close."""
        with self._change:
            for child in self.idle:
                child.end()
            self.idle.clear()
            self.nursery.close()


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
