"""What is said of a run: its figures from the table of its outputs, and why a figure can't be had."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skill_factory.measure.cells import PLACE, question_sums
from skill_factory.measure.figures import JUDGED, VERDICTS, Figures, counted, valued
from skill_factory.measure.intervals import FEW, Interval, resampled
from skill_factory.measure.outputs import BY
from skill_factory.measure.votes import at_each_k
from skill_factory.wording import many

NO_TRUTH = "there is no gold answer and no label, so nothing can be said to be right or wrong"
DIFFICULTY = "difficulty"
BANDS = (
    "never right",
    "right in up to 25 %",
    "right in up to 50 %",
    "right in up to 75 %",
    "right in more",
    "always right",
)
_NOTHING = Interval(float("nan"), float("nan"), float("nan"))


def run_names(table: pa.Table) -> list[str]:
    """The runs of a table, by name."""
    return sorted(pc.unique(table.column("run").cast(pa.string())).to_pylist())


def of_run(table: pa.Table, run: str) -> pa.Table:
    """The outputs of one run."""
    return table.filter(pc.equal(table.column("run").cast(pa.string()), run))


def figures_of(table: pa.Table, seed: int = 0, why: str = "", unread: str = "") -> Figures:
    """All figures of some outputs; `why` says in place of NO_TRUTH why nothing can be judged, `unread` why no verdict is."""
    cells = question_sums(table)
    sums = cells.sums
    values = valued(sums, resampled(cells.matrix, seed))
    counts = counted(sums)
    missing = _missing(counts, why or NO_TRUTH)
    # Verdicts that could be read after all (tags beside the column) are worth more than the recipe's rule.
    if unread and counts["reflections"] and not counts["said"]:
        missing = {**dict.fromkeys((*VERDICTS, "verdicts"), unread), **missing}
    # Without a truth every share would come out as 0; NaN keeps that from being read as a result.
    values |= dict.fromkeys((name for name in missing if name in values), _NOTHING)
    questions = len(cells.questions)
    # Votes need the mark of each final answer, so they are left out where no final answer is judged.
    figures = Figures(questions, counts, values, _more(table, seed, "accuracy.final" in missing), missing)
    return replace(figures, missing={**missing, **_empty(figures)})


def groups_of(table: pa.Table, column: str) -> Mapping[str, pa.Table]:
    """The outputs by the values of a column (given with --by), or by `difficulty`."""
    values = difficulty(table) if column == DIFFICULTY else table.column(BY + column)
    # Rows without a value are a group too: leaving them out would make the groups add up to less than the whole.
    shown = pc.fill_null(values, "(none)")
    order = BANDS if column == DIFFICULTY else sorted(pc.unique(shown).to_pylist())
    parts = {value: table.filter(pc.equal(shown, value)) for value in order}
    return {value: part for value, part in parts.items() if part.num_rows}


def difficulty(table: pa.Table) -> pa.Array:
    """How often each output's question is answered right, over all runs at hand, as one of BANDS."""
    cells = question_sums(table)
    # A question is hard or easy for all runs together, so that runs are compared on the same groups.
    rate = cells.matrix[:, PLACE["final"]] / np.maximum(cells.matrix[:, PLACE["outputs"]], 1)
    # Bands, not deciles: with four outputs a question there are five rates, and each falls into a band of its own.
    band = np.select([rate == 0, rate <= 0.25, rate <= 0.5, rate <= 0.75, rate < 1], range(5), 5)
    question_ids = np.asarray(table.column("question_id").to_numpy())
    return pa.array([BANDS[k] for k in band[np.searchsorted(cells.questions, question_ids)]], pa.string())


def notes_of(figures: Figures, table: pa.Table) -> list[str]:
    """What a reader should know before the figures are believed."""
    notes = []
    if figures.questions < FEW:
        notes.append(f"Only {many(figures.questions, 'question')}: the intervals are rough.")
    if several := _questions_with_golds(table):
        notes.append(
            f"{several:,} questions come with more than one gold answer; each output was graded against its own row's."
        )
    if unfit := int(np.sum(np.asarray(table.column("unfit").cast(pa.int8())))):
        notes.append(
            f"{unfit:,} outputs have stored labels that are not as many as their attempts; those were graded here."
        )
    counts = figures.counts
    if counts["unjudged"] > 0 and "accuracy.first" not in figures.missing:
        notes.append(
            f"{counts['unjudged']:,} of {counts['attempts']:,} attempts could not be judged; none counts as right."
        )
    if counts["final_unjudged"] > 0 and "accuracy.final" not in figures.missing:
        notes.append(
            f"{counts['final_unjudged']:,} of {counts['outputs']:,} final answers could not be judged; none counts as right."
        )
    return notes


def _questions_with_golds(table: pa.Table) -> int:
    pairs = table.select(["question_id", "gold_id"]).group_by(["question_id", "gold_id"]).aggregate([])
    return int(pairs.num_rows) - len(pc.unique(table.column("question_id")))


def _missing(counts: Mapping[str, int], why: str) -> dict[str, str]:
    """Figures that need a truth which is not there."""
    missing: dict[str, str] = {}
    # Some judged attempts are enough for figures; the unjudged ones are told in a note.
    untold = counts["unjudged"] == counts["attempts"] > 0
    if counts["final_unjudged"] == counts["outputs"]:
        missing["accuracy.final"] = why
    if untold or (not counts["attempts"] and missing):
        # Without any attempt the final answer stands for all three.
        missing |= dict.fromkeys((name for name in JUDGED if name != "accuracy.final"), why)
        missing |= {"moves": why, "verdicts": why}
    if missing:
        missing |= dict.fromkeys(("gain", "shows_fix"), why)
    return missing


def _empty(figures: Figures) -> dict[str, str]:
    """Figures of verdicts that have no case to be told from."""
    words = {"correct": "no attempt is right", "incorrect": "no attempt is wrong"}
    empty = {}
    for name in VERDICTS:
        if name not in figures.missing and np.isnan(figures.values[name].value):
            kind, _, said = name.partition(".")
            empty[name] = words[said] if kind in ("f1", "recall") else "no such verdict was given"
    if not figures.counts["attempts"]:
        empty = dict.fromkeys(empty, "no output has an attempt")
    return empty


# -- tables that aren't a single number -----------------------------------------------------------------------------


def _more(table: pa.Table, seed: int, unjudged: bool) -> dict[str, Any]:
    attempts = table.column("attempts")
    counts = np.asarray(pc.list_value_length(attempts).to_numpy())
    numbers, outputs = np.unique(counts, return_counts=True)
    lengths = {
        "output": table.column("tokens"),
        "thinking": table.column("thinking_tokens"),
        "attempt": pc.struct_field(pc.list_flatten(attempts), "tokens"),
    }
    compared, agreed = (int(pc.sum(table.column(name)).as_py() or 0) for name in ("compared", "agreed"))
    return {
        "distribution": {int(n): int(k) for n, k in zip(numbers, outputs, strict=True)},
        "lengths": {name: percentiles(column) for name, column in lengths.items()},
        "at_k": [] if unjudged else at_each_k(table, seed),
        "labels": {"compared": compared, "agreed": agreed},
    }


def percentiles(column: pa.Array | pa.ChunkedArray) -> dict[str, int] | None:
    """Median, 90 % and 99 % of some lengths; None without any."""
    if not len(column):
        return None
    values = np.asarray(column.cast(pa.int64()))
    # "higher": a length that an output really has, not one between two.
    lengths: Sequence[int] = np.percentile(values, [50, 90, 99], method="higher").astype(int).tolist()
    return dict(zip(("median", "p90", "p99"), lengths, strict=True))
