"""Sources by their addresses: opened once for all requests of a child, and described for a page."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from skill_factory.build.prepare import SAMPLE_ROWS
from skill_factory.errors import SourceError
from skill_factory.hub.layout import Config
from skill_factory.recipe.model import Source
from skill_factory.sources import Piece, RawSource, WithNotes, open_source
from skill_factory.sources.columns import excerpt

T = TypeVar("T")
SHOWN_ROWS = 20
"""Rows that pages show as they are."""
SHOWN_CHARS = 2_000
"""Characters of a value in them."""
SHOWN_ITEMS = 50
MOST_COLUMNS = 2_000
"""Columns of a table that a page can offer."""
KEPT = 4
"""Sources and judgements that a child keeps for its next request."""


@dataclass(frozen=True)
class Address:
    """A source by what opens it; `asked` None means the part that a Hub dataset has for training."""

    text: str
    asked: Source | None = None
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Described:
    """What a page has to know of a source at once. Stands for the source where that lies in a child."""

    spec: Source
    size: int
    rows: int
    paths: tuple[Path, ...] | None
    """Files of this machine; None for a source that is none."""
    columns: tuple[str, ...]
    first: tuple[dict[str, Any], ...]
    """The first rows, long values cut."""

    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.columns)

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows, as far as they are known here."""
        return list(self.first[:rows])

    def pieces(self) -> list[Piece]:
        """None: what reads all of a source runs where the source is."""
        return []

    def pinned(self) -> Source:
        """The spec as it was found."""
        return self.spec


@dataclass
class Opened:
    """A source whose names and first rows are read once."""

    raw: RawSource
    _names: list[str] = field(default_factory=list)
    _head: list[dict[str, Any]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)

    @property
    def spec(self) -> Source:
        """Kind, name and part."""
        return self.raw.spec

    def names(self) -> list[str]:
        """Names of the columns."""
        self._names = self._names or self.raw.names()
        return self._names

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows."""
        # More rows than a page looks at are read for one purpose only, and would fill the memory if they stayed.
        if rows > SAMPLE_ROWS:
            return self.raw.head(rows)
        self._head = self._head or self.raw.head(SAMPLE_ROWS)
        return self._head[:rows]

    def pieces(self) -> list[Piece]:
        """All of it, in parts."""
        return self.raw.pieces()

    def notes(self) -> list[str]:
        """What the source has to say of its files."""
        return self.raw.notes() if isinstance(self.raw, WithNotes) else []


_opened: dict[Any, Opened] = {}


def once(kept: dict[Any, T], key: Any, make: Callable[[], T]) -> T:
    """The value under a key; the one that was not asked for longest goes where there are too many."""
    # Taken out and put back, so that the order of the dictionary is that of the last use.
    found = kept.pop(key, None) or make()
    kept[key] = found
    for old in list(kept)[:-KEPT]:
        kept.pop(old, None)  # at home two tabs may do this at once
    return found


def at(source: "Address | RawSource") -> RawSource:
    """The source at an address; what is a source already stays as it is. Errors: SourceError, HubError."""
    if not isinstance(source, Address):
        return source
    # With its stamp: a file that was replaced is another source.
    return once(_opened, (source, _stamp(Path(source.text))), lambda: opened(source))


def _stamp(path: Path) -> tuple[Any, ...]:
    """What tells a file or folder from what it was before; () for what is neither."""
    if not os.path.exists(path):
        return ()
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    return tuple((str(one), one.stat().st_mtime_ns, one.stat().st_size) for one in inside if one.is_file())


def opened(address: Address) -> Opened:
    """Open a source again. Errors: SourceError, HubError."""
    # Without a part, the one that most people mean.
    asked = address.asked or first_part(address.text, address.token)
    return Opened(open_source(address.text, asked, address.token or None))


def first_part(text: str, token: str) -> Source | None:
    """The default config of a Hub dataset and its split `train`, or the first one where there is none of that name."""
    from skill_factory.sources.hub import looks_like_repo

    if os.path.exists(text) or not looks_like_repo(text):
        return None
    repo, _, revision = text.partition("@")
    configs = parts_of(repo, revision, token)
    marked = [one for one in configs if one.is_default or one.name == "default"]
    config = next(iter((*marked, *configs)), None)
    splits = [split.name for split in config.splits] if config else []
    return Source(kind="hub", name=repo, split="train" if "train" in splits else next(iter(splits), "train"))


def parts_of(repo: str, revision: str, token: str) -> list[Config]:
    """The configs and splits of a Hub dataset. Errors: HubError."""
    from skill_factory.hub import look

    return list(look.look(repo, token or None, revision or None, rows=False).configs)


def described(source: "Address | RawSource") -> Described:
    """What a page shows of a source. Errors: SourceError where it has no rows, or more columns than a page can offer."""
    found = at(source)
    names, rows = found.names(), found.head(SAMPLE_ROWS)
    # Pickers with thousands of entries bring a browser to a stop.
    if len(names) > MOST_COLUMNS:
        raise SourceError(
            f"The data has {len(names):,} columns, and at most {MOST_COLUMNS:,} can be shown. "
            "Keep those with question, response, label and reflections."
        )
    if not names or not rows:
        raise SourceError(f"{found.spec.name} has no rows. Choose data with at least one.")
    shown = tuple({name: brief(row.get(name)) for name in names} for row in rows[:SHOWN_ROWS])
    return Described(found.spec, found.size, found.rows, getattr(found, "paths", None), tuple(names), shown)


def brief(value: Any, depth: int = 0) -> Any:
    """A value as far as a page shows it: long texts and lists cut, and no kinds but those of JSON."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:SHOWN_CHARS]
    if isinstance(value, list | tuple) and depth < 4:
        return [brief(one, depth + 1) for one in value[:SHOWN_ITEMS]]
    if isinstance(value, dict) and depth < 4:
        return {str(name)[:200]: brief(one, depth + 1) for name, one in islice(value.items(), SHOWN_ITEMS)}
    return excerpt(value, 300)
