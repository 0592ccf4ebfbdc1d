"""What a worker does with a partition of a suite: first a survey of what each arm could give, then the arms themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from xxhash import xxh3_64_hexdigest

from skill_factory.build.folder import BuildFolder
from skill_factory.build.storage import written_whole
from skill_factory.formats import OwnFormats, chosen_formats, format_of
from skill_factory.formats.record import ResponseCounts
from skill_factory.judge.counting import tally_judgement
from skill_factory.judge.facts import Reading, read
from skill_factory.judge.judge import KEPT, Judgement, judge, judge_questions, usable_for
from skill_factory.model import Skip, TracePlan
from skill_factory.reasons import QuestionReason, TraceReason
from skill_factory.recipe.model import Balance, Cutoff, Filters, Output, Phrases, Recipe, Review, Traces
from skill_factory.recipe.phrases import PhraseBook, phrase_book
from skill_factory.sources.columns import CANONICAL
from skill_factory.suites.choosing import Chosen, taking_order
from skill_factory.suites.desk import Desk
from skill_factory.suites.kept_readings import keep, keepable, kept
from skill_factory.suites.suite import Equal
from skill_factory.tally import Tally
from skill_factory.traces.bulk.typeset import typeset
from skill_factory.traces.counting import tally_skip, tally_traces
from skill_factory.traces.plan import Written, compose_plans, sets_limits
from skill_factory.traces.rows import schema, to_table

_NOT_SHARED = list(QuestionReason).index(QuestionReason.NOT_IN_EVERY_ARM) + 1


Keeps = Callable[[str], Path]
"""Where a reading is kept, by what decides how rows are read."""


@dataclass(frozen=True)
class ArmRecipe:
    """An arm as a worker knows it."""

    name: str
    recipe: Recipe
    """Without its limit of traces, which is a matter of the whole suite."""


@dataclass(frozen=True)
class Judged:
    """A partition as one arm sees it."""

    arm: ArmRecipe
    reading: Reading
    judgement: Judgement

    def plans(self, tally: Tally) -> Iterator[TracePlan]:
        """The arm's plans in written order."""
        recipe = self.arm.recipe
        formats, book = chosen_formats(recipe.traces.formats), phrase_book(recipe.phrases)
        return compose_plans(self.reading, self.judgement, recipe, book, formats, tally, Written())

    @property
    def book(self) -> PhraseBook:
        """The phrases of the arm."""
        return phrase_book(self.arm.recipe.phrases)


def judged(rows: pa.Table, arms: Sequence[ArmRecipe], keeps: Keeps | None = None) -> Iterator[Judged]:
    """Each arm's view of some rows, in order; rows are read once for all arms that read alike, and judged once too."""
    rows = rows.cast(CANONICAL)
    readings: dict[str, Reading] = {}
    judgements: dict[str, Judgement] = {}
    for arm in arms:
        reads, judges = _reads(arm.recipe), _judges(arm.recipe)
        if reads not in readings:
            readings[reads] = _read(rows, arm.recipe, keeps(reads) if keeps else None)
        reading = readings[reads]
        if judges not in judgements:
            judgements[judges] = judge(reading.facts, arm.recipe)
        yield Judged(arm, reading, judge_questions(reading.facts, judgements[judges], arm.recipe))


def _read(rows: pa.Table, recipe: Recipe, path: Path | None) -> Reading:
    """A reading that was kept, or a new one, which is kept for the next pass."""
    if path is None or not keepable(recipe):
        return read(rows, recipe)
    found = kept(rows, path)
    if found is None:
        found = read(rows, recipe)
        keep(found, rows, path)
    return found


def _judges(recipe: Recipe) -> str:
    """What of a recipe decides which responses and reflections are kept."""
    rest: dict[str, Any] = {
        "traces": Traces(),
        "balance": Balance(),
        "phrases": Phrases(),
        "cutoff": Cutoff(),
        "output": Output(),
        "review": Review(),
    }
    return recipe.model_copy(update=rest).model_dump_json()


def _reads(recipe: Recipe) -> str:
    """What of a recipe decides how rows are read, before anything is dropped."""
    alike: dict[str, Any] = {"variants": (), "response_chars": (0, 0), "reflection_chars": (0, 0)}
    filters: Filters = recipe.filters.model_copy(update=alike)
    return _judges(recipe.model_copy(update={"filters": filters}))


# -- the survey -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Survey:
    """The first pass: how many traces each question gives in each arm, and how long they are where that matters."""

    arms: tuple[ArmRecipe, ...]
    equal: Equal
    seed: int

    def __call__(
        self,
        p: int,
        rows: pa.Table,
        recipe: Recipe,
        folder: BuildFolder,
        written: Written | None,
        own: OwnFormats | None,
    ) -> Tally:
        """Look at partition p, and note what each arm offers."""
        desk = _desk(folder)
        for one in judged(rows, self.arms, partial(_kept_at, desk, p)):
            desk.note_arrays(p, one.arm.name, self._offer(one))
        # Nothing is kept yet, so nothing is counted but that the partition is done.
        desk.note_part(p, Tally())
        return Tally()

    def _offer(self, one: Judged) -> dict[str, Any]:
        if self.equal is Equal.TRACES and (known := counted_ahead(one)) is not None:
            return known
        ids: list[int] = []
        traces: list[int] = []
        chars: list[int] = []
        for question, plans in groupby(one.plans(Tally()), key=lambda plan: plan.question.id):
            every = list(plans)
            ids.append(question)
            traces.append(len(every))
            if self.equal is Equal.TOKENS:
                chars += _lengths(one, [every[k] for k in _order(self.seed, every)])
        return {
            "questions": np.array(ids, np.uint64),
            "traces": np.array(traces, np.int64),
            "chars": np.array(chars, np.int64),
        }


def counted_ahead(one: Judged) -> dict[str, Any] | None:
    """What an arm offers, if that is known without drawing anything; None if some trace may not come, or come twice."""
    recipe = one.arm.recipe
    formats = [format_of(code) for code in recipe.traces.formats]
    free = not sets_limits(recipe) and not recipe.review.rejected and not recipe.review.accepted
    # Two formats, or repeats, may give a trace twice; a drawn number of attempts has several lengths for one trace.
    if len(formats) > 1 or recipe.traces.repeats > 1 or recipe.traces.sample_attempts or not free:
        return None
    expects = formats[0].expects
    if not formats[0].always or expects is None:
        return None
    facts, seen = one.reading.facts, one.judgement
    usable = (seen.question_code == KEPT) & usable_for(seen, recipe, formats[0].needs)
    # The same for every question: such a format lists its lengths, and N decides how many there are.
    each = sum(1 for _ in expects(ResponseCounts(recipe.traces.attempts, 1), recipe.traces))
    questions = facts.question_id[usable]
    return {
        "questions": questions,
        "traces": np.full(len(questions), each, np.int64),
        "chars": np.zeros(0, np.int64),
    }


def _lengths(one: Judged, plans: Sequence[TracePlan]) -> list[int]:
    batches = typeset(plans, one.book, one.arm.recipe, one.reading)
    return [int(n) for batch in batches for n in batch.chars]


def _order(seed: int, plans: Sequence[TracePlan]) -> list[int]:
    return taking_order(seed, plans[0].question.id, [len(plan.order) for plan in plans])


# -- writing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writing:
    """The second pass: every arm's part of a partition, into the arm's own build folder."""

    arms: tuple[ArmRecipe, ...]
    folders: Mapping[str, BuildFolder]
    chosen: Path
    """The file that says what each arm takes."""
    seed: int

    def __call__(
        self,
        p: int,
        rows: pa.Table,
        recipe: Recipe,
        folder: BuildFolder,
        written: Written | None,
        own: OwnFormats | None,
    ) -> Tally:
        """Write partition p of every arm that isn't written there yet; the tally counts all arms."""
        desk, chosen, whole = _desk(folder), _chosen(self.chosen), Tally()
        missing = tuple(arm for arm in self.arms if desk.arm_tally(p, arm.name) is None)
        for one in judged(rows, missing, partial(_kept_at, desk, p)):
            self._write(p, one, chosen, desk)
        for arm in self.arms:
            whole.add(desk.arm_tally(p, arm.name) or Tally())
        desk.note_part(p, whole)
        desk.forget_readings(p)
        return whole

    def _write(self, p: int, one: Judged, chosen: Chosen, desk: Desk) -> None:
        name, recipe = one.arm.name, one.arm.recipe
        one = replace(one, judgement=shared_only(one, chosen))
        tally = tally_judgement(one.reading.facts, one.judgement, recipe)
        taken = self._taken(one, chosen, tally)
        digests: list[int] = []
        chars: list[int] = []

        def tables() -> Iterator[pa.Table]:
            for batch in typeset(taken, one.book, recipe, one.reading):
                tally_traces(tally, batch.plans, batch.right, batch.chars, batch.digests)
                digests.extend(digest & _LOW for digest in batch.digests)
                chars.append(int(batch.chars.sum()))
                yield to_table(batch, recipe)

        self.folders[name].write_partition(p, tables(), schema(recipe), tally)
        arrays = {"digests": np.array(digests, np.uint64), "chars": np.array(chars, np.int64)}
        desk.note_arrays(p, name, arrays)
        desk.note_arm(p, name, tally)

    def _taken(self, one: Judged, chosen: Chosen, tally: Tally) -> Iterator[TracePlan]:
        takes = chosen.takes[one.arm.name]
        for question, plans in groupby(one.plans(tally), key=lambda plan: plan.question.id):
            every = list(plans)
            wanted = int(takes[np.searchsorted(chosen.questions, np.uint64(question))])
            own = set(_order(self.seed, every)[:wanted])
            for place, plan in enumerate(every):
                if place in own:
                    yield plan
                else:
                    tally_skip(tally, Skip(plan.question, plan.format, TraceReason.OVER_ARM_SIZE))


_LOW = (1 << 64) - 1


def shared_only(one: Judged, chosen: Chosen) -> Judgement:
    """The judgement in which only questions that all arms share are kept."""
    codes = one.judgement.question_code.copy()
    codes[(codes == KEPT) & ~np.isin(one.reading.facts.question_id, chosen.questions)] = _NOT_SHARED
    return replace(one.judgement, question_code=codes)


def save_chosen(chosen: Chosen, path: Path) -> None:
    """Write what each arm takes, for the workers."""
    takes = {f"arm.{name}": take for name, take in chosen.takes.items()}
    with written_whole(path) as file:
        np.savez(file, allow_pickle=False, questions=chosen.questions, size=np.int64(chosen.size), **takes)


def _chosen(path: Path) -> Chosen:
    """What `save_chosen` wrote; a worker reads it once for all its partitions."""
    return _chosen_at(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _chosen_at(path: Path, written: int) -> Chosen:
    with np.load(path) as arrays:
        takes = {name.removeprefix("arm."): arrays[name] for name in arrays.files if name.startswith("arm.")}
        return Chosen(arrays["questions"], takes, int(arrays["size"]))


def _kept_at(desk: Desk, p: int, reads: str) -> Path:
    """Where the reading of a partition is kept, by what decided how it is read."""
    return desk.reading(p, xxh3_64_hexdigest(reads.encode()))


def _desk(folder: BuildFolder) -> Desk:
    if not isinstance(folder, Desk):
        raise TypeError(f"a suite's pass writes at a desk; got {folder!r}")
    return folder
