"""Traces become rows: what a trainer reads in front, lineage behind."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from skill_factory.model import Trace, hex_id
from skill_factory.render import spans

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
ATTEMPT = pa.struct(
    [
        ("response_id", pa.string()),
        ("correct", pa.bool_()),
        ("prompt_variant", pa.string()),
        ("reflection_id", pa.string()),
    ]
)
SPAN = pa.struct([("kind", pa.string()), ("start", pa.int32()), ("end", pa.int32())])

TRAINING = pa.schema([("conversations", pa.list_(MESSAGE)), ("sft_template_type_idx", pa.string())])
"""The two columns that trainers read: a user and an assistant message, and the label."""

LINEAGE = pa.schema(
    [
        ("trace_id", pa.string()),
        ("question_id", pa.string()),
        ("format", pa.string()),
        ("attempts", pa.list_(ATTEMPT)),
        ("spans", pa.list_(SPAN)),
    ]
)
"""Where a trace came from; `spans` are (kind, start, end) in characters of the assistant's text."""

ROWS = pa.schema([*TRAINING, *LINEAGE])


def schema(lineage: bool) -> pa.Schema:
    """The columns of a data set with or without lineage."""
    return ROWS if lineage else TRAINING


def to_table(traces: Sequence[Trace], lineage: bool) -> pa.Table:
    """Traces as rows (ROWS, or TRAINING alone), in the order given."""
    plans = [trace.plan for trace in traces]
    texts = list(chain.from_iterable((trace.plan.question.text, trace.text) for trace in traces))
    # Two messages a row, always; the roles repeat, so they are taken from one pair.
    roles = pa.array(["user", "assistant"]).take(pa.array(np.tile(np.array([0, 1], np.int32), len(traces))))
    messages = pa.StructArray.from_arrays([roles, pa.array(texts, pa.string())], fields=list(MESSAGE))
    offsets = pa.array(np.arange(0, 2 * len(traces) + 1, 2, dtype=np.int32))
    columns = [
        pa.ListArray.from_arrays(offsets, messages),
        pa.array([plan.label for plan in plans], pa.string()),
    ]
    if lineage:
        columns += [
            pa.array([hex_id(trace.id) for trace in traces], pa.string()),
            pa.array([hex_id(plan.question.id) for plan in plans], pa.string()),
            pa.array([plan.format for plan in plans], pa.string()),
            _attempts(traces),
            _spans(traces),
        ]
    return pa.Table.from_arrays(
        [c.cast(f.type) for c, f in zip(columns, schema(lineage), strict=True)], schema=schema(lineage)
    )


def _attempts(traces: Sequence[Trace]) -> pa.Array:
    flat = [attempt for trace in traces for attempt in trace.plan.attempts]
    reflections = [None if one.reflection is None else hex_id(one.reflection.id) for one in flat]
    structs = pa.StructArray.from_arrays(
        [
            pa.array([hex_id(one.response.id) for one in flat], pa.string()),
            pa.array([one.response.correct for one in flat], pa.bool_()),
            pa.array([one.response.variant or None for one in flat], pa.string()),
            pa.array(reflections, pa.string()),
        ],
        fields=list(ATTEMPT),
    )
    return pa.ListArray.from_arrays(_offsets(len(trace.plan.attempts) for trace in traces), structs)


def _spans(traces: Sequence[Trace]) -> pa.Array:
    found = [spans(trace) for trace in traces]
    flat = list(chain.from_iterable(found))
    kinds, starts, ends = zip(*flat, strict=True) if flat else ((), (), ())
    structs = pa.StructArray.from_arrays(
        [pa.array(kinds, pa.string()), pa.array(starts, pa.int32()), pa.array(ends, pa.int32())],
        fields=list(SPAN),
    )
    return pa.ListArray.from_arrays(_offsets(map(len, found)), structs)


def _offsets(lengths: Iterable[int]) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(list(lengths), dtype=np.int32)]).astype(np.int32))


def in_batches(traces: Iterator[Trace], lineage: bool, characters: int = 16_000_000) -> Iterator[pa.Table]:
    """Rows in tables of about so many characters, so that memory stays flat however many traces come."""
    waiting: list[Trace] = []
    size = 0
    for trace in traces:
        waiting.append(trace)
        size += len(trace.text)
        if size >= characters:
            yield to_table(waiting, lineage)
            waiting, size = [], 0
    if waiting:
        yield to_table(waiting, lineage)
