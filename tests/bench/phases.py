"""Where the time of a build goes, in one process: scan, scatter, judge, compose, write. usage: RAW.parquet; prints JSON."""

import gc
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skill_factory.build.folder import BuildFolder
from skill_factory.build.pipeline import build_partition
from skill_factory.build.prepare import ready_recipe
from skill_factory.build.scatter import partitions, rows_of, scatter_piece
from skill_factory.judge.facts import read
from skill_factory.judge.judge import judge
from skill_factory.recipe.model import Recipe
from skill_factory.sources.files import FileSource
from skill_factory.sources.neighbours import read_together
from skill_factory.traces.rows import schema


class Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, phase: str, since: float) -> float:
        now = time.monotonic()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - since
        return now

    def timed(self, phase: str, items: Iterator[Any]) -> Iterator[Any]:
        """The items; the time to make them belongs to the phase."""
        while True:
            start = time.monotonic()
            item = next(items, self)
            self.add(phase, start)
            if item is self:
                return
            yield item


class TimedPiece:
    """A piece whose reading is timed."""

    def __init__(self, piece: Any, clock: Clock) -> None:
        self._piece, self._clock, self.size = piece, clock, piece.size

    def batches(self, columns: Any) -> Iterator[Any]:
        return self._clock.timed("scan", self._piece.batches(columns))


def main(raw: str) -> None:
    """Build once and say what took how long."""
    gc.disable()
    clock, source = Clock(), FileSource.open(raw)
    recipe = ready_recipe(source, Recipe())
    with tempfile.TemporaryDirectory() as place:
        folder = BuildFolder(Path(place))
        folder.scattered.mkdir(parents=True)
        start = time.monotonic()
        parts = [
            scatter_piece(TimedPiece(piece, clock), recipe, folder.scattered, f"p{k}")
            for k, piece in enumerate(read_together(source.pieces()))
        ]
        clock.add("scatter", start)
        clock.seconds["scatter"] -= clock.seconds["scan"]
        cut = partitions(
            [chunk for part in parts for chunk in part.chunks], sum(part.bytes for part in parts)
        )
        for p in range(len(cut)):
            start = time.monotonic()
            rows = rows_of(cut.slices(p))
            reading = read(rows, recipe)
            judge(reading.facts, recipe)
            clock.add("judge", start)
            made = build_partition(rows, recipe)
            start = time.monotonic()
            tables = clock.timed("compose", made.rows)
            before = clock.seconds.get("compose", 0.0)
            folder.write_partition(p, tables, schema(Recipe()), made.tally)
            clock.add("write", start)
            clock.seconds["write"] -= clock.seconds["compose"] - before
    print(json.dumps(clock.seconds))


if __name__ == "__main__":
    main(sys.argv[1])
