"""A plan becomes text, and text becomes segments again: `render` and `parse` are inverses of each other.

The layout is that of the paper's script, newline for newline. White space matters: a trainer learns it too.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from xxhash import xxh3_128_intdigest

from skill_factory.draws import Draws, text_id
from skill_factory.model import Closing, Segment, SegmentKind, Trace, TracePlan
from skill_factory.recipe.model import Recipe
from skill_factory.recipe.phrases import PhraseBook

AFTER_THINKING = {"paper": "\n\n\n", "tight": "\n\n"}

Bytes: TypeAlias = bytes | memoryview


class Unreadable(ValueError):
    """A text that isn't a trace in this layout: where reading stopped, and what was expected there."""


class Scaffold(NamedTuple):
    """The layout around the texts, for one set of tag names. It is made once, since every trace repeats it."""

    opening: str
    before_reflection: str
    after_reflection: str
    without_reflection: str
    next_sample: str
    end_of_thinking: str
    newline: str
    before_answer: str
    end: str


def scaffold(recipe: Recipe) -> Scaffold:
    """The layout of a recipe's traces."""
    tags = recipe.tags
    return _scaffold_of(tags.think, tags.sample, tags.reflect, tags.answer, recipe.traces.layout)


@lru_cache(maxsize=8)
def _scaffold_of(think: str, sample: str, reflect: str, answer: str, layout: str) -> Scaffold:
    return Scaffold(
        f"<{think}>\n<{sample}>\n",
        f"\n</{sample}>\n<{reflect}>\n",
        f"\n</{reflect}>\n",
        f"\n</{sample}>\n\n",
        f"\n<{sample}>\n",
        f"</{think}>{AFTER_THINKING[layout]}",
        "\n",
        f"\n\n<{answer}>\n",
        f"\n</{answer}>",
    )


def render(plan: TracePlan, book: PhraseBook, recipe: Recipe) -> Trace:
    """The assistant's turn of a plan, with phrases drawn from the plan's key and format."""
    pieces = laid_out(plan, phrases_of(plan, book), scaffold(recipe))
    text = "".join(pieces)
    digest = trace_digest(plan.question.text.encode(), plan.label, text.encode())
    return Trace(plan, outline(plan), pieces, text, trace_id(digest, plan), digest)


def phrases_of(plan: TracePlan, book: PhraseBook) -> Sequence[str]:
    """The phrases of a plan, in the order in which the trace says them."""
    return Draws(phrase_key(plan)).choose_each(phrase_pools(plan, book))


def trace_digest(question: Bytes, label: str, text: Bytes) -> int:
    """A 128-bit hash of what a trainer reads of a trace."""
    return xxh3_128_intdigest(b"\x1f".join((question, label.encode(), text)))


def trace_id(digest: int, plan: TracePlan) -> int:
    """The id of a trace. Two repeats may have the same text and are still two traces, so the id covers the repeat too."""
    return text_id(f"{digest}\x1f{plan.format}\x1f{plan.repeat}")


def phrase_key(plan: TracePlan) -> bytes:
    """The key that a plan's phrases are drawn from."""
    return plan.key + b"\x1fphrases\x1f" + plan.format.encode()


def phrase_pools(plan: TracePlan, book: PhraseBook) -> list[Sequence[str]]:
    """The phrase pools of a plan: glue after each attempt but the last, the closing's phrase if it has one, the ending."""
    if not plan.reflect:  # the trace judges nothing, so only the generic glue is honest
        pools = [book.generic] * (len(plan.order) - 1)
    else:
        glue_after = book.glue_after
        pools = [glue_after[response.correct] for response in plan.order[:-1]]
    if plan.closing is not Closing.PLAIN:
        pools.append(book.backtrack if plan.closing is Closing.BACKTRACK else book.confirm)
    pools.append(book.ending)
    return pools


def laid_out(plan: TracePlan, phrases: Sequence[str], layout: Scaffold) -> list[str]:
    """The stretches of a trace, in order; `outline` says what each one is."""
    pieces = [layout.opening]
    for (response, reflection), phrase in zip(plan.attempts, phrases, strict=False):
        if reflection is None:
            pieces += (response.text, layout.without_reflection)
        else:
            pieces += (response.text, layout.before_reflection, reflection.text, layout.after_reflection)
        pieces += (phrase, layout.next_sample)
    del pieces[-2:]  # there is no glue after the last attempt
    # The final answer is copied from an attempt, never written by us.
    answering = plan.order[plan.answering]
    pieces.append(layout.end_of_thinking)
    if plan.closing is Closing.BACKTRACK:
        pieces += (phrases[-2], layout.newline, answering.text, layout.newline)
    elif plan.closing is Closing.CONFIRM:
        pieces += (phrases[-2], layout.newline)
    pieces += (phrases[-1], layout.before_answer, answering.answer, layout.end)
    return pieces


def outline(plan: TracePlan) -> tuple[SegmentKind, ...]:
    """What the stretches of a trace are; traces with the same kinds of attempts and the same closing share one tuple."""
    return _outline(
        tuple([plan.reflect and bool(response.reflections) for response in plan.order]), plan.closing
    )


@lru_cache(maxsize=4096)
def _outline(reflected: tuple[bool, ...], closing: Closing) -> tuple[SegmentKind, ...]:
    kinds = [SegmentKind.LAYOUT]
    for shown in reflected:
        kinds += (SegmentKind.SAMPLE, SegmentKind.LAYOUT)
        kinds += (SegmentKind.REFLECT, SegmentKind.LAYOUT) if shown else ()
        kinds += (SegmentKind.GLUE, SegmentKind.LAYOUT)
    kinds[-2:] = [SegmentKind.LAYOUT]
    if closing is Closing.BACKTRACK:
        kinds += (SegmentKind.BACKTRACK, SegmentKind.LAYOUT, SegmentKind.SAMPLE_AGAIN, SegmentKind.LAYOUT)
    elif closing is Closing.CONFIRM:
        kinds += (SegmentKind.CONFIRM, SegmentKind.LAYOUT)
    return (*kinds, SegmentKind.ENDING, SegmentKind.LAYOUT, SegmentKind.ANSWER, SegmentKind.LAYOUT)


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
    """Reads a trace from left to right and collects its segments."""

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
        """Read more layout into the stretch of layout just read, since `render` writes both as one piece."""
        self.take(mark)
        last, before = self.segments.pop(), self.segments.pop()
        self.segments.append(Segment(SegmentKind.LAYOUT, before.text + last.text))

    def until(self, kind: SegmentKind, mark: str) -> str:
        end = self.text.find(mark, self.at)
        if end < 0:
            raise self.expected(f"{kind.value} text closed by {mark!r}")
        piece = self._note(kind, end - self.at)
        self.take(mark)
        return piece

    def phrase(self, kind: SegmentKind, pool: Sequence[str], after: str) -> bool:
        # The longest first, since one phrase may begin another.
        for phrase in sorted(pool, key=len, reverse=True):
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
