"""Words that mean right and wrong, in a dozen languages, for labels and verdicts."""

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

EDGES = " \t\r\n\u00a0\u3000*_`'\"“”‘’„«».,;:!?。．，；：！？、()[]{}（）【】"
"""Signs around a word that don't change it: white space, emphasis, quotes, punctuation, brackets."""


class Pair(NamedTuple):
    """Words of one language that mean right, and words that mean wrong."""

    language: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]


@lru_cache(maxsize=1)
def pairs() -> tuple[Pair, ...]:
    """The pairs of `words.toml`."""
    tree = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return tuple(
        Pair(entry["language"], tuple(entry["right"]), tuple(entry["wrong"])) for entry in tree["pairs"]
    )


_SENTENCE = 12
_JUDGED = re.compile(
    r"(?:judge?ment|verdict|conclusion|decision|grade)\W{0,4}[:：]\W*([^\W\d_]+(?: [^\W\d_]+)?)\W*$"
)
"""How a judge's text ends that gives its word last: `Judgement: Yes`."""


def word_of(value: Any) -> str:
    """A value as a word: in lower case, without signs around it; 1.0 and True become 1 and true."""
    # Before the number: Python counts True as 1, and `true` is the word that people know.
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).replace("\ufe0f", "").strip().lower()
    if len(text) > _SENTENCE and (judged := _JUDGED.search(text[-80:])):
        return judged[1]
    # Labels that went through a spreadsheet or pandas: 1 became 1.0.
    if isinstance(value, str) and text.endswith(".0") and text[:-2].lstrip("-").isdecimal():
        return text[:-2]
    # A value of signs alone, such as "✓." or "-", is the word itself.
    return text.strip(EDGES) or text


TICK = "x"
"""Beside a word that means right it means wrong; alone, it may tick what is right as well."""


@lru_cache(maxsize=1)
def meanings() -> dict[str, bool]:
    """Every known word, and whether it means right; a word that means both in different languages is left out."""
    known: dict[str, bool] = {}
    twice = set()
    for pair in pairs():
        for words, right in ((pair.right, True), (pair.wrong, False)):
            for word in words:
                twice |= {word} if known.get(word, right) != right else set()
                known[word] = right
    return {word: right for word, right in known.items() if word not in twice}


def known_words(values: Iterable[Any]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """
    The words among some values that mean right, and those that mean wrong; None if any value isn't known.

    Asking is better than guessing here: a column with a single unknown word is left to a person.
    """
    words = sorted({word_of(value) for value in values})
    known = meanings()
    if not words or any(word not in known for word in words) or words == [TICK]:
        return None
    return tuple(w for w in words if known[w]), tuple(w for w in words if not known[w])
