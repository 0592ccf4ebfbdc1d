"""Which characters of a trace are trained on: a choice by name, by parts listed in a file, or span by span."""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from skill_factory.errors import HandoffError
from skill_factory.model import SegmentKind
from skill_factory.recipe.model import Tags

Ranges = Sequence[tuple[int, int]]
"""Characters of the assistant's text, as (start, end)."""


class Loss(StrEnum):
    """The choices that have a name."""

    ALL = "all"
    ANSWERS = "answers"
    RIGHT = "right"
    NO_WRONG_ATTEMPTS = "no_wrong_attempts"
    REFLECTIONS_ONLY = "reflections_only"


MEANING = {
    Loss.ALL: "the whole trace",
    Loss.ANSWERS: "what stands behind the thinking: closing, answer and end of turn",
    Loss.RIGHT: "the inside of right samples, the closing and the answer",
    Loss.NO_WRONG_ATTEMPTS: "everything but the inside of wrong samples",
    Loss.REFLECTIONS_ONLY: "the reflect blocks, with their tags",
}
"""What each choice trains on, in words."""


class Part(StrEnum):
    """The parts of a trace that a file can list; together they are the whole of it."""

    WRONG_SAMPLES = "wrong_samples"
    RIGHT_SAMPLES = "right_samples"
    REFLECTIONS = "reflections"
    PHRASES = "phrases"
    CLOSING = "closing"
    ANSWER = "answer"
    TAGS = "tags"


PART_OF = {
    SegmentKind.REFLECT: Part.REFLECTIONS,
    SegmentKind.GLUE: Part.PHRASES,
    SegmentKind.BACKTRACK: Part.CLOSING,
    SegmentKind.CONFIRM: Part.CLOSING,
    SegmentKind.ENDING: Part.CLOSING,
    SegmentKind.ANSWER: Part.ANSWER,
}


class Stretch(NamedTuple):
    """A stretch of the assistant's text: what it is, and where."""

    part: Part
    start: int
    end: int


def stretches(row: Mapping[str, Any]) -> list[Stretch]:
    """A row's text in stretches, without a gap: what lies between the spans of the lineage is tags."""
    text = row["conversations"][-1]["content"]
    right = iter([bool(attempt["correct"]) for attempt in row["attempts"]])
    shown: dict[str, bool] = {}
    found, at = [], 0
    for span in row["spans"]:
        start, end, kind = span["start"], span["end"], span["kind"]
        if start > at:
            found.append(Stretch(Part.TAGS, at, start))
        if kind == SegmentKind.SAMPLE:
            # The same text may be shown again by the closing, and is as right there as it was here.
            shown[text[start:end]] = is_right = next(right)
            part = Part.RIGHT_SAMPLES if is_right else Part.WRONG_SAMPLES
        elif kind == SegmentKind.SAMPLE_AGAIN:
            part = Part.RIGHT_SAMPLES if shown.get(text[start:end]) else Part.WRONG_SAMPLES
        else:
            part = PART_OF[SegmentKind(kind)]
        found.append(Stretch(part, start, end))
        at = end
    return [*found, Stretch(Part.TAGS, at, len(text))] if at < len(text) else found


def behind_thinking(row: Mapping[str, Any], tags: Tags) -> int:
    """Where the text behind `</think>` starts; the length of the text if there is no `</think>`."""
    text: str = row["conversations"][-1]["content"]
    closing = f"</{tags.think}>"
    # An answer may quote the tag, so it is looked for in front of the first stretch of the closing.
    ends = [span["start"] for span in row.get("spans") or () if span["kind"] in _AFTER]
    found = text.rfind(closing, 0, min(ends, default=len(text)))
    return found + len(closing) if found >= 0 else len(text)


_AFTER = {SegmentKind.BACKTRACK, SegmentKind.CONFIRM, SegmentKind.ENDING, SegmentKind.ANSWER}


@dataclass(frozen=True)
class Chosen:
    """What to train on: a rule that gives the trained characters of a row, and how to say it."""

    name: str
    words: str
    rule: Callable[[Mapping[str, Any], Tags], Ranges]
    needs_lineage: bool = True
    named: frozenset[str] = field(default_factory=frozenset)
    """The ids of the traces that a file of spans names; empty for a rule that fits every trace."""

    def ranges(self, row: Mapping[str, Any], tags: Tags) -> Ranges:
        """The trained characters of a row. Errors: HandoffError if the rule needs lineage and the row has none."""
        if self.needs_lineage and not (row.get("spans") and row.get("attempts")):
            raise HandoffError(
                f"--loss {self.name} needs to know which attempts are right and where they stand, and this build has no "
                "lineage columns. Build again with lineage, or take --loss all or answers."
            )
        return self.rule(row, tags)


def _all(row: Mapping[str, Any], tags: Tags) -> Ranges:
    return [(0, len(row["conversations"][-1]["content"]))]


def _answers(row: Mapping[str, Any], tags: Tags) -> Ranges:
    return [(behind_thinking(row, tags), len(row["conversations"][-1]["content"]))]


def _right(row: Mapping[str, Any], tags: Tags) -> Ranges:
    behind = behind_thinking(row, tags)
    inside = [(start, end) for part, start, end in stretches(row) if part is Part.RIGHT_SAMPLES]
    return [*(piece for piece in inside if piece[1] <= behind), *_answers(row, tags)]


def _no_wrong_attempts(row: Mapping[str, Any], tags: Tags) -> Ranges:
    return [(start, end) for part, start, end in stretches(row) if part is not Part.WRONG_SAMPLES]


def _reflections_only(row: Mapping[str, Any], tags: Tags) -> Ranges:
    opening, closing = len(f"<{tags.reflect}>\n"), len(f"\n</{tags.reflect}>")
    return [
        (start - opening, end + closing) for part, start, end in stretches(row) if part is Part.REFLECTIONS
    ]


RULES = {
    Loss.ALL: _all,
    Loss.ANSWERS: _answers,
    Loss.RIGHT: _right,
    Loss.NO_WRONG_ATTEMPTS: _no_wrong_attempts,
    Loss.REFLECTIONS_ONLY: _reflections_only,
}


def chosen_loss(told: str) -> Chosen:
    """
    The choice behind `--loss`: a name of `Loss`, or a file.

    Errors: HandoffError for an unknown name, or a file that says neither parts nor spans.
    """
    if told in Loss.__members__.values():
        loss = Loss(told)
        needs = loss not in (Loss.ALL, Loss.ANSWERS)
        return Chosen(loss.value, MEANING[loss], RULES[loss], needs)
    path = Path(told).expanduser()
    if not path.is_file():
        raise HandoffError(
            f"--loss takes {', '.join(Loss)} or a file (.toml with parts, .jsonl with spans); there is no file {told!r}."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HandoffError(f"{path.name} can't be read as text: {error}") from None
    return _of_parts(text, path.name) if path.suffix == ".toml" else _of_spans(text, path.name)


def _of_parts(text: str, name: str) -> Chosen:
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise HandoffError(f"{name} isn't TOML: {error}.") from None
    listed = told.get("train")
    if (
        set(told) != {"train"}
        or not isinstance(listed, list)
        or not listed
        or not all(p in list(Part) for p in listed)
    ):
        raise HandoffError(
            f'{name} has to hold one line, train = ["…"], with some of {", ".join(Part)}; found {told!r}.'
        )
    parts = frozenset(Part(part) for part in listed)

    def rule(row: Mapping[str, Any], tags: Tags) -> Ranges:
        return [(start, end) for part, start, end in stretches(row) if part in parts]

    return Chosen(name, "these parts: " + ", ".join(sorted(parts)), rule)


def _of_spans(text: str, name: str) -> Chosen:
    by_id: dict[str, list[tuple[int, int]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
            spans = [(start, end) for start, end in told["spans"]]
            fit = isinstance(told["trace_id"], str) and all(
                type(a) is int and type(b) is int and 0 <= a < b for a, b in spans
            )
        except (ValueError, KeyError, TypeError):
            fit = False
        if not fit:
            raise HandoffError(
                f"Line {number} of {name} isn't a trace's spans. Each line has to look like "
                '{"trace_id": "…", "spans": [[0, 120], [340, 400]]}, in characters of the assistant\'s text.'
            )
        by_id.setdefault(told["trace_id"], []).extend(spans)
    if not by_id:
        raise HandoffError(f"{name} names no trace, so nothing would be trained on.")

    def rule(row: Mapping[str, Any], tags: Tags) -> Ranges:
        spans, length = by_id.get(row["trace_id"], []), len(row["conversations"][-1]["content"])
        if any(end > length for _, end in spans):
            raise HandoffError(
                f"{name} has a span of trace {row['trace_id']} that ends at {max(end for _, end in spans):,}, "
                f"but its text has {length:,} characters. The file belongs to another build."
            )
        return spans

    return Chosen(name, f"the spans in {name}", rule, named=frozenset(by_id))
