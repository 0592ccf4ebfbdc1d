"""The button that saves something as a file: what kind of file it is follows from its name."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any, BinaryIO

import streamlit as st

MIME = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".parquet": "application/vnd.apache.parquet",
    ".toml": "application/toml",
    ".zip": "application/zip",
}
"""Every kind of file that the pages save. The browser asks for it, to choose what opens the file."""


def save_button(
    label: str, make: str | Callable[[], str | BinaryIO], name: str, key: str, **options: Any
) -> None:
    """A button that saves a file under a name; a file that takes time is made when the button is pressed."""
    st.download_button(
        label,
        make,
        name,
        MIME[PurePath(name).suffix],
        key=key,
        icon=":material/download:",
        on_click="ignore",
        **options,
    )
