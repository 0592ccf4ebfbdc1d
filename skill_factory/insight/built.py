"""The traces of a finished build, page by page: a narrow table decides what is shown, texts are read as they are shown.

The table has a few numbers for each trace and no text, so it serves a hundred thousand of them; a search reads the texts
once, a page reads the rows that it shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from skill_factory.asked import asked_in_row
from skill_factory.build.folder import BuildFolder
from skill_factory.formats import format_of
from skill_factory.insight.trace_parts import Card, Story
from skill_factory.model import SegmentKind
from skill_factory.recipe.model import Tags
from skill_factory.traces.lint import LintReport, lint_row
from skill_factory.traces.lint_text import MEANING

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
PAGE = 20
"""Traces on a page."""
BATCH = 512
"""Rows whose texts are searched at once."""


class Order(StrEnum):
    """How the traces are ordered."""

    WRITTEN = "as written"
    LONGEST = "longest first"
    SHORTEST = "shortest first"
    MOST = "most attempts first"
    DOUBT = "labels in doubt first"


@dataclass(frozen=True)
class Wanted:
    """Which traces to show, and in which order."""

    label: str = ""
    shows: str = ""
    """`fixed`: only those that correct a mistake; `rest`: only the others."""
    at_least: int = 0
    """Characters of question and trace."""
    at_most: int = 0
    doubtful: bool = False
    """Only traces with an attempt whose label is in doubt."""
    order: Order = Order.WRITTEN


@dataclass(frozen=True)
class Index:
    """The narrow table: an entry for each trace, in written order."""

    labels: tuple[str, ...]
    label: Numbers
    """The place in `labels`."""
    chars: Numbers
    attempts: Numbers
    """0 for all where the build has no lineage columns."""
    fixed: Flags
    """Whether it corrects a mistake."""
    doubt: Numbers
    """Attempts whose label is in doubt."""
    lineage: bool

    @property
    def traces(self) -> int:
        """How many there are."""
        return len(self.label)


class Shown(NamedTuple):
    """A trace as a page shows it."""

    place: int
    label: str
    question: str
    text: str
    story: Story | None
    """None where the build has no lineage columns."""
    problems: tuple[tuple[str, str], ...]
    """(rule, what was found) of the linter."""


def index(folder: Path, doubtful: Sequence[str] = ()) -> Index:
    """The narrow table of a build; `doubtful` are ids of responses whose labels are in doubt."""
    pieces = [_read(file, set(doubtful)) for file in BuildFolder(folder).shards()]
    names = sorted({name for piece in pieces for name in piece["names"]})
    label = [
        np.array([names.index(name) for name in piece["names"]], np.int64)[piece["label"]] for piece in pieces
    ]
    joined = {
        key: _joined([piece[key] for piece in pieces]) for key in ("chars", "attempts", "fixed", "doubt")
    }
    lineage = bool(pieces) and all(piece["lineage"] for piece in pieces)
    return Index(tuple(names), _joined(label), **joined, lineage=lineage)


def _joined(parts: Sequence[Any]) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _read(file: Path, doubtful: set[str]) -> dict[str, Any]:
    """The numbers of one shard."""
    with pq.ParquetFile(file) as shard:
        lineage = "spans" in shard.schema_arrow.names
        table = shard.read(columns=["sft_template_type_idx", *(_LINEAGE if lineage else [])])
        # Texts come batch by batch: their lengths are all that stays in memory.
        chars = [_sizes(batch.column(0)) for batch in shard.iter_batches(BATCH, columns=[CONTENT])]
    coded = pc.dictionary_encode(table["sft_template_type_idx"].combine_chunks())
    found = {"names": coded.dictionary.to_pylist(), "label": coded.indices.to_numpy().astype(np.int64)}
    found |= {"chars": _joined(chars), "lineage": lineage}
    if not lineage:
        zeros = np.zeros(table.num_rows, np.int64)
        return found | {"attempts": zeros, "fixed": zeros.astype(np.bool_), "doubt": zeros}
    attempts, spans = table["attempts"].combine_chunks(), table["spans"].combine_chunks()
    right = pc.struct_field(attempts.flatten(), "correct")
    many = pc.list_value_length(attempts).to_numpy().astype(np.int64)
    back = _per_row(spans, pc.equal(pc.struct_field(spans.flatten(), "kind"), SegmentKind.SAMPLE_AGAIN.value))
    ids = pc.struct_field(attempts.flatten(), "response_id")
    doubt = _per_row(attempts, pc.is_in(ids, value_set=pa.array(sorted(doubtful), pa.string())))
    last = right.to_numpy(zero_copy_only=False).astype(np.bool_)[np.cumsum(many) - 1]
    # Some attempt is wrong, and the trace ends right or goes back to a right attempt.
    fixed = (many > _per_row(attempts, right)) & (last | (back > 0))
    return found | {"attempts": many, "fixed": fixed, "doubt": doubt}


def _sizes(turns: Any) -> Numbers:
    """Characters of question and trace together, as the report counts them."""
    return _per_row(turns, pc.utf8_length(pc.struct_field(turns.flatten(), "content")))


CONTENT = "conversations.list.element.content"
_LINEAGE = [
    "attempts.list.element.correct",
    "attempts.list.element.response_id",
    "spans.list.element.kind",
]


def _per_row(lists: Any, values: Any) -> Numbers:
    """The sum of each list's values, or how many of them are true; every list has at least one item."""
    starts = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy())[:-1]]).astype(np.int64)
    numbers = values.to_numpy(zero_copy_only=False).astype(np.int64)
    # `reduceat` would give an empty list its neighbour's first value; turns, attempts and spans are never empty.
    return np.add.reduceat(numbers, starts) if len(numbers) else np.zeros(0, np.int64)


def places(found: Index, wanted: Wanted, among: Numbers | None = None) -> Numbers:
    """Where the wanted traces are, in their order; `among` limits them to the hits of a search."""
    keep = np.ones(found.traces, np.bool_)
    if wanted.label:
        # -1 is nobody's place: a trace type that this build lacks shows nothing, as a page reopened on another build
        # asks.
        keep &= found.label == (found.labels.index(wanted.label) if wanted.label in found.labels else -1)
    if wanted.shows:
        keep &= found.fixed == (wanted.shows == "fixed")
    keep &= found.chars >= wanted.at_least
    if wanted.at_most:
        keep &= found.chars <= wanted.at_most
    if wanted.doubtful:
        keep &= found.doubt > 0
    if among is not None:
        hit = np.zeros(found.traces, np.bool_)
        hit[among] = True
        keep &= hit
    chosen = np.flatnonzero(keep)
    by = {
        Order.WRITTEN: np.zeros(found.traces, np.int64),
        Order.LONGEST: -found.chars,
        Order.SHORTEST: found.chars,
        Order.MOST: -found.attempts,
        Order.DOUBT: -found.doubt,
    }[wanted.order]
    # Stable, so traces of one length stay as written.
    return chosen[np.argsort(by[chosen], kind="stable")]


def search(folder: Path, words: str) -> Numbers:
    """Places of the traces whose question or text contains the words, in any case."""
    hits: list[int] = []
    start = 0
    for file in BuildFolder(folder).shards():
        with pq.ParquetFile(file) as shard:
            for batch in shard.iter_batches(BATCH, columns=[CONTENT]):
                turns = batch.column(0)
                said = pc.struct_field(turns.flatten(), "content")
                found = _per_row(turns, pc.match_substring(said, words, ignore_case=True))
                hits += (start + np.flatnonzero(found)).tolist()
                start += batch.num_rows
    return np.array(hits, np.int64)


def shown(folder: Path, wanted: Sequence[int], tags: Tags) -> list[Shown]:
    """The traces at some places, each read from its row group alone."""
    rows = dict(_rows_at(folder, wanted))
    return [_shown(place, rows[place], tags) for place in wanted if place in rows]


def _rows_at(folder: Path, wanted: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    left, start = sorted(set(wanted)), 0
    for file in BuildFolder(folder).shards():
        with pq.ParquetFile(file) as shard:
            for group in range(shard.num_row_groups):
                size = shard.metadata.row_group(group).num_rows
                here = [place for place in left if start <= place < start + size]
                if here:
                    table = shard.read_row_group(group)
                    taken = table.take(pa.array([place - start for place in here]))
                    yield from zip(here, taken.to_pylist(), strict=True)
                start += size


def _shown(place: int, row: Mapping[str, Any], tags: Tags) -> Shown:
    question, text = asked_in_row(row).text, row["conversations"][-1]["content"]
    problems = tuple((finding.rule.value, finding.found) for finding in lint_row(row, tags))
    return Shown(place, row["sft_template_type_idx"], question, text, story_of(row), problems)


def story_of(row: Mapping[str, Any]) -> Story | None:
    """A row as a trace to read; None without lineage columns."""
    if not row.get("spans") or not row.get("attempts"):
        return None
    text = row["conversations"][-1]["content"]
    said: dict[str, list[str]] = {}
    after: list[tuple[str | None, str]] = []
    # Spans stand in reading order, so what comes behind a sample belongs to it.
    for span in row["spans"]:
        piece = text[span["start"] : span["end"]]
        said.setdefault(span["kind"], []).append(piece)
        if span["kind"] == SegmentKind.SAMPLE:
            after.append((None, ""))
        elif span["kind"] == SegmentKind.REFLECT:
            after[-1] = (piece, after[-1][1])
        elif span["kind"] == SegmentKind.GLUE:
            after[-1] = (after[-1][0], piece)
    attempts, samples = row["attempts"], said[SegmentKind.SAMPLE]
    cards = tuple(
        Card(place, bool(attempt["correct"]), attempt["prompt_variant"] or "", sample, *told)
        for place, (attempt, sample, told) in enumerate(zip(attempts, samples, after, strict=True), 1)
    )
    again = "".join(said.get(SegmentKind.SAMPLE_AGAIN, []))
    right = [card.place for card in cards if card.correct]
    return Story(
        question=asked_in_row(row).text,
        name=format_of(row["format"]).name,
        format=row["format"],
        label=row["sft_template_type_idx"],
        cards=cards,
        phrase="".join(said.get(SegmentKind.BACKTRACK, []) + said.get(SegmentKind.CONFIRM, [])),
        again=again,
        ending="".join(said.get(SegmentKind.ENDING, [])),
        answer="".join(said.get(SegmentKind.ANSWER, [])),
        answering=right[-1] if again and right else len(cards),
    )


class Linted(NamedTuple):
    """What the linter found in the first traces."""

    rows: int
    findings: tuple[tuple[str, int, str], ...]
    """(what it means, how many traces, an example)."""


def linted(folder: Path, most: int, tags: Tags) -> Linted:
    """The linter's report on the first traces: written order is a fair sample."""
    report = LintReport()
    for place, row in _rows_at(folder, range(most)):
        report.add(f"trace {place + 1:,}", lint_row(row, tags))
    found = [(MEANING[rule], report.findings[rule], report.examples[rule][0]) for rule in report.findings]
    return Linted(report.rows, tuple(found))
