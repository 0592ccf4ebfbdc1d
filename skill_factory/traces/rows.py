"""Traces become rows: first the columns that a trainer reads, then the lineage."""

from binascii import hexlify
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.model import SegmentKind
from skill_factory.traces.bulk.outlines import KINDS
from skill_factory.traces.bulk.typeset import Typeset

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
"""Where a trace comes from; `spans` are (kind, start, end) in characters of the assistant's text."""

ROWS = pa.schema([*TRAINING, *LINEAGE])
SOURCE = pa.field("source", pa.string())
"""In a mixture one more column of lineage: the name of the trace's source."""

REPEATED = [
    "conversations.list.element.role",
    "sft_template_type_idx",
    "question_id",
    "format",
    "attempts.list.element.prompt_variant",
    "spans.list.element.kind",
]
"""
Columns whose values repeat, by their paths in a Parquet file. Only there does a dictionary save anything, and only by
these do people search.
"""


def schema(lineage: bool) -> pa.Schema:
    """The columns of a dataset with or without lineage."""
    return ROWS if lineage else TRAINING


def mixed_schema(lineage: bool) -> pa.Schema:
    """The columns of a mixture."""
    return schema(True).append(SOURCE) if lineage else schema(False)


def with_source(table: pa.Table, name: str) -> pa.Table:
    """Rows of one source of a mixture, with its name; as they are where there is no lineage."""
    if not table.schema.equals(ROWS):
        return table
    return table.append_column(SOURCE, pa.repeat(pa.scalar(name, pa.string()), table.num_rows))


def to_table(typeset: Typeset, lineage: bool) -> pa.Table:
    """Traces as rows (ROWS, or only TRAINING), in the given order."""
    plans = typeset.plans
    # Every row has two messages, and their roles repeat, so all of them are taken from one pair.
    roles = pa.array(["user", "assistant"]).take(pa.array(np.tile(np.array([0, 1], np.int32), len(plans))))
    messages = pa.StructArray.from_arrays([roles, typeset.messages], fields=list(MESSAGE))
    # Two messages a row, so the offsets are 0, 2, 4, …
    offsets = pa.array(np.arange(0, 2 * len(plans) + 1, 2, dtype=np.int32))
    columns = [
        pa.ListArray.from_arrays(offsets, messages),
        pa.array([plan.label for plan in plans], pa.string()),
    ]
    if lineage:
        columns += [
            _hex_ids(typeset.ids),
            _hex_ids([plan.question.id for plan in plans]),
            pa.array([plan.format for plan in plans], pa.string()),
            _attempts(typeset),
            _spans(typeset),
        ]
    return pa.Table.from_arrays(
        [c.cast(f.type) for c, f in zip(columns, schema(lineage), strict=True)], schema=schema(lineage)
    )


def _attempts(typeset: Typeset) -> pa.Array:
    attempts = typeset.attempts
    structs = pa.StructArray.from_arrays(
        [
            _hex_ids(attempts.response_ids),
            pa.array(attempts.right),
            attempts.variants,
            # An attempt may be shown without a reflection; its id would be that of nothing.
            pc.if_else(pa.array(attempts.shown), _hex_ids(attempts.reflection_ids), None),
        ],
        fields=list(ATTEMPT),
    )
    return pa.ListArray.from_arrays(_offsets([len(attempts) for attempts in typeset.right]), structs)


def _spans(typeset: Typeset) -> pa.Array:
    """The place of each stretch of text, without the layout."""
    ends = np.cumsum(typeset.lengths)
    # Ends run through all traces and their questions; each trace has to start at 0.
    firsts = np.cumsum(typeset.stretches) - typeset.stretches
    ends -= np.repeat(ends[firsts], typeset.stretches)
    shown = typeset.kinds != KINDS.index(SegmentKind.LAYOUT)
    # Kinds are a handful of words: codes become strings inside Arrow, without a Python loop.
    names = pa.DictionaryArray.from_arrays(
        pa.array(typeset.kinds[shown].astype(np.int32)), [k.value for k in KINDS]
    )
    starts = (ends - typeset.lengths)[shown].astype(np.int32)
    structs = pa.StructArray.from_arrays(
        [names.cast(pa.string()), pa.array(starts), pa.array(ends[shown].astype(np.int32))], fields=list(SPAN)
    )
    return pa.ListArray.from_arrays(_offsets(np.add.reduceat(shown.astype(np.int64), firsts)), structs)


def _hex_ids(ids: Sequence[int] | npt.NDArray[np.uint64]) -> pa.Array:
    """`model.hex_id` for many ids at once."""
    # Big-endian, as the digits of a number are written.
    digits = pa.py_buffer(hexlify(np.asarray(ids, dtype=">u8").tobytes()))
    ends = pa.py_buffer(np.arange(0, 16 * len(ids) + 1, 16, dtype=np.int32))
    return pa.StringArray.from_buffers(len(ids), ends, digits)


def _offsets(lengths: Sequence[int] | npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
