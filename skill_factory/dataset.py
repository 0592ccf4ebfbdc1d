"""Traces become rows: what a trainer reads in front, lineage behind."""

from binascii import hexlify
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.model import SegmentKind, Trace

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
            _hex_ids([trace.id for trace in traces]),
            _hex_ids([plan.question.id for plan in plans]),
            pa.array([plan.format for plan in plans], pa.string()),
            _attempts(traces),
            _spans(traces),
        ]
    return pa.Table.from_arrays(
        [c.cast(f.type) for c, f in zip(columns, schema(lineage), strict=True)], schema=schema(lineage)
    )


def _attempts(traces: Sequence[Trace]) -> pa.Array:
    flat = [attempt for trace in traces for attempt in trace.plan.attempts]
    shown = [one.reflection for one in flat]
    reflections = _hex_ids([0 if one is None else one.id for one in shown])
    structs = pa.StructArray.from_arrays(
        [
            _hex_ids([one.response.id for one in flat]),
            pa.array([one.response.correct for one in flat], pa.bool_()),
            pa.array([one.response.variant or None for one in flat], pa.string()),
            pc.if_else(pa.array([one is not None for one in shown], pa.bool_()), reflections, None),
        ],
        fields=list(ATTEMPT),
    )
    return pa.ListArray.from_arrays(_offsets([len(trace.plan.attempts) for trace in traces]), structs)


def _spans(traces: Sequence[Trace]) -> pa.Array:
    """Where each stretch of text lies, of whole batches at once."""
    stretches = [len(trace.pieces) for trace in traces]
    pieces = chain.from_iterable([trace.pieces for trace in traces])
    lengths = np.fromiter(map(len, pieces), np.int64, sum(stretches))
    kinds = np.frombuffer(b"".join([_codes(trace.kinds) for trace in traces]), np.uint8)
    ends = np.cumsum(lengths)
    # Ends count through the batch; what came before a trace is taken off, so that each trace starts at 0.
    texts = np.array([len(trace.text) for trace in traces], np.int64)
    ends -= np.repeat(np.cumsum(texts) - texts, stretches)
    shown = kinds != _KIND[SegmentKind.LAYOUT]
    names = pa.DictionaryArray.from_arrays(
        pa.array(kinds[shown].astype(np.int32)), [kind.value for kind in SegmentKind]
    )
    starts = (ends - lengths)[shown].astype(np.int32)
    structs = pa.StructArray.from_arrays(
        [names.cast(pa.string()), pa.array(starts), pa.array(ends[shown].astype(np.int32))], fields=list(SPAN)
    )
    before = np.concatenate([[0], np.cumsum(shown)])
    per_trace = np.diff(before[np.cumsum([0, *stretches])])
    return pa.ListArray.from_arrays(_offsets(per_trace.tolist()), structs)


_KIND = {kind: place for place, kind in enumerate(SegmentKind)}


@lru_cache(maxsize=4096)
def _codes(kinds: tuple[SegmentKind, ...]) -> bytes:
    return bytes([_KIND[kind] for kind in kinds])


def _hex_ids(ids: Sequence[int]) -> pa.Array:
    """`model.hex_id` of many ids at once."""
    digits = pa.py_buffer(hexlify(np.array(ids, dtype=">u8").tobytes()))
    ends = pa.py_buffer(np.arange(0, 16 * len(ids) + 1, 16, dtype=np.int32))
    return pa.StringArray.from_buffers(len(ids), ends, digits)


def _offsets(lengths: Sequence[int]) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))


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
