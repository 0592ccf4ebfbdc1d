"""What happened: the ledger, and every number that cards, charts and reports show. Tallies of parts add up.

Numbers live in counters with text keys ("original|right"), so a tally is JSON as it stands. `COUNTS` says what each
counter holds and how its keys are made.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skill_factory.canonical import Canonical
from skill_factory.facts import Facts
from skill_factory.model import Closing, Skip, TracePlan
from skill_factory.questions import Judgement, reach
from skill_factory.reasons import Level, QuestionReason, ReflectionReason, ResponseReason
from skill_factory.recipe import Recipe

EXAMPLES = 3
"""Examples kept for each reason that a row was dropped."""

COUNTS = {
    "traces_by_label": "label",
    "traces_by_format": "format",
    "attempts": "attempts of a trace",
    "teaches": "format|what the trace shows (one_attempt, all_right, wrong_to_right, ends_wrong)",
    "places": "format|attempts|place from 1|right or wrong",
    "trace_chars": "format|attempts|characters of question and trace, rounded up to a multiple of 250",
    "balance": "kept right responses of a question|its kept responses",
    "labels": "prompt variant|right or wrong",
    "verdicts": "prompt variant|what the response is|what the reflection says",
    "kept_responses": "prompt variant|right or wrong",
    "reach": "format|N: questions that could be used at this N",
}

MODULO = 1 << 128
STEP_OF_LENGTH = 250


@dataclass
class LevelTally:
    """One level of the ledger: read = kept + what was dropped, by reason."""

    read: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, other: "LevelTally") -> None:
        """Take the other's numbers in."""
        self.read += other.read
        self.kept += other.kept
        self.dropped.update(other.dropped)

    @property
    def adds_up(self) -> bool:
        """Whether nothing vanished."""
        return self.read == self.kept + self.dropped.total()


@dataclass
class Tally:
    """The numbers of a build or of a part of it."""

    ledger: dict[Level, LevelTally] = field(default_factory=lambda: {level: LevelTally() for level in Level})
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in COUNTS})
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Up to three rows that could not be read, by reason; the smallest in text order, so that no order matters."""
    digest: int = 0
    """Sum of the traces' digests modulo 2**128: the same for the same traces, whatever made them."""

    def add(self, other: "Tally") -> None:
        """Take another part's numbers in."""
        for level, tally in other.ledger.items():
            self.ledger[level].add(tally)
        for name, counter in other.counts.items():
            self.counts[name].update(counter)
        for reason, shown in other.examples.items():
            self.examples[reason] = sorted({*self.examples.get(reason, []), *shown})[:EXAMPLES]
        self.digest = (self.digest + other.digest) % MODULO

    def to_json(self) -> dict[str, Any]:
        """The tally as JSON values, keys sorted."""
        return {
            "ledger": {
                level.value: {"read": t.read, "kept": t.kept, "dropped": dict(sorted(t.dropped.items()))}
                for level, t in self.ledger.items()
            },
            **{name: dict(sorted(counter.items())) for name, counter in self.counts.items()},
            "row_examples": dict(sorted(self.examples.items())),
            "rows_digest": f"{self.digest:032x}",
        }


def tally_from_json(tree: Mapping[str, Any]) -> Tally:
    """The inverse of `Tally.to_json`."""
    ledger = {
        level: LevelTally(one["read"], one["kept"], Counter(one["dropped"]))
        for level in Level
        for one in [tree["ledger"][level.value]]
    }
    counts = {name: Counter(tree[name]) for name in COUNTS}
    return Tally(ledger, counts, dict(tree["row_examples"]), int(tree["rows_digest"], 16))


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum of some tallies."""
    whole = Tally()
    for one in tallies:
        whole.add(one)
    return whole


def tally_rows(batch: Canonical) -> Tally:
    """Rows read and dropped, and what the dropped ones took along."""
    tally = Tally()
    rows = tally.ledger[Level.ROWS]
    rows.read, rows.kept = batch.rows, batch.rows - len(batch.errors)
    for error in batch.errors:
        rows.dropped[error.reason.value] += 1
        shown = f"{error.field}: {error.found}"
        tally.examples[error.reason.value] = sorted({*tally.examples.get(error.reason.value, []), shown})[
            :EXAMPLES
        ]
    for level, taken in (
        (Level.RESPONSES, sum(error.responses for error in batch.errors)),
        (Level.REFLECTIONS, sum(error.reflections for error in batch.errors)),
    ):
        tally.ledger[level].read += taken
        if taken:
            tally.ledger[level].dropped["row_dropped"] += taken
    return tally


def tally_judgement(facts: Facts, judgement: Judgement, recipe: Recipe) -> Tally:
    """Responses, reflections and questions: kept, or dropped by reason; and the numbers of the charts about them."""
    tally = Tally()
    for level, codes, reasons in (
        (Level.RESPONSES, judgement.response_code, list(ResponseReason)),
        (Level.REFLECTIONS, judgement.reflection_code, list(ReflectionReason)),
        (Level.QUESTIONS, judgement.question_code, list(QuestionReason)),
    ):
        found = np.bincount(codes, minlength=len(reasons) + 1).tolist()
        tally.ledger[level] = LevelTally(
            len(codes), found[0], Counter({r.value: n for r, n in zip(reasons, found[1:], strict=True) if n})
        )
    _count_responses(tally, facts, judgement)
    for code in recipe.traces.formats:
        for n, usable in enumerate(reach(judgement, recipe, code), 1):
            tally.counts["reach"][f"{code}|{n:02d}"] = usable
    return tally


def _count_responses(tally: Tally, facts: Facts, judgement: Judgement) -> None:
    names = [name or "(none)" for name in facts.variants]
    truth = ("wrong", "right")
    right = facts.response_correct.view(np.int8)
    # A variant may itself be called "(none)": numbers under one key are added.
    every = _pairs(facts.response_variant, right, 2)
    kept = judgement.response_code == 0
    for key, n in every:
        tally.counts["labels"][f"{names[key[0]]}|{truth[key[1]]}"] += n
    for key, n in _pairs(facts.response_variant[kept], right[kept], 2):
        tally.counts["kept_responses"][f"{names[key[0]]}|{truth[key[1]]}"] += n
    owner = facts.reflection_response
    combined = right[owner].astype(np.int64) * 3 + facts.reflection_verdict + 1
    said = ("missing", "incorrect", "correct")
    for key, n in _pairs(facts.response_variant[owner], combined, 6):
        name = f"{names[key[0]]}|{truth[key[1] // 3]}|{said[key[1] % 3]}"
        tally.counts["verdicts"][name] += n
    width = int(judgement.question_kept.max(initial=0)) + 1
    for key, n in _pairs(judgement.question_right, judgement.question_kept, width):
        if key[1]:
            tally.counts["balance"][f"{key[0]}|{key[1]}"] = n


def _pairs(left: npt.NDArray[Any], right: npt.NDArray[Any], width: int) -> list[tuple[tuple[int, int], int]]:
    """How often each pair of codes occurs; the right code is below width."""
    values, numbers = np.unique(left.astype(np.int64) * width + right, return_counts=True)
    return [((v // width, v % width), n) for v, n in zip(values.tolist(), numbers.tolist(), strict=True)]


def tally_traces(
    tally: Tally,
    plans: Sequence[TracePlan],
    right: Sequence[tuple[bool, ...]],
    chars: npt.NDArray[np.int64],
    digests: Iterable[int],
) -> None:
    """Count some written traces: their plans, which attempts are right, characters of question and trace, digests."""
    ledger, counts = tally.ledger[Level.TRACES], tally.counts
    ledger.read += len(plans)
    ledger.kept += len(plans)
    counts["traces_by_label"].update([plan.label for plan in plans])
    counts["traces_by_format"].update([plan.format for plan in plans])
    shapes = [_shape(plan.format, plan.closing, one) for plan, one in zip(plans, right, strict=True)]
    for shape, n in Counter(shapes).items():
        counts["attempts"][shape.attempts] += n
        counts["teaches"][shape.teaches] += n
        for place in shape.places:
            counts["places"][place] += n
    steps = (-(-chars // STEP_OF_LENGTH) * STEP_OF_LENGTH).tolist()
    lengths = Counter(zip([shape.start for shape in shapes], steps, strict=True))
    counts["trace_chars"].update({f"{start}{size}": n for (start, size), n in lengths.items()})
    tally.digest = (tally.digest + sum(digests)) % MODULO


class _Shape(NamedTuple):
    """The counters' keys of all traces with the same attempts right and wrong."""

    start: str
    attempts: str
    teaches: str
    places: tuple[str, ...]


@lru_cache(maxsize=4096)
def _shape(code: str, closing: Closing, right: tuple[bool, ...]) -> _Shape:
    n = f"{len(right):02d}"
    start = f"{code}|{n}|"
    places = [
        f"{start}{place:02d}|{'right' if correct else 'wrong'}" for place, correct in enumerate(right, 1)
    ]
    return _Shape(start, n, f"{code}|{teaches(closing, right)}", tuple(places))


def tally_skip(tally: Tally, skip: Skip) -> None:
    """Count a trace that was asked for and could not be made."""
    tally.ledger[Level.TRACES].read += 1
    tally.ledger[Level.TRACES].dropped[skip.reason.value] += 1


def teaches(closing: Closing, right: Sequence[bool]) -> str:
    """What a trace shows, by which of its attempts are right."""
    if closing is Closing.BACKTRACK:
        return "wrong_to_right"  # the trace leaves its wrong last attempt for a right one
    if not right[-1]:
        return "ends_wrong"
    if len(right) == 1:
        return "one_attempt"
    return "all_right" if all(right) else "wrong_to_right"
