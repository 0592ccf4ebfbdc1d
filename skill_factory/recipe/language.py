"""The language of texts, as far as the phrase books need it, and the tokens that a text takes in its script."""

import re
from collections import Counter
from collections.abc import Iterable

LANGUAGES = {
    "": "English",
    "zh": "Chinese",
    "ja": "Japanese",
    "ko": "Korean",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
}
"""Languages with a phrase book, by their code in a recipe."""
_SMALL_WORDS = {
    "": "the of and is are how what many does with for that in to find if each",
    "de": "der die das und ist sind wie viele wird mit für dass ein eine den von nicht wenn jeder",
    "fr": "le la les et est sont combien des une un pour que dans avec du chaque quel quelle si",
    "es": "el la los las y es son cuántos cuántas de una un para que en con del cada cuál si",
}
# Patterns are compiled when first used: a command that asks for no language shouldn't wait for them.
_WORD = r"[^\W\d_]+"
_KANA, _HANGUL, _HAN = (
    "[\u3040-\u30ff]",
    "[\uac00-\ud7af]",
    "[\u4e00-\u9fff]",
)
LOOKED_AT = 50
"""How many texts are looked at to recognise the language."""


def language_of(texts: Iterable[str]) -> str:
    """The code of the language of most texts; empty for English, and for languages without a phrase book."""
    # Each text votes for itself, so that a single long one in another language doesn't decide.
    codes = Counter(_one(text) for _, text in zip(range(LOOKED_AT), texts, strict=False) if text.strip())
    if not codes:
        return ""
    code, number = codes.most_common(1)[0]
    # Without a majority English: phrases in a wrong language would be worse than foreign ones.
    return code if 2 * number > codes.total() else ""


def _one(text: str) -> str:
    # Japanese first: its texts hold Chinese characters too, and only they have kana.
    if re.search(_KANA, text):
        return "ja"
    # A quarter or a fifth of the text is enough: the rest is often formulas.
    if len(re.findall(_HANGUL, text)) * 4 > len(text.strip()):
        return "ko"
    if len(re.findall(_HAN, text)) * 5 > len(text.strip()):
        return "zh"
    words = re.findall(_WORD, text.lower())
    hits = {code: sum(word in known.split() for word in words) for code, known in _SMALL_WORDS.items()}
    best = max(hits, key=lambda code: hits[code])
    # Words that several languages share must not decide, so the best language has to stand out.
    return best if hits[best] >= 3 and hits[best] > 1.5 * hits[""] else ""


_DENSE = (
    ("[\u3040-\u30ff]", 1.4),
    ("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef]", 1.5),
    ("[\uac00-\ud7af\u1100-\u11ff]", 1.5),
    ("[\u0600-\u06ff\u0750-\u077f]", 1.75),
    ("[\u0e00-\u0e7f\u0900-\u0dff]", 1.5),
)
"""Characters of a token on average, by script, as counted with the tokenizers of today's models."""


def tokens_of_text(text: str, chars_per_token: float) -> float:
    """The estimated tokens of a text: by script, and by `chars_per_token` for what is written in Latin letters."""
    # Most texts are, and counting characters is all they need.
    if text.isascii():
        return len(text) / chars_per_token
    tokens, rest = 0.0, len(text)
    for script, chars in _DENSE:
        number = len(re.findall(script, text))
        tokens += number / chars
        rest -= number
    return tokens + rest / chars_per_token
