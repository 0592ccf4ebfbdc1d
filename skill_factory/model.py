"""The nouns of the field, as values: what flows from a question to a trace.

An id is a 64-bit hash (XXH3) of the thing's own text, an unsigned integer here and 16 hexadecimal digits wherever
people or files see it. What flows by the million is a named tuple: it is made in a third of the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from itertools import repeat
from typing import Any, NamedTuple, TypeVar

from skill_factory.draws import Draws
from skill_factory.reasons import TraceReason

T = TypeVar("T", bound=tuple[Any, ...])


class Verdict(IntEnum):
    """What a reflection says of its response; as numbers, CORRECT and INCORRECT compare with the truth."""

    CORRECT = 1
    INCORRECT = 0
    MISSING = -1

    @property
    def word(self) -> str:
        """As files and tallies write it."""
        return self.name.lower()


class Reflection(NamedTuple):
    """A kept critique of one response: its text is known by its place, since a build never looks at it as a string."""

    id: int
    place: int
    texts: Sequence[str]
    """Where its text stands among others."""

    @property
    def text(self) -> str:
        """What it says."""
        return self.texts[self.place]


class Response(NamedTuple):
    """A kept answer of the model to a question; its text, too, is known by its place."""

    id: int
    place: int
    correct: bool
    answer: str
    variant: str
    """Which prompt produced it; the empty string where the data do not say."""
    texts: Sequence[str]
    """Where its text stands among others."""
    critiques: Sequence[Sequence[Reflection]]
    """Where its kept reflections stand among those of others."""

    @property
    def text(self) -> str:
        """What it says."""
        return self.texts[self.place]

    @property
    def reflections(self) -> Sequence[Reflection]:
        """Its kept reflections, by id."""
        return self.critiques[self.place]


@dataclass(frozen=True)
class Question:
    """A question with its kept responses, in canonical order (by response id)."""

    id: int
    text: str
    responses: Sequence[Response]

    @cached_property
    def right(self) -> list[Response]:
        """Its right responses."""
        return [one for one in self.responses if one.correct]

    @cached_property
    def wrong(self) -> list[Response]:
        """Its wrong responses."""
        return [one for one in self.responses if not one.correct]


class TraceFormat(StrEnum):
    """The trace formats, under the codes of the paper's script; `algorithm1` stands in the paper alone."""

    RANDOM = "random"
    NO_REFLECTION = "no_reflection"
    ONE_CORRECT = "0C"
    CORRECT_LAST = "*C"
    CORRECT_LAST_FULL = "*C_full"
    BACKTRACK = "*C*IC"
    CONFIRM = "*CC"
    ALGORITHM_1 = "algorithm1"


class Closing(StrEnum):
    """What stands between the thinking and the ending phrase."""

    PLAIN = "plain"
    BACKTRACK = "backtrack"
    """Back to the last correct attempt, whose text is repeated."""
    CONFIRM = "confirm"
    """A phrase that says that two attempts agree."""


class Attempt(NamedTuple):
    """One try inside a trace: a response and, where one is shown, a reflection on it."""

    response: Response
    reflection: Reflection | None


_NONE: Sequence[Reflection | None] = (None,)


class TracePlan(NamedTuple):
    """Which responses a trace shows, in which order and with which closing; no wording yet."""

    question: Question
    format: str
    label: str
    repeat: int
    order: Sequence[Response]
    closing: Closing
    key: bytes
    """What the choice was drawn from; reflections are drawn from it, phrases from it and the format."""
    reflect: bool = True
    """Whether reflections are shown."""
    away: int = 0
    """Attempts that a limit took from the front; the reflections of the others are those they had before."""

    @property
    def attempts(self) -> list[Attempt]:
        """Each response with one of its kept reflections, drawn from the key and the place of the attempt."""
        if not self.reflect:
            return [Attempt(response, None) for response in self.order]
        draws = Draws(reflection_key(self))
        draws.words(self.away)
        return [Attempt(one, draws.choose(one.reflections or _NONE)) for one in self.order]

    @property
    def right(self) -> tuple[bool, ...]:
        """Which attempts are."""
        return tuple([response.correct for response in self.order])

    @property
    def answering(self) -> int:
        """Place (from 0) of the attempt whose answer is the final one."""
        last = len(self.order) - 1
        if self.closing is not Closing.BACKTRACK:
            return last
        return max(place for place in range(last) if self.order[place].correct)


def reflection_key(plan: TracePlan) -> bytes:
    """What the reflections of a plan are drawn from, a word for each attempt."""
    return plan.key + b"\x1freflections"


class SegmentKind(StrEnum):
    """What a stretch of a trace is: model text, a phrase of the phrase book, or the layout around them."""

    LAYOUT = "layout"
    SAMPLE = "sample"
    REFLECT = "reflect"
    GLUE = "glue"
    BACKTRACK = "backtrack"
    SAMPLE_AGAIN = "sample_again"
    CONFIRM = "confirm"
    ENDING = "ending"
    ANSWER = "answer"


class Segment(NamedTuple):
    """A stretch of a trace's text; the texts of all segments joined are the trace."""

    kind: SegmentKind
    text: str


class Trace(NamedTuple):
    """A rendered plan: the assistant's turn, and what each stretch of it is."""

    plan: TracePlan
    kinds: Sequence[SegmentKind]
    """What each stretch is; the same tuple for all traces of one outline."""
    pieces: Sequence[str]
    """The text of each stretch."""
    text: str
    id: int
    """Hash of question, label, text, format and repeat."""
    digest: int
    """128 bits over question, label and text; their sum over all traces, modulo 2**128, identifies a data set."""

    @property
    def segments(self) -> list[Segment]:
        """The stretches one by one."""
        return list(map(Segment, self.kinds, self.pieces))


@dataclass(frozen=True, slots=True)
class Skip:
    """A trace that the recipe asks for and the question can't yield."""

    question: Question
    format: str
    reason: TraceReason


def made_of(kind: type[T], *columns: Sequence[Any]) -> list[T]:
    """Named tuples of a kind, one for each row of some columns: made by the million, calling no function for each."""
    return list(map(tuple.__new__, repeat(kind), zip(*columns, strict=True)))


def hex_id(number: int) -> str:
    """An id as people and files see it: 16 hexadecimal digits."""
    return f"{number:016x}"
