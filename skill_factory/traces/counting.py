"""The numbers of the traces: those that were written, and those that the recipe asked for and couldn't be made."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skill_factory.model import Closing, Skip, TracePlan
from skill_factory.reasons import Level, TraceReason
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
    # Thousands of traces share a few dozen shapes, so the keys of the counters are made once for each shape.
    shapes = [
        _shape(plan.format, plan.closing, attempts) for plan, attempts in zip(plans, right, strict=True)
    ]
    _count(
        tally, [plan.label for plan in plans], [plan.format for plan in plans], shapes, chars, sum(digests)
    )


def _count(
    tally: Tally,
    labels: Sequence[str],
    codes: Sequence[str],
    shapes: Sequence["_Shape"],
    chars: npt.NDArray[np.int64],
    digest: int,
) -> None:
    ledger, counts = tally.ledger[Level.TRACES], tally.counts
    ledger.read += len(labels)
    ledger.kept += len(labels)
    counts["traces_by_label"].update(labels)
    counts["traces_by_format"].update(codes)
    for shape, n in Counter(shapes).items():
        counts["attempts"][shape.attempts] += n
        counts["teaches"][shape.teaches] += n
        for place in shape.places:
            counts["places"][place] += n
    # Rounded up, so that a length is never told as shorter than it is.
    steps = (-(-chars // STEP_OF_LENGTH) * STEP_OF_LENGTH).tolist()
    lengths = Counter(zip([shape.start for shape in shapes], steps, strict=True))
    counts["trace_chars"].update({f"{start}{size}": n for (start, size), n in lengths.items()})
    tally.digest = (tally.digest + digest) % MODULO


Shape = tuple[str, str, str, tuple[bool, ...]]
"""Label, format, closing, and which attempts are right: all that the counters ask of a trace but its length."""


@dataclass(frozen=True)
class Notes:
    """What the tally has to know of traces, kept until it is known which of them are written."""

    shapes: Sequence[Shape]
    which: npt.NDArray[np.int32]
    """The shape of each trace, as a place in `shapes`."""
    chars: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint64]
    """The high and the low half of each digest."""

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name; `of` puts them together again."""
        return {"which": self.which, "chars": self.chars, "digests": self.digests}

    @classmethod
    def of(cls, shapes: Sequence[Sequence[Any]], arrays: Mapping[str, npt.NDArray[Any]]) -> "Notes":
        """The inverse of `arrays`; shapes may have been through JSON."""
        read = [(label, code, closing, tuple(right)) for label, code, closing, right in shapes]
        return cls(read, arrays["which"], arrays["chars"], arrays["digests"])


class NoteTraces:
    """Takes notes of traces as they come."""

    def __init__(self) -> None:
        self._shapes: dict[Shape, int] = {}
        self._which: list[int] = []
        self._chars: list[npt.NDArray[np.int64]] = []
        self._digests: list[int] = []

    def add(
        self,
        plans: Sequence[TracePlan],
        right: Sequence[tuple[bool, ...]],
        chars: npt.NDArray[np.int64],
        digests: Iterable[int],
    ) -> None:
        """Note some traces, given as to `tally_traces`."""
        for plan, attempts in zip(plans, right, strict=True):
            shape = (plan.label, plan.format, plan.closing.value, attempts)
            self._which.append(self._shapes.setdefault(shape, len(self._shapes)))
        self._chars.append(chars)
        self._digests.extend(digests)

    def done(self) -> Notes:
        """All notes."""
        packed = b"".join([digest.to_bytes(16, "big") for digest in self._digests])
        return Notes(
            list(self._shapes),
            np.array(self._which, np.int32),
            np.concatenate([np.empty(0, np.int64), *self._chars]),
            np.frombuffer(packed, ">u8").astype(np.uint64).reshape(-1, 2),
        )


def tally_noted(tally: Tally, notes: Notes, taken: npt.NDArray[np.bool_]) -> None:
    """Count noted traces: those that are taken as written, the others as over their source's share."""
    left = len(taken) - int(taken.sum())
    if left:
        tally.ledger[Level.TRACES].read += left
        tally.ledger[Level.TRACES].dropped[TraceReason.OVER_SHARE.value] += left
    labels, codes, closings, rights = zip(*notes.shapes, strict=True) if notes.shapes else [()] * 4
    high, low = (int(sum(half.tolist())) for half in notes.digests[taken].T)
    _count(
        tally,
        [*map(labels.__getitem__, which := notes.which[taken].tolist())],
        [*map(codes.__getitem__, which)],
        [
            *map(
                [
                    _shape(*shape) for shape in zip(codes, map(Closing, closings), rights, strict=True)
                ].__getitem__,
                which,
            )
        ],
        notes.chars[taken],
        (high << 64) + low,
    )


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
