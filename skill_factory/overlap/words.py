"""A question as a row of words, numbers and signs, so that case, spaces and ways of writing a number don't matter.

Each token is a 32-bit number made from its text, the same on every machine; its last two bits say what it is.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

Tokens = npt.NDArray[np.uint32]
Grams = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

WORD, NUMBER, SIGN = 0, 1, 2
"""What a token is."""
N = 3
"""Words in a gram: with five, one changed word in six would leave nothing in common."""
MOST_KNOWN = 1_000_000
"""Different tokens that are remembered; a set of texts seldom has a tenth of that."""

_LATEX = re.compile(
    r"\\(?:left|right|big|bigg|displaystyle|text|textbf|textit|mathrm|mathbf|mathit|operatorname|begin|end|quad|qquad)\b"
    r"|\\[,!;: ]|\\\\|[{}$]|(?<=\\)[dt](?=frac\b)"
)
_COMMA = re.compile(r"(?<=\d)(?:\{,\}|\\[,!]|,\\!)(?=\d{3})")
_SAME = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "—": " ", "’": "'", "‘": "'"})
_TIMES = re.compile(r"\\(?:times|cdot)\b")
_MARKUP = re.compile(r"<\|?/?([a-z_][\w-]{0,40})\|?/?>")
_DECORATION = re.compile(
    r"\*\*+|^[ \t]*(?:[-*](?=\s+[^\W\d_]{2})|(?:#{1,6}|={3,}|-{3,})(?=\s|$))", re.MULTILINE
)
"""Bold type, bullets, headings and rules: signs that belong to no formula. A formula may be broken before a sign, too."""
_LISTED = re.compile(r"\[[^\[\]]*\]")
_TOKEN = re.compile(
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:\.\d+)?|\.\d+"  # a number
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"  # scripts without spaces: a sign is a word
    r"|[^\W\d_]+(?:'[^\W\d_]+)?"  # a word
    r"|(?<![^\W\d_])-|-(?![^\W\d_])|[+*/=^<>%!≤≥√]"  # a sign; the hyphen of a compound isn't one
)
_SPELT = {
    word: str(number)
    for number, word in enumerate(
        [
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ],
        2,
    )
}
"""Numbers that are spelt out; `one` is as often a pronoun."""


def words_of(text: str) -> list[str]:
    """The tokens of a text as they stand in it, in lower case."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_SAME)
    if "\\" in plain or "$" in plain or "{" in plain:
        plain = _LATEX.sub(" ", _TIMES.sub("*", _COMMA.sub(",", plain)))
    if "<" in plain:
        plain = _MARKUP.sub(r" \1 ", plain)
    plain = _DECORATION.sub(" ", plain)
    if "[" in plain:  # commas between brackets part the items of a list: [12,345] is two numbers
        plain = _LISTED.sub(lambda found: found[0].replace(",", ", "), plain)
    return _TOKEN.findall(plain)


def _code(word: str) -> int:
    kind, name = WORD, word
    word = _SPELT.get(word, word)
    if word[0].isdecimal() or word[0] == ".":
        kind, name = NUMBER, _number(word)
    elif not word[0].isalpha():
        kind = SIGN
    # The high half of the hash, with the kind in the last two bits.
    return (xxh3_64_intdigest(name.encode("utf-8", "surrogatepass")) >> 32) & ~3 | kind


def _number(word: str) -> str:
    """A number in the one way to write it: 1,000 and 1000.0 are equal."""
    value = Decimal(word.replace(",", ""))
    return format(value.normalize(), "f") if len(word) < 50 else word


@dataclass(frozen=True)
class Worded:
    """Some texts as tokens, one after the other."""

    tokens: Tokens
    starts: Offsets
    """Where each text begins, and the end of the last."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of(self, k: int) -> Tokens:
        """The tokens of text k."""
        return self.tokens[self.starts[k] : self.starts[k + 1]]

    @cached_property
    def owner(self) -> Offsets:
        """The text to which each token belongs."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.starts))

    @cached_property
    def grams(self) -> Grams:
        """The gram that begins at each token; 0 where the text ends before it does."""
        n = len(self.tokens)
        mixed = np.zeros(n, np.uint64)
        if n < N:
            return mixed
        wide = self.tokens.astype(np.uint64)
        with np.errstate(over="ignore"):
            for k in range(N):
                mixed[: n - N + 1] = mixed[: n - N + 1] * _FACTOR + wide[k : n - N + 1 + k] + np.uint64(1)
            mixed *= _FACTOR
            mixed ^= mixed >> np.uint64(29)
        whole = np.zeros(n, np.bool_)
        whole[: n - N + 1] = self.owner[: n - N + 1] == self.owner[N - 1 :]
        mixed[~whole] = 0
        return mixed


_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Wording:
    """Turns texts into tokens, and remembers those it has seen."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, texts: Iterable[str]) -> Worded:
        """The tokens of some texts."""
        rows: list[Sequence[int]] = [self._codes(words_of(text)) for text in texts]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        flat = np.fromiter((code for row in rows for code in row), np.uint32, int(lengths.sum()))
        return Worded(flat, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    def _codes(self, words: list[str]) -> list[int]:
        known = self._known
        try:
            return [known[word] for word in words]
        except KeyError:
            if len(known) > MOST_KNOWN:
                known.clear()
            known.update((word, _code(word)) for word in words if word not in known)
            return [known[word] for word in words]
