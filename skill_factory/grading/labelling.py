"""Labels for responses that have none: the final answer of each, and whether it is right, by the rules that reward."""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skill_factory import wording
from skill_factory.asked import asked, question_in
from skill_factory.draws import text_id
from skill_factory.errors import ColumnError, SourceError
from skill_factory.grading.answers import (
    accepted_answers,
    final_answer,
    gold_answer,
    is_cut_off,
    stated_answer,
)
from skill_factory.grading.decisions import Decision
from skill_factory.grading.equivalence import find
from skill_factory.grading.tasks import Chosen, Task, chosen_task
from skill_factory.judge.stated import stated_answer as stated_anywhere
from skill_factory.reasons import RowReason
from skill_factory.recipe.model import Columns
from skill_factory.sources import RawSource
from skill_factory.sources.columns import CanonicalRow, RowError, needed_columns, read_row
from skill_factory.sources.guessing import guess

NEEDED = ("question", "answer", "response")
FINALS = ("auto", "tags", "stated", "column")
"""Where a final answer is looked for; `auto` takes the tags of a response that has them, else what its text states."""
NO_ANSWER, CUT_OFF = "no rule finds a final answer", "the text was cut off while thinking"
LOOKED_AT = 200
LISTED = 20

LABELLED = pa.schema(
    [
        ("question", pa.large_string()),
        ("answer", pa.large_string()),
        ("response", pa.large_string()),
        ("correct", pa.bool_()),
        ("extracted_answer", pa.large_string()),
        ("reflections", pa.large_list(pa.large_string())),
        ("prompt_variant", pa.large_string()),
        ("grade", pa.string()),
        ("source_row", pa.int64()),
    ]
)
"""One row per response; `correct` is empty and `grade` says `unjudged` where no rule could tell."""


@dataclass(frozen=True)
class Graded:
    """A response with what was decided of it; `row` is the place of its row in the source, from 0."""

    row: int
    read: CanonicalRow
    gold: str
    answer: str | None
    decision: Decision
    why: str = ""
    task: str = ""
    labelled: bool = False
    """Whether its row bears a label that could be read."""


@dataclass
class LabelReport:
    """What came of grading a source; it grows while the source is read."""

    task: Task
    final: str
    columns: Columns
    convert: bool = False
    rows: int = 0
    decided: Counter[Decision] = field(default_factory=Counter)
    no_answer: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    unjudged_rows: list[int] = field(default_factory=list)
    """The first rows that no rule could judge, from 0."""
    compared: int = 0
    """Responses that had a label already, and how many of those grading agrees with."""
    agreed: int = 0
    reasons: Counter[tuple[Decision, str]] = field(default_factory=Counter)
    """How often each decision was made for each reason."""
    tasks: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each task was taken, and why."""
    example_of: dict[tuple[Decision, str], Graded] = field(default_factory=dict)
    """One response for each reason, the same one whatever the order of the rows."""
    samples: dict[Decision, list[Graded]] = field(default_factory=dict)
    """Some decisions of each kind, to confirm; the same ones whatever the order of the rows."""

    @property
    def responses(self) -> int:
        """Responses that were read."""
        return self.decided.total()


def label(
    source: RawSource,
    out: str | Path,
    task: Task = Task.AUTO,
    final: str = "auto",
    columns: Mapping[str, Any] | None = None,
    samples: int = 5,
    convert: bool = False,
) -> LabelReport:
    """
    Grade every response of a source and write a Parquet file of LABELLED rows.

    Errors: ColumnError where question, gold answer or response are not mapped; SourceError for what can't be read or written.
    """
    mapping = answer_columns(source, columns)
    report = LabelReport(task, final, mapping, convert)
    heaps: dict[Decision, list[tuple[int, int, Graded]]] = {}
    try:
        with pq.ParquetWriter(out, labelled_schema(mapping)) as writer:
            for graded in graded_rows(source, report):
                writer.write_table(_table(graded).select(writer.schema.names))
                for one in graded:
                    _count(one, report)
                    _keep_sample(one, heaps.setdefault(one.decision, []), samples)
    except OSError as error:
        raise SourceError(f"{out} can't be written: {error.strerror or error}.") from None
    report.samples = {kind: [one for *_, one in sorted(heap, reverse=True)] for kind, heap in heaps.items()}
    return report


def labelled_schema(columns: Columns) -> pa.Schema:
    """LABELLED without what the source does not have: an empty column of reflections would say that all were dropped."""
    varied = bool(columns.prompt_variant) or len(columns.response) > 1
    absent = {"reflections": not columns.reflections, "prompt_variant": not varied}
    return pa.schema([one for one in LABELLED if not absent.get(one.name)])


def answer_columns(
    source: RawSource, given: Mapping[str, Any] | None = None, needs_gold: bool = True
) -> Columns:
    """The mapping for grading: guessed, with what was given on top; a label is not needed. Errors: ColumnError."""
    names, rows = source.names(), source.head(LOOKED_AT)
    mapping = Columns(**(guess(names, rows).model_dump() | dict(given or {})))
    missing = [name for name in NEEDED if not getattr(mapping, name) and (needs_gold or name != "answer")]
    if missing:
        raise ColumnError(
            f"Grading needs a column for {' and '.join(missing)}. Found: {wording.found(names)}. "
            f"Choose one, e.g. --map {missing[0]}={names[0] if names else 'COLUMN'}."
        )
    needed_columns(mapping, names)
    return mapping


def graded_rows(source: RawSource, report: LabelReport) -> Iterator[list[Graded]]:
    """Every response of the source with its decision, batch by batch; the report grows."""
    for piece in source.pieces():
        for batch in piece.batches(report.columns):
            rows = batch if isinstance(batch, list) else batch.to_pylist()
            graded: list[Graded] = []
            for row in rows:
                graded += _graded_row(row, report)
                report.rows += 1
            yield graded


def _graded_row(row: Mapping[str, Any], report: LabelReport) -> list[Graded]:
    stored = read_row(row, report.columns)
    labelled = not isinstance(stored, RowError)
    read = stored if labelled else _read_without_labels(row, report.columns)
    if isinstance(read, RowError):
        if read.reason != RowReason.LEFT_OUT:
            report.unreadable[read.reason.value] += 1
        return []
    graded = [graded_response(one, report, labelled) for one in read]
    if labelled:
        sure = [one for one in graded if one.decision != Decision.UNJUDGED]
        report.compared += len(sure)
        report.agreed += sum((one.decision == Decision.RIGHT) == one.read.correct for one in sure)
    return graded


def _read_without_labels(row: Mapping[str, Any], columns: Columns) -> list[CanonicalRow] | RowError:
    """The responses of a row whose labels are missing, or can't be matched with them."""
    none = {"correct": (), "correct_else": (), "label_rule": ""}
    return read_row(row, columns.model_copy(update=none), unlabelled=True)


def graded_response(read: CanonicalRow, report: LabelReport, labelled: bool) -> Graded:
    """What is decided of one response of the row that `report.rows` counts; the report notes its task."""
    answer = found_answer(read, report.final)
    gold = gold_answer(read.answer or "")
    task = (
        chosen_task(gold, question_in(read.question))
        if report.task == Task.AUTO
        else Chosen(report.task, "it was asked for")
    )
    report.tasks[task.task.name, task.why] += 1
    if answer is None and report.final != "tags":
        why = CUT_OFF if is_cut_off(read.response) else NO_ANSWER
        return Graded(report.rows, read, gold, None, Decision.UNJUDGED, why, task.task.name, labelled)
    # Several gold answers may belong to different tasks.
    by = task.task if len(accepted_answers(gold)) == 1 else report.task
    found = find(answer, gold, by, question_in(read.question), report.convert)
    return Graded(report.rows, read, gold, answer, found.decision, found.why, task.task.name, labelled)


def found_answer(read: CanonicalRow, final: str) -> str | None:
    """Where this response's final answer stands: in its tags, if it has any, else where its text states it."""
    match final:
        case "column":
            return read.extracted
        case "tags":
            return final_answer(read.response)
        case "stated":
            return stated_answer(read.response) or stated_anywhere(read.response)
    tagged = final_answer(read.response)
    if tagged is not None or "<answer>" in read.response:
        return tagged
    return stated_answer(read.response) or stated_anywhere(read.response)


def _table(graded: Sequence[Graded]) -> pa.Table:
    rows = [
        {
            "question": asked(one.read.question).cell,
            "answer": one.gold or None,
            "response": one.read.response,
            "correct": None if one.decision == Decision.UNJUDGED else one.decision == Decision.RIGHT,
            "extracted_answer": one.answer,
            "reflections": one.read.reflections,
            "prompt_variant": one.read.variant,
            "grade": one.decision.value,
            "source_row": one.row,
        }
        for one in graded
    ]
    return pa.Table.from_pylist(rows, schema=LABELLED)


def _count(one: Graded, report: LabelReport) -> None:
    report.decided[one.decision] += 1
    reason = (one.decision, one.why)
    report.reasons[reason] += 1
    before = report.example_of.get(reason)
    if before is None or _place(one) < _place(before):
        report.example_of[reason] = one
    report.no_answer += one.answer is None
    if one.decision == Decision.UNJUDGED and len(report.unjudged_rows) < LISTED:
        report.unjudged_rows.append(one.row)


def _place(one: Graded) -> tuple[int, int]:
    return text_id(f"{one.read.question}\x1f{one.read.response}"), one.row


def _keep_sample(one: Graded, heap: list[tuple[int, int, Graded]], most: int) -> None:
    """Keep the responses with the smallest hashes: a fair sample that no order of rows changes."""
    hashed, row = _place(one)
    # Negative, since `heapq` keeps the smallest in front and the largest of those kept is the one to go.
    key = (-hashed, -row, one)
    if not most or any(key[:2] == other[:2] for other in heap):
        return
    if len(heap) < most:
        heapq.heappush(heap, key)
    elif key[:2] > heap[0][:2]:
        heapq.heapreplace(heap, key)
