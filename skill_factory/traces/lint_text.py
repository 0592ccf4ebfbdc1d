"""What is wrong with the text of an assistant's turn: its blocks, answers and verdicts. One sentence for each rule."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from skill_factory.grading.equivalence import equivalent
from skill_factory.judge.reflections import tagged_verdict
from skill_factory.judge.responses import last_answer
from skill_factory.recipe.model import Tags
from skill_factory.sources.columns import excerpt
from skill_factory.wording import many


class Rule(StrEnum):
    """What can be wrong with a trace, the worst first."""

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
    Rule.NO_CONVERSATION: "the row has no messages that a trainer would read",
    Rule.WRONG_TURNS: "the turns don't alternate between user and assistant, ending with the assistant",
    Rule.BROKEN_NESTING: "a block is in the wrong place, or ends without having begun",
    Rule.TAG_IN_TEXT: "the text of a block contains a tag that marks blocks, so the trace can't be read back",
    Rule.SEVERAL_THINKS: "the thinking ends more than once; parsers stop at the first end",
    Rule.NOT_CLOSED: "a block never ends; the text may have been cut off",
    Rule.NO_ANSWER: "there are attempts, but no final answer after the thinking",
    Rule.SEVERAL_ANSWERS: "there is more than one answer outside the attempts",
    Rule.ANSWER_DIFFERS: "the final answer isn't that of the attempt it should come from",
    Rule.VERDICT_DISAGREES: "a reflection's verdict contradicts the attempt's label",
    Rule.EMPTY_SAMPLE: "an attempt is empty",
    Rule.EMPTY_REFLECT: "a reflection is empty",
    Rule.TEMPLATE_TOKEN: "the text contains a token of a chat template",
    Rule.LINEAGE_DIFFERS: "the lineage columns don't match the text",
}


class LintFinding(NamedTuple):
    """One thing that is wrong with one trace."""

    rule: Rule
    found: str
    """The evidence, in one short line."""


class Block(NamedTuple):
    """A block of a trace: its tag, its text without the line breaks of the layout, and where it ends."""

    name: str
    text: str
    end: int


class _Broken(Exception):
    """Reading can't go on: the structure is broken. Carries the finding."""


def lint_text(text: str, tags: Tags) -> list[LintFinding]:
    """What is wrong with an assistant's turn, as far as its text alone can tell."""
    try:
        blocks = _blocks(text, tags)
    except _Broken as error:
        # One finding alone: behind the first misplaced tag everything else would look wrong too.
        return [error.args[0]]
    findings = []
    for rule, name in ((Rule.EMPTY_SAMPLE, tags.sample), (Rule.EMPTY_REFLECT, tags.reflect)):
        places = [block for block in blocks if block.name == name]
        if empty := [place for place, block in enumerate(places, 1) if not block.text.strip()]:
            findings.append(LintFinding(rule, f"<{name}> number {empty[0]} of {len(places)}"))
    samples = [block.text for block in blocks if block.name == tags.sample]
    return [*findings, *(_answers(text, samples, blocks, tags) if samples else ())]


def is_well_formed(text: str, tags: Tags) -> bool:
    """
    Whether the blocks of a text begin and end where they may, and none of them is empty.

    The opening think tag may be missing: many chat templates write it into the prompt.
    """
    end = text.find(f"</{tags.think}>")
    # Put back, so that the same reading serves both kinds of text.
    if end >= 0 and text.find(f"<{tags.think}>", 0, end) < 0:
        text = f"<{tags.think}>\n{text}"
    try:
        return all(block.name == tags.think or block.text.strip() for block in _blocks(text, tags))
    except _Broken:
        return False


def _blocks(text: str, tags: Tags) -> list[Block]:
    """The think, sample and reflect blocks, in the order in which they end. Errors: _Broken with the finding."""
    names = "|".join(map(re.escape, (tags.think, tags.sample, tags.reflect)))
    blocks: list[Block] = []
    opened: list[tuple[str, int]] = []
    for mark in re.finditer(f"<(/?)({names})>", text):
        closing, name = mark[1] == "/", mark[2]
        inside = opened[-1][0] if opened else ""
        # Only the innermost block may end; any other end is misplaced.
        if closing and inside == name:
            blocks.append(Block(name, _without_layout(text[opened.pop()[1] : mark.start()]), mark.end()))
        elif rule := _misplaced(closing, name, inside, blocks, tags):
            raise _Broken(LintFinding(rule, _where(mark[0], inside, text, mark.start())))
        else:
            opened.append((name, mark.end()))
    if opened:
        raise _Broken(LintFinding(Rule.NOT_CLOSED, f"<{opened[-1][0]}> at character {opened[-1][1]}"))
    return blocks


def _misplaced(closing: bool, name: str, inside: str, blocks: Sequence[Block], tags: Tags) -> Rule | None:
    """The rule that a tag breaks by its place, if any."""
    if inside in (tags.sample, tags.reflect):
        return Rule.TAG_IN_TEXT
    thought = any(block.name == tags.think for block in blocks)
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


def _answers(text: str, samples: Sequence[str], blocks: Sequence[Block], tags: Tags) -> Iterator[LintFinding]:
    thinking = [block.end for block in blocks if block.name == tags.think]
    tail = text[thinking[-1] :] if thinking else ""
    again = next(
        # The longest first: a short attempt may stand word for word inside a longer one.
        (sample for sample in sorted(samples, key=len, reverse=True) if sample and f"\n{sample}\n" in tail),
        None,
    )
    if again is not None:
        # A trace that goes back repeats an attempt in the tail without its tags; the answer in it is the model's text.
        tail = tail.replace(f"\n{again}\n", "\n\n", 1)
    number = tail.count(f"<{tags.answer}>") + _between(text, tags).count(f"<{tags.answer}>")
    final = _last(tail, tags.answer)
    if final is None:
        yield LintFinding(Rule.NO_ANSWER, f"after {many(len(samples), 'attempt')}: {excerpt(tail)!r}")
    elif number > 1:
        yield LintFinding(Rule.SEVERAL_ANSWERS, f"{number} answers outside the attempts")
    if final is not None:
        source = samples[-1] if again is None else again
        stated = last_answer(source)
        # An attempt without an answer of its own can't be contradicted.
        if stated is not None and not _same(final, stated):
            yield LintFinding(
                Rule.ANSWER_DIFFERS, f"{excerpt(final, 40)!r}, the attempt says {excerpt(stated, 40)!r}"
            )


def _between(text: str, tags: Tags) -> str:
    """The text inside the thinking that is in no sample and no reflection."""
    inside = text[: text.rfind(f"</{tags.think}>")]
    names = "|".join(map(re.escape, (tags.sample, tags.reflect)))
    return re.sub(rf"<({names})>.*?</\1>", "", inside, flags=re.DOTALL)


def _last(text: str, name: str) -> str | None:
    end = text.rfind(f"</{name}>")
    start = text.rfind(f"<{name}>", 0, end) if end >= 0 else -1
    return text[start + len(name) + 2 : end] if start >= 0 else None


def _same(left: str, right: str) -> bool:
    # Words first: most answers are equal as written, and grading them costs much more.
    return left.split() == right.split() or equivalent(left.strip(), right.strip())


def lint_lineage(
    text: str, truths: Sequence[bool], samples: Sequence[str] | None, tags: Tags
) -> Iterator[LintFinding]:
    """What in the text doesn't match its lineage; `samples` are the attempts' texts, taken by the spans."""
    try:
        blocks = _blocks(text, tags)
    except _Broken:
        return
    own_samples = [block.text for block in blocks if block.name == tags.sample]
    if len(own_samples) != len(truths):
        yield LintFinding(
            Rule.LINEAGE_DIFFERS,
            f"{many(len(own_samples), 'attempt')} in the text, {len(truths):,} in the lineage",
        )
        return
    if samples is not None and list(samples) != own_samples:
        yield LintFinding(Rule.LINEAGE_DIFFERS, "the spans don't mark the places of the attempts")
    place = 0
    for block in blocks:
        place += block.name == tags.sample
        verdict = (tagged_verdict(block.text) or "").strip().lower() if block.name == tags.reflect else ""
        if verdict in ("correct", "incorrect") and place and (verdict == "correct") != truths[place - 1]:
            truth = "right" if truths[place - 1] else "wrong"
            yield LintFinding(
                Rule.VERDICT_DISAGREES, f"attempt {place} is {truth}, but the verdict says {verdict}"
            )
