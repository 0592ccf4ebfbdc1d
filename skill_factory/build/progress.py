"""How far a build is: shown on the terminal, and read by the app from the work folder."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TextIO

from skill_factory.reasons import Level
from skill_factory.tally import Tally
from skill_factory.wording import duration


@dataclass(frozen=True)
class BuildProgress:
    """How far a build is at one moment."""

    phase: str
    """`scan`, then `build`, then `done`."""
    done: int
    """How many pieces are scanned, or how many partitions are built."""
    total: int
    rows: int
    """Rows read so far."""
    traces: int
    """Traces written so far."""
    resumed: int = 0
    """Partitions that an earlier run had built."""
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """The share of the work that is done; the scan counts as a third."""
        part = self.done / self.total if self.total else 0.0
        return {"scan": part / 3, "build": 1 / 3 + part * 2 / 3}.get(self.phase, 1.0)

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the time so far; None while it is too early."""
        return self.seconds * (1 - self.share) / self.share if self.share > 0.02 else None

    def to_json(self) -> str:
        """The progress as one line of JSON."""
        left = self.seconds_left
        return json.dumps(
            {**asdict(self), "share": round(self.share, 4), "seconds_left": left and round(left, 1)}
        )

    def line(self) -> str:
        """The progress as one line of words."""
        if self.phase == "scan":
            what = f"reading · part {self.done} of {self.total} · {self.rows:,} rows"
        else:
            what = f"building · part {self.done} of {self.total} · {self.traces:,} traces"
        rate = f" · {self.rows / self.seconds:,.0f} rows/s" if self.seconds > 0.5 and self.rows else ""
        left = (
            f" · {duration(self.seconds_left)} left"
            if self.seconds_left is not None and self.phase != "done"
            else ""
        )
        return what + rate + left


ReportProgress = Callable[[BuildProgress], None]
"""Called with each progress of a build."""


def silent(_: BuildProgress) -> None:
    """Report to nobody."""


class Clock:
    """Turns what has come back from workers into progress."""

    def __init__(self, report: ReportProgress) -> None:
        self._report, self._start = report, time.monotonic()
        self._phase, self._done, self.total = "scan", 0, 0
        self.rows = self._traces = self._resumed = 0

    def _tell(self) -> None:
        seconds = time.monotonic() - self._start
        self._report(
            BuildProgress(
                self._phase, self._done, self.total, self.rows, self._traces, self._resumed, round(seconds, 3)
            )
        )

    def scanned(self, tally: Tally) -> None:
        """A piece was read."""
        self._done += 1
        self.rows += tally.ledger[Level.ROWS].read
        self._tell()

    def begin(self, parts: int, done: Mapping[int, Tally], resumed: int, before: int = 0) -> None:
        """Of so many parts these are done already, `resumed` of them by an earlier run; `before` are done besides."""
        self._phase, self.total, self._resumed = "build", parts, resumed
        self._done = len(done) + before
        self._traces = sum(tally.ledger[Level.TRACES].kept for tally in done.values())
        self._tell()

    def made(self) -> None:
        """The traces of a partition of a mixture were made."""
        self._done += 1
        self._tell()

    def built(self, tally: Tally) -> None:
        """A partition was written."""
        self._done += 1
        self._traces += tally.ledger[Level.TRACES].kept
        self._tell()


class TerminalReport:
    """Progress on standard error: one line that is overwritten on a terminal, plain lines elsewhere."""

    def __init__(self, stream: TextIO | None = None, every: float = 15.0) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        # A log would fill up with lines that a terminal overwrites.
        self._every = 0.1 if self._live else every
        self._last = time.monotonic()

    def __call__(self, progress: BuildProgress) -> None:
        now = time.monotonic()
        if now - self._last < self._every:
            return
        self._last = now
        end = "" if self._live else "\n"
        start = "\r\x1b[2K" if self._live else ""
        print(f"{start}{progress.line()}", end=end, file=self._stream, flush=True)

    def close(self) -> None:
        """Clear the line on the terminal."""
        if self._live:
            print("\r\x1b[2K", end="", file=self._stream, flush=True)
