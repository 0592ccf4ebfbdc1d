"""The chosen source, opened once per session, and what its repository on the Hub holds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from skill_factory.build.prepare import SAMPLE_ROWS
from skill_factory.recipe.model import Source
from skill_factory.sources import Piece, RawSource, WithNotes, open_source
from skill_factory.ui.frame import workspace

if TYPE_CHECKING:
    from skill_factory.hub.look import RepoLook

T = TypeVar("T")


def once(kind: str, key: Any, make: Callable[[], T]) -> T:
    """The value of `make()`, kept in this session until its key changes."""
    kept = st.session_state.setdefault("_kept", {})
    if kind not in kept or kept[kind][0] != key:
        kept[kind] = (key, make())
    value: T = kept[kind][1]
    return value


@dataclass
class Seen:
    """A source whose column names and first rows are read only once."""

    raw: RawSource
    _names: list[str] = field(default_factory=list)
    _head: list[dict[str, Any]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)

    @property
    def spec(self) -> Source:
        return self.raw.spec

    def names(self) -> list[str]:
        self._names = self._names or self.raw.names()
        return self._names

    def head(self, rows: int) -> list[dict[str, Any]]:
        if rows > SAMPLE_ROWS:
            return self.raw.head(rows)
        self._head = self._head or self.raw.head(SAMPLE_ROWS)
        return self._head[:rows]

    def pieces(self) -> list[Piece]:
        return self.raw.pieces()

    def notes(self) -> list[str]:
        return self.raw.notes() if isinstance(self.raw, WithNotes) else []


def source() -> Seen:
    """The chosen source. Errors: SourceError, HubError."""
    mine = workspace.current()
    asked = mine.recipe.source
    key = (mine.source, asked.config, asked.split, asked.revision, mine.token)
    return once("source", key, lambda: Seen(open_source(mine.source, asked, mine.token or None)))


def look(repo: str, revision: str = "") -> "RepoLook":
    """What a Hub dataset holds. Errors: HubError."""
    from skill_factory.hub import look as hub_look

    token = workspace.current().token or None
    return once(
        "look", (repo, revision, token), lambda: hub_look.look(repo, token, revision or None, rows=False)
    )


def first_part(text: str) -> Source | None:
    """The default config of a Hub dataset and its split `train`, or the first split if none has that name."""
    from skill_factory.sources.hub import looks_like_repo

    if Path(text).exists() or not looks_like_repo(text):
        return None
    repo, _, revision = text.partition("@")
    config = look(repo, revision).config()
    splits = [split.name for split in config.splits] if config else []
    return Source(
        kind="hub", name=repo, split=next(iter(splits), "train") if "train" not in splits else "train"
    )
