"""Functions of ours that touch a visitor's bytes, patterns or recipes, run beside a shared server and not in it.

A few warm children (`child.py`) serve all visitors. Each request has bounds of memory, processor time and wall time; what
passes them ends with its child, and the visitor reads one sentence. What a child answers is data (`wire.py`).
"""

import atexit
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from skill_factory import errors
from skill_factory.errors import SkillFactoryError, SourceError
from skill_factory.hosting import cores
from skill_factory.work.asking import FEW, PULSE, Child, Pulse, TookTooMuch, too_large
from skill_factory.work.child import Answer, Request
from skill_factory.work.nursery import Nursery
from skill_factory.work.wire import Shared, pack

__all__ = ["SECONDS", "Children", "TookTooMuch", "children", "run", "too_large"]

T = TypeVar("T")

SECONDS = 20.0
"""Of the processor, for a request of a page: a sample is read in one or two."""
PATIENCE = 60.0
"""Seconds that a request waits for a child."""


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
