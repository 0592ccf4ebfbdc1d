"""Controls for fields of the recipe, labelled with their plain names: one call each, with the reason below when a change was refused."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from skill_factory.recipe.titles import title_of
from skill_factory.ui.frame import workspace


def whole_number(path: str, help: str, most: int | None = None, least: int = 0, idle: str = "") -> None:
    """A whole number. `idle`, here and below, says why the field does nothing now; the control is greyed out then."""
    st.number_input(
        title_of(path),
        min_value=least,
        max_value=most,
        step=1,
        help=help,
        disabled=bool(idle),
        **workspace.bound(path),
    )
    _say(idle)
    workspace.problem(path)


def on_or_off(path: str, help: str, idle: str = "") -> None:
    """Yes or no."""
    st.toggle(title_of(path), help=help, disabled=bool(idle), **workspace.bound(path))
    _say(idle)
    workspace.problem(path)


def _say(idle: str) -> None:
    """Why a control is greyed out, right under it."""
    if idle:
        st.caption(f":material/block: Does nothing now: {idle[:1].lower()}{idle[1:]}")


def word_list(path: str, help: str, example: str = "", idle: str = "") -> None:
    """A list of words or phrases, separated by commas."""
    st.text_input(
        title_of(path),
        help=help,
        placeholder=example,
        disabled=bool(idle),
        **workspace.bound(path, show=", ".join, take=_split),
    )
    _say(idle)
    workspace.problem(path)


def _split(text: str) -> tuple[str, ...]:
    # In the order given, each once: the recipe's fingerprint depends on it.
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def several_of(path: str, options: Mapping[str, str], help: str, none: str) -> None:
    """Some of a few names, each with its words; `none` says what choosing none means."""
    # A recipe may name what this data doesn't have: it stays, and can be removed.
    kept = [name for name in workspace.value(path) if name not in options]
    st.multiselect(
        title_of(path),
        [*options, *kept],
        format_func=lambda name: options.get(name, name),
        help=help,
        placeholder=none,
        **workspace.bound(path, show=list, take=tuple),
    )
    workspace.problem(path)


def one_of(path: str, options: dict[str, str], help: str, idle: str = "") -> None:
    """One of a few values, each with its words."""
    st.selectbox(
        title_of(path),
        list(options),
        format_func=options.__getitem__,
        help=help,
        disabled=bool(idle),
        **workspace.bound(path),
    )
    _say(idle)
    workspace.problem(path)


def length_limits(path: str, unit: str, help: str, idle: str = "") -> None:
    """A shortest and a longest length; 0 means no limit."""
    left, right = st.columns(2)
    with left:
        _end(path, 0, f"{title_of(path)}, from", f"{help} In {unit}; 0 means no limit.", idle)
    with right:
        _end(path, 1, "to", f"{help} In {unit}; 0 means no limit.", idle)
    _say(idle)
    workspace.problem(path)


def _end(path: str, place: int, label: str, help: str, idle: str) -> None:
    key = f"{path}.{place}"
    # As `bound` does: the recipe is the truth, and each run sets the widget from it.
    st.session_state[key] = workspace.value(path)[place]
    st.number_input(
        label,
        min_value=0,
        step=50,
        help=help,
        key=key,
        on_change=_took_end,
        args=(path, place, key),
        disabled=bool(idle),
    )


def _took_end(path: str, place: int, key: str) -> None:
    both = list(workspace.value(path))
    both[place] = st.session_state[key]
    workspace.change({path: tuple(both)})


def table_number(path: str, name: str, label: str, help: str) -> None:
    """One number in a table of the recipe; 0 removes it."""
    key = f"{path}.{name}"
    st.session_state[key] = workspace.value(path).get(name, 0)
    st.number_input(
        label, min_value=0, step=100, help=help, key=key, on_change=_took_item, args=(path, name, key)
    )


def _took_item(path: str, name: str, key: str) -> None:
    table: dict[str, Any] = {**workspace.value(path), name: st.session_state[key]}
    # Without a limit there is no entry, so that a recipe without limits stays the same recipe.
    workspace.change({path: {entry: n for entry, n in table.items() if n}})


def phrase_lines(path: str, name: str, label: str, help: str, example: str = "", idle: str = "") -> None:
    """The phrases of one pool, one per line; an empty field removes the pool."""
    key = f"{path}.{name}"
    st.session_state[key] = "\n".join(workspace.value(path).get(name, ()))
    st.text_area(
        label,
        help=help,
        key=key,
        height=100,
        placeholder=example,
        on_change=_took_lines,
        args=(path, name, key),
        disabled=bool(idle),
    )
    _say(idle)


def _took_lines(path: str, name: str, key: str) -> None:
    given = tuple(line.strip() for line in st.session_state[key].splitlines() if line.strip())
    table = {**workspace.value(path), name: given}
    workspace.change({path: {pool: phrases for pool, phrases in table.items() if phrases}})
