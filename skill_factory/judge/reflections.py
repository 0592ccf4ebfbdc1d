"""What a reflection says of its response, and whether its words are allowed."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from skill_factory.judge.texts import Block
from skill_factory.model import Verdict
from skill_factory.recipe.model import Filters, Verdicts
from skill_factory.recipe.patterns import compiled

CORRECT, INCORRECT, MISSING = int(Verdict.CORRECT), int(Verdict.INCORRECT), int(Verdict.MISSING)
"""Verdicts as the narrow table holds them; 1 and 0 compare with the truth."""

Found = npt.NDArray[np.int8]
"""The verdicts of some reflections."""

VerdictRule = Callable[[str, str], int]
"""(reflection, what its verdict column says) → CORRECT, INCORRECT or MISSING."""


def tagged_verdict(text: str) -> str | None:
    """The text of the first `<verdict>…</verdict>`."""
    start = text.find("<verdict>")
    end = text.find("</verdict>", start) if start >= 0 else -1
    return text[start + len("<verdict>") : end] if end >= 0 else None


def meaning_of(rule: Verdicts) -> Callable[[str | None], int]:
    """What a word says; one that means neither right nor wrong is a missing verdict."""
    meaning = {word.lower(): INCORRECT for word in rule.incorrect}
    meaning |= {word.lower(): CORRECT for word in rule.correct}
    return lambda word: MISSING if word is None else meaning.get(word.strip().lower(), MISSING)


def verdict_rule(rule: Verdicts) -> VerdictRule:
    """The verdict rule of a recipe."""
    meant = meaning_of(rule)
    pattern = compiled(rule.pattern) if rule.pattern else None

    def matched(text: str, column: str) -> int:
        return meant(pattern.first(text)) if pattern else MISSING

    def tagged(text: str, column: str) -> int:
        return meant(tagged_verdict(text))

    rules: dict[str, VerdictRule] = {
        "tag": tagged,
        "regex": matched,
        "column": lambda text, column: meant(column),
    }
    return rules[rule.rule]


def verdicts_of(rule: Verdicts) -> Callable[[Block, Sequence[str | None]], Found]:
    """`verdict_rule` for many reflections and what their verdict column says; tags are found in all at once."""
    if rule.rule == "tag":
        return _tagged_verdicts(meaning_of(rule))
    if rule.rule == "column":
        meant = meaning_of(rule)
        return lambda block, column: np.array([meant(word) for word in column], np.int8)
    judge = verdict_rule(rule)
    return lambda block, column: np.array([judge(text, "") for text in block.texts], np.int8)


class _Meanings(dict[bytes, int]):
    """What each word says, found out once: millions of reflections say a handful of words."""

    def __init__(self, meant: Callable[[str], int]) -> None:
        super().__init__()
        self._meant = meant

    def __missing__(self, word: bytes) -> int:
        found = self[word] = self._meant(word.decode())
        return found


def _tagged_verdicts(meant: Callable[[str], int]) -> Callable[[Block, object], Found]:
    meanings = _Meanings(meant)

    def judge(block: Block, column: object) -> Found:
        verdicts = np.full(len(block), MISSING, np.int8)
        places, words = block.between(b"<verdict>", b"</verdict>")
        verdicts[places] = [meanings[word] for word in words]
        return verdicts

    return judge


# Thai and Lao, Burmese, Khmer, kana, Han, and Hangul, which has spaces but hangs particles on its words.
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)


def _whole_word(word: str) -> str:
    """A pattern for a word; in a script that writes no spaces a word has no edges."""
    before = "" if _WITHOUT_SPACES.match(word[0]) else r"(?<!\w)"
    behind = "" if _WITHOUT_SPACES.match(word[-1]) else r"(?!\w)"
    return before + re.escape(word) + behind


def banned(filters: Filters) -> Callable[[str], bool]:
    """Whether a text holds a banned word, in any case; whole words, or anywhere where the recipe says so."""
    words: Sequence[str] = [word.lower() for word in filters.ban]
    if not words:
        return lambda text: False
    if filters.ban_substrings:
        return lambda text: any(word in text.lower() for word in words)
    pattern = re.compile("|".join(map(_whole_word, words)))

    def holds(text: str) -> bool:
        lowered = text.lower()
        # `in` first: it is many times faster than the pattern, and most texts hold no banned word.
        return any(word in lowered for word in words) and pattern.search(lowered) is not None

    return holds
