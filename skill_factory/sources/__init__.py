"""Where raw data come from: the demo, files, the Hub. One interface, a file for each.

A source says what it is (kind, name, digest), shows some rows, and comes in pieces that can be read side by side.
"""

import os
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from skill_factory.errors import SourceError
from skill_factory.recipe.model import Columns, Source
from skill_factory.sources.columns import Batch, excerpt


class Piece(Protocol):
    """A part of a source that one worker reads; it travels to the worker by pickle."""

    @property
    def size(self) -> int:
        """Bytes of its texts, roughly; 0 where unknown."""
        ...

    def batches(self, columns: Columns) -> Iterator[Batch]:
        """The rows in batches, with the mapped columns at least. Errors: SourceError."""
        ...


class RawSource(Protocol):
    """A source of raw rows."""

    @property
    def spec(self) -> Source:
        """Kind, name, config, split and revision; the digest too once `pinned` was called."""
        ...

    @property
    def size(self) -> int:
        """Bytes as stored, roughly; 0 where unknown."""
        ...

    @property
    def rows(self) -> int:
        """Number of rows where it is known without reading; 0 where not."""
        ...

    def names(self) -> list[str]:
        """Names of the columns."""
        ...

    def head(self, rows: int) -> list[dict[str, Any]]:
        """The first rows."""
        ...

    def pieces(self) -> list[Piece]:
        """All of it, in parts."""
        ...

    def pinned(self) -> Source:
        """The spec with what identifies the content: digest of a file, commit of a Hub dataset."""
        ...


@runtime_checkable
class WithNotes(Protocol):
    """A source that has something to say of its files."""

    def notes(self) -> list[str]:
        """Sentences for a person."""
        ...


def open_source(text: str, asked: Source | None = None, token: str | None = None) -> RawSource:
    """
    A source from what a person typed: `demo[:WORLD][:N]`, a path (file, folder, glob), or `user/name[@revision]` on the Hub.

    An existing path wins over a Hub name. Config, split and revision come from `asked`. Errors: SourceError.
    """
    asked = asked or Source()
    if text == "demo" or text.startswith("demo:"):
        from skill_factory.sources.demo.source import DemoSource

        return DemoSource.named(text)
    from skill_factory.sources.files import FileSource, looks_like_path

    # What only looks like a path goes here too: a mistyped path deserves “no such file”, not a question to the Hub.
    if text and (os.path.exists(text) or looks_like_path(text)):
        return FileSource.open(text)
    from skill_factory.sources.hub import HubSource, looks_like_repo

    if looks_like_repo(text):
        return HubSource.named(text, asked, token)
    raise SourceError(
        f"No source {excerpt(text)!r}: there is no such file or folder, and it is neither a Hub dataset (user/name) nor the demo."
    )


def source_of_recipe(spec: Source) -> str:
    """What to open for a recipe that names a Hub dataset or the demo. Errors: SourceError for a file."""
    if spec.kind == "demo":
        return f"demo:{spec.name}" if spec.name else "demo"
    if spec.kind == "hub":
        return f"{spec.name}@{spec.revision}" if spec.revision else spec.name
    found = f"a file named {spec.name!r}" if spec.kind == "file" else "no source"
    raise SourceError(f"The recipe names {found}; give the source itself: a path, user/name, or demo.")
