"""Before an export: what a trainer would skip, strip, truncate or misread, with counts. Rows in, counts out."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from skill_factory.asked import ASSISTANT, CALL, RESULT, SYSTEM, USER
from skill_factory.traces.lengths import template_tokens

CONTROL_TOKENS = (
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|eom_id|>",
    "<s>",
    "</s>",
    "<bos>",
    "<eos>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
    "<|user|>",
    "<|assistant|>",
    "<|system|>",
    "<|end|>",
    "<｜begin▁of▁sentence｜>",
    "<｜end▁of▁sentence｜>",
    "<｜User｜>",
    "<｜Assistant｜>",
)
"""What common tokenizers turn into control tokens, wherever it is in a text."""
MEDIA = ("<image>", "<video>", "<audio>")


class Trouble(StrEnum):
    """What can go wrong between a row and a trainer."""

    WRONG_TURNS = "wrong_turns"
    EMPTY = "empty"
    NO_THINKING = "no_thinking"
    SEVERAL_THOUGHTS = "several_thoughts"
    CONTROL_TOKEN = "control_token"
    MEDIA = "media"
    NOT_NFC = "not_nfc"
    EDGE_SPACE = "edge_space"
    REWRITTEN = "rewritten"
    OVER_CUTOFF = "over_cutoff"
    LONG_PROMPT = "long_prompt"


OF_TOKENS = {Trouble.WRONG_TURNS, Trouble.EMPTY, Trouble.CONTROL_TOKEN, Trouble.NOT_NFC, Trouble.OVER_CUTOFF}
"""What can still go wrong with traces that are written as tokens: no template touches them any more."""
OF_QWEN3 = {Trouble.NO_THINKING, Trouble.SEVERAL_THOUGHTS, Trouble.REWRITTEN}
"""What goes wrong only under Qwen3's template."""

SENTENCES = {
    Trouble.WRONG_TURNS: "user and assistant don't take turns, or the assistant doesn't have the last one: LLaMA-Factory skips such rows silently",
    Trouble.EMPTY: "a turn without text: there is nothing to learn from it",
    Trouble.NO_THINKING: "no thinking block: the template qwen3 puts an empty one in front, and trains on that",
    Trouble.SEVERAL_THOUGHTS: "more than one end of thinking: Qwen3's own template drops the text between them",
    Trouble.CONTROL_TOKEN: "text that a tokenizer turns into a control token, such as <|im_end|>: the turn ends there",
    Trouble.MEDIA: "<image>, <video> or <audio> in the text: multimodal templates expect a file",
    Trouble.NOT_NFC: "text that isn't in Unicode's composed form (NFC): the same words get other tokens",
    Trouble.EDGE_SPACE: "white space at the beginning or end of a turn: templates that trim will change it",
    Trouble.REWRITTEN: "newlines that Qwen3's own template (TRL, Unsloth) removes, such as the third after the "
    "thinking; the layout `tight` has none of them",
    Trouble.OVER_CUTOFF: "longer than the cut-off: the end is lost, and with it the final answer",
    Trouble.LONG_PROMPT: "a question longer than the prompt limit of reinforcement learning: dropped or truncated",
}


@dataclass(frozen=True)
class Problem:
    """A trouble that some rows have: how many, and which is the first (counted from 0)."""

    trouble: Trouble
    count: int
    first: int

    @property
    def sentence(self) -> str:
        """What a trainer would do with such rows, in words."""
        return SENTENCES[self.trouble]


@dataclass(frozen=True)
class RowLimits:
    """What rows are checked against; 0 means no limit."""

    count: Callable[[Sequence[str]], Sequence[int]]
    cutoff: int = 0
    prompt: int = 0
    control_tokens: tuple[str, ...] = CONTROL_TOKENS
    think_tag: str = "think"


@dataclass
class _Seen:
    counts: dict[Trouble, int] = field(default_factory=dict)
    firsts: dict[Trouble, int] = field(default_factory=dict)


def preflight(rows: Iterable[Mapping[str, Any]], limits: RowLimits) -> list[Problem]:
    """Every trouble that some rows have, in the order of `Trouble`; a row counts once for each trouble."""
    seen = _Seen()
    for place, row in enumerate(rows):
        # A row counts once for each trouble, however often it has it.
        for trouble in set(troubles(row, limits)):
            seen.counts[trouble] = seen.counts.get(trouble, 0) + 1
            seen.firsts.setdefault(trouble, place)
    return [Problem(kind, seen.counts[kind], seen.firsts[kind]) for kind in Trouble if kind in seen.counts]


def troubles(row: Mapping[str, Any], limits: RowLimits) -> Iterator[Trouble]:
    """What would go wrong with one row."""
    turns = row.get("conversations") or []
    # A row of another shape can't be checked further, and a trainer skips it anyway.
    if not _take_turns([turn.get("role") for turn in turns]):
        yield Trouble.WRONG_TURNS
        return
    texts = [turn.get("content") or "" for turn in turns]
    if not all(turn.get("content", "").strip() or turn.get("role") == RESULT for turn in turns):
        yield Trouble.EMPTY
        return
    yield from _of_texts(texts, limits)
    yield from _of_thinking(texts[-1], f"<{limits.think_tag}>", f"</{limits.think_tag}>")
    if limits.cutoff or limits.prompt:
        # Both at once, since a tokenizer is asked in batches.
        tools = [row["tools"]] if row.get("tools") else []
        trace, *before = limits.count([texts[-1], *texts[:-1], *tools])
        question = sum(before) + template_tokens(len(texts))
        if limits.cutoff and question + trace > limits.cutoff:
            yield Trouble.OVER_CUTOFF
        if limits.prompt and question > limits.prompt:
            yield Trouble.LONG_PROMPT


def _take_turns(roles: Sequence[str | None]) -> bool:
    """Whether LLaMA-Factory takes a row: after a system turn, the user or a result and the assistant take turns."""
    spoken = roles[1:] if roles[:1] == [SYSTEM] else roles
    sides = ((USER, RESULT), (ASSISTANT, CALL))
    fits = all(role in sides[place % 2] for place, role in enumerate(spoken))
    return fits and len(spoken) > 1 and spoken[-1] == ASSISTANT


def _of_texts(texts: Sequence[str], limits: RowLimits) -> Iterator[Trouble]:
    if any(token in text for text in texts for token in limits.control_tokens):
        yield Trouble.CONTROL_TOKEN
    if any(token in text for text in texts for token in MEDIA):
        yield Trouble.MEDIA
    if not all(unicodedata.is_normalized("NFC", text) for text in texts):
        yield Trouble.NOT_NFC
    if any(text != text.strip() for text in texts):
        yield Trouble.EDGE_SPACE


def _of_thinking(trace: str, opening: str, closing: str) -> Iterator[Trouble]:
    if opening not in trace or closing not in trace:
        yield Trouble.NO_THINKING
    if trace.count(closing) > 1:
        yield Trouble.SEVERAL_THOUGHTS
    # Only the usual tag: Qwen3's template knows no other.
    if closing == "</think>" and trace != after_qwen3(trace):
        yield Trouble.REWRITTEN


def after_qwen3(trace: str) -> str:
    """What Qwen3's own chat template makes of the last assistant turn: it sets the newlines around the thinking."""
    if "</think>" not in trace:
        # It adds an empty block, and the model is then trained to think nothing.
        return f"<think>\n\n</think>\n\n{trace}"
    # Step by step as the template does it, so that a check can't be kinder than the trainer.
    thinking = trace.split("</think>")[0].rstrip("\n").split("<think>")[-1].lstrip("\n").strip("\n")
    rest = trace.split("</think>")[-1].lstrip("\n")
    return f"<think>\n{thinking}\n</think>\n\n{rest}"
