"""The chosen source, opened once a session, and what its repository on the Hub holds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from skill_factory.hosting import hosted
from skill_factory.hub.layout import Config
from skill_factory.recipe.model import Columns, Source
from skill_factory.ui.frame import away, workspace
from skill_factory.work import looking
from skill_factory.work.looking import Address, Opened

T = TypeVar("T")


def once(kind: str, key: Any, make: Callable[[], T]) -> T:
    """The value of `make()`, kept in this session until its key changes."""
    kept = st.session_state.setdefault("_kept", {})
    if kind not in kept or kept[kind][0] != key:
        kept[kind] = (key, make())
    return kept[kind][1]


@dataclass
class Seen(Opened):
    """
    The source of a session. On a shared server it is what was said of the source: whoever reads more goes through
    `away.run`, where it stands for its address.
    """

    address: Address = field(default_factory=lambda: Address(""))


def seen(text: str, asked: Source | None, known: Columns, what: str = "") -> tuple[Seen, Columns]:
    """Open a source, and say which column holds what: the known ones, or guessed ones. Errors: SourceError, HubError."""
    address = Address(text, asked, workspace.current().token)
    if hosted():
        told, columns = away.run(looking.describe, address, known, what=what)
        # From here on the very part and commit that was looked at.
        part = told.spec if told.spec.kind == "hub" else asked
        return Seen(told, address=Address(text, part, address.token)), columns
    found = Seen(looking.opened(address), address=address)
    return found, looking.describe(found, known)[1]


def source() -> Seen:
    """The chosen source. Errors: SourceError, HubError."""
    mine = workspace.current()
    asked = mine.recipe.source
    key = (mine.source, asked.config, asked.split, asked.revision, mine.token)
    return once("source", key, lambda: seen(mine.source, asked, mine.recipe.columns, mine.label)[0])


def parts(repo: str, revision: str = "") -> list[Config]:
    """The configs and splits of a Hub dataset. Errors: HubError."""
    token = workspace.current().token
    return once(
        "look", (repo, revision, token), lambda: away.run(looking.parts_of, repo, revision, token, what=repo)
    )
