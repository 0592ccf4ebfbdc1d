"""The parts of an output: its thinking, attempts, reflections and final answer, and the rules by which they are told.

Nothing is graded here and nothing is ever changed: parts are places in the text. docs/measure.md has the rules.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from skill_factory.grading import BlockNames
from skill_factory.recipe.model import Tags

CORRECT, INCORRECT, NONE = 1, 0, -1
"""Verdicts as numbers; NONE where no reflection gave one."""
VerdictOf = Callable[[str], int]
"""What a reflection's text says: CORRECT, INCORRECT or NONE."""


class Tried(NamedTuple):
    """An attempt: where its text stands, and the answer it came to."""

    start: int
    end: int
    answer: str | None


class Reflected(NamedTuple):
    """A reflection: where its text stands, and what it says of the attempt before it."""

    start: int
    end: int
    verdict: int


class Block(NamedTuple):
    """A block of the text: from its opening tag to the end of its content; one that never closed ends early."""

    name: str
    opened: int
    start: int
    end: int
    closed: bool


@dataclass(frozen=True)
class Rules:
    """How outputs are taken apart; the same for all outputs of a measurement."""

    names: BlockNames = field(default_factory=BlockNames)
    verdict_of: VerdictOf = lambda text: NONE
    boxed: bool = False
    r"""Each `\boxed{}` is an attempt where an output has neither a sample nor an inner answer."""
    stated: bool = False
    """No output has answer tags, so what a text states counts (`\\boxed{}`, `####`, "Answer:")."""
    answer_of: Callable[[str], str | None] = lambda text: None
    """The recipe's answer rule, for an attempt or an output without answer tags."""


@dataclass(frozen=True)
class Parts:
    """What an output consists of; places count characters of `text`."""

    text: str
    thinking: int
    """Where the thinking ends; 0 where there is none."""
    attempts: tuple[Tried, ...]
    reflections: tuple[Reflected, ...]
    final: str | None
    answers: int
    """Opening answer tags in all."""
    cut_off: bool
    malformed: bool

    @property
    def verdicts(self) -> list[int]:
        """For each attempt the verdict of the last reflection with one, between it and the next attempt."""
        said = [NONE] * len(self.attempts)
        for place, one in self.judging():
            if place >= 0 and one.verdict != NONE:
                said[place] = one.verdict
        return said

    @property
    def unpaired(self) -> int:
        """Reflections before any attempt."""
        return sum(place < 0 for place, _ in self.judging())

    def judging(self) -> list[tuple[int, Reflected]]:
        """Each reflection with the place of the attempt that it judges; -1 where none stands before it."""
        paired, place = [], -1
        for one in self.reflections:
            while place + 1 < len(self.attempts) and self.attempts[place + 1].start < one.start:
                place += 1
            paired.append((place, one))
        return paired


def names_of(tags: Tags) -> BlockNames:
    """The tag names of a recipe, as grading knows them."""
    return BlockNames(tags.think, tags.sample, tags.reflect, tags.answer)


def with_thinking(thinking: str | None, text: str, names: BlockNames) -> str:
    """An output whose thinking stands in a field of its own, as one text; thinking without a text behind it was cut off."""
    if not thinking or not thinking.strip() or f"</{names.think}>" in text:
        return text
    closing = f"\n</{names.think}>\n\n{text}" if text.strip() else ""
    return f"<{names.think}>\n{thinking}{closing}"
