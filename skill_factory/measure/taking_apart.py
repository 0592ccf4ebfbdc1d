"""One output taken apart, by the rules of docs/measure.md.

One pass over the block tags, so that 100 kB of tags that never close cost no more than text.
"""

from collections.abc import Sequence
from functools import lru_cache

from skill_factory.grading import BlockNames
from skill_factory.grading import final_answer as rewarded_answer
from skill_factory.grading.answers import blocks, stated_answer
from skill_factory.judge.responses import last_answer
from skill_factory.measure.inner_answers import boxes, inner_answers, tag_pattern
from skill_factory.measure.parts import Block, Parts, Reflected, Rules, Tried
from skill_factory.recipe.model import Tags
from skill_factory.traces.lint_text import is_well_formed


def take_apart(text: str, rules: Rules) -> Parts:
    """The parts of one output, told from its text alone."""
    names = rules.names
    all_blocks, last_think, reopened = _blocks(text, names)
    # Samples come first: only an output without any may show its attempts in another way.
    mine = [one for one in all_blocks if one.name == names.sample]
    # + 3 for the `</` and `>` of the closing tag.
    behind = max((one.end + len(one.name) + 3 for one in all_blocks if one.closed), default=0)
    final, cut_off = _final(text, rules, last_think, reopened, bool(all_blocks), behind)
    thinking = _thinking_end(text, last_think, cut_off, behind, bool(all_blocks))
    attempts = [one for block in mine if (one := _tried(text, block, rules))]
    if not mine:
        attempts = inner_answers(text, thinking, rules)
    # Boxes last and on request: a model boxes intermediate results as well.
    if not mine and not attempts and rules.boxed:
        attempts = boxes(text, thinking)
    reflections = tuple(
        Reflected(one.start, one.end, rules.verdict_of(text[one.start : one.end]))
        for one in all_blocks
        if one.name == names.reflect
    )
    # Malformed is told, never repaired: a repaired text would be graded as something the model didn't write.
    malformed = not all(one.closed for one in all_blocks) or not is_well_formed(text, _as_tags(names))
    return Parts(
        text, thinking, tuple(attempts), reflections, final, count_answers(text, names), cut_off, malformed
    )


def by_spans(text: str, spans: Sequence[tuple[str, int, int]], rules: Rules) -> Parts:
    """The parts of a trace of ours, whose lineage says where each stretch stands."""
    # Lineage knows where attempts stand; how the text ends still has to be read from it.
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
    # A set: with the usual name in the recipe, tags must not be counted twice.
    return sum(text.count(f"<{name}>") for name in {names.answer, "answer"})


# -- blocks --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _as_tags(names: BlockNames) -> Tags:
    return Tags(think=names.think, sample=names.sample, reflect=names.reflect, answer=names.answer)


def _blocks(text: str, names: BlockNames) -> tuple[list[Block], int, bool]:
    """Sample and reflect blocks by their opening; where the last `</think>` ends (-1: none); was thinking left open?"""
    finished: list[Block] = []
    opened: dict[
        str, tuple[int, int, int]
    ] = {}  # name → place of the tag, of the content, and number of the tag
    marks = list(tag_pattern(names).finditer(text))
    # A block that never closes ends at the next tag, whatever that is: the text behind it belongs to somebody else.
    ends = [mark.start() for mark in marks[1:]] + [len(text)]  # where a block that never closes ends
    last_think, reopened = -1, False

    def close_early(name: str) -> None:
        place, start, number = opened.pop(name)
        finished.append(Block(name, place, start, ends[number], False))

    for number, mark in enumerate(marks):
        closing, name = mark[1] == "/", mark[2]
        if name == names.think:
            # The thinking is over or begins again, so nothing inside it can be open any more.
            for name_open in list(opened):
                close_early(name_open)
            last_think, reopened = (mark.end(), False) if closing else (last_think, True)
        elif not closing:
            if name in opened:
                close_early(name)
            opened[name] = (mark.start(), mark.end(), number)
        elif name in opened:
            place, start, _ = opened.pop(name)
            finished.append(Block(name, place, start, mark.start(), True))
    for name_open in list(opened):
        close_early(name_open)
    # Noted as they close, wanted as they open.
    return sorted(finished, key=lambda block: block.opened), last_think, reopened


def _final(
    text: str, rules: Rules, last_think: int, reopened: bool, has_block: bool, behind: int
) -> tuple[str | None, bool]:
    """The final answer, and whether the text was cut off before it could be given."""
    if last_think < 0 and has_block:
        # Without a think tag a model may still answer behind its blocks; inside them it was cut off.
        answer = _last_tagged(text[behind:], rules.names) if behind else None
        return answer, answer is None
    # It thinks again and never stops: an answer from before is one that it has taken back.
    if reopened:
        return None, True
    # The grader's own reading, so that accuracy here is the reward of training.
    answer = rewarded_answer(text, rules.names)
    # Other places are looked at only without an answer tag behind the thinking: an empty one answers nothing.
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
