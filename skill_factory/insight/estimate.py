"""What a build will take, said before it starts: traces, their text, time."""

from dataclasses import dataclass

from skill_factory.insight.expected import Outlook
from skill_factory.tally import Tally, TraceChars, keyed

START_SECONDS = 2.0
"""To start the process and to write the files around the shards."""


@dataclass(frozen=True)
class Pace:
    """How fast a sample was read and built in one process."""

    rows: int
    seconds: float


@dataclass(frozen=True)
class Estimate:
    """Before a build; 0 where nothing is known."""

    traces: int
    text_bytes: int
    """Text of questions and traces; what is written is compressed and about a quarter of it."""
    seconds: float


def estimate(seen: Outlook, scale: float, typical: Tally, pace: Pace, rows: int, processes: int) -> Estimate:
    """
    From the outlook (times `scale`, if it is that of a sample), the lengths of some traces and a measured pace.

    `rows` are those of the source, 0 where unknown; characters are counted as bytes, which is right for Latin letters.
    """
    traces = round(seen.traces * (scale or 1.0))
    sizes = [(key.chars, n) for key, n in keyed(TraceChars, typical.counts["trace_chars"])]
    every = sum(n for _, n in sizes)
    mean = sum(size * n for size, n in sizes) / every if every else 0.0
    seconds = rows * pace.seconds / pace.rows / max(1, processes) if rows and pace.rows else 0.0
    return Estimate(traces, round(traces * mean), START_SECONDS + seconds if seconds else 0.0)
