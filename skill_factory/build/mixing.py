"""Several sources become one dataset: which traces of each are taken, and how their rows come into one order.

A partition holds the rows of all sources whose questions fall into its range, so a question that stands in several is seen
there at once. First every partition is made: the traces of each source lie in a file of their own, with a note of each (its
place in the order, its draw, what the tally counts). Then it is known how many traces each source can give, and the
smallest draws of each stretch of the order are chosen, exactly as many as asked for (`shares.py`). Last the shards are written: of each file the chosen
rows, all in written order.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_64_intdigest

from skill_factory.asked import question_in
from skill_factory.build.folder import BuildFolder
from skill_factory.build.made import Made, MadePart
from skill_factory.build.mixed_source import PART
from skill_factory.build.pipeline import Partition, build_partition
from skill_factory.build.shares import STRATA, Chosen, bounds_of, paces, strata_of, taken_by, wanted_counts
from skill_factory.draws import order_keys
from skill_factory.formats import OwnFormats
from skill_factory.judge.facts import Ids
from skill_factory.model import TracePlan
from skill_factory.recipe.mixture import Mixture
from skill_factory.sources.columns import CANONICAL, excerpt
from skill_factory.tally import EXAMPLES, Tally, of_source
from skill_factory.traces.bulk.typeset import BYTES, typeset
from skill_factory.traces.counting import NoteTraces, tally_noted
from skill_factory.traces.rows import schema, to_table, with_source

Keys = npt.NDArray[np.uint64]


# -- making ---------------------------------------------------------------------------------------------------------


def make_part(p: int, rows: pa.Table, mixture: Mixture, folder: BuildFolder, own: OwnFormats | None) -> int:
    """Make every trace that each source could give in partition p, and note them; the number of traces."""
    made = Made(folder, p)
    first: dict[int, tuple[str, str | None]] = {}
    """Of each question its first source, and the gold answer there."""
    parts = []
    for place, one in enumerate(mixture.sources):
        part = build_partition(_rows_of(rows, place), one.recipe, own, elsewhere=_ids(first))
        _compare_golds(part, first)
        for known, gold in zip(part.facts.question_id.tolist(), part.reading.golds, strict=True):
            first.setdefault(known, (one.name, gold))
        parts.append(_make(part, place, one.name, mixture, made))
    made.note(parts)
    return sum(len(part.draws) for part in parts)


def _rows_of(rows: pa.Table, place: int) -> pa.Table:
    if PART.name not in rows.schema.names:  # a partition without rows
        return CANONICAL.empty_table()
    return rows.filter(pc.equal(rows[PART.name], place)).drop_columns([PART.name])


def _ids(first: dict[int, tuple[str, str | None]]) -> Ids:
    return np.fromiter(first, np.uint64, len(first))


def _make(part: Partition, place: int, name: str, mixture: Mixture, made: Made) -> MadePart:
    """Write the traces of one source, and return what is noted of them."""
    notes = NoteTraces()
    ids: list[int] = []
    draws: list[int] = []

    def tables() -> Iterator[pa.Table]:
        # Of every source some rows wait at the same time later on, so each gets a part of the memory.
        size = max(1_000_000, 2 * BYTES // max(2, len(mixture.sources)))
        for batch in typeset(part.plans, part.book, part.recipe, part.reading, size=size):
            notes.add(batch.plans, batch.right, batch.chars, batch.digests)
            ids.extend([plan.question.id for plan in batch.plans])
            draws.extend(map(draw_of, batch.plans))
            yield with_source(to_table(batch, part.recipe), name, mixture)

    made.write(place, tables(), schema(mixture))
    keys = order_keys(mixture.seed, np.array(ids, np.uint64))
    return MadePart(keys, np.array(draws, np.uint64), notes.done(), part.tally)


def draw_of(plan: TracePlan) -> int:
    """Where a trace stands among all of its source when some are chosen: drawn from what its attempts are drawn from."""
    return xxh3_64_intdigest(plan.key + b"\x1fmixture\x1f" + plan.format.encode())


def _compare_golds(part: Partition, first: dict[int, tuple[str, str | None]]) -> None:
    """Count questions that an earlier source answers otherwise, with the first few of them."""
    reading, shown = part.reading, list[str]()
    for place, known in enumerate(part.facts.question_id.tolist()):
        name, gold = first.get(known, ("", None))
        here = reading.golds[place]
        if gold is None or here is None or _equal_golds(gold, here, question_in(reading.questions[place])):
            continue
        part.tally.counts["unequal_golds"]["questions"] += 1
        shown.append(
            f"{excerpt(question_in(reading.questions[place]), 80)}: {excerpt(here, 30)}, but {excerpt(gold, 30)} in {name}"
        )
    if shown:
        part.tally.examples["unequal_golds"] = sorted(shown)[:EXAMPLES]


def _equal_golds(one: str, other: str, question: str) -> bool:
    from skill_factory.grading.equivalence import equivalent

    return one.strip() == other.strip() or equivalent(one, other, question=question)


# -- choosing -------------------------------------------------------------------------------------------------------


def choose(mixture: Mixture, folder: BuildFolder, partitions: int) -> Chosen:
    """How much of each source is taken, once all partitions are made. Errors: NothingUsable."""
    if (noted := folder.chosen()) is not None:
        return Chosen(**noted)
    every = [Made(folder, p) for p in range(partitions)]
    places = range(len(mixture.sources))
    there = [sum(made.traces(place) for made in every) for place in places]
    counts = wanted_counts(mixture, there)
    # Sixteen bytes a trace, of one source at a time.
    here = [
        np.bincount(strata_of(_joined(made.array("keys", place) for made in every)), minlength=STRATA)
        for place in places
    ]
    bounds = []
    for place, taken in enumerate(paces(here, counts)):
        keys, draws = (_joined(made.array(name, place) for made in every) for name in ("keys", "draws"))
        bounds.append(bounds_of(strata_of(keys), draws, taken))
    found = Chosen(bounds, counts, there)
    folder.note_chosen(vars(found))
    return found


def _joined(arrays: Iterable[Keys]) -> Keys:
    return np.concatenate([np.empty(0, np.uint64), *arrays])


# -- writing --------------------------------------------------------------------------------------------------------


def write_mixed(p: int, mixture: Mixture, folder: BuildFolder, chosen: Chosen) -> Tally:
    """Write the shard of partition p: of each source the chosen traces, all in written order."""
    made = Made(folder, p)
    whole, streams = Tally(), []
    for place, (one, bounds) in enumerate(zip(mixture.sources, chosen.bounds, strict=True)):
        part = made.read(place)
        taken = taken_by(bounds, part.keys, part.draws)
        tally_noted(part.tally, part.notes, taken)
        whole.add(of_source(one.name, part.tally))
        streams.append(_taken_rows(made.tables(place), part.keys, taken))
    folder.write_partition(p, merged(streams), schema(mixture), whole)
    made.remove()
    return whole


def _taken_rows(tables: Iterator[pa.Table], keys: Keys, taken: npt.NDArray[np.bool_]) -> Iterator["Run"]:
    start = 0
    for table in tables:
        rows = slice(start, start + table.num_rows)
        start += table.num_rows
        places = np.flatnonzero(taken[rows])
        if len(places):
            yield Run(keys[rows][places], places, table)


@dataclass(frozen=True)
class Run:
    """Some rows of a table, in written order, with the order key of each."""

    keys: Keys
    places: npt.NDArray[np.intp]
    table: pa.Table

    def upto(self, key: int) -> tuple["Run", "Run"]:
        """The rows up to a key, and those behind it."""
        cut = int(np.searchsorted(self.keys, np.uint64(key), side="right"))
        return (
            Run(self.keys[:cut], self.places[:cut], self.table),
            Run(self.keys[cut:], self.places[cut:], self.table),
        )

    def alone(self) -> "Run":
        """The same rows in a table without others."""
        return Run(self.keys, np.arange(len(self.places)), self.table.take(pa.array(self.places)))


def merged(streams: Sequence[Iterator[Run]]) -> Iterator[pa.Table]:
    """Streams of rows, each in written order, as one in written order; little of each is held at a time."""
    waiting = {place: run for place, stream in enumerate(streams) if (run := next(stream, None)) is not None}
    while waiting:
        # Up to here every stream has shown all of its rows; a question's rows come from one stream only.
        bound = min(int(run.keys[-1]) for run in waiting.values())
        ready = []
        for place in list(waiting):
            head, rest = waiting.pop(place).upto(bound)
            if len(head.keys):
                ready.append(head)
            following = rest if len(rest.keys) else next(streams[place], None)
            if following is not None:
                waiting[place] = following
        yield _in_order(ready)


def _in_order(runs: Sequence[Run]) -> pa.Table:
    """The rows of several runs, copied once: those that weren't taken are left behind in the same step."""
    # What is left behind by most of a table isn't worth a copy of all of it.
    runs = [run if 2 * len(run.places) > run.table.num_rows else run.alone() for run in runs]
    offsets = np.cumsum([0, *(run.table.num_rows for run in runs[:-1])])
    places = np.concatenate([run.places + offset for run, offset in zip(runs, offsets, strict=True)])
    order = np.argsort(np.concatenate([run.keys for run in runs]), kind="stable")
    return pa.concat_tables([run.table for run in runs]).take(pa.array(places[order]))
