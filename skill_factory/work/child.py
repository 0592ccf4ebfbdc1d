"""The limited child: runs functions of this package one after the other, each within bounds of memory and time.

It reads requests from a socket and answers on it, until the socket closes. It is a fork of the nursery (`nursery.py`), and
`limited.py` has it ended when a request takes longer than it may.
"""

import importlib
import os
import signal
import socket
import struct
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_factory.errors import SkillFactoryError
from skill_factory.work.wire import PACKAGE, Missing, pack, unpack

MEMORY = 2_000_000_000
"""Bytes that one request may take beyond what the child had at its start."""
NUMBER = struct.Struct("<q")
"""How a child says its process's number, before anything else."""
SHARED = 6
"""Shared values that are kept."""


@dataclass(frozen=True)
class Request:
    """What a child is asked for."""

    function: str
    """`module:name` of a function of this package."""
    arguments: list[Any]
    seconds: float


@dataclass(frozen=True)
class Answer:
    """What came of it: a value, the sentence of an error of use, or what was wrong with ours."""

    value: Any = None
    error: str = ""
    """Name of the error's class."""
    said: str = ""
    memory: bool = False
    """It needed more memory than there is."""
    fault: str = ""
    """Where our own code failed; no text of the data stands in it."""
    missing: bool = False
    """A shared value isn't here: send it along."""


def serve(line: socket.socket) -> None:
    """Answer requests until the other end closes."""
    shared: dict[str, Any] = {}
    while (data := receive(line)) is not None:
        answer = _answered(data, shared)
        send(line, answer)
        while len(shared) > SHARED:
            shared.pop(next(iter(shared)))


def _answered(data: bytes, shared: dict[str, Any]) -> bytes:
    try:
        try:
            request: Request = unpack(data, shared)
        except Missing:
            return pack(Answer(missing=True))
        _limit_time(request.seconds)
        return pack(Answer(_function(request.function)(*request.arguments)))
    except SkillFactoryError as error:
        if _is_memory(error.__context__):  # a reader's own words for it would send people to their file
            return pack(Answer(memory=True))
        return pack(Answer(error=type(error).__name__, said=str(error)[:2000]))
    except (MemoryError, RecursionError):
        return pack(Answer(memory=True))
    except Exception as error:
        return pack(Answer(memory=True) if _is_memory(error) else Answer(fault=where(error)))
    finally:
        signal.alarm(0)


def _is_memory(error: BaseException | None) -> bool:
    """Whether a want of memory lies behind an error; a thread that can't be started is one too."""
    while error is not None:
        if (
            isinstance(error, MemoryError)
            or "can't start new thread" in str(error)
            or "bad_alloc" in str(error)
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def where(error: BaseException) -> str:
    """Kind and place of an error, without its message, which may hold a visitor's text."""
    steps = traceback.extract_tb(error.__traceback__)
    ours = [f"{step.filename.rpartition('skill_factory/')[2]}:{step.lineno}" for step in steps[-6:]]
    return f"{type(error).__name__} at {' > '.join(ours)}"


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    if not module.startswith(PACKAGE):
        raise ValueError(f"{name} isn't a function of this package")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


# -- bounds --------------------------------------------------------------------------------------------------------


def _limit_memory() -> None:
    """No more address space than what is taken now and MEMORY; where the system doesn't know how, time alone ends it."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            taken = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        return


def _die_first() -> None:
    """Where the machine runs out of memory, its system ends children before the server."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("800")


def _limit_time(seconds: float) -> None:
    """So much processor time for this request; of the wall's, whose clock the server watches, enough for a server's death."""
    signal.alarm(int(seconds * 10) + 10)
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


# -- the line ------------------------------------------------------------------------------------------------------


def send(line: socket.socket, data: bytes) -> None:
    """A length, then so many bytes."""
    line.sendall(struct.pack("<Q", len(data)))
    line.sendall(data)


def receive(line: socket.socket) -> bytes | None:
    """What the other end has sent; None where it has closed."""
    head = exactly(line, 8)
    return None if head is None else exactly(line, struct.unpack("<Q", head)[0])


def exactly(line: socket.socket, size: int) -> bytes | None:
    """So many bytes; None where the other end closes before."""
    data = bytearray()
    while len(data) < size:
        piece = line.recv(min(1 << 20, size - len(data)))
        if not piece:
            return None
        data += piece
    return bytes(data)


def live(line: socket.socket, folder: Path) -> None:
    """The life of a child: say its number, set the bounds, serve until the line closes; it writes below its folder alone."""
    with suppress(OSError):
        tempfile.tempdir = str(folder)  # what is unpacked goes with the child, however that ends
        line.sendall(NUMBER.pack(os.getpid()))
        _limit_memory()
        _die_first()
        serve(line)
