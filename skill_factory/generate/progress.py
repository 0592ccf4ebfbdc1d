"""How far a run is: what the terminal shows, and what the app reads from the folder's work files."""

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

from skill_factory.wording import duration

WINDOW = 60
"""Seconds over which the speed is measured."""


@dataclass(frozen=True)
class GenerateProgress:
    """A moment of a run."""

    phase: str
    """`count`, `ask`, `write`, then `done`, `stopped` (budget), `cancelled` or `failed`."""
    kind: str = ""
    """`responses` or `reflections`."""
    done: int = 0
    """Answers so far, including those of earlier runs."""
    total: int = 0
    """Answers wanted."""
    new: int = 0
    """Answers of this run."""
    failed: int = 0
    """Requests that were given up in this run."""
    retries: int = 0
    in_flight: int = 0
    limit: int = 0
    """Requests that may be in flight, as adapted to the server."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_per_second: float = 0.0
    """Completion tokens, over the last minute."""
    cost: float = 0.0
    """Of all answers in the store, in the currency of the price."""
    seconds: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    """Why it stopped, in a sentence."""

    @property
    def share(self) -> float:
        """The share of the answers that is there, from 0 to 1."""
        return self.done / self.total if self.total else 0.0

    def to_json(self) -> str:
        """The moment as one line of JSON."""
        return json.dumps({**asdict(self), "share": round(self.share, 4)}, ensure_ascii=False)

    def line(self) -> str:
        """What is going on, for a terminal."""
        if self.phase == "count":
            return f"counting · {self.total:,} requests"
        if self.phase == "write":
            return f"writing · {self.done:,} answers"
        doing = f"asking for {self.kind}" if self.phase == "ask" else self.phase
        parts = [f"{doing} · {self.done:,} of {self.total:,}"]
        parts += [f"{self.tokens_per_second:,.0f} tokens/s"] if self.tokens_per_second else []
        parts += [f"{self.in_flight} in flight (at most {self.limit})"] if self.phase == "ask" else []
        parts += [f"cost {self.cost:,.2f}"] if self.cost else []
        parts += [f"{self.retries:,} retries"] if self.retries else []
        parts += [f"{duration(self.seconds_left)} left"] if self.seconds_left is not None else []
        return " · ".join(parts)


Report = Callable[[GenerateProgress], None]


def silent(_: GenerateProgress) -> None:
    """Report to nobody."""


class Speed:
    """Answers and tokens per second over the last minute."""

    def __init__(self) -> None:
        self._moments: deque[tuple[float, int, int]] = deque([(time.monotonic(), 0, 0)])

    def note(self, answers: int, tokens: int) -> tuple[float, float]:
        """Take a reading of the counters, and give (answers, tokens) per second."""
        now = time.monotonic()
        self._moments.append((now, answers, tokens))
        # Two readings always stay, so that a slow server has a speed too.
        while len(self._moments) > 2 and now - self._moments[0][0] > WINDOW:
            self._moments.popleft()
        then, first, first_tokens = self._moments[0]
        span = max(now - then, 1e-6)  # two readings may fall into one tick of the clock
        return (answers - first) / span, (tokens - first_tokens) / span
