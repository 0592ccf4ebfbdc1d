"""Outputs become rows of the table: each is taken apart, its answers are marked, and what is noted needs no text."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from skill_factory.draws import text_id
from skill_factory.measure.circles import goes_in_circles
from skill_factory.measure.grades import Grades
from skill_factory.measure.habits import count_words
from skill_factory.measure.outputs import ATTEMPT, BY, RIGHT, TABLE, TEXT, UNJUDGED, WRONG, Lineage, Output
from skill_factory.measure.parts import NONE, Parts, Rules, Tried
from skill_factory.measure.taking_apart import by_spans, take_apart

CountTokens = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True)
class Marked:
    """An output taken apart, with a mark for each attempt and for its final answer."""

    output: Output
    parts: Parts
    marks: tuple[int, ...]
    final: int
    compared: int = 0
    agreed: int = 0
    unfit: bool = False

    @property
    def differs(self) -> bool:
        """A final answer that no attempt gave."""
        answer = _plain(self.parts.final)
        given = [_plain(one.answer) for one in self.parts.attempts]
        return answer is not None and bool(given) and answer not in given

    @property
    def last(self) -> bool:
        """Whether the final answer is the last attempt's."""
        answer, attempts = _plain(self.parts.final), self.parts.attempts
        return answer is not None and bool(attempts) and _plain(attempts[-1].answer) == answer


def marked(output: Output, rules: Rules, grades: Grades) -> Marked:
    """Take an output apart and mark its answers; a trace of ours says itself what is right."""
    if output.lineage is not None:
        return _by_lineage(output, output.lineage, rules)
    parts = take_apart(output.text, rules)
    # Graded even where labels are stored: that is how the report can say how often they agree.
    ours = tuple([grades.mark(one.answer, output.gold, output.question) for one in parts.attempts])
    final = grades.mark(parts.final, output.gold, output.question)
    marks, compared, agreed, unfit = _with_stored(ours, output.inner)
    if output.label is not None:
        # Only a grade of ours can agree or disagree; where there is none, the label is taken at its word.
        compared += final != UNJUDGED
        agreed += final == int(output.label)
        # A label can stand in for a grade; it can't make a text that was cut off right.
        final = (WRONG if parts.cut_off else int(output.label)) if final == UNJUDGED else final
    return Marked(output, parts, marks, final, compared, agreed, unfit)


def _by_lineage(output: Output, lineage: Lineage, rules: Rules) -> Marked:
    right, spans = lineage
    parts = by_spans(output.text, spans, rules)
    # A trace that goes back to an earlier attempt answers with a right one; every other, with its last.
    back = any(kind == "sample_again" for kind, _, _ in spans)
    # A trace that was edited after the build may hold other attempts than its lineage says.
    fits = len(right) == len(parts.attempts)
    marks = tuple(map(int, right)) if fits else (UNJUDGED,) * len(parts.attempts)
    final = int(back or bool(right[-1])) if right else UNJUDGED
    return Marked(output, parts, marks, final, unfit=not fits)


def _with_stored(
    ours: tuple[int, ...], stored: Sequence[bool | None] | None
) -> tuple[tuple[int, ...], int, int, bool]:
    """Stored marks in place of ours where there is one for each attempt; how many were compared, and how many agree."""
    if stored is None:
        return ours, 0, 0, False
    # Which mark belongs to which attempt can't be told, so all are graded here, and the output is noted as unfit.
    if len(stored) != len(ours):
        return ours, 0, 0, bool(ours)
    marks = tuple([mine if one is None else int(one) for mine, one in zip(ours, stored, strict=True)])
    pairs = [
        (mine, one) for mine, one in zip(ours, stored, strict=True) if one is not None and mine != UNJUDGED
    ]
    return marks, len(pairs), sum(mine == int(one) for mine, one in pairs), False


def _plain(answer: str | None) -> str | None:
    return None if answer is None else " ".join(answer.split())


# -- the table -----------------------------------------------------------------------------------------------------


@dataclass
class Counting:
    """Rows of the table, gathered column by column for some outputs at a time."""

    by: tuple[str, ...] = ()
    keep_texts: bool = False
    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in TABLE.names[:-1]})
    values: list[tuple[str, ...]] = field(default_factory=list)
    flat: list[tuple[int, ...]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def add(self, one: Marked) -> None:
        """Note an output."""
        parts, output = one.parts, one.output
        words = count_words(parts.text)
        row = (
            text_id(f"{output.question}\x1f{parts.text}"),
            # Without a question each output is one of its own, so that intervals don't take it for a repetition.
            text_id(output.question or parts.text),
            # 0 where there is none: it differs from every gold answer, so a question with both is noticed.
            text_id(output.gold) if output.gold is not None else 0,
            output.run,
            output.step,
            one.final,
            _final_id(one),
            parts.final is not None,
            one.differs,
            one.last,
            parts.cut_off,
            parts.malformed,
            goes_in_circles(parts.text),
            parts.answers,
            len(parts.reflections),
            sum(reflection.verdict != NONE for reflection in parts.reflections),
            parts.unpaired,
            0,
            0,
            *words,
            one.compared,
            one.agreed,
            one.unfit,
        )
        for name, value in zip(TABLE.names, row, strict=False):
            self.columns[name].append(value)
        self.values.append(output.by)
        self.texts.append(parts.text)
        # Texts are only gathered here, so that a tokenizer gets them as one batch.
        self.thinking.append(parts.text[: parts.thinking])
        self.tried += [parts.text[attempt.start : attempt.end] for attempt in parts.attempts]
        self.flat += _attempts(one)
        self.lengths.append(len(parts.attempts))

    def table(self, count: CountTokens) -> pa.Table:
        """The rows as TABLE, with the columns to split by behind; tokens are counted in one go."""
        self.columns["tokens"] = list(count(self.texts))
        self.columns["thinking_tokens"] = list(count(self.thinking))
        arrays = [pa.array(self.columns[name], TABLE.field(name).type) for name in TABLE.names[:-1]]
        arrays.append(_nested(self.flat, count(self.tried), self.lengths))
        arrays += [pa.array([one[k] for one in self.values], pa.string()) for k in range(len(self.by))]
        arrays += [pa.array(self.texts, pa.large_string())] if self.keep_texts else []
        return pa.Table.from_arrays(arrays, schema=schema(self.by, self.keep_texts))


def schema(by: Sequence[str], texts: bool = False) -> pa.Schema:
    """TABLE with the columns to split by, and the texts where they are asked for."""
    more = [(TEXT, pa.large_string())] if texts else []
    return pa.schema([*TABLE, *((BY + name, pa.string()) for name in by), *more])


def count_outputs(
    outputs: Iterable[Output],
    rules: Rules,
    grades: Grades,
    count: CountTokens,
    by: tuple[str, ...] = (),
    texts: bool = False,
) -> pa.Table:
    """The rows of some outputs, as TABLE."""
    counting = Counting(by, texts)
    for output in outputs:
        counting.add(marked(output, rules, grades))
    return counting.table(count)


def _final_id(one: Marked) -> int:
    """What a vote is for: all right answers are one, other answers are what they say; 0 isn't a vote."""
    if one.parts.final is None:
        return 0
    # `1/2` and `0.5` are written apart and are one vote, since both are right.
    return 1 if one.final == RIGHT else text_id(_plain(one.parts.final) or "")


def _attempts(one: Marked) -> list[tuple[int, ...]]:
    """For each attempt: place, mark, verdict, and whether its text or answer stood there before."""
    found: list[tuple[int, ...]] = []
    texts: set[str] = set()
    answers: set[str] = set()
    before: str | None = None
    for tried, mark, verdict in zip(one.parts.attempts, one.marks, one.parts.verdicts, strict=True):
        text, answer = _said(one.parts.text, tried)
        same_answer = answer is not None and answer in answers
        # Three attempts without an answer aren't the same answer three times.
        again = answer is not None and answer == before
        found.append((tried.start, tried.end, mark, verdict, text in texts, same_answer, again))
        texts.add(text)
        answers |= {answer} if answer is not None else set()
        before = answer
    return found


def _said(text: str, tried: Tried) -> tuple[str, str | None]:
    """An attempt's text and answer, white space aside."""
    return " ".join(text[tried.start : tried.end].split()), _plain(tried.answer)


def _nested(flat: list[tuple[int, ...]], tokens: Sequence[int], lengths: Sequence[int]) -> pa.Array:
    cells = np.array(flat, np.int64).reshape(len(flat), 7)
    columns = [cells[:, 0], cells[:, 1], np.asarray(tokens, np.int64), *cells[:, 2:].T]
    arrays = [
        pa.array(column.astype(bool) if one.type == pa.bool_() else column.astype(one.type.to_pandas_dtype()))
        for column, one in zip(columns, ATTEMPT, strict=True)
    ]
    # From offsets and flat columns: from dictionaries, Arrow would build it one Python object at a time.
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(arrays, fields=list(ATTEMPT)))
