"""Where the final answer of a text stands: found with `rfind`, so that 100 kB of unclosed tags cost no more than text."""

import json
import re
from typing import NamedTuple


class BlockNames(NamedTuple):
    """The names of a trace's tags; a recipe may choose others."""

    think: str = "think"
    sample: str = "sample"
    reflect: str = "reflect"
    answer: str = "answer"


USUAL_NAMES = BlockNames()


def final_answer(text: str, names: BlockNames = USUAL_NAMES) -> str | None:
    """The text of the last `<answer>` block after the last `</think>`, stripped; None where there is none.

    A text that was cut off while thinking has no final answer, however many attempts in it were right; neither has
    one that was cut off inside its last `<answer>`. Where a prompt already opened `<think>`, an open `<sample>` or
    `<reflect>` gives the cut away.
    """
    thought = text.rfind(f"</{names.think}>")
    start = thought + len(names.think) + 3 if thought >= 0 else 0
    # Behind the thinking a sample's tag is only quoted; before its end, an open one means that the text was cut off
    # in it.
    still_inside = names[:1] if thought >= 0 else names[:3]
    if any(text.find(f"<{name}>", start) >= 0 for name in still_inside):
        return None
    opening = f"<{names.answer}>"
    opened, closed = text.rfind(opening, start), text.rfind(f"</{names.answer}>", start)
    if opened < 0 or closed < opened:
        return None
    return text[opened + len(opening) : closed].strip()


def stated_answer(text: str) -> str | None:
    r"""The final answer of a text that uses no tags: the last `\boxed{…}`, `#### …`, answer line or sentence that states it.

    Only labelling uses this, for sources whose responses never had tags; a reward never does. What stands before the
    last `</think>` isn't an answer, and a text that was cut off while thinking has none.
    """
    if is_cut_off(text):
        return None
    text = text[text.rfind("</think>") + len("</think>") :] if "</think>" in text else text
    return _boxed(text) or _marked(text) or _lined(text) or _in_a_sentence(text)


def is_cut_off(text: str, names: BlockNames = USUAL_NAMES) -> bool:
    """Does the text end while it is still thinking?"""
    return text.rfind(f"<{names.think}>") > text.rfind(f"</{names.think}>")


def _boxed(text: str) -> str | None:
    for opening in ("\\boxed{", "\\fbox{", "\\boxed {"):
        if (at := text.rfind(opening)) >= 0:
            return _braced(text, at + len(opening))
    at = text.rfind("\\boxed ")
    return text[at + 7 :].split("\n", 1)[0].strip().split(" ")[0].strip("$.,;") or None if at >= 0 else None


def _marked(text: str) -> str | None:
    marked = text.rfind("####")
    return (
        text[marked + 4 :].split("\n", 1)[0].strip() or None
        if marked >= 0 and text[marked + 4 : marked + 5] != "#"
        else None
    )


_HEADS = (
    "a",
    "answer",
    "final answer",
    "the final answer",
    "the answer",
    "correct answer",
    "the correct answer",
    "答案",
    "最终答案",
    "答",
    "答え",
    "정답",
    "respuesta",
    "réponse",
    "antwort",
    "ответ",
)
_SENTENCE = re.compile(
    r"(?:final |correct )?answer(?: to [^.\n]{1,80})? (?:is|would be|should be)(?: (?:option|choice))?:? *([^\n]{1,200})|(?:答案|答)(?:是|为|為|应该是) *([^\n]{1,100})|答えは *([^\n]{1,100})",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"(?:です|である)?(?:[.。．](?=\s|$|[^0-9\s])| I hope it is correct).*$", re.DOTALL
)


def _lined(text: str) -> str | None:
    """The last line that begins `A:` or `Answer:`, or the line after a heading that says so."""
    lines = text.splitlines()
    for place in range(len(lines) - 1, -1, -1):
        head, colon, rest = lines[place].replace("：", ":").strip().strip("*#").partition(":")
        # Without a colon only a heading counts: “Answer” at the start of a sentence is a word.
        if head.strip("*# ").lower() not in _HEADS or (
            not colon and not lines[place].lstrip().startswith(("#", "**"))
        ):
            continue
        said = rest.strip().strip("*").strip() or next(
            (line.strip() for line in lines[place + 1 : place + 4] if line.strip()), ""
        )
        minerva = _SENTENCE.search(said)
        return _ended(minerva) if minerva else said or None
    return None


def _in_a_sentence(text: str) -> str | None:
    # Only the end: earlier sentences state what is tried, and the work has a bound.
    found = list(_SENTENCE.finditer(text[-4000:]))
    return _ended(found[-1]) if found else None


def _ended(found: re.Match[str]) -> str | None:
    said = next(part for part in found.groups() if part is not None)
    return _SENTENCE_END.sub("", said.strip()).strip().strip("*").strip() or None


def gold_answer(text: str) -> str:
    """The gold answer in a column that may hold a whole worked solution: its stated or tagged answer, else all of it."""
    worked = "\n" in text.strip() or "####" in text or "\\boxed{" in text or "</answer>" in text
    return ((final_answer(text) or stated_answer(text)) if worked else None) or text.strip()


MOST_ACCEPTED = 40
"""Gold answers of one question that an answer is compared with."""


def accepted_answers(gold: str) -> tuple[str, ...]:
    """The gold answers in a text that lists several in JSON, `["Mark Twain", "Samuel Clemens"]`; else the text alone."""
    if not gold.lstrip().startswith('["') or not gold.rstrip().endswith('"]'):
        return (gold,)
    try:
        listed = json.loads(gold)
    except (ValueError, RecursionError):
        return (gold,)
    # All of them have to be texts: `["x", 1]` may be the answer itself.
    texts = [one for one in listed if isinstance(one, str) and one.strip()]
    return tuple(dict.fromkeys(texts)) if texts and len(texts) == len(listed) else (gold,)


def _braced(text: str, start: int) -> str | None:
    depth = 1
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start:position].strip()
    return None


def blocks(text: str, tag: str) -> list[tuple[int, str]]:
    """Every closed `<tag>…</tag>` of `text` from left to right, with the place where it begins; linear."""
    opening, closing, found, at = f"<{tag}>", f"</{tag}>", [], 0
    while (begin := text.find(opening, at)) >= 0 and (end := text.find(closing, begin)) >= 0:
        found.append((begin, text[begin + len(opening) : end]))
        at = end + len(closing)
    return found
