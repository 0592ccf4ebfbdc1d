"""What one build may take of a disk: said before it begins, not by a torn file."""

import shutil

from skill_factory.hosting import hosted
from skill_factory.wording import file_size
from skill_factory.work.home import home

ROWS = 5_000_000
"""Rows of one visitor's source on a shared server."""
TEXT = 20_000_000_000
"""Bytes of traces that one build may write there."""
NEEDED = 2.0
"""A build's files, and those on the way to them, as a multiple of its text."""


def refusal(rows: int, text_bytes: float) -> str:
    """Why a build of so many rows and so much text can't begin; empty where it can."""
    if hosted() and rows > ROWS:
        return (
            f"The data has {rows:,} rows, and at most {ROWS:,} can be built on this shared server. Give fewer, or build on "
            "your own computer."
        )
    if hosted() and text_bytes > TEXT:
        return (
            f"This recipe would write {file_size(text_bytes)}, and at most {file_size(TEXT)} can be built on this shared "
            "server. Ask for fewer traces, or build on your own computer."
        )
    free = shutil.disk_usage(home()).free
    if text_bytes * NEEDED > free:
        return (
            f"This build needs about {file_size(text_bytes * NEEDED)} of disk, and {file_size(free)} are free where the app "
            "keeps its work (SKILL_FACTORY_HOME). Make room there, or ask for fewer traces."
        )
    return ""
