"""What a build will take, known before it starts: traces, text, time."""

from dataclasses import dataclass

from skill_factory.insight.expected import Outlook
from skill_factory.tally import Tally, TraceChars, keyed

START_SECONDS = 2.0
"""The time to start the process, and to write the files beside the shards."""


@dataclass(frozen=True)
class Pace:
    """How fast a sample was read and built, in one process."""

    rows: int
    seconds: float


@dataclass(frozen=True)
class Estimate:
    """What is expected of a build; 0 for what isn't known."""

    traces: int
    text_bytes: int
    """Bytes of questions and traces; the files are compressed to about a quarter of that."""
    seconds: float


def estimate(seen: Outlook, scale: float, typical: Tally, pace: Pace, rows: int, processes: int) -> Estimate:
    """
    An estimate from an outlook (times `scale`, if that is of a sample), the lengths of some traces, and a measured pace.

    `rows` are those of the source, 0 if unknown. Characters are counted as bytes, which is right for Latin letters.
    """
    traces = round(seen.traces * (scale or 1.0))
    sizes = [(key.chars, n) for key, n in keyed(TraceChars, typical.counts["trace_chars"])]
    every = sum(n for _, n in sizes)
    mean = sum(size * n for size, n in sizes) / every if every else 0.0
    seconds = rows * pace.seconds / pace.rows / max(1, processes) if rows and pace.rows else 0.0
    return Estimate(traces, round(traces * mean), START_SECONDS + seconds if seconds else 0.0)
