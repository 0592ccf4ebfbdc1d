"""Measuring a folder that grows: rollouts of a run that is under way. Files that have not changed are not read again."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from skill_factory.errors import SkillFactoryError, SourceError
from skill_factory.measure.counting import schema
from skill_factory.measure.measurement import Measurement
from skill_factory.measure.measuring import Settings, counted_tables, finished, settled
from skill_factory.measure.reading import Asked, Opened, opened, run_name
from skill_factory.sources.files import FileSource, looks_like_path

Stamp = tuple[int, int]
"""Bytes and time of change: a file with another stamp is read again."""


@dataclass
class Followed:
    """What is known of the files so far."""

    asked: Asked
    settings: Settings
    tables: dict[Path, pa.Table] = field(default_factory=dict)
    stamps: dict[Path, Stamp] = field(default_factory=dict)
    openings: dict[Path, Opened] = field(default_factory=dict)
    unreadable: dict[Path, str] = field(default_factory=dict)

    def look(self, given: list[str]) -> bool:
        """Read what is new or has changed; whether there was any. A file that is still being written is left for later."""
        changed = False
        for name, path in _files(given):
            try:
                stat = path.stat()
            except OSError:
                continue
            stamp = (stat.st_size, stat.st_mtime_ns)
            # An empty file is one that a writer has just opened.
            if self.stamps.get(path) != stamp and stat.st_size:
                # Noted before it is read: a file that can't be read is tried again only once it has changed.
                self.stamps[path] = stamp
                changed |= self._read(name, path)
        return changed

    def _read(self, name: str, path: Path) -> bool:
        try:
            opening = opened(str(path), self.asked)
            # Files of a folder are one run, named by the folder, also when each is opened by itself.
            opening = replace(opening, layout=replace(opening.layout, name=name))
            tables, _ = counted_tables(
                # One worker: starting processes would take longer than reading what came in since the last look.
                [opening],
                settled([opening], self.settings),
                self.asked.by,
                replace(self.settings, workers=1),
            )
        except SkillFactoryError as error:
            # Half a line, a footer that is missing yet: the next look may find it whole.
            self.unreadable[path] = str(error)
            return False
        self.unreadable.pop(path, None)
        self.openings[path], self.tables[path] = opening, pa.concat_tables(tables)
        return True

    def measured(self) -> Measurement:
        """The measurement of all that could be read so far."""
        # A table of no rows first, so that the columns are there even if no file has rows yet.
        empty = schema(self.asked.by, self.settings.texts).empty_table()
        table = pa.concat_tables(
            [empty, *(self.tables[path] for path in sorted(self.tables))]
        ).unify_dictionaries()
        return finished(
            table, [self.openings[path] for path in sorted(self.openings)], self.asked, self.settings
        )


def follow(
    given: list[str],
    asked: Asked,
    settings: Settings,
    every: float,
    ended: Callable[[], bool] = lambda: False,
) -> Iterator[Measurement]:
    """A measurement now, and another whenever files came or changed, until told to end. Errors: SourceError."""
    # A dataset on the Hub would be downloaded again at every look.
    if odd := next((one for one in given if not looks_like_path(one) and not Path(one).exists()), ""):
        raise SourceError(
            f"--follow watches files and folders of this machine; found {odd!r}. Give a folder of rollouts."
        )
    followed = Followed(asked, settings.checked())
    while not ended():
        if followed.look(given) and followed.tables:
            yield followed.measured()
        time.sleep(every)


def _files(given: list[str]) -> list[tuple[str, Path]]:
    """Every file of what was named, each with the run that it belongs to where no column says."""
    files = []
    for name in given:
        try:
            files += [(run_name(name), path) for path in FileSource.open(name).paths]
        except SourceError:
            continue  # the folder is empty yet
    return files
