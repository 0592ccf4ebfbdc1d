"""The think rule: what of `<think>…</think>` is the attempt.

A closing mark alone is enough, since templates write the opening one into the prompt. A text that ends inside its
thinking holds no attempt: it gives the empty text, and what was left out says why.
"""

from collections.abc import Callable
from typing import NamedTuple

MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<seed:think>", "</seed:think>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
)
"""Opening and closing marks of thinking, as models and published sets write them."""
SHELLS = (("<|begin_of_solution|>", "<|end_of_solution|>"),)
"""Marks around what stands behind the thinking, which belong to the marks of the thinking."""
PLAIN = ("[thinking]\n", "\n[/thinking]\n\n")
"""What the rule `both` writes in the place of tags: text that no template and no trace takes for its own."""


class Thought(NamedTuple):
    """A text, taken apart."""

    thinking: str
    rest: str
    """What stands behind the thinking; empty where the text was cut off before its end."""
    closed: bool


def take_apart(text: str) -> Thought | None:
    """The thinking of a text and what stands behind its last closing mark; None for a text that shows none."""
    for opening, closing in MARKS:
        # The last closing mark: models quote the marks within their thinking.
        end = text.rfind(closing)
        start = text.find(opening)
        if end >= 0:
            if closing == "<|end|>" and start < 0:
                continue  # another template's end of a turn
            if text.find(opening, end) >= 0:
                return Thought(text, "", False)  # it began to think again, and was cut off
            head = text[:end] if start < 0 or start > end else text[:start] + text[start + len(opening) : end]
            return Thought(head.strip(), _unshelled(text[end + len(closing) :]), True)
        if start >= 0:
            return Thought(text[start + len(opening) :].strip(), "", False)
    return None


def _unshelled(rest: str) -> str:
    whole = rest.strip()
    if whole.startswith("<answer>") and whole.endswith("</answer>") and "\n" in whole and "\\boxed{" in whole:
        # Some sets tag a whole solution as the answer; it states its own.
        return whole.removeprefix("<answer>").removesuffix("</answer>").strip()
    for opening, closing in SHELLS:
        start, end = rest.find(opening), rest.rfind(closing)
        if start >= 0:
            return rest[start + len(opening) : end if end > start else len(rest)].strip()
    return rest.lstrip()


def joined(thinking: str, text: str) -> str:
    """One text of a response and the thinking that stood in a column or field of its own."""
    return f"<think>\n{thinking}\n</think>\n\n{text}" if thinking else text


ThinkRule = Callable[[str], tuple[str, int]]
"""A text → what of it counts, and how many characters were left out."""


def think_rule(rule: str) -> ThinkRule:
    """The think rule of a recipe, for a response."""

    def read(text: str) -> tuple[str, int]:
        found = take_apart(text) if rule else None
        if found is None:
            return text, 0
        kept = _kept(found, rule)
        # `both` leaves nothing out, but for a text that never came out of its thinking.
        return kept, max(0, len(text) - len(kept)) if rule != "both" or not kept else 0

    return read


def _kept(found: Thought, rule: str) -> str:
    if not found.closed:
        return "<think>" if rule == "drop" else ""
    match rule:
        case "after":
            return found.rest
        case "inside":
            return found.thinking
        case "both":
            return f"{PLAIN[0]}{found.thinking}{PLAIN[1]}{found.rest}"
        case _:
            # Back under the one tag that is known as a block tag: the rule about those drops it and says why.
            return f"<think>\n{found.thinking}\n</think>\n\n{found.rest}"


def taken_back(both: str) -> tuple[str, str] | None:
    """(thinking, rest) of a text that the rule `both` made; None for one without thinking."""
    if not both.startswith(PLAIN[0]) or PLAIN[1] not in both:
        return None
    thinking, _, rest = both.removeprefix(PLAIN[0]).partition(PLAIN[1])
    return thinking, rest


def think_rule_of_reflections(rule: str) -> ThinkRule:
    """The same for a reflection, whose verdict stands behind its thinking whatever counts as an attempt."""
    return think_rule("after" if rule == "inside" else rule)
