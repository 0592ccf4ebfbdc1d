"""What is wrong with the text of an assistant's turn: its blocks, its answers, its verdicts. One rule, one sentence."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from skill_factory.grading.equivalence import equivalent
from skill_factory.judge.reflections import tagged_verdict
from skill_factory.judge.responses import last_answer
from skill_factory.recipe.model import Tags
from skill_factory.sources.columns import excerpt


class Rule(StrEnum):
    """What can be wrong, the worst first."""

    NO_CONVERSATION = "no_conversation"
    WRONG_TURNS = "wrong_turns"
    BROKEN_NESTING = "broken_nesting"
    TAG_IN_TEXT = "tag_in_text"
    SEVERAL_THINKS = "several_thinks"
    NOT_CLOSED = "not_closed"
    NO_ANSWER = "no_answer"
    SEVERAL_ANSWERS = "several_answers"
    ANSWER_DIFFERS = "answer_differs"
    VERDICT_DISAGREES = "verdict_disagrees"
    EMPTY_SAMPLE = "empty_sample"
    EMPTY_REFLECT = "empty_reflect"
    TEMPLATE_TOKEN = "template_token"
    LINEAGE_DIFFERS = "lineage_differs"


MEANING: Mapping[Rule, str] = {
    Rule.NO_CONVERSATION: "the row holds no messages that a trainer would read",
    Rule.WRONG_TURNS: "the turns are not user and assistant in alternation, ending with the assistant",
    Rule.BROKEN_NESTING: "a block stands where it can't, or ends without having begun",
    Rule.TAG_IN_TEXT: "the text of a block holds a tag that marks blocks, so the trace can't be read back",
    Rule.SEVERAL_THINKS: "the thinking ends more than once; parsers cut at the first end",
    Rule.NOT_CLOSED: "a block never ends; was the text cut off?",
    Rule.NO_ANSWER: "there are attempts, but no final answer after the thinking",
    Rule.SEVERAL_ANSWERS: "there is more than one answer outside the attempts",
    Rule.ANSWER_DIFFERS: "the final answer is not that of the attempt it should come from",
    Rule.VERDICT_DISAGREES: "a reflection's verdict is not what the attempt really is",
    Rule.EMPTY_SAMPLE: "an attempt is empty",
    Rule.EMPTY_REFLECT: "a reflection is empty",
    Rule.TEMPLATE_TOKEN: "a chat template's own token stands in the text",
    Rule.LINEAGE_DIFFERS: "the lineage columns do not fit the text",
}


class Finding(NamedTuple):
    """One thing that is wrong with one trace."""

    rule: Rule
    found: str
    """What was found, on one short line."""


class Block(NamedTuple):
    """A block of a trace: which tag, its text without the line breaks that belong to the layout, and where it ends."""

    name: str
    text: str
    end: int


class _Broken(Exception):
    """The structure can't be read any further."""


def lint_text(text: str, tags: Tags) -> list[Finding]:
    """What is wrong with an assistant's turn, told from its text alone."""
    try:
        blocks = _blocks(text, tags)
    except _Broken as error:
        return [error.args[0]]
    found = []
    for rule, name in ((Rule.EMPTY_SAMPLE, tags.sample), (Rule.EMPTY_REFLECT, tags.reflect)):
        places = [one for one in blocks if one.name == name]
        if empty := [place for place, one in enumerate(places, 1) if not one.text.strip()]:
            found.append(Finding(rule, f"<{name}> number {empty[0]} of {len(places)}"))
    samples = [one.text for one in blocks if one.name == tags.sample]
    return [*found, *(_answers(text, samples, blocks, tags) if samples else ())]


def is_well_formed(text: str, tags: Tags) -> bool:
    """
    Whether the blocks of a text stand and end where they may, none of them empty.

    The opening think tag may be missing: many chat templates write it into the prompt.
    """
    end = text.find(f"</{tags.think}>")
    if end >= 0 and text.find(f"<{tags.think}>", 0, end) < 0:
        text = f"<{tags.think}>\n{text}"
    try:
        return all(one.name == tags.think or one.text.strip() for one in _blocks(text, tags))
    except _Broken:
        return False


def _blocks(text: str, tags: Tags) -> list[Block]:
    """The think, sample and reflect blocks in the order in which they end. Errors: _Broken with the finding."""
    names = "|".join(map(re.escape, (tags.think, tags.sample, tags.reflect)))
    blocks: list[Block] = []
    opened: list[tuple[str, int]] = []
    for mark in re.finditer(f"<(/?)({names})>", text):
        closing, name = mark[1] == "/", mark[2]
        inside = opened[-1][0] if opened else ""
        if closing and inside == name:
            blocks.append(Block(name, _without_layout(text[opened.pop()[1] : mark.start()]), mark.end()))
        elif rule := _misplaced(closing, name, inside, blocks, tags):
            raise _Broken(Finding(rule, _where(mark[0], inside, text, mark.start())))
        else:
            opened.append((name, mark.end()))
    if opened:
        raise _Broken(Finding(Rule.NOT_CLOSED, f"<{opened[-1][0]}> at character {opened[-1][1]}"))
    return blocks


def _misplaced(closing: bool, name: str, inside: str, blocks: Sequence[Block], tags: Tags) -> Rule | None:
    """The rule that a tag breaks where it stands, if any."""
    if inside in (tags.sample, tags.reflect):
        return Rule.TAG_IN_TEXT
    thought = any(one.name == tags.think for one in blocks)
    if name == tags.think:
        if not inside:
            return Rule.SEVERAL_THINKS if thought else Rule.BROKEN_NESTING if closing else None
        return Rule.BROKEN_NESTING
    return Rule.BROKEN_NESTING if closing or inside != tags.think else None


def _where(tag: str, inside: str, text: str, at: int) -> str:
    place = f"inside <{inside}>" if inside else "outside all blocks"
    return f"{tag} {place} at character {at}: {excerpt(text[max(0, at - 30) : at + 30])!r}"


def _without_layout(text: str) -> str:
    return text.removeprefix("\n").removesuffix("\n")


def _answers(text: str, samples: Sequence[str], blocks: Sequence[Block], tags: Tags) -> Iterator[Finding]:
    thinking = [one.end for one in blocks if one.name == tags.think]
    tail = text[thinking[-1] :] if thinking else ""
    again = next(
        (one for one in sorted(samples, key=len, reverse=True) if one and f"\n{one}\n" in tail), None
    )
    if again is not None:
        # An attempt that is gone back to stands in the tail without its tags; its answer is model text too.
        tail = tail.replace(f"\n{again}\n", "\n\n", 1)
    number = tail.count(f"<{tags.answer}>") + _between(text, tags).count(f"<{tags.answer}>")
    final = _last(tail, tags.answer)
    if final is None:
        yield Finding(Rule.NO_ANSWER, f"after {len(samples)} attempts: {excerpt(tail)!r}")
    elif number > 1:
        yield Finding(Rule.SEVERAL_ANSWERS, f"{number} answers outside the attempts")
    if final is not None:
        source = samples[-1] if again is None else again
        stated = last_answer(source)
        if stated is not None and not _same(final, stated):
            yield Finding(
                Rule.ANSWER_DIFFERS, f"{excerpt(final, 40)!r}, the attempt says {excerpt(stated, 40)!r}"
            )


def _between(text: str, tags: Tags) -> str:
    """What is said inside the thinking but in no sample and no reflection."""
    inside = text[: text.rfind(f"</{tags.think}>")]
    names = "|".join(map(re.escape, (tags.sample, tags.reflect)))
    return re.sub(rf"<({names})>.*?</\1>", "", inside, flags=re.DOTALL)


def _last(text: str, name: str) -> str | None:
    end = text.rfind(f"</{name}>")
    start = text.rfind(f"<{name}>", 0, end) if end >= 0 else -1
    return text[start + len(name) + 2 : end] if start >= 0 else None


def _same(left: str, right: str) -> bool:
    return left.split() == right.split() or equivalent(left.strip(), right.strip())


def lint_lineage(
    text: str, truths: Sequence[bool], samples: Sequence[str] | None, tags: Tags
) -> Iterator[Finding]:
    """What of the text does not fit what is known of its attempts; `samples` are their texts by the spans."""
    try:
        blocks = _blocks(text, tags)
    except _Broken:
        return
    told = [one.text for one in blocks if one.name == tags.sample]
    if len(told) != len(truths):
        yield Finding(Rule.LINEAGE_DIFFERS, f"{len(told)} attempts in the text, {len(truths)} in the lineage")
        return
    if samples is not None and list(samples) != told:
        yield Finding(Rule.LINEAGE_DIFFERS, "the spans of the attempts are not where the attempts are")
    place = 0
    for one in blocks:
        place += one.name == tags.sample
        said = (tagged_verdict(one.text) or "").strip().lower() if one.name == tags.reflect else ""
        if said in ("correct", "incorrect") and place and (said == "correct") != truths[place - 1]:
            truth = "right" if truths[place - 1] else "wrong"
            yield Finding(Rule.VERDICT_DISAGREES, f"attempt {place} is {truth}, the verdict says {said}")
