"""Final answers that a text states without tags: `#### 8`, "The answer is 8.", `\\fbox{8}`, 答案：8, "B. five apples"."""

import json
import re

_EDGES = " \t\r\n\u00a0\u3000*_`$“”\"'"
# A full stop ends an answer only before a space or the end of the text: “3.14” goes on.
_END = r"(?=$|[\n\r]|[.。．!！](?:\s|$)|[。！])"
_SAYS = (
    # All lengths are bounded, so that a cue in a text without line breaks costs no walk to its end.
    r"answer(?:\s+(?:to|for)\s+[^.\n]{1,80})?\s+is\s*:?",
    r"answer\s*\**\s*[:：]\**",
    r"答案(?:是|为)?\s*[:：]?",
    r"答えは?\s*[:：]?",
    r"正解は?\s*[:：]?",
    r"(?:정답|답)(?:은|는)?\s*[:：]?",
    r"(?:antwort|ergebnis|lösung)\s*(?:ist|lautet|:)\s*:?",
    r"réponse\s*(?:finale\s*)?(?:est|:)\s*:?",
    r"respuesta\s*(?:final\s*)?(?:es|:)\s*:?",
    r"resposta\s*(?:final\s*)?(?:é|:)\s*:?",
    r"risposta\s*(?:finale\s*)?(?:è|:)\s*:?",
    r"ответ\s*[:：—-]",
    r"a\s*[:：]",
)
_STATED = re.compile(rf"(?:{'|'.join(_SAYS)})\s*(?P<answer>[^\n]{{1,300}}?)\s*{_END}", re.IGNORECASE)
# Below a Markdown heading (“## Answer”) the answer stands on the next line.
_HEADED = re.compile(r"answer\**:?\s*\n+\s*(?P<answer>[^\n]+)", re.IGNORECASE)
_CUES = (
    "answer",
    "答案",
    "答え",
    "正解",
    "정답",
    "답",
    "antwort",
    "ergebnis",
    "lösung",
    "réponse",
    "respuesta",
    "resposta",
    "risposta",
    "ответ",
)
"""Words that announce an answer, in lower case: a pattern is tried where one of them stands, and nowhere else."""
_TRIES = 5
"""Times that a word is tried, from the end of the text."""
# “A:” begins an answer at the start of a line; elsewhere it may be any letter.
_LINE_CUES = ("\na:", "\na：", "\na :")
# “(B)” or “B. five apples”: of a choice only the letter is compared.
_LETTER = re.compile(r"\(?([A-J])\)?(?:[.):]\s.*|\s*)", re.DOTALL)
# Verbs that end a Japanese or Korean sentence and stick to the answer: “8です”.
_POLITE = re.compile(r"(?:です|だ|である|입니다|이다)$")


def stated_answer(text: str) -> str | None:
    """The last answer that a text states; None where it states none. Linear in the text."""
    found = [one for one in (_by_words(text), _behind(text, "####"), _framed(text)) if one]
    # Each begins with its place, so the largest is the one stated last.
    return _bare(max(found)[1]) if found else answer_alone(text)


def answer_alone(text: str) -> str | None:
    """The answer of a text that is nothing else: `91`, `x = 7`, `(B)`, `yes`, `{"reasoning": …, "answer": 91}`."""
    said = text.strip()
    short = len(said) <= _LONGEST_ALONE and "\n" not in said
    if short and _ALONE.match(said) and not _ITEM.match(said) and not _GOES_ON.search(_NAMED.sub("", said)):
        return _bare(said)
    return _in_a_record(said)


_LONGEST_ALONE = 40
_ALONE = re.compile(
    r"[\[({$€£¥*_`]*(?:[+\-−±]?\s*\\?\d|[a-zA-Z]\s*=\s*\S|[A-J][)\].*_`]*$|(?:yes|no|true|false)\W*$|\\(?:frac|sqrt|boxed)\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"^[\[({$*_`]*[a-zA-Z]\s*=\s*")
_GOES_ON = re.compile(r"[=?;]|:\s|[,:+*/×−-]$")
"""A calculation, or what was cut off in one, which only begins with a number."""
_ITEM = re.compile(r"\d{1,2}[.)]\s+\S")
"""How a list begins, not a number."""
_KEYS = ("final_answer", "final answer", "finalanswer", "answer")
_FENCE = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)


def _in_a_record(said: str) -> str | None:
    """The answer in a record that a model was asked to write."""
    fenced = _FENCE.search(said[-_LONGEST_RECORD:]) if said.endswith("```") else None
    record = fenced[1] if fenced else said
    if not record.startswith("{") or not record.endswith("}") or len(record) > _LONGEST_RECORD:
        return None
    try:
        fields = json.loads(record)
    except (ValueError, RecursionError):
        return None
    told = {str(name).lower(): value for name, value in fields.items()}
    value = next((told[key] for key in _KEYS if isinstance(told.get(key), str | int | float)), None)
    return str(value).strip() or None if value is not None else None


_LONGEST_RECORD = 50_000


def _by_words(text: str) -> tuple[int, str] | None:
    """Where the last sentence that states an answer begins, and the answer."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text  # a letter that grows in lower case would shift what stands behind it
    found = [one for cue in _CUES if (one := _last(text, lowered, cue, 0))]
    line = "\n" + lowered if lowered.startswith("a") else lowered
    shift = len(line) - len(lowered)
    found += [one for cue in _LINE_CUES if cue in line and (one := _last(text, line, cue, 1 - shift))]
    return max(found, default=None)


def _last(text: str, lowered: str, cue: str, offset: int) -> tuple[int, str] | None:
    end = len(lowered)
    for _ in range(_TRIES):
        at = lowered.rfind(cue, 0, end)
        if at < 0:
            return None
        start = at + offset
        headed = "#" in text[text.rfind("\n", 0, start) + 1 : start]
        match = (_HEADED if headed else _STATED).match(text, start) or _STATED.match(text, start)
        if match and match["answer"].strip(_EDGES):
            return start, match["answer"]
        end = at
    return None


def _behind(text: str, mark: str) -> tuple[int, str] | None:
    at = text.rfind(mark)
    answer = text[at + len(mark) :].lstrip().split("\n", 1)[0] if at >= 0 else ""
    return (at, answer) if answer.strip(_EDGES) else None


def _framed(text: str) -> tuple[int, str] | None:
    r"""The last `\boxed{…}`, `\fbox{…}` or `\boxed 8`."""
    at = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    if at < 0:
        return None
    start = at + len("\\boxed" if text.startswith("\\boxed", at) else "\\fbox")
    rest = text[start : start + 300].lstrip(" ")
    if not rest.startswith("{"):
        word = re.match(r"[^\s$.,;]+", rest)
        return (at, word[0]) if word else None
    depth = 0
    for place, sign in enumerate(text[start : start + 2_000]):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth == 0 and sign == "}":
            return at, text[start : start + place].lstrip(" ").removeprefix("{")
    return None


def _bare(answer: str) -> str:
    """The answer without emphasis, dollar signs and the sentence around it; of a choice its letter."""
    said = answer.strip(_EDGES).rstrip("。．").strip(_EDGES)
    inner = _by_words(said) or _framed(said)
    if inner and inner[1].strip(_EDGES):
        said = inner[1].strip(_EDGES)
    said = _POLITE.sub("", said).strip(_EDGES)
    letter = _LETTER.fullmatch(said)
    return letter[1] if letter else said.rstrip(".").strip(_EDGES) or said
