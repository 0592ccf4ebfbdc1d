"""Traces become rows: first the columns that a trainer reads, then the lineage."""

from binascii import hexlify
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.asked import ASSISTANT, Said, asked
from skill_factory.model import SegmentKind
from skill_factory.recipe.mixture import AnyRecipe, Mixture
from skill_factory.recipe.model import Recipe
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
TOOLS = pa.field("tools", pa.string())
"""The tools that the assistant may call, as JSON, beside conversations that are more than a question; null where there are none."""
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


def schema(recipe: AnyRecipe) -> pa.Schema:
    """The columns of a recipe's dataset."""
    columns = ROWS if recipe.output.lineage else TRAINING
    if in_context(recipe):
        columns = columns.insert(1, TOOLS)
    return columns.append(SOURCE) if isinstance(recipe, Mixture) and recipe.output.lineage else columns


def in_context(recipe: AnyRecipe) -> bool:
    """Whether questions are read with their conversations, so that a row may have more than two turns."""
    if isinstance(recipe, Mixture):
        return any(in_context(one.recipe) for one in recipe.sources)
    return recipe.columns.question_rule == "conversation"


def with_source(table: pa.Table, name: str, mixture: Mixture) -> pa.Table:
    """Rows of one source of a mixture with its name, where there is lineage, and without tools where it has none."""
    columns = schema(mixture)
    if TOOLS.name in columns.names and TOOLS.name not in table.column_names:
        table = table.add_column(1, TOOLS, pa.nulls(table.num_rows, pa.string()))
    if SOURCE.name in columns.names:
        table = table.append_column(SOURCE, pa.repeat(pa.scalar(name, pa.string()), table.num_rows))
    return table


def to_table(typeset: Typeset, recipe: Recipe) -> pa.Table:
    """Traces as rows of a recipe's dataset, in the given order."""
    plans = typeset.plans
    columns = [
        _in_context(typeset) if in_context(recipe) else _pairs(typeset),
        pa.array([plan.label for plan in plans], pa.string()),
    ]
    if in_context(recipe):
        columns.insert(1, pa.array([asked(plan.question.text).tools or None for plan in plans], pa.string()))
    if recipe.output.lineage:
        columns += [
            _hex_ids(typeset.ids),
            _hex_ids([plan.question.id for plan in plans]),
            pa.array([plan.format for plan in plans], pa.string()),
            _attempts(typeset),
            _spans(typeset),
        ]
    names = schema(recipe)
    return pa.Table.from_arrays([c.cast(f.type) for c, f in zip(columns, names, strict=True)], schema=names)


def _pairs(typeset: Typeset) -> pa.Array:
    """Question and trace of each row as its two messages."""
    # Every row has two messages, and their roles repeat, so all of them are taken from one pair.
    n = len(typeset.plans)
    roles = pa.array(["user", "assistant"]).take(pa.array(np.tile(np.array([0, 1], np.int32), n)))
    messages = pa.StructArray.from_arrays([roles, typeset.messages], fields=list(MESSAGE))
    # Two messages a row, so the offsets are 0, 2, 4, …
    return pa.ListArray.from_arrays(pa.array(np.arange(0, 2 * n + 1, 2, dtype=np.int32)), messages)


def _in_context(typeset: Typeset) -> pa.Array:
    """The turns before each trace, and the trace, as the messages of its row."""
    before = [asked(plan.question.text).turns for plan in typeset.plans]
    places: dict[Said, int] = {}
    order: list[int] = []
    for row, turns in enumerate(before):
        order += [places.setdefault(turn, len(places)) for turn in turns]
        order.append(-1 - row)  # the row's trace, which comes behind all different turns
    said = pa.array([turn.content for turn in places], pa.string())
    traces = typeset.messages.take(pa.array(np.arange(1, 2 * len(before), 2)))
    which = np.array([place if place >= 0 else len(places) - 1 - place for place in order], np.int64)
    roles = pa.array([*(turn.role for turn in places), *[ASSISTANT] * len(before)], pa.string())
    taken = pa.array(which)
    contents = pa.concat_arrays([said, traces.cast(pa.string())]).take(taken)
    messages = pa.StructArray.from_arrays([roles.take(taken), contents], fields=list(MESSAGE))
    return pa.ListArray.from_arrays(_offsets([len(turns) + 1 for turns in before]), messages)


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
