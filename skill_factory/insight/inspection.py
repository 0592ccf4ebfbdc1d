"""A first look at a source: what it looks like, what was read, how, what it lacks, what is doubtful, and what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory import wording
from skill_factory.asked import spoken_in
from skill_factory.build.prepare import Settled, check_refused, described_mapping, missing_sentence, settle
from skill_factory.errors import ColumnError
from skill_factory.formats import format_of, overlap_sentence
from skill_factory.grading.doubts import Doubt as LabelDoubt
from skill_factory.grading.doubts import as_row, doubts_of
from skill_factory.insight.doubts import Doubt, Sample, doubts
from skill_factory.insight.fitness import fitness
from skill_factory.insight.opinion import Opinion, opinion_of, with_doubts
from skill_factory.insight.proposal import Proposal
from skill_factory.judge.counting import tally_judgement
from skill_factory.judge.facts import read, text_ids
from skill_factory.judge.judge import judge, reach
from skill_factory.judge.trials import all_tried
from skill_factory.model import TraceFormat
from skill_factory.overlap.leaks import in_table
from skill_factory.overlap.ruling import Overlap, overlap_of, ruled, with_benchmarks, with_leaks
from skill_factory.reasons import Level, sentence
from skill_factory.recipe.model import Recipe, new_recipe
from skill_factory.sources import RawSource, open_source
from skill_factory.sources.canonical import Canonical, canonical, tally_rows
from skill_factory.sources.columns import CANONICAL, CanonicalRow, excerpt, value_at
from skill_factory.sources.trying import Choice
from skill_factory.tally import Tally
from skill_factory.wording import inflect, many

SAMPLE_ROWS = 20_000
MOST = 10
ONE_LOOK = 20_000_000
"""Sources up to this many bytes are read whole."""
ONE_SAMPLE = 30_000_000
"""Bytes of text after which a sample ends, however few its rows."""
LARGEST_LOOK = 200_000_000
"""Bytes of text after which every look ends: a compressed source may hold a thousand times its size."""


@dataclass(frozen=True)
class Found:
    """What was read, before any filter."""

    questions: int = 0
    responses: int = 0
    right: int = 0
    wrong: int = 0
    unlabelled: int = 0
    critiques: int = 0


@dataclass(frozen=True)
class Inspection:
    """What a source holds, as far as it was read."""

    columns: list[tuple[str, str]]
    """Every column, with an example of its values."""
    mapping: list[tuple[str, str]]
    """(field, column), as guessed or given."""
    missing: list[str]
    """Fields without a column."""
    rows: int
    """How many rows were read."""
    sampled: bool
    """Whether only the first rows were read."""
    tally: Tally
    recipe: Recipe
    """With the mapping and the rules by which the rows were read."""
    preset: str = ""
    """The known format that this data looks like."""
    about: str = ""
    """What that format is, and where its labels come from."""
    found: Found = Found()
    needs: list[str] = field(default_factory=list)
    """What is missing, by code: `grade`, `labels`, `answers`, `critiques`, `responses`."""
    doubts: list[Doubt] = field(default_factory=list)
    rules: list[Choice] = field(default_factory=list)
    """The choice of each rule that is in force, with its hits."""
    usable: list[int] = field(default_factory=list)
    """Usable questions at N = 1, 2, … 10."""
    advice: list[str] = field(default_factory=list)
    opinion: Opinion = field(default_factory=lambda: opinion_of(()))
    """Whether the data is ready, why or why not, and the next step with its price."""
    compared: int = 0
    """Responses whose labels were held against grading, the question's other answers and the reflections."""
    labels_in_doubt: list[LabelDoubt] = field(default_factory=list)
    """Those of them that more speaks against than for, the most doubtful first."""
    overlap: Overlap | None = None
    """Questions that benchmarks ask too, and near-duplicates; None where the recipe asks for neither."""

    def to_json(self) -> dict[str, Any]:
        """The inspection as JSON values."""
        return {
            "preset": self.preset,
            "found": vars(self.found),
            "needs": self.needs,
            "doubts": [doubt.to_json() for doubt in self.doubts],
            "rules": [
                {
                    "rule": choice.rule.value,
                    "choice": choice.code,
                    "title": choice.title,
                    "found": choice.found,
                    "of": choice.of,
                }
                for choice in self.rules
            ],
            "columns": dict(self.columns),
            "mapping": dict(self.mapping),
            "missing": self.missing,
            "rows_read": self.rows,
            "sampled": self.sampled,
            "usable_questions": {str(n): q for n, q in enumerate(self.usable, 1)},
            "advice": self.advice,
            "opinion": self.opinion.to_json(),
            "labels_compared": self.compared,
            "labels_in_doubt": [as_row(one) for one in self.labels_in_doubt[:MOST]],
            **({} if self.overlap is None else self.overlap.to_json()),
            **self.tally.to_json(),
        }


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
    asked, benchmarks = with_benchmarks(settled.recipe, against, token)
    if {"question", "response"} & set(settled.missing):
        raise ColumnError(missing_sentence(settled))
    # A size of 0 isn't known (a stream may be endless), so such a source is never read whole unasked.
    every = not most_rows and (whole or 0 < raw.size <= ONE_LOOK)
    rows, tally, sampled = _sample(raw, settled.recipe, every, most_rows or SAMPLE_ROWS)
    if not rows.num_rows:
        raise ColumnError(_unreadable(settled, tally))
    overlap = None
    if asked.clean.asks:
        # Sorted, so that which of two near-duplicates is named doesn't depend on the order of rows.
        texts = sorted(pc.unique(rows["question"]).to_pylist())
        overlap = overlap_of([(text_ids(texts), [*map(spoken_in, texts)])], benchmarks, asked.clean.groups)
        overlap = with_leaks(overlap, in_table(rows), benchmarks, asked.clean.responses)
        asked = ruled(asked, overlap)
    found = _inspected(raw, replace(settled, recipe=asked), rows, tally, sampled)
    found = replace(found, overlap=overlap, advice=[*overlap_advice(overlap), *found.advice])
    return _with_label_queue(found, rows, most_compared) if most_compared else found


def _with_label_queue(found: Inspection, rows: pa.Table, most: int) -> Inspection:
    some = rows.filter(pc.is_valid(rows["correct"])).slice(0, most)
    numbers, table = some[ROW].to_pylist(), some.drop_columns([ROW])
    read = (CanonicalRow(**row) for row in table.to_pylist())
    queue = doubts_of(zip(numbers, read, strict=True), found.recipe.verdicts)
    advice = [*found.advice]
    if queue:
        advice.append(
            f"{len(queue):,} of the first {many(len(numbers), 'label')} {inflect(len(queue), 'is', 'are')} in doubt. "
            "Look at them (`grade SOURCE --compare`), or decide on the page Look."
        )
    return replace(found, compared=len(numbers), labels_in_doubt=queue, advice=advice)


def _inspected(raw: RawSource, settled: Settled, rows: pa.Table, tally: Tally, sampled: bool) -> Inspection:
    recipe = settled.recipe
    bare = recipe
    if not _reflections(rows):  # a mapped column without a single reflection would drop every response
        bare = recipe.changed({"columns.reflections": ()})
    reading = read(_labelled(rows), bare)
    judgement = judge(reading.facts, bare)
    tally.add(tally_judgement(reading.facts, judgement, bare))
    usable = reach(judgement, bare, format_of(_format(bare)).needs, MOST)
    some = _some(rows)
    sample = Sample(settled, some.drop_columns([ROW]), tally, some[ROW].to_pylist())
    doubtful = doubts(sample)
    needs = needed(sample)
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
        found=_found(rows),
        needs=needs,
        doubts=doubtful,
        rules=rules_in_force(settled),
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


def rules_in_force(settled: Settled) -> list[Choice]:
    """The choice of every rule by which the rows are read, with what it finds in the first of them."""
    tree = settled.recipe.flat()
    rules = []
    for choices in all_tried(settled.recipe, settled.rows).values():
        fitting = [
            choice
            for choice in choices
            if choice.of and all(_same(tree[p], v) for p, v in choice.changes.items())
        ]
        rules += fitting[-1:]
    return rules


def _same(left: Any, right: Any) -> bool:
    return (list(left) if isinstance(left, list | tuple) else left) == (
        list(right) if isinstance(right, list | tuple) else right
    )


# -- what was found ------------------------------------------------------------------------------------------------


def _some(rows: pa.Table) -> pa.Table:
    """The responses whose texts are looked at for doubts: as many as fit ONE_LOOK."""
    most = SAMPLE_ROWS if rows.nbytes <= ONE_LOOK else rows.num_rows * ONE_LOOK // rows.nbytes
    return rows.slice(0, max(1, most))


def _found(rows: pa.Table) -> Found:
    right = int(pc.sum(rows["correct"]).as_py() or 0)
    unlabelled = rows["correct"].null_count
    questions = len(pc.unique(rows["question"]))
    return Found(
        questions, rows.num_rows, right, rows.num_rows - right - unlabelled, unlabelled, _reflections(rows)
    )


def _reflections(rows: pa.Table) -> int:
    texts = pc.list_flatten(rows["reflections"])
    return int(pc.sum(pc.not_equal(pc.utf8_trim_whitespace(texts), "")).as_py() or 0)


def _labelled(rows: pa.Table) -> pa.Table:
    """The rows as a build takes them: none of a row of the source that lacks a label."""
    labelled = pc.is_valid(rows["correct"])
    lacking = pc.unique(rows[ROW].filter(pc.invert(labelled)))
    kept = rows.filter(pc.invert(pc.is_in(rows[ROW], value_set=lacking))) if len(lacking) else rows
    return kept.drop_columns([ROW]).cast(CANONICAL)


def needed(sample: Sample) -> list[str]:
    """What is lacking for traces that show a retry."""
    labels, answers = sample.labels, sample.answers
    needs = []
    if 2 * labels.count(None) > len(labels):
        needs.append("grade" if any(sample.golds) else "labels")
    if 2 * sum(answer is None for answer in answers) > len(answers):
        needs.append("answers")
    if not _reflections(sample.table):
        needs.append("critiques")
    pairs = set(zip(sample.questions, sample.responses, strict=True))
    if len(pairs) == len(set(sample.questions)):
        needs.append("responses")
    return needs


def overlap_advice(overlap: Overlap | None) -> list[str]:
    """What a person should know of questions that are asked elsewhere too."""
    if overlap is None or not overlap.pairs:
        return []
    n = len(overlap.contaminated)
    names = wording.listed([f"{name} ({number:,})" for name, number in overlap.by_benchmark().items()])
    said = (
        f"{many(n, 'question')} of {overlap.questions:,} {inflect(n, 'is', 'are')} asked by a benchmark too: {names}. A build "
        f"with the same --against leaves {inflect(n, 'it', 'them')} out."
    )
    return [said]


_NEEDS = {
    "grade": "It isn't known which responses are right, but there are gold answers: grade the responses (`grade SOURCE --out FILE.parquet`).",
    "labels": "It isn't known which responses are right, and no column holds gold answers. Pick one that says right or wrong (--map correct=COLUMN), or one with gold answers to grade by (--map answer=COLUMN). If the data holds verified answers only, count them all as right: --label-rule all_right.",
    "answers": "No rule finds a final answer in most responses. Name one: --answer-regex PATTERN, or map a column (--map extracted_answer=COLUMN).",
    "critiques": "No column holds reflections on the responses. Make them with `generate reflections`, or build the weaker `--format no_reflection`.",
    "responses": "Each question has only one response, so a trace can't show a retry. Sample more with `generate responses`.",
}


def advise(
    proposal: Proposal, needs: list[str], doubtful: list[Doubt], mapped: Recipe, recipe: Recipe
) -> list[str]:
    """
    What to do next, most important first: what is doubtful, what is lacking, and the number of attempts.

    `recipe` is `mapped` without the column of reflections where that holds none.
    """
    advice = [f"{doubt.sentence} {doubt.fix}" for doubt in doubtful]
    advice += [_NEEDS[code] for code in needs]
    if proposal.attempts:
        bare = "" if recipe.columns.reflections else f" --format {TraceFormat.NO_REFLECTION}"
        bare += (
            " --map reflections=" if mapped.columns.reflections and bare else ""
        )  # an empty column has to go
        advice.append(
            f"N = {proposal.attempts} suits this data: {proposal.reason} "
            f"Build with --attempts {proposal.attempts}{bare}."
        )
    else:
        advice.append(proposal.reason)
    if overlap := overlap_sentence(recipe.traces.formats):
        advice.append(overlap)
    return advice


# -- reading -------------------------------------------------------------------------------------------------------

ROW = "source_row"


def _sample(raw: RawSource, recipe: Recipe, whole: bool, most: int) -> tuple[pa.Table, Tally, bool]:
    """The responses read, labelled or not, each with the number of its row; the tally of rows; whether there is more."""
    tally = Tally()
    empty = CANONICAL.empty_table().append_column(ROW, pa.array([], pa.int64()))
    tables, size = [empty], 0
    for piece in raw.pieces():
        for batch in piece.batches(recipe.columns):
            rows = canonical(batch, recipe.columns, unlabelled=True)
            numbers = rows.row_of + tally.ledger[Level.ROWS].read
            tally.add(_tally(rows, numbers))
            tables.append(rows.table.append_column(ROW, pa.array(numbers)))
            size += rows.table.nbytes
            full = tally.ledger[Level.ROWS].read >= most or size >= ONE_SAMPLE
            enough = full and not whole
            if enough or size >= LARGEST_LOOK:
                more = not raw.rows or tally.ledger[Level.ROWS].read < raw.rows
                return pa.concat_tables(tables), tally, more
    return pa.concat_tables(tables), tally, False


def _tally(rows: Canonical, numbers: "np.ndarray[Any, Any]") -> Tally:
    """The tally of a batch as a build counts it, where a row that lacks a label is dropped."""
    tally = tally_rows(rows)
    lacking = rows.table["correct"].is_null().to_numpy()
    if not lacking.any():
        return tally
    gone = np.isin(numbers, np.unique(numbers[lacking]))
    counted = tally.ledger[Level.ROWS]
    dropped = len(np.unique(numbers[gone]))
    counted.kept -= dropped
    counted.dropped["no_label"] += dropped
    for level, taken in (
        (Level.RESPONSES, int(gone.sum())),
        (Level.REFLECTIONS, _texts_of(rows.table.filter(gone))),
    ):
        tally.ledger[level].read += taken
        if taken:
            tally.ledger[level].dropped["row_dropped"] += taken
    return tally


def _texts_of(rows: pa.Table) -> int:
    return int(pc.sum(pc.list_value_length(rows["reflections"])).as_py() or 0)


def _example(settled: Settled, name: str) -> str:
    values = (value_at(row, name) for row in settled.rows[:20])
    return next((excerpt(value, 60) for value in values if value not in (None, [], "")), "(empty)")
