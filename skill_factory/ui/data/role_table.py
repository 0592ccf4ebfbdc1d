"""The first rows as a table with a chip on each column: what it is, changed there."""

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from skill_factory.insight.trace_parts import visible
from skill_factory.recipe.fields import FIELDS, MANY, REQUIRED
from skill_factory.sources.columns import excerpt, mapped, value_at
from skill_factory.ui.data import mapping
from skill_factory.ui.frame import loading, workspace

SAMPLES = 3
"""Rows that are shown."""
MOST = 12
"""Columns that are shown at once; those with a role always are."""
WIDTH = 215
TITLES = {field.name: field.title for field in FIELDS} | {"only": "Kept rows"}
OFFERED = [field.name for field in FIELDS if field.offered]
UNUSED = ""


def show() -> None:
    """A column beside the other, those with a role first; the table scrolls sideways."""
    rows = loading.source().head(SAMPLES)
    roles = _roles()
    names = [name for name in loading.source().names() if name not in roles]
    shown = [*roles, *names[: max(0, MOST - len(roles))]]
    if len(shown) < len(roles) + len(names):
        every = st.toggle(f"Show all {len(roles) + len(names):,} columns", key="roles.all")
        shown = [*roles, *names] if every else shown
    with st.container(horizontal=True, key="roles"):
        for place, path in enumerate(shown):
            _column(path, roles.get(path, UNUSED), rows, place)


def _roles() -> dict[str, str]:
    """Path → its field, in the order in which people are asked for the fields."""
    order = list(TITLES)
    pairs = sorted(mapped(workspace.current().recipe.columns), key=lambda pair: order.index(pair[0]))
    found: dict[str, str] = {}
    for field, path in pairs:
        found.setdefault(path, field)
    return found


def _column(path: str, field: str, rows: list[dict[str, Any]], place: int) -> None:
    with st.container(key=f"chip-{field or 'none'}-{place}", width=WIDTH, gap="xxsmall"):
        chip = st.popover(
            TITLES.get(field, "Not used"), key=f"role.open.{path}", on_change="rerun", help=None
        )
        st.html(_samples(path, rows))
        if chip.open:
            with chip:
                _picker(path, field)


def _samples(path: str, rows: list[dict[str, Any]]) -> str:
    cells = "".join(_cell(value_at(row, path)) for row in rows)
    return (
        f'<div class="sf-column"><b title="{escape(visible(path))}">{escape(visible(path))}</b>{cells}</div>'
    )


def _cell(value: Any) -> str:
    if value in (None, "", []):
        return '<p class="none"><span>empty</span></p>'
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list):
        return f"<p><span>{len(value)} items: {escape(visible(excerpt(value[0], 70)))}</span></p>"
    return f"<p><span>{escape(visible(excerpt(value, 110)))}</span></p>"


def _picker(path: str, field: str) -> None:
    """What the column is; a field that may have several columns can take one more."""
    options = _options(path, field)
    key = f"role.pick.{path}"
    st.session_state[key] = field if field in options else UNUSED
    st.radio(
        f"{workspace.plain(path)} is",
        list(options),
        format_func=options.__getitem__,
        key=key,
        on_change=_take,
        args=(path, field, key),
    )
    workspace.problem(*(f"columns.{name}" for name in (field,) if name in OFFERED))


def _options(path: str, field: str) -> dict[str, str]:
    """Role → its words: the ones that replace a column, and the ones that add to it."""
    options = {UNUSED: "Not used"} if field not in REQUIRED else {}
    if field and field not in OFFERED:
        options[field] = TITLES[field]
    for name in OFFERED:
        held = _held(name)
        now = workspace.plain(", ".join(held))  # a radio reads its options as Markdown
        options[name] = TITLES[name] + (f" (now {now})" if held and path not in held else "")
        if name in MANY and held and path not in held:
            options[f"+{name}"] = f"Another column of “{TITLES[name]}”"
    return options


def _held(name: str) -> tuple[str, ...]:
    value = workspace.value(f"columns.{name}")
    return ((value,) if value else ()) if isinstance(value, str) else tuple(value)


def _take(path: str, before: str, key: str) -> None:
    chosen: str = st.session_state[key]
    changes: dict[str, Any] = {}
    if before in TITLES and before != "only" and chosen != before:
        changes[before] = _without(before, path)
    name = chosen.removeprefix("+")
    if name:
        changes[name] = (*_held(name), path) if chosen.startswith("+") else _only(name, path)
    mapping.remap(changes)


def _without(name: str, path: str) -> Any:
    left = tuple(one for one in _held(name) if one != path)
    return left if name in MANY else UNUSED


def _only(name: str, path: str) -> Any:
    return (path,) if name in MANY else path


def fields_without_column() -> Mapping[str, str]:
    """Required field → what to do, for those that no column is known for."""
    return {field.title: field.needed for field in FIELDS if field.needed and not _held(field.name)}
