"""The nouns of a measurement: an output of a run, and the table that all of a source's outputs become.

A table row is what is known of an output without its text; figures, lists to browse and `outputs.parquet` come from it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

RIGHT, WRONG, UNJUDGED = 1, 0, -1
"""Marks of an attempt or a final answer."""


class Lineage(NamedTuple):
    """What a trace of ours says of itself: its attempts' truth, and where each stretch of text stands."""

    right: Sequence[bool]
    spans: Sequence[tuple[str, int, int]]
    """(kind, start, end) in characters."""


class Output(NamedTuple):
    """One assistant text for a question."""

    run: str
    step: float | None
    """Place in a series of checkpoints."""
    question: str
    gold: str | None
    text: str
    """Thinking included, between its tags."""
    by: tuple[str, ...] = ()
    """Values of the columns that figures are split by."""
    label: bool | None = None
    """Stored: whether the final answer is right."""
    inner: Sequence[bool | None] | None = None
    """Stored: whether each inner answer is right, as the paper's EVAL sets have it."""
    lineage: Lineage | None = None


ATTEMPT = pa.struct(
    [
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("tokens", pa.int32()),
        ("mark", pa.int8()),
        ("verdict", pa.int8()),
        ("same_text", pa.bool_()),
        ("same_answer", pa.bool_()),
        ("again", pa.bool_()),
    ]
)
"""`mark`: 1 right, 0 wrong, -1 unjudged; `verdict`: 1 correct, 0 incorrect, -1 none; `again`: the answer before it."""

TABLE = pa.schema(
    [
        ("output_id", pa.uint64()),
        ("question_id", pa.uint64()),
        ("gold_id", pa.uint64()),
        ("run", pa.dictionary(pa.int32(), pa.string())),
        ("step", pa.float64()),
        ("final", pa.int8()),
        ("final_id", pa.uint64()),
        ("answered", pa.bool_()),
        ("differs", pa.bool_()),
        ("last", pa.bool_()),
        ("cut_off", pa.bool_()),
        ("malformed", pa.bool_()),
        ("repeats", pa.bool_()),
        ("answers", pa.int32()),
        ("reflections", pa.int32()),
        ("said", pa.int32()),
        ("unpaired", pa.int32()),
        ("tokens", pa.int32()),
        ("thinking_tokens", pa.int32()),
        ("verification", pa.int32()),
        ("backtracking", pa.int32()),
        ("subgoals", pa.int32()),
        ("backward_chaining", pa.int32()),
        ("compared", pa.int32()),
        ("agreed", pa.int32()),
        ("unfit", pa.bool_()),
        ("attempts", pa.list_(ATTEMPT)),
    ]
)
"""
One row per output. `final` is a mark; `answered` says that there is a final answer, `differs` that no attempt gave it,
`last` that the last attempt did; `said` counts reflections with a verdict; `compared` and `agreed` count stored labels
beside our grades; `unfit` says that the stored labels are not as many as the attempts.
"""
TEXT = "text"
"""The output itself, a column that is there on request alone."""
BY = "by_"
"""Columns that figures are split by stand behind the others under this prefix."""
