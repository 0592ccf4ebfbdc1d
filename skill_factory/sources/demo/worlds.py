"""The demo's worlds: what kinds of questions it can make, a record each.

A world makes tasks; a task knows its question and its gold answer, and makes attempts and reflections. `rows.py` makes
rows of them, the same way for every world.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from skill_factory.errors import SourceError
from skill_factory.sources.demo import countdown_prose, sums_prose
from skill_factory.sources.demo.draw import Draw


class Attempt(Protocol):
    """One response: its text, the answer in it (empty where it was cut off), and whether that is right."""

    @property
    def text(self) -> str:
        """What the model wrote."""
        ...

    @property
    def answer(self) -> str:
        """The final answer; empty without one."""
        ...

    @property
    def correct(self) -> bool:
        """Whether it is right."""
        ...


Made = TypeVar("Made", bound=Attempt)


class Task(Protocol[Made]):
    """One question of a world."""

    @property
    def question(self) -> str:
        """As a model is asked; it says that it is synthetic."""
        ...

    @property
    def gold(self) -> str:
        """The gold answer."""
        ...

    def attempt(self, variant: str, right: bool, draw: Draw) -> Made:
        """A worked attempt in the manner of its prompt variant."""
        ...

    def reflection(self, attempt: Made, misjudges: bool, draw: Draw) -> str:
        """A reflection on an attempt of this task."""
        ...


@dataclass(frozen=True)
class World:
    """A kind of questions."""

    name: str
    """As in `demo:NAME`; the first world needs no name."""
    title: str
    """What its questions are, in the plural."""
    about: str
    """One sentence for a person who chooses."""
    key: tuple[str, ...]
    """What its draws are keyed by, besides seed and number."""
    make: Callable[[int, int, Draw], Task[Any]]
    """The task of a seed and a number from 0."""


COUNTDOWN = World(
    "countdown",
    "Countdown puzzles",
    "Numbers are combined into a target, and attempts fail in many ways.",
    (),
    countdown_prose.make_task,
)
SUMS = World(
    "sums",
    "sums and comparisons",
    "A small model can learn them, and a wrong attempt is one slip away.",
    ("sums",),
    sums_prose.make_task,
)
WORLDS = {world.name: world for world in (COUNTDOWN, SUMS)}
"""The first is taken where no name is given."""


def world_named(name: str) -> World:
    """The world of this name. Errors: SourceError that lists the names."""
    if name not in WORLDS:
        raise SourceError(
            f"The demo has no world {name!r}. Choose one of {', '.join(WORLDS)}, e.g. demo:500 or demo:sums:500."
        )
    return WORLDS[name]
