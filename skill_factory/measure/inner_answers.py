"""Attempts of an output that has no sample blocks: whole answers inside its thinking, or boxes."""

import re
from functools import lru_cache

from skill_factory.grading import BlockNames
from skill_factory.grading.answers import blocks
from skill_factory.measure.parts import Rules, Tried


@lru_cache(maxsize=16)
def tag_pattern(names: BlockNames) -> re.Pattern[str]:
    """Finds the opening and closing tags of blocks: think, sample and reflect, not the answer's."""
    # The first three names are those of blocks; answers are found by the grader's own reading.
    return re.compile(f"<(/?)({'|'.join(map(re.escape, names[:3]))})>")


def inner_answers(text: str, thinking: int, rules: Rules) -> list[Tried]:
    """Each whole answer inside the thinking; its attempt is the text that leads to it from the one before."""
    answers = sorted(
        whole for name in {rules.names.answer, "answer"} for whole in _whole_answers(text[:thinking], name)
    )
    # Each attempt begins where the answer before it ended.
    edges = [0, *(end for _, end, _ in answers)]
    return [
        Tried(_lead(text, before, begin, rules.names), end, answer)
        for before, (begin, end, answer) in zip(edges, answers, strict=False)
    ]


def _whole_answers(text: str, name: str) -> list[tuple[int, int, str]]:
    """(begin, end, answer) of each closed answer, from the nearest opening tag before its closing one."""
    opening, answers = f"<{name}>", []
    for begin, content in blocks(text, name):
        inner = content.rfind(opening)
        # A tag that was opened twice and closed once: the answer is what stands in the inner one.
        start = begin if inner < 0 else begin + len(opening) + inner
        end = begin + len(opening) + len(content) + len(name) + 3
        answers.append((start, end, text[start + len(opening) : end - len(name) - 3].strip()))
    return answers


def _lead(text: str, begin: int, end: int, names: BlockNames) -> int:
    """Where the text of an attempt begins: behind the answer before it, and behind what was said of that one."""
    # Behind the last block tag: a reflection of the answer before isn't part of this attempt.
    start = max((mark.end() for mark in tag_pattern(names).finditer(text, begin, end)), default=begin)
    return start + len(text[start:end]) - len(text[start:end].lstrip())


_BOX = "\\boxed{"


def boxes(text: str, thinking: int) -> list[Tried]:
    """Each box with balanced braces, inside the thinking where there is one."""
    # The box behind the thinking is the final answer, not an attempt.
    inside = text[:thinking] if thinking else text
    attempts: list[Tried] = []
    at = before = 0
    while (begin := inside.find(_BOX, at)) >= 0:
        # Braces are counted, since answers like `\boxed{\frac{1}{2}}` hold some.
        end = _brace(inside, begin + len(_BOX))
        if end < 0:
            break
        attempts.append(Tried(before, end + 1, inside[begin + len(_BOX) : end].strip()))
        at = before = end + 1
    return attempts


def _brace(text: str, start: int) -> int:
    depth = 1
    for mark in re.compile("[{}]").finditer(text, start):
        depth += 1 if mark[0] == "{" else -1
        if not depth:
            return mark.start()
    return -1
