"""The server's end of a limited child: a request is sent to it, watched, and ended at one of its bounds with a sentence."""

import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from skill_factory.errors import SourceError
from skill_factory.hosting import computed
from skill_factory.work.child import MEMORY, NUMBER, Answer, send
from skill_factory.work.nursery import Nursery
from skill_factory.work.wire import Missing, unpack

WALL = 4.0
"""Times as many seconds may pass meanwhile: a busy machine, or the Hub, is nobody's fault."""
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
        """Seconds of the processor that it has had."""
        return computed(self.number)

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
