"""How far a build is: what the terminal shows, and the app reads from the work folder."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TextIO

from skill_factory.wording import duration


@dataclass(frozen=True)
class Progress:
    """A moment of a build."""

    phase: str
    """`scan`, then `build`, then `done`."""
    done: int
    """Pieces scanned, or partitions built."""
    total: int
    rows: int
    """Rows read."""
    traces: int
    """Traces written."""
    resumed: int = 0
    """Partitions that were there already."""
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """Part of the work that is done; the scan counts for a third."""
        part = self.done / self.total if self.total else 0.0
        return {"scan": part / 3, "build": 1 / 3 + part * 2 / 3}.get(self.phase, 1.0)

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the time so far; None while there is too little to go by."""
        return self.seconds * (1 - self.share) / self.share if self.share > 0.02 else None

    def to_json(self) -> str:
        """One line of JSON."""
        left = self.seconds_left
        return json.dumps(
            {**asdict(self), "share": round(self.share, 4), "seconds_left": left and round(left, 1)}
        )

    def line(self) -> str:
        """What is going on, in words."""
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


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report to nobody."""


class TerminalReport:
    """Progress on standard error: one line that is written over on a terminal, plain lines elsewhere."""

    def __init__(self, stream: TextIO | None = None, every: float = 15.0) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._every = 0.1 if self._live else every
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last < self._every:
            return
        self._last = now
        end = "" if self._live else "\n"
        start = "\r\x1b[2K" if self._live else ""
        print(f"{start}{progress.line()}", end=end, file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the terminal's line clean."""
        if self._live:
            print("\r\x1b[2K", end="", file=self._stream, flush=True)
