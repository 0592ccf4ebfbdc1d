"""A first look at a source, from its first row to the advice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from skill_factory import wording
from skill_factory.asked import spoken_in
from skill_factory.build.prepare import Settled, check_refused, described_mapping, missing_sentence, settle
from skill_factory.errors import ColumnError
from skill_factory.formats import format_of
from skill_factory.grading.doubts import doubts_of
from skill_factory.insight.doubts import Sample, doubts
from skill_factory.insight.fitness import fitness
from skill_factory.insight.inspection.advice import advise, needed, overlap_advice
from skill_factory.insight.inspection.reading import (
    ONE_LOOK,
    ROW,
    SAMPLE_ROWS,
    by_label,
    first_rows,
    found_in,
    reflections_in,
    some_questions,
    texts_looked_at,
)
from skill_factory.insight.inspection.record import Inspection
from skill_factory.insight.opinion import with_doubts
from skill_factory.judge.counting import tally_judgement
from skill_factory.judge.facts import read, text_ids
from skill_factory.judge.judge import judge, reach
from skill_factory.judge.trials import in_force
from skill_factory.model import TraceFormat
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.model import Recipe, new_recipe
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.columns import CanonicalRow, excerpt, value_at
from skill_factory.tally import Tally
from skill_factory.wording import inflect, many

if TYPE_CHECKING:
    from skill_factory.overlap.benchmarks import OpenBenchmark
    from skill_factory.overlap.ruling import Overlap

MOST_ATTEMPTS = 10
"""The largest N whose usable questions are counted."""


def inspect(
    source: str | RawSource,
    recipe: Recipe | None = None,
    *,
    columns: Mapping[str, Any] | None = None,
    whole: bool = False,
    token: str | None = None,
    most_rows: int = 0,
    most_compared: int = 0,
    against: Sequence[str] = (),
) -> Inspection:
    """
    Look at a source: all of a small one, the first rows of a large one unless `whole`; at most `most_rows` if given.

    The questions that were read are held against the benchmarks in `against`, or those that the recipe names.
    With `most_compared` the labels of so many responses are held against all that speaks about them (`grading/doubts.py`).
    Labels and reflections may be missing. Errors: SourceError, and ColumnError where no questions or responses are found.
    """
    recipe = recipe or new_recipe()
    raw = open_source(source, recipe.source, token) if isinstance(source, str) else source
    settled = settle(raw, recipe, columns)
    check_refused(settled)
    asked, benchmarks = _with_benchmarks(settled.recipe, against, token)
    if {"question", "response"} & set(settled.missing):
        raise ColumnError(missing_sentence(settled))
    # A size of 0 isn't known (a stream may be endless), so such a source is never read whole unasked.
    every = not most_rows and (whole or 0 < raw.size <= ONE_LOOK)
    rows, tally, sampled = first_rows(raw, settled.recipe, every, most_rows or SAMPLE_ROWS)
    if not rows.num_rows:
        raise ColumnError(_unreadable(settled, tally))
    overlap = None
    if asked.clean.asks:
        asked, overlap = _compared(rows, asked, benchmarks)
    found = _inspected(raw, replace(settled, recipe=asked), rows, tally, sampled)
    found = replace(found, overlap=overlap, advice=[*overlap_advice(overlap), *found.advice])
    return _with_label_queue(found, rows, most_compared) if most_compared else found


def _with_benchmarks(
    recipe: Recipe, against: Sequence[str], token: str | None
) -> tuple[Recipe, "list[OpenBenchmark]"]:
    clean = recipe.clean
    if not (against or clean.against or clean.responses):
        return recipe, []
    # Imported where it is asked for: most first looks name no benchmark.
    from skill_factory.overlap.ruling import with_benchmarks

    return with_benchmarks(recipe, against, token)


def _compared(rows: pa.Table, recipe: Recipe, benchmarks: "list[OpenBenchmark]") -> "tuple[Recipe, Overlap]":
    """The recipe with what was found when the questions, and the responses if asked, were compared."""
    from skill_factory.overlap.leaks import in_table
    from skill_factory.overlap.ruling import overlap_of, ruled, with_leaks

    # Sorted, so that which of two near-duplicates is named doesn't depend on the order of rows.
    texts = sorted(pc.unique(rows["question"]).to_pylist())
    found = overlap_of([(text_ids(texts), [*map(spoken_in, texts)])], benchmarks, recipe.clean.groups)
    found = with_leaks(found, in_table(rows), benchmarks, recipe.clean.responses)
    return ruled(recipe, found), found


def _with_label_queue(found: Inspection, rows: pa.Table, most: int) -> Inspection:
    some = some_questions(rows.filter(pc.is_valid(rows["correct"])), most, found.recipe.traces.seed)
    numbers, table = some[ROW].to_pylist(), some.drop_columns([ROW])
    read = (CanonicalRow(**row) for row in table.to_pylist())
    queue = doubts_of(zip(numbers, read, strict=True), found.recipe.verdicts)
    advice = [*found.advice]
    if queue:
        advice.append(
            f"{len(queue):,} of {many(len(numbers), 'label')} that were compared {inflect(len(queue), 'is', 'are')} in doubt. "
            "Look at them (`grade SOURCE --compare`), or decide on the page Look."
        )
    return replace(found, compared=len(numbers), labels_in_doubt=queue, advice=advice)


def _inspected(raw: RawSource, settled: Settled, rows: pa.Table, tally: Tally, sampled: bool) -> Inspection:
    recipe = settled.recipe
    bare = recipe
    labelled, others = by_label(rows)
    reading = read(labelled, recipe)
    written = int((~reading.facts.reflection_empty).sum()) + reflections_in(others)
    if not written:  # a mapped column without a single reflection would drop every response
        bare = recipe.changed({"columns.reflections": ()})
    judgement = judge(reading.facts, bare)
    tally.add(tally_judgement(reading.facts, judgement, bare))
    usable = reach(judgement, bare, format_of(_format(bare)).needs, MOST_ATTEMPTS)
    some = texts_looked_at(rows)
    sample = Sample(settled, some.drop_columns([ROW]), tally, some[ROW].to_pylist())
    doubtful = doubts(sample)
    needs = needed(sample, written)
    missing = [
        f
        for f in ("correct", "answer", "extracted_answer", "reflections", "prompt_variant")
        if not getattr(settled.columns, f)
    ]
    preset = settled.guess.preset
    report = fitness(reading.facts, judgement, tally, recipe, whole=not sampled)
    return Inspection(
        columns=[(name, _example(settled, name)) for name in settled.names],
        mapping=described_mapping(settled.columns),
        missing=missing,
        rows=tally.ledger[Level.ROWS].read,
        sampled=sampled,
        tally=tally,
        recipe=recipe,
        preset=preset.name if preset else "",
        about=f"{preset.says}. Right and wrong: {settled.guess.labels}. {preset.link}" if preset else "",
        found=found_in(rows, written),
        needs=needs,
        doubts=doubtful,
        rules=in_force(recipe, settled.rows),
        usable=usable,
        advice=advise(report.proposal, needs, doubtful, recipe, bare),
        opinion=with_doubts(report.opinion, doubtful),
    )


def _format(recipe: Recipe) -> str:
    """The format whose yield is shown: the recipe's own, or the one that needs no reflections where there are none."""
    return recipe.traces.formats[0] if recipe.columns.reflections else TraceFormat.NO_REFLECTION.value


def _unreadable(settled: Settled, tally: Tally) -> str:
    """Why no row could be read, with what was found there."""
    rows = tally.ledger[Level.ROWS]
    reason, number = rows.dropped.most_common(1)[0]
    shown = tally.examples.get(reason, ["nothing"])[0]
    mapping = wording.listed([f"{field} = {column}" for field, column in described_mapping(settled.columns)])
    return (
        f"No responses can be read: in {number:,} of {rows.read:,} rows {sentence(Level.ROWS, reason)} ({shown}). "
        f"Read as {mapping}. Choose other columns, e.g. --map response=COLUMN."
    )


def _example(settled: Settled, name: str) -> str:
    values = (value_at(row, name) for row in settled.rows[:20])
    return next((excerpt(value, 60) for value in values if value not in (None, [], "")), "(empty)")
