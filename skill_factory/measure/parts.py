"""One output taken apart: its thinking, attempts, reflections and final answer, by the rules of docs/measure.md.

Nothing is graded here and nothing is ever changed: parts are places in the text. One pass over the block tags, so that
100 kB of tags that never close cost no more than text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from skill_factory.grading import BlockNames
from skill_factory.grading import final_answer as rewarded_answer
from skill_factory.grading.answers import blocks, stated_answer
from skill_factory.judge.responses import last_answer
from skill_factory.recipe.model import Tags
from skill_factory.traces.lint_text import is_well_formed

CORRECT, INCORRECT, NONE = 1, 0, -1
"""Verdicts as numbers; NONE where no reflection gave one."""
MOST_PERIOD, SHORTEST_LOOP = 1_000, 150
"""A text goes round in circles when its last 3·p characters, at least SHORTEST_LOOP, repeat with a period p."""

VerdictOf = Callable[[str], int]
"""What a reflection's text says: CORRECT, INCORRECT or NONE."""


class Tried(NamedTuple):
    """An attempt: where its text stands, and the answer it came to."""

    start: int
    end: int
    answer: str | None


class Reflected(NamedTuple):
    """A reflection: where its text stands, and what it says of the attempt before it."""

    start: int
    end: int
    verdict: int


class Block(NamedTuple):
    """A block of the text: from its opening tag to the end of its content; one that never closed ends early."""

    name: str
    opened: int
    start: int
    end: int
    closed: bool


@dataclass(frozen=True)
class Rules:
    """How outputs are taken apart; the same for all outputs of a measurement."""

    names: BlockNames = field(default_factory=BlockNames)
    verdict_of: VerdictOf = lambda text: NONE
    boxed: bool = False
    r"""Each `\boxed{}` is an attempt where an output has neither a sample nor an inner answer."""
    stated: bool = False
    """No output has answer tags, so what a text states counts (`\\boxed{}`, `####`, "Answer:")."""
    answer_of: Callable[[str], str | None] = lambda text: None
    """The recipe's answer rule, for an attempt or an output without answer tags."""


@dataclass(frozen=True)
class Parts:
    """What an output consists of; places count characters of `text`."""

    text: str
    thinking: int
    """Where the thinking ends; 0 where there is none."""
    attempts: tuple[Tried, ...]
    reflections: tuple[Reflected, ...]
    final: str | None
    answers: int
    """Opening answer tags in all."""
    cut_off: bool
    malformed: bool

    @property
    def verdicts(self) -> list[int]:
        """For each attempt the verdict of the last reflection with one, between it and the next attempt."""
        said = [NONE] * len(self.attempts)
        for place, one in self.judging():
            if place >= 0 and one.verdict != NONE:
                said[place] = one.verdict
        return said

    @property
    def unpaired(self) -> int:
        """Reflections before any attempt."""
        return sum(place < 0 for place, _ in self.judging())

    def judging(self) -> list[tuple[int, Reflected]]:
        """Each reflection with the place of the attempt that it judges; -1 where none stands before it."""
        paired, place = [], -1
        for one in self.reflections:
            while place + 1 < len(self.attempts) and self.attempts[place + 1].start < one.start:
                place += 1
            paired.append((place, one))
        return paired


def names_of(tags: Tags) -> BlockNames:
    """The tag names of a recipe, as grading knows them."""
    return BlockNames(tags.think, tags.sample, tags.reflect, tags.answer)


def with_thinking(thinking: str | None, text: str, names: BlockNames) -> str:
    """An output whose thinking stands in a field of its own, as one text; thinking without a text behind it was cut off."""
    if not thinking or not thinking.strip() or f"</{names.think}>" in text:
        return text
    closing = f"\n</{names.think}>\n\n{text}" if text.strip() else ""
    return f"<{names.think}>\n{thinking}{closing}"


def take_apart(text: str, rules: Rules) -> Parts:
    """The parts of one output, told from its text alone."""
    names = rules.names
    found, last_think, reopened = _blocks(text, names)
    mine = [one for one in found if one.name == names.sample]
    behind = max((one.end + len(one.name) + 3 for one in found if one.closed), default=0)
    final, cut_off = _final(text, rules, last_think, reopened, bool(found), behind)
    thinking = _thinking_end(text, last_think, cut_off, behind, bool(found))
    attempts = [one for block in mine if (one := _tried(text, block, rules))]
    if not mine:
        attempts = _inner_answers(text, thinking, rules)
    if not mine and not attempts and rules.boxed:
        attempts = _boxes(text, thinking)
    reflections = tuple(
        Reflected(one.start, one.end, rules.verdict_of(text[one.start : one.end]))
        for one in found
        if one.name == names.reflect
    )
    malformed = not all(one.closed for one in found) or not is_well_formed(text, _as_tags(names))
    return Parts(
        text, thinking, tuple(attempts), reflections, final, count_answers(text, names), cut_off, malformed
    )


def by_spans(text: str, spans: Sequence[tuple[str, int, int]], rules: Rules) -> Parts:
    """The parts of a trace of ours, whose lineage says where each stretch stands."""
    whole = take_apart(text, rules)
    attempts = tuple(Tried(a, b, _answer_in(text[a:b], rules)) for kind, a, b in spans if kind == "sample")
    reflections = tuple(
        Reflected(a, b, rules.verdict_of(text[a:b])) for kind, a, b in spans if kind == "reflect"
    )
    return Parts(
        text,
        whole.thinking,
        attempts,
        reflections,
        whole.final,
        whole.answers,
        whole.cut_off,
        whole.malformed,
    )


def count_answers(text: str, names: BlockNames) -> int:
    """Opening answer tags: the recipe's name, and the usual one that responses use."""
    return sum(text.count(f"<{name}>") for name in {names.answer, "answer"})


# -- blocks --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _tag_pattern(names: BlockNames) -> re.Pattern[str]:
    return re.compile(f"<(/?)({'|'.join(map(re.escape, names[:3]))})>")


@lru_cache(maxsize=16)
def _as_tags(names: BlockNames) -> Tags:
    return Tags(think=names.think, sample=names.sample, reflect=names.reflect, answer=names.answer)


def _blocks(text: str, names: BlockNames) -> tuple[list[Block], int, bool]:
    """Sample and reflect blocks by their opening; where the last `</think>` ends (-1: none); was thinking left open?"""
    found: list[Block] = []
    opened: dict[
        str, tuple[int, int, int]
    ] = {}  # name → place of the tag, of the content, and number of the tag
    marks = list(_tag_pattern(names).finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]  # where a block that never closes ends
    last_think, reopened = -1, False

    def close_early(name: str) -> None:
        place, start, number = opened.pop(name)
        found.append(Block(name, place, start, ends[number], False))

    for number, mark in enumerate(marks):
        closing, name = mark[1] == "/", mark[2]
        if name == names.think:
            for one in list(opened):
                close_early(one)
            last_think, reopened = (mark.end(), False) if closing else (last_think, True)
        elif not closing:
            if name in opened:
                close_early(name)
            opened[name] = (mark.start(), mark.end(), number)
        elif name in opened:
            place, start, _ = opened.pop(name)
            found.append(Block(name, place, start, mark.start(), True))
    for one in list(opened):
        close_early(one)
    return sorted(found, key=lambda block: block.opened), last_think, reopened


def _final(
    text: str, rules: Rules, last_think: int, reopened: bool, has_block: bool, behind: int
) -> tuple[str | None, bool]:
    """The final answer, and whether the text was cut off before it could be given."""
    if last_think < 0 and has_block:
        # Without a think tag a model may still answer behind its blocks; inside them it was cut off.
        answer = _last_tagged(text[behind:], rules.names) if behind else None
        return answer, answer is None
    if reopened:
        return None, True
    answer = rewarded_answer(text, rules.names)
    if answer is None and not count_answers(text[max(0, last_think) :], rules.names):
        tail = text[max(0, last_think) :]
        answer = rules.answer_of(tail) or (stated_answer(tail) if rules.stated else None)
    return answer, False


def _thinking_end(text: str, last_think: int, cut_off: bool, behind: int, has_block: bool) -> int:
    """How much of a text is thinking: all of one that was cut off inside it."""
    if last_think >= 0 and not cut_off:
        return last_think
    return len(text) if cut_off else behind if has_block else 0


# -- attempts ------------------------------------------------------------------------------------------------------


def _tried(text: str, block: Block, rules: Rules) -> Tried | None:
    """A sample as an attempt; one that never closed is none unless it holds a whole answer."""
    content = text[block.start : block.end]
    if not block.closed and _last_tagged(content, rules.names) is None:
        return None
    return Tried(block.start, block.end, _answer_in(content, rules))


def _answer_in(content: str, rules: Rules) -> str | None:
    answer = _last_tagged(content, rules.names)
    if answer is None:
        answer = rules.answer_of(content) or (stated_answer(content) if rules.stated else None)
    return answer


def _last_tagged(content: str, names: BlockNames) -> str | None:
    """The last whole answer, stripped: the recipe's tag or the usual one, which responses keep."""
    answer = last_answer(content)
    if answer is None and names.answer != "answer":
        whole = blocks(content, names.answer)
        answer = whole[-1][1] if whole else None
    return None if answer is None else answer.strip()


def _inner_answers(text: str, thinking: int, rules: Rules) -> list[Tried]:
    """Each whole answer inside the thinking; its attempt is the text that leads to it from the one before."""
    found = sorted(
        one for name in {rules.names.answer, "answer"} for one in _whole_answers(text[:thinking], name)
    )
    edges = [0, *(end for _, end, _ in found)]
    return [
        Tried(_lead(text, before, begin, rules.names), end, answer)
        for before, (begin, end, answer) in zip(edges, found, strict=False)
    ]


def _whole_answers(text: str, name: str) -> list[tuple[int, int, str]]:
    """(begin, end, answer) of each closed answer, from the nearest opening tag before its closing one."""
    opening, found = f"<{name}>", []
    for begin, content in blocks(text, name):
        inner = content.rfind(opening)
        start = begin if inner < 0 else begin + len(opening) + inner
        end = begin + len(opening) + len(content) + len(name) + 3
        found.append((start, end, text[start + len(opening) : end - len(name) - 3].strip()))
    return found


def _lead(text: str, begin: int, end: int, names: BlockNames) -> int:
    """Where the text of an attempt begins: behind the answer before it, and behind what was said of that one."""
    start = max((mark.end() for mark in _tag_pattern(names).finditer(text, begin, end)), default=begin)
    return start + len(text[start:end]) - len(text[start:end].lstrip())


_BOX = "\\boxed{"


def _boxes(text: str, thinking: int) -> list[Tried]:
    """Each box with balanced braces, inside the thinking where there is one."""
    inside = text[:thinking] if thinking else text
    found: list[Tried] = []
    at = before = 0
    while (begin := inside.find(_BOX, at)) >= 0:
        end = _brace(inside, begin + len(_BOX))
        if end < 0:
            break
        found.append(Tried(before, end + 1, inside[begin + len(_BOX) : end].strip()))
        at = before = end + 1
    return found


def _brace(text: str, start: int) -> int:
    depth = 1
    for mark in re.compile("[{}]").finditer(text, start):
        depth += 1 if mark[0] == "{" else -1
        if not depth:
            return mark.start()
    return -1


# -- circles -------------------------------------------------------------------------------------------------------


def goes_in_circles(text: str) -> bool:
    """Whether the last 3·p characters of a text, at least 150, repeat with a period p of at most 1,000."""
    if len(text) < SHORTEST_LOOP:
        return False
    tail = text[-3 * MOST_PERIOD :]
    # A period shows in the last 50 characters first: they must stand again p characters before.
    last, at = tail[-50:], len(tail) - 50
    while (at := tail.rfind(last, max(0, len(tail) - 50 - MOST_PERIOD), at + 49)) >= 0:
        period = len(tail) - 50 - at
        length = max(3 * period, SHORTEST_LOOP)
        if length <= len(tail) and tail[-length:-period] == tail[len(tail) - length + period :]:
            return True
    return False
