"""What the page Measure asks of a visitor's outputs, in the manner of `looking.py`: at home here, hosted in a limited child."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from skill_factory.measure.harvesting import harvest_opened
from skill_factory.measure.measuring import Settings
from skill_factory.measure.reading import Asked, Opened, distinct_names, opened, outputs_of, source_of
from skill_factory.measure.shown.browsing import Looked, look_at
from skill_factory.sources import RawSource
from skill_factory.work.looking import Described

TOLD_BY = 20
"""Rows by which traces are told from plain responses."""
Report = Callable[[int, int], None]
"""Told (outputs so far, bytes of all sources)."""


def looked_at(
    given: Sequence[str],
    asked: Asked,
    settings: Settings,
    token: str,
    most_bytes: int,
    report: Report = lambda *_: None,
) -> Looked:
    """The measurement of what a person named, its outputs at hand. Errors: SourceError, ColumnError, HubError."""
    openings = distinct_names([opened(one, asked, token or None) for one in given])
    size = sum(one.source.size for one in openings)
    found = look_at(openings, asked, settings, most_bytes, lambda n: report(n, size))
    return replace(found, openings=[replace(one, source=_told(one.source)) for one in openings])


def _told(source: RawSource) -> RawSource:
    """A source by what is known of it: whoever reads it again opens it again."""
    return Described(source.spec, source.size, source.rows, None, (), ())


def harvested(openings: Sequence[Opened], path: Path, settings: Settings, token: str) -> None:
    """Write the attempts of outputs as raw data. Errors: SourceError."""
    again = [replace(one, source=source_of(one.given, one.recipe.source, token or None)) for one in openings]
    harvest_opened(again, path, settings)


def made_raw(given: str, asked: Asked, token: str, path: Path) -> None:
    """Write the attempts of what a person named as raw data. Errors: SourceError, ColumnError, HubError."""
    harvest_opened([opened(given, asked, token or None)], path, Settings())


def are_traces(given: str, asked: Asked, token: str) -> bool:
    """Whether most of the first outputs hold sample blocks. Errors: SourceError, ColumnError, HubError."""
    one = opened(given, asked, token or None)
    sample = f"<{one.recipe.tags.sample}>"
    texts = [output.text for row in one.source.head(TOLD_BY) for output in outputs_of(row, one.layout)]
    return bool(texts) and 2 * sum(sample in text for text in texts) > len(texts)
