"""Which column holds what: a picker for each field, with an example of its values."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from skill_factory.errors import ColumnError, SkillFactoryError
from skill_factory.recipe.fields import FIELDS, MANY, NAMES, REQUIRED, RowField
from skill_factory.recipe.model import Columns
from skill_factory.sources.columns import excerpt, value_at
from skill_factory.sources.profiles import profiles
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.work import looking

NOTHING = ""
RULES = set(Columns.model_fields) - set(NAMES)
"""Fields that say how a column is read."""


def complete() -> bool:
    """Whether every required field has a column."""
    try:
        loading.recipe()
    except ColumnError:
        return False
    return True


def show() -> None:
    """A picker for each field."""
    pickers(tuple(field.name for field in FIELDS if field.offered))


def pickers(names: tuple[str, ...], at: str = "") -> None:
    """The pickers of some fields, each with an example; `at` tells them from others of the same fields on the page."""
    rows = loading.source().head(5)
    options = paths(loading.source().names(), rows[0] if rows else {})
    for field in (field for field in FIELDS if field.name in names):
        with st.container(gap="xxsmall", key=f"map-{at}{field.name}"):
            _picker(field, options, at)
            _example(field, rows)


def paths(names: list[str], row: Mapping[str, Any]) -> list[str]:
    """Columns, and what is inside those that hold records."""
    return list(profiles(names, [row]))


def _picker(field: RowField, options: list[str], at: str) -> None:
    path = f"columns.{field.name}"
    chosen: str | tuple[str, ...] = workspace.value(path)
    needed = field.name in REQUIRED
    title = field.title if needed else f"{field.title} (optional)"
    known = [
        *options,
        *(
            path
            for path in ((chosen,) if isinstance(chosen, str) else chosen)
            if path and path not in options
        ),
    ]
    if field.name in MANY and len(chosen) > 1:
        st.multiselect(title, known, help=field.help, **_bound(path, at, list, tuple))
        return
    show, take = (_first, _single) if field.name in MANY else (str, str)
    st.selectbox(
        title,
        [NOTHING, *known],
        help=field.help,
        format_func=_or_nothing,
        **_bound(path, at, show, take),
    )


def _bound(path: str, at: str, show: Any, take: Any) -> dict[str, Any]:
    """As `workspace.bound`; with the column the rules by which it is read are proposed again."""
    key = f"{at}{path}"
    st.session_state[key] = show(workspace.value(path))
    return {"key": key, "on_change": _picked, "args": (path, take, key)}


def _picked(path: str, take: Any, key: str) -> None:
    if key in st.session_state:  # a browser may report a field after its page was left
        remap({path.partition(".")[2]: take(st.session_state[key])})


def remap(chosen: dict[str, Any]) -> None:
    """Take other columns for some fields, with the rules by which those are read."""
    changes = {f"columns.{field}": value for field, value in chosen.items()}
    before = workspace.current().recipe
    try:
        columns = away.run(looking.remapped, loading.source(), before, chosen)
    except SkillFactoryError:
        workspace.change(changes)
        return
    was, now = before.columns.model_dump(), columns.model_dump()
    workspace.change(changes | {f"columns.{f}": now[f] for f in now if now[f] != was[f] and f in RULES})


def _first(value: tuple[str, ...]) -> str:
    return value[0] if value else NOTHING


def _single(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def _or_nothing(name: str) -> str:
    return name or "none"


def _example(field: RowField, rows: list[dict[str, Any]]) -> None:
    """An example from the first row that has a value there, or what is missing."""
    chosen = workspace.value(f"columns.{field.name}")
    column = chosen if isinstance(chosen, str) else _first(chosen)
    if not column:
        if field.name in REQUIRED:
            st.caption(f":material/error: {field.needed}")
        return
    found = next((value for row in rows if (value := value_at(row, column)) not in (None, "", [])), None)
    if isinstance(found, list):
        found = found[0] if len(found) == 1 else f"{len(found)} items: {excerpt(found[0], 50)}"
    st.caption(
        f"e.g. {workspace.plain(excerpt(found, 48))}" if found is not None else "empty in the first rows"
    )
    workspace.problem(f"columns.{field.name}")
