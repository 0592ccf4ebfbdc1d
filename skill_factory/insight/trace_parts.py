"""A trace as a person reads it: attempts one after another, the phrases between them, and the final answer.

`html.py` draws stories; how a trace becomes one, and which characters it may show, is settled here.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from skill_factory.asked import question_in
from skill_factory.formats import format_of
from skill_factory.model import Segment, SegmentKind, Trace
from skill_factory.recipe.tokens import estimated_tokens
from skill_factory.wording import many

Measure = Callable[[str], str]
"""How long a text is, in words ("312 tokens")."""

FENCE = re.compile(r"^```.*?^```[^\S\n]*$", re.DOTALL | re.MULTILINE)

# Characters that steer a terminal, hide text or turn its direction; joiners stay, because scripts and emoji need them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text with control and invisible characters in sight: ␛ for the escape character, ⟨U+202E⟩ for others."""
    return _UNSEEN.sub(_shown, text.replace("\r\n", "\n"))


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def characters(text: str) -> str:
    """The length of a text in characters, in words."""
    return many(len(text), "character")


def tokens_at(chars_per_token: float) -> Measure:
    """The estimated length of a text in tokens, in words that mark it as an estimate."""

    def measure(text: str) -> str:
        return f"≈ {many(max(1, round(estimated_tokens(len(text), chars_per_token))), 'token')}"

    return measure


class Card(NamedTuple):
    """One attempt with what follows it."""

    place: int
    """From 1."""
    correct: bool
    variant: str
    text: str
    reflection: str | None
    glue: str
    """The phrase before the next attempt; empty after the last one."""


@dataclass(frozen=True, slots=True)
class Story:
    """The parts of a trace in reading order."""

    question: str
    name: str
    """The name of its format."""
    format: str
    label: str
    cards: tuple[Card, ...]
    phrase: str
    """The phrase that goes back or confirms; empty where the format has none."""
    again: str
    """The text of the attempt that the trace goes back to; empty in other formats."""
    ending: str
    answer: str
    answering: int
    """Place of the attempt whose answer is the final one, from 1."""


def story(trace: Trace) -> Story:
    """The parts of a trace."""
    plan, segments = trace.plan, trace.segments
    glue = [*_texts(segments, SegmentKind.GLUE), ""]
    reflections = iter(_texts(segments, SegmentKind.REFLECT))
    cards = tuple(
        Card(
            place + 1,
            attempt.response.correct,
            attempt.response.variant,
            text,
            None if attempt.reflection is None else next(reflections),
            glue[place],
        )
        for place, (attempt, text) in enumerate(
            zip(plan.attempts, _texts(segments, SegmentKind.SAMPLE), strict=True)
        )
    )
    return Story(
        question=plan.question.text,
        name=format_of(plan.format).name,
        format=plan.format,
        label=plan.label,
        cards=cards,
        phrase="".join(_texts(segments, SegmentKind.BACKTRACK) + _texts(segments, SegmentKind.CONFIRM)),
        again="".join(_texts(segments, SegmentKind.SAMPLE_AGAIN)),
        ending="".join(_texts(segments, SegmentKind.ENDING)),
        answer="".join(_texts(segments, SegmentKind.ANSWER)),
        answering=plan.answering + 1,
    )


def _texts(segments: Sequence[Segment], kind: SegmentKind) -> list[str]:
    return [segment.text for segment in segments if segment.kind is kind]


def truth_word(correct: bool) -> str:
    """The word for a label: right or wrong."""
    return "right" if correct else "wrong"


def mark(correct: bool) -> str:
    """The sign of a label, shown wherever its colour is, so that nothing hangs on the colour alone."""
    return "✓" if correct else "✗"


def path_of(shown: Story) -> str:
    """A trace on one line: ✗ ✗ ✓, with ↩ 1 where it goes back to the first attempt."""
    marks = " ".join(mark(card.correct) for card in shown.cards)
    return f"{marks} ↩ {shown.answering}" if shown.again else marks


def folded(text: str, lines: int = 12, width: int = 95) -> bool:
    """Whether a text has more lines than a view shows at once."""
    return sum(-(-max(len(line), 1) // width) for line in text.split("\n")) > lines + 2


def fenced(text: str) -> list[tuple[bool, str]]:
    """The text in pieces, each with whether it is a fenced block of code."""
    pieces, at = [], 0
    for match in FENCE.finditer(text):
        pieces += [(False, text[at : match.start()]), (True, match[0])]
        at = match.end()
    return [piece for piece in [*pieces, (False, text[at:])] if piece[1]]


def first_line(text: str, limit: int = 110) -> str:
    """The beginning of a text on one line; of a question in a conversation, that of the question."""
    line = " ".join(question_in(text)[: limit * 4].split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
