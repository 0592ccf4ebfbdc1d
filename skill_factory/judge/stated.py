"""Final answers that a text states without tags: `#### 8`, "The answer is 8.", `\\fbox{8}`, 答案：8, "B. five apples"."""

import re

_EDGES = " \t\r\n\u00a0\u3000*_`$“”\"'"
_END = r"(?=$|[\n\r]|[.。．!！](?:\s|$)|[。！])"
_SAYS = (
    r"\banswer(?:\s+(?:to|for)\s+[^.\n]{1,80})?\s+is\s*:?",
    r"\banswer\s*\**\s*[:：]\**",
    r"(?<![^\n])A\s*[:：]",
    r"答案(?:是|为)?\s*[:：]?",
    r"答えは?\s*[:：]?",
    r"正解は?\s*[:：]?",
    r"(?:정답|답)(?:은|는)?\s*[:：]?",
    r"\b(?:Antwort|Ergebnis|Lösung)\s*(?:ist|lautet|:)\s*:?",
    r"\bréponse\s*(?:finale\s*)?(?:est|:)\s*:?",
    r"\brespuesta\s*(?:final\s*)?(?:es|:)\s*:?",
    r"\bresposta\s*(?:final\s*)?(?:é|:)\s*:?",
    r"\brisposta\s*(?:finale\s*)?(?:è|:)\s*:?",
    r"ответ\s*[:：—-]",
)
_STATED = re.compile(rf"(?:{'|'.join(_SAYS)})\s*(?P<answer>[^\n]{{1,300}}?)\s*{_END}", re.IGNORECASE)
_MARKED = re.compile(r"####\s*(?P<answer>[^\n]+)")
_HEADED = re.compile(
    r"^#+\s*\**(?:final\s+)?answer\**:?\s*\n+\s*(?P<answer>[^\n]+)", re.IGNORECASE | re.MULTILINE
)
_UNBRACED = re.compile(r"\\(?:boxed|fbox)\s+(?P<answer>[^\s$.,;]+)")
_FRAMED = re.compile(r"\\(?:boxed|fbox)\s*\{(?P<answer>[^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
_LETTER = re.compile(r"\(?([A-J])\)?(?:[.):]\s.*|\s*)", re.DOTALL)
_POLITE = re.compile(r"(?:です|だ|である|입니다|이다)$")


def stated_answer(text: str) -> str | None:
    """The last answer that a text states; None where it states none. Linear in the text."""
    found = [
        (match.start(), match["answer"])
        for pattern in (_STATED, _MARKED, _HEADED, _UNBRACED, _FRAMED)
        for match in pattern.finditer(text)
        if match["answer"].strip(_EDGES)
    ]
    return _bare(max(found)[1]) if found else None


def _bare(answer: str) -> str:
    """The answer without emphasis, dollar signs and the sentence around it; of a choice its letter."""
    said = answer.strip(_EDGES).rstrip("。．").strip(_EDGES)
    inner = _STATED.search(said) or _FRAMED.search(said) or _UNBRACED.search(said)
    if inner and inner["answer"].strip(_EDGES):
        said = inner["answer"].strip(_EDGES)
    said = _POLITE.sub("", said).strip(_EDGES)
    letter = _LETTER.fullmatch(said)
    return letter[1] if letter else said.rstrip(".").strip(_EDGES) or said
