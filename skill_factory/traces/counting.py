"""The numbers of the traces: those that were written, and those that the recipe asked for and couldn't be made."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skill_factory.model import Closing, Skip, TracePlan
from skill_factory.reasons import Level
from skill_factory.tally import MODULO, AttemptPlace, Tally, Teaches

STEP_OF_LENGTH = 250
"""Lengths are rounded up to a multiple of this, so that a counter has few keys."""


def tally_traces(
    tally: Tally,
    plans: Sequence[TracePlan],
    right: Sequence[tuple[bool, ...]],
    chars: npt.NDArray[np.int64],
    digests: Iterable[int],
) -> None:
    """Count written traces by their plans, their right attempts, the characters of question and trace, and digests."""
    ledger, counts = tally.ledger[Level.TRACES], tally.counts
    ledger.read += len(plans)
    ledger.kept += len(plans)
    counts["traces_by_label"].update([plan.label for plan in plans])
    counts["traces_by_format"].update([plan.format for plan in plans])
    # Thousands of traces share a few dozen shapes, so the keys of the counters are made once for each shape.
    shapes = [
        _shape(plan.format, plan.closing, attempts) for plan, attempts in zip(plans, right, strict=True)
    ]
    for shape, n in Counter(shapes).items():
        counts["attempts"][shape.attempts] += n
        counts["teaches"][shape.teaches] += n
        for place in shape.places:
            counts["places"][place] += n
    # Rounded up, so that a length is never told as shorter than it is.
    steps = (-(-chars // STEP_OF_LENGTH) * STEP_OF_LENGTH).tolist()
    lengths = Counter(zip([shape.start for shape in shapes], steps, strict=True))
    counts["trace_chars"].update({f"{start}{size}": n for (start, size), n in lengths.items()})
    tally.digest = (tally.digest + sum(digests)) % MODULO


class _Shape(NamedTuple):
    """The keys of the counters, for all traces whose attempts are right and wrong alike."""

    start: str
    attempts: str
    teaches: str
    places: tuple[str, ...]


@lru_cache(maxsize=4096)
def _shape(code: str, closing: Closing, right: tuple[bool, ...]) -> _Shape:
    n = len(right)
    places = [
        str(AttemptPlace(code, n, place, "right" if correct else "wrong"))
        for place, correct in enumerate(right, 1)
    ]
    # The start of a `TraceChars` key: its last part differs from trace to trace.
    return _Shape(f"{code}|{n:02d}|", f"{n:02d}", str(Teaches(code, teaches(closing, right))), tuple(places))


def tally_skip(tally: Tally, skip: Skip) -> None:
    """Count a trace that the recipe asked for and couldn't be made."""
    tally.ledger[Level.TRACES].read += 1
    tally.ledger[Level.TRACES].dropped[skip.reason.value] += 1


def teaches(closing: Closing, right: Sequence[bool]) -> str:
    """What a trace shows, from which of its attempts are right."""
    if closing is Closing.BACKTRACK:
        return "wrong_to_right"  # the trace leaves its wrong last attempt for a right one
    if not right[-1]:
        return "ends_wrong"
    if len(right) == 1:
        return "one_attempt"
    return "all_right" if all(right) else "wrong_to_right"
