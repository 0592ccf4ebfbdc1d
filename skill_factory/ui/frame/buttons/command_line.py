"""The command that does what a page offers, folded below it, with the file that the command reads."""

import shlex
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from skill_factory.ui.frame.buttons.saving import save_button


class Beside(NamedTuple):
    """A TOML file that a command reads."""

    name: str
    text: str
    key: str
    """Of the download button."""


def same_command(words: str, beside: Beside | None = None) -> None:
    """What to type behind `python -m skill_factory`."""
    with st.expander("Do the same on the command line", icon=":material/terminal:"):
        st.code(f"python -m skill_factory {words}", language="bash", wrap_lines=True)
        if beside is not None:
            save_button(beside.name, beside.text, beside.name, beside.key)


def typed(source: str) -> str:
    """What to type for a source."""
    return shlex.quote(without_place(source))


def without_place(source: str) -> str:
    """A source as a page may show it: of a file by its whole path, its name and not its place on this server."""
    return Path(source).name if Path(source).is_absolute() else source
