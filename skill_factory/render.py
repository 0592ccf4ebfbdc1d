"""A plan becomes text, and text becomes segments again: `render` and `parse` are inverses of each other.

The layout is that of the paper's script, newline for newline; white space is load-bearing.
"""

from collections.abc import Iterator
from hashlib import blake2b

from skill_factory.draws import Draws, text_id
from skill_factory.model import Closing, Segment, SegmentKind, Trace, TraceFormat, TracePlan
from skill_factory.phrases import PhraseBook
from skill_factory.recipe import Recipe, Tags

AFTER_THINKING = {"paper": "\n\n\n", "tight": "\n\n"}


class Unreadable(ValueError):
    """A text that is no trace of this layout: where reading stopped, and what was expected there."""


def render(plan: TracePlan, book: PhraseBook, recipe: Recipe) -> Trace:
    """The assistant's turn of a plan; its phrases are drawn from the plan's key and its format."""
    segments = list(_segments(plan, book, recipe.tags, recipe.traces.layout))
    text = "".join([segment.text for segment in segments])
    content = f"{plan.question.text}\x1f{plan.label}\x1f{text}"
    digest = int.from_bytes(blake2b(content.encode(), digest_size=16).digest(), "little")
    # Two repeats may come to the same text; they are two traces, so the id names the repeat as well.
    return Trace(plan, segments, text, text_id(f"{digest}\x1f{plan.format}\x1f{plan.repeat}"), digest)


def _segments(plan: TracePlan, book: PhraseBook, tags: Tags, layout: str) -> Iterator[Segment]:
    draws = Draws(plan.key + b"\x1fphrases\x1f" + plan.format.encode())
    yield _layout(f"<{tags.think}>\n<{tags.sample}>\n")
    last = len(plan.attempts) - 1
    for place, attempt in enumerate(plan.attempts):
        yield Segment(SegmentKind.SAMPLE, attempt.response.text)
        if attempt.reflection is None:
            yield _layout(f"\n</{tags.sample}>\n\n")
        else:
            yield _layout(f"\n</{tags.sample}>\n<{tags.reflect}>\n")
            yield Segment(SegmentKind.REFLECT, attempt.reflection.text)
            yield _layout(f"\n</{tags.reflect}>\n")
        if place < last:
            # Without reflections nothing was judged, so only the generic glue is honest.
            plain = plan.format == TraceFormat.NO_REFLECTION
            pool = book.generic if plain else book.glue_after(attempt.response.correct)
            yield Segment(SegmentKind.GLUE, draws.choose(pool))
            yield _layout(f"\n<{tags.sample}>\n")
    yield _layout(f"</{tags.think}>{AFTER_THINKING[layout]}")
    answering = plan.attempts[plan.answering].response
    if plan.closing is Closing.BACKTRACK:
        yield Segment(SegmentKind.BACKTRACK, draws.choose(book.backtrack))
        yield _layout("\n")
        yield Segment(SegmentKind.SAMPLE_AGAIN, answering.text)
        yield _layout("\n")
    elif plan.closing is Closing.CONFIRM:
        yield Segment(SegmentKind.CONFIRM, draws.choose(book.confirm))
        yield _layout("\n")
    yield Segment(SegmentKind.ENDING, draws.choose(book.ending))
    yield _layout(f"\n\n<{tags.answer}>\n")
    yield Segment(SegmentKind.ANSWER, answering.answer)
    yield _layout(f"\n</{tags.answer}>")


def _layout(text: str) -> Segment:
    return Segment(SegmentKind.LAYOUT, text)


def spans(trace: Trace) -> list[tuple[str, int, int]]:
    """(kind, start, end) of every segment that is not layout, in characters of the text."""
    found, at = [], 0
    for segment in trace.segments:
        end = at + len(segment.text)
        if segment.kind is not SegmentKind.LAYOUT:
            found.append((segment.kind.value, at, end))
        at = end
    return found


def parse(text: str, book: PhraseBook, recipe: Recipe) -> list[Segment]:
    """The segments of a text that `render` made with this phrase book. Errors: Unreadable."""
    tags = recipe.tags
    reader = _Reader(text)
    samples: list[str] = []
    reader.take(f"<{tags.think}>\n<{tags.sample}>\n")
    while True:
        samples.append(reader.until(SegmentKind.SAMPLE, f"\n</{tags.sample}>\n"))
        if reader.sees(f"<{tags.reflect}>\n"):
            reader.join(f"<{tags.reflect}>\n")
            reader.until(SegmentKind.REFLECT, f"\n</{tags.reflect}>\n")
        else:
            reader.join("\n")
        if reader.sees(f"</{tags.think}>"):
            break
        reader.until(SegmentKind.GLUE, f"\n<{tags.sample}>\n")
    reader.take(f"</{tags.think}>{AFTER_THINKING[recipe.traces.layout]}")
    before_answer, end = f"\n\n<{tags.answer}>\n", f"\n</{tags.answer}>"
    if reader.phrase(SegmentKind.BACKTRACK, book.backtrack, "\n"):
        reader.again(samples, book, before_answer)
    else:
        reader.phrase(SegmentKind.CONFIRM, book.confirm, "\n")
    if not reader.phrase(SegmentKind.ENDING, book.ending, before_answer):
        raise reader.expected("an ending phrase and the answer block")
    reader.rest(SegmentKind.ANSWER, end)
    return reader.segments


class _Reader:
    """Reads a trace from left to right and notes the segments."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.segments: list[Segment] = []

    def expected(self, what: str) -> Unreadable:
        return Unreadable(
            f"expected {what} at character {self.at}, found {self.text[self.at : self.at + 40]!r}"
        )

    def sees(self, mark: str) -> bool:
        return self.text.startswith(mark, self.at)

    def _note(self, kind: SegmentKind, length: int) -> str:
        piece = self.text[self.at : self.at + length]
        self.segments.append(Segment(kind, piece))
        self.at += length
        return piece

    def take(self, mark: str) -> None:
        if not self.sees(mark):
            raise self.expected(repr(mark))
        self._note(SegmentKind.LAYOUT, len(mark))

    def join(self, mark: str) -> None:
        """More layout, as part of the layout just read: `render` writes both in one piece."""
        self.take(mark)
        last, before = self.segments.pop(), self.segments.pop()
        self.segments.append(_layout(before.text + last.text))

    def until(self, kind: SegmentKind, mark: str) -> str:
        end = self.text.find(mark, self.at)
        if end < 0:
            raise self.expected(f"{kind.value} text closed by {mark!r}")
        piece = self._note(kind, end - self.at)
        self.take(mark)
        return piece

    def phrase(self, kind: SegmentKind, pool: Iterator[str] | object, after: str) -> bool:
        for phrase in sorted(pool, key=len, reverse=True):  # type: ignore[call-overload]
            if self.sees(phrase + after):
                self._note(kind, len(phrase))
                self.take(after)
                return True
        return False

    def again(self, samples: list[str], book: PhraseBook, before_answer: str) -> None:
        for sample in sorted(samples, key=len, reverse=True):
            if any(self.sees(f"{sample}\n{phrase}{before_answer}") for phrase in book.ending):
                self._note(SegmentKind.SAMPLE_AGAIN, len(sample))
                self.take("\n")
                return
        raise self.expected("the text of an earlier attempt")

    def rest(self, kind: SegmentKind, end: str) -> None:
        if not self.text.endswith(end) or len(self.text) - len(end) < self.at:
            raise self.expected(repr(end))
        self._note(kind, len(self.text) - len(end) - self.at)
        self.take(end)
