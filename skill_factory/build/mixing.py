"""Several sources become one dataset: which traces of each are taken, and how their rows come into one order.

A partition holds the rows of all sources whose questions fall into its range, so a question that stands in several is seen
there at once. First every partition is surveyed: its plans are made, and a draw is noted for each. Then it is known how
many traces each source can give, and the smallest draws are chosen, exactly as many as asked for (`build/shares.py`). Last
the partitions are written, each with the plans that were chosen.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_64_intdigest

from skill_factory.build.folder import BuildFolder
from skill_factory.build.mixed_source import PART
from skill_factory.build.pipeline import Partition, build_partition
from skill_factory.build.shares import Chosen, chosen_draws, wanted_counts
from skill_factory.draws import order_keys
from skill_factory.formats import OwnFormats
from skill_factory.judge.facts import Ids
from skill_factory.model import Skip, TracePlan
from skill_factory.reasons import TraceReason
from skill_factory.recipe.mixture import Mixture
from skill_factory.sources.columns import CANONICAL, excerpt
from skill_factory.tally import Tally, of_source
from skill_factory.traces.bulk.typeset import BYTES
from skill_factory.traces.counting import tally_skip
from skill_factory.traces.rows import mixed_schema, with_source

Keys = npt.NDArray[np.uint64]


def survey_part(
    p: int, rows: pa.Table, mixture: Mixture, folder: BuildFolder, own: OwnFormats | None
) -> None:
    """Note the draw of every trace that each source could give in partition p."""
    parts, _ = mixed_partition(rows, mixture, own)
    draws = [np.fromiter(map(draw_of, part.plans), np.uint64) for part in parts]
    file = io.BytesIO()
    # One array for each source, so that choosing holds those of one source at a time.
    np.savez(file, *draws)
    folder.note_survey(p, file.getvalue())


def draw_of(plan: TracePlan) -> int:
    """Where a trace stands among all of its source when some are chosen: drawn from what its attempts are drawn from."""
    return xxh3_64_intdigest(plan.key + b"\x1fmixture\x1f" + plan.format.encode())


def choose(mixture: Mixture, folder: BuildFolder, parts: int) -> Chosen:
    """How much of each source is taken, from the surveys of all partitions. Errors: NothingUsable."""
    if (noted := folder.chosen()) is not None:
        return Chosen(**noted)
    there = [len_of(folder, parts, place) for place in range(len(mixture.sources))]
    counts = wanted_counts(mixture, there)
    bounds = []
    for place, count in enumerate(counts):
        draws = np.concatenate([_surveyed(folder, p, place) for p in range(parts)])
        bounds.append(chosen_draws(draws, count))
    found = Chosen(bounds, counts, there)
    folder.note_chosen(vars(found))
    return found


def len_of(folder: BuildFolder, parts: int, place: int) -> int:
    """How many traces a source could give."""
    return sum(len(_surveyed(folder, p, place)) for p in range(parts))


def _surveyed(folder: BuildFolder, p: int, place: int) -> Keys:
    with folder.survey(p).open("rb") as file, np.load(file) as found:
        draws: Keys = found[f"arr_{place}"]
        return draws


def write_mixed(
    p: int,
    rows: pa.Table,
    mixture: Mixture,
    folder: BuildFolder,
    chosen: Chosen,
    own: OwnFormats | None,
) -> Tally:
    """Write partition p of a mixture: of each source the chosen traces, all in written order."""
    parts, tallies = mixed_partition(rows, mixture, own)
    streams = [
        _rows(replace(part, plans=_taken(part, bound)), one.name, mixture)
        for part, bound, one in zip(parts, chosen.bounds, mixture.sources, strict=True)
    ]
    whole = Tally()

    def tables() -> Iterator[pa.Table]:
        yield from merged(streams)
        # Only when all rows are out are the tallies of the sources complete, and the folder writes them after the shard.
        for name, tally in tallies.items():
            whole.add(of_source(name, tally))

    folder.write_partition(p, tables(), mixed_schema(mixture.output.lineage), whole)
    return whole


def mixed_partition(
    rows: pa.Table, mixture: Mixture, own: OwnFormats | None
) -> tuple[list[Partition], dict[str, Tally]]:
    """The partition of each source, and their tallies; a question goes to the first source that has it."""
    if PART.name not in rows.schema.names:  # a partition without rows
        rows = CANONICAL.empty_table().append_column(PART, pa.array([], PART.type))
    parts: list[Partition] = []
    first: dict[int, tuple[str, str | None]] = {}
    """Of each question its first source, and the gold answer there."""
    for place, one in enumerate(mixture.sources):
        mine = rows.filter(pc.equal(rows[PART.name], place)).drop_columns([PART.name])
        part = build_partition(mine, one.recipe, own, elsewhere=_ids(first))
        _compare_golds(part, first)
        for known, gold in zip(part.facts.question_id.tolist(), part.reading.golds, strict=True):
            first.setdefault(known, (one.name, gold))
        parts.append(part)
    return parts, {one.name: part.tally for one, part in zip(mixture.sources, parts, strict=True)}


def _ids(first: dict[int, tuple[str, str | None]]) -> Ids:
    return np.fromiter(first, np.uint64, len(first))


def _compare_golds(part: Partition, first: dict[int, tuple[str, str | None]]) -> None:
    """Count questions that an earlier source answers otherwise, with the first few of them."""
    reading = part.reading
    for place, known in enumerate(part.facts.question_id.tolist()):
        if known not in first:
            continue
        name, gold = first[known]
        here = reading.golds[place]
        if gold is None or here is None or equal_golds(gold, here):
            continue
        part.tally.counts["unequal_golds"]["questions"] += 1
        shown = (
            f"{excerpt(reading.questions[place], 80)}: {excerpt(here, 30)}, but {excerpt(gold, 30)} in {name}"
        )
        part.tally.examples["unequal_golds"] = sorted([*part.tally.examples.get("unequal_golds", []), shown])[
            :3
        ]


def equal_golds(one: str, other: str) -> bool:
    """Whether two gold answers of one question say the same."""
    from skill_factory.grading.equivalence import equivalent

    return one.strip() == other.strip() or equivalent(one, other)


def _taken(part: Partition, bound: int) -> Iterator[TracePlan]:
    """The plans whose draw is within the bound; the others are counted."""
    for plan in part.plans:
        if draw_of(plan) <= bound:
            yield plan
        else:
            tally_skip(part.tally, Skip(plan.question, plan.format, TraceReason.OVER_SHARE))


def _rows(part: Partition, name: str, mixture: Mixture) -> Iterator["Run"]:
    # Of every source some rows wait at the same time, so each gets a part of the memory.
    size = max(1_000_000, 2 * BYTES // max(2, len(mixture.sources)))
    for plans, table in part.batches(size):
        ids = np.fromiter((plan.question.id for plan in plans), np.uint64, len(plans))
        yield Run(order_keys(mixture.seed, ids), with_source(table, name))


@dataclass(frozen=True)
class Run:
    """Some rows in written order, with the order key of each."""

    keys: Keys
    table: pa.Table

    def upto(self, key: int) -> tuple["Run", "Run"]:
        """The rows up to a key, and those behind it."""
        cut = int(np.searchsorted(self.keys, np.uint64(key), side="right"))
        return Run(self.keys[:cut], self.table.slice(0, cut)), Run(self.keys[cut:], self.table.slice(cut))


def merged(streams: Sequence[Iterator[Run]]) -> Iterator[pa.Table]:
    """Streams of rows, each in written order, as one in written order; little of each is held at a time."""
    waiting = {place: run for place, stream in enumerate(streams) if (run := next(stream, None)) is not None}
    while waiting:
        # Up to here every stream has shown all of its rows; a question's rows come from one stream only.
        bound = min(int(run.keys[-1]) for run in waiting.values())
        ready = []
        for place in list(waiting):
            head, rest = waiting.pop(place).upto(bound)
            ready.append(head)
            following = rest if len(rest.keys) else next(streams[place], None)
            if following is not None:
                waiting[place] = following
        yield _in_order([run for run in ready if len(run.keys)])


def _in_order(runs: Sequence[Run]) -> pa.Table:
    if len(runs) == 1:
        return runs[0].table
    order = np.argsort(np.concatenate([run.keys for run in runs]), kind="stable")
    return pa.concat_tables([run.table for run in runs]).combine_chunks().take(pa.array(order))
