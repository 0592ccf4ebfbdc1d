"""Where the final answer of a text stands: found with `rfind`, so that 100 kB of unclosed tags cost no more than text."""

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
    still_inside = names[:1] if thought >= 0 else names[:3]
    if any(text.find(f"<{name}>", start) >= 0 for name in still_inside):
        return None
    opening = f"<{names.answer}>"
    opened, closed = text.rfind(opening, start), text.rfind(f"</{names.answer}>", start)
    if opened < 0 or closed < opened:
        return None
    return text[opened + len(opening) : closed].strip()


def stated_answer(text: str) -> str | None:
    r"""The final answer of a text that uses no tags: the last `\boxed{…}`, `#### …` or line that begins `A:` or `Answer:`.

    Only labelling uses this, for sources whose responses never had tags; a reward never does.
    """
    boxed = text.rfind("\\boxed{")
    if boxed >= 0:
        return _braced(text, boxed + len("\\boxed{"))
    marked = text.rfind("####")
    if marked >= 0:
        return text[marked + 4 :].split("\n", 1)[0].strip()
    for line in reversed(text.splitlines()):
        head, colon, rest = line.strip().strip("*#").partition(":")
        if colon and head.strip("* ").lower() in (
            "a",
            "answer",
            "final answer",
            "the final answer",
            "the answer",
        ):
            return rest.strip().strip("*").strip()
    return None


def gold_answer(text: str) -> str:
    """The gold answer in a column that may hold a whole worked solution: its stated or tagged answer, else all of it."""
    worked = "\n" in text.strip() or "####" in text or "\\boxed{" in text or "</answer>" in text
    return ((final_answer(text) or stated_answer(text)) if worked else None) or text.strip()


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
