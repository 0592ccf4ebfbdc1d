"""The nouns of the field, as values: what flows from a question to a trace.

An id is a 64-bit hash (XXH3) of the thing's own text: an unsigned integer here, 16 hexadecimal digits wherever people
or files see it. What flows by the million is a named tuple, since making one takes a third of a dataclass's time.
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
    """What a reflection says of its response; the numbers of CORRECT and INCORRECT can be compared with the label."""

    CORRECT = 1
    INCORRECT = 0
    MISSING = -1

    @property
    def word(self) -> str:
        """The word that files and tallies use."""
        return self.name.lower()


class Reflection(NamedTuple):
    """A kept reflection on one response. It knows its text by place, since a build never looks at it as a string."""

    id: int
    place: int
    texts: Sequence[str]
    """All texts, its own at `place`."""

    @property
    def text(self) -> str:
        """The text as a string."""
        return self.texts[self.place]


class Response(NamedTuple):
    """A kept answer of the model to a question. It, too, knows its text by place."""

    id: int
    place: int
    correct: bool
    answer: str
    variant: str
    """The prompt variant that produced it; empty where the data doesn't say."""
    texts: Sequence[str]
    """All texts, its own at `place`."""
    critiques: Sequence[Sequence[Reflection]]
    """The kept reflections of all responses, its own at `place`."""

    @property
    def text(self) -> str:
        """The text as a string."""
        return self.texts[self.place]

    @property
    def reflections(self) -> Sequence[Reflection]:
        """The kept reflections on it, in the order of their ids."""
        return self.critiques[self.place]


@dataclass(frozen=True)
class Question:
    """A question with its kept responses, in canonical order (by response id)."""

    id: int
    text: str
    responses: Sequence[Response]

    @cached_property
    def right(self) -> list[Response]:
        """The responses that are right."""
        return [response for response in self.responses if response.correct]

    @cached_property
    def wrong(self) -> list[Response]:
        """The responses that are wrong."""
        return [response for response in self.responses if not response.correct]


class TraceFormat(StrEnum):
    """The trace formats, by the codes of the paper's script; `algorithm1` is described in the paper only."""

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
    """A phrase says that the last two attempts agree."""


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
    """The key that the attempts were drawn from; reflections are drawn from it too, and phrases from it and the format."""
    reflect: bool = True
    """Whether reflections are shown."""
    away: int = 0
    """How many attempts a limit took from the front; the others keep the reflections they had."""

    @property
    def attempts(self) -> list[Attempt]:
        """Each response with one of its kept reflections, drawn from the key and the attempt's place."""
        if not self.reflect:
            return [Attempt(response, None) for response in self.order]
        draws = Draws(reflection_key(self))
        draws.words(
            self.away
        )  # the words of attempts that were taken away, so that the others draw as before
        return [Attempt(response, draws.choose(response.reflections or _NONE)) for response in self.order]

    @property
    def right(self) -> tuple[bool, ...]:
        """Which of the attempts are right."""
        return tuple([response.correct for response in self.order])

    @property
    def answering(self) -> int:
        """Place (from 0) of the attempt whose answer is the final one."""
        last = len(self.order) - 1
        if self.closing is not Closing.BACKTRACK:
            return last
        return max(place for place in range(last) if self.order[place].correct)


def reflection_key(plan: TracePlan) -> bytes:
    """The key that a plan's reflections are drawn from, one word of its stream for each attempt."""
    return plan.key + b"\x1freflections"


class SegmentKind(StrEnum):
    """What a stretch of a trace is: the model's text, a phrase of the phrase book, or the layout around them."""

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
    """What each stretch is; traces of one outline share the tuple."""
    pieces: Sequence[str]
    """The text of each stretch."""
    text: str
    id: int
    """A hash of question, label, text, format and repeat."""
    digest: int
    """A 128-bit hash of question, label and text; the sum over all traces, modulo 2**128, identifies a dataset."""

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
    """Named tuples of one kind, one for each row of some columns: made by the million without a function call for each."""
    return list(map(tuple.__new__, repeat(kind), zip(*columns, strict=True)))


def hex_id(number: int) -> str:
    """An id as people and files see it: 16 hexadecimal digits."""
    return f"{number:016x}"
