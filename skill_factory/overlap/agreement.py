"""Whether two questions are the same one, and by what: words, numbers, or every word of a short one."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from skill_factory.overlap.evidence import Content
from skill_factory.overlap.words import NUMBER, SIGN, WORD, Grams, N, Tokens

SHORT = 8
"""Questions with fewer words of their own than this have to stand in the other one whole."""
NEARLY_ALL = 0.9
"""Share of a question's own words that stand in the other in the same places, whatever else stands there."""
MOST_WORDS = 0.65
"""The share that is enough where neither question has a number of its own that the other lacks."""
SOME_WORDS = 0.3
"""The share that is enough where all numbers agree, and most words stand somewhere."""
ANYWHERE = 0.6
FEW_WORDS = 4
"""Own words below which a question is told by its numbers alone, as a puzzle is."""
FEW_NUMBERS = 3
"""Numbers that such a question has at least."""


class By(StrEnum):
    """What two questions agree in."""

    SAME = "same"
    WORDS = "words"
    REWORDED = "reworded"
    NUMBERS = "numbers"
    SHORT = "short"
    RESPONSE = "response"


SAID = {
    By.SAME: "the same words in the same order",
    By.WORDS: "most words, in the same places, and all numbers",
    By.REWORDED: "all numbers, and most words, put differently",
    By.NUMBERS: "all numbers; the words are those of every question",
    By.SHORT: "every word of a short question",
    By.RESPONSE: "a solution of the benchmark, of which a response has many words in a row",
}
"""What each means, for people."""


@dataclass(frozen=True)
class Agreement:
    """In what two questions agree, and how much of the smaller one stands in the other."""

    by: By
    share: float


@dataclass(frozen=True)
class Asked:
    """One question as it is compared."""

    tokens: Tokens
    own: npt.NDArray[np.bool_]
    grams: Grams
    """The gram at each token."""

    @classmethod
    def of(cls, content: Content, k: int) -> "Asked":
        """Question k."""
        span = slice(content.worded.starts[k], content.worded.starts[k + 1])
        return cls(content.worded.tokens[span], content.own[span], content.worded.grams[span])

    # Kept: a question is held against several others, and most of these are told apart by their numbers at once.

    @cached_property
    def numbers(self) -> Counter[int]:
        """Its own numbers."""
        return Counter(self.tokens[self.own & ((self.tokens & 3) == NUMBER)].tolist())

    @cached_property
    def every_number(self) -> Counter[int]:
        """All numbers in it, also those of the instructions."""
        return Counter(self.tokens[(self.tokens & 3) == NUMBER].tolist())

    @cached_property
    def words(self) -> list[int]:
        """Its own words."""
        return self.tokens[self.own & ((self.tokens & 3) == WORD)].tolist()  # type: ignore[no-any-return]

    @cached_property
    def every_token(self) -> frozenset[int]:
        """The different tokens in it."""
        return frozenset(self.tokens.tolist())

    @cached_property
    def every_gram(self) -> frozenset[int]:
        """The different grams in it."""
        return frozenset(self.grams.tolist()) - {0}

    @cached_property
    def places(self) -> list[int]:
        """Where its own tokens stand."""
        return np.flatnonzero(self.own).tolist()

    def placed_in(self, other: "Asked") -> float:
        """The share of its own tokens that stand in the other one with their neighbours."""
        there = other.every_gram
        begins = [gram in there for gram in self.grams.tolist()]
        found = sum(any(begins[max(0, place - N + 1) : place + 1]) for place in self.places)
        return found / len(self.places)


def agreement(left: Asked, right: Asked) -> Agreement | None:
    """In what two questions agree, if that makes them the same one."""
    if len(left.tokens) == len(right.tokens) and bool((left.tokens == right.tokens).all()):
        return Agreement(By.SAME, 1.0)
    found = [one for one in (_stands_in(left, right), _stands_in(right, left)) if one is not None]
    return max(found, key=lambda one: one.share, default=None)


def _stands_in(inner: Asked, outer: Asked) -> Agreement | None:
    """Whether what is one question's own stands in the other."""
    own, numbers, there = len(inner.places), inner.numbers, outer.every_number
    if not own or any(there[number] < count for number, count in numbers.items()):
        return None
    words = inner.words
    placed = inner.placed_in(outer)
    if len(words) < FEW_WORDS and numbers.total() >= FEW_NUMBERS:
        same = numbers == outer.numbers
        return (
            Agreement(By.NUMBERS, 1.0)
            if same or (placed >= MOST_WORDS and numbers.total() > FEW_NUMBERS)
            else None
        )
    if own < SHORT:
        return Agreement(By.SHORT, 1.0) if _whole_in(inner, outer) else None
    if placed >= NEARLY_ALL or (placed >= MOST_WORDS and numbers == outer.numbers):
        return Agreement(By.WORDS, placed)
    anywhere = sum(word in outer.every_token for word in words) / max(1, len(words))
    alike = numbers.total() >= 2 and numbers == outer.numbers
    if alike and placed >= SOME_WORDS and anywhere >= ANYWHERE:
        return Agreement(By.REWORDED, anywhere)
    return None


def _whole_in(inner: Asked, outer: Asked) -> bool:
    """Whether all of a short question stands in the other, and isn't the beginning or end of a longer formula."""
    n, m = len(inner.tokens), len(outer.tokens)
    if n < 2 or n > m:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(outer.tokens, n)
    for start in np.flatnonzero((windows == inner.tokens).all(axis=1)).tolist():
        ends = ((start - 1, inner.tokens[0]), (start + n, inner.tokens[-1]))
        beside = [(int(outer.tokens[k]) & 3, int(edge) & 3) for k, edge in ends if 0 <= k < m]
        # A number beside a word, as in "3. Compute", isn't part of a formula.
        if not any(kind == SIGN or (kind == NUMBER and edge != WORD) for kind, edge in beside):
            return True
    return False
