"""The chosen source, opened once per session, and what its repository on the Hub holds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from skill_factory.hosting import hosted
from skill_factory.hub.layout import Config
from skill_factory.recipe.model import Recipe, Source
from skill_factory.ui.frame import away, workspace
from skill_factory.work import looking
from skill_factory.work.looking import Address, Described, Opened

T = TypeVar("T")


def once(kind: str, key: Any, make: Callable[[], T]) -> T:
    """The value of `make()`, kept in this session until its key changes."""
    kept = st.session_state.setdefault("_kept", {})
    if kind not in kept or kept[kind][0] != key:
        kept[kind] = (key, make())
    value: T = kept[kind][1]
    return value


def forget(kind: str) -> None:
    """Make the value again when it is next asked for: what it was made from has changed under the same name."""
    st.session_state.get("_kept", {}).pop(kind, None)


@dataclass
class Seen(Opened):
    """
    The source of a session. On a shared server it is what was said of the source: whoever reads more goes through
    `away.run`, where it stands for its address.
    """

    address: Address = field(default_factory=lambda: Address(""))


def seen(text: str, asked: Source | None, what: str = "") -> Seen:
    """Open a source. Errors: SourceError, HubError."""
    found = _opened(text, asked)
    return _seen(found, away.run(looking.described, found, what=what))


def settled(text: str, asked: Source | None, recipe: Recipe, what: str = "") -> tuple[Seen, Recipe]:
    """Open a source, with the recipe as it suits the source. Errors: SourceError, HubError, ColumnError."""
    found = _opened(text, asked)
    told, fitting = away.run(looking.entered, found, recipe, what=what)
    return _seen(found, told), fitting


def _opened(text: str, asked: Source | None) -> Seen | Address:
    """The source itself at home, its address on a shared server."""
    address = Address(text, asked, workspace.current().token)
    return address if hosted() else Seen(looking.opened(address).raw, address=address)


def _seen(found: Seen | Address, told: Described) -> Seen:
    if isinstance(found, Seen):
        return found
    # From here on, the very part and commit that was looked at.
    part = told.spec if told.spec.kind == "hub" else found.asked
    return Seen(told, address=Address(found.text, part, found.token))


def source() -> Seen:
    """The chosen source. Errors: SourceError, HubError."""
    mine = workspace.current()
    asked = mine.recipe.source
    key = (mine.source, asked.config, asked.split, asked.revision, mine.token)
    return once("source", key, lambda: seen(mine.source, asked, mine.label))


def parts(repo: str, revision: str = "") -> list[Config]:
    """The configs and splits of a Hub dataset. Errors: HubError."""
    token = workspace.current().token
    return once(
        "look", (repo, revision, token), lambda: away.run(looking.parts_of, repo, revision, token, what=repo)
    )
