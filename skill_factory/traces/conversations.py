"""Data sets of conversations, ours or not: which files hold them, and what was said in a row by whom."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from skill_factory.errors import RecipeError
from skill_factory.recipe.model import Columns, Tags, recipe_from_toml
from skill_factory.sources.columns import excerpt
from skill_factory.sources.files import FilePiece, FileSource
from skill_factory.sources.parquet import group_batches, opened

MESSAGES = ("conversations", "messages", "conversation", "chat")
PAIRS = (
    ("prompt", "completion"),
    ("prompt", "chosen"),
    ("prompt", "response"),
    ("instruction", "output"),
    ("question", "response"),
    ("question", "trace"),
)
"""Columns of a user's and an assistant's text, as data sets name them."""
ALONE = ("text", "completion", "response", "output", "trace")
"""Columns of an assistant's text without a question beside it."""
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "model": "assistant"}
ROWS_AT_ONCE = 512


class Turn(NamedTuple):
    """Who says what."""

    role: str
    """user, assistant, system, or what the data say."""
    text: str


def turns_of(row: Mapping[str, Any]) -> list[Turn]:
    """The conversation of a row, in the usual shapes of data sets; empty where it has none."""
    for name in MESSAGES:
        if isinstance(row.get(name), list):
            return _messages(row[name])
    for asked, said in PAIRS:
        if row.get(asked) is not None and row.get(said) is not None:
            return [*_side(row[asked], "user"), *_side(row[said], "assistant")]
    for name in ALONE:
        if isinstance(row.get(name), str):
            # Without a question of its own the row is one whole text; the question is in it or not given.
            return [Turn("user", "(not given)"), Turn("assistant", row[name])]
    return []


def _side(value: Any, role: str) -> list[Turn]:
    return _messages(value) if isinstance(value, list) else [Turn(role, str(value))]


def _messages(found: list[Any]) -> list[Turn]:
    return [_turn(one) if isinstance(one, Mapping) else Turn("?", excerpt(one)) for one in found]


def _turn(message: Mapping[str, Any]) -> Turn:
    role = str(message.get("role", message.get("from", "?")))
    text = message.get("content", message.get("value"))
    if isinstance(text, list):  # parts of a multi-modal message
        text = "".join(str(one.get("text", "")) for one in text if isinstance(one, Mapping))
    return Turn(ROLES.get(role.lower(), role), "" if text is None else str(text))


def data_files(path: Path) -> FileSource:
    """
    The data files of a folder of ours, of another folder, or one file.

    Errors: SourceError where there is nothing to read.
    """
    built = path / "sft_train"
    if built.is_dir():
        return FileSource.open(str(built))
    if path.is_dir():
        for suffix in (".parquet", ".jsonl"):
            # A folder of data often holds small JSON files about the data beside it.
            if next(path.rglob(f"*{suffix}"), None) is not None:
                return FileSource.open(str(path / "**" / f"*{suffix}"))
    return FileSource.open(str(path))


def rows_of_file(path: Path, suffix: str) -> Iterator[Mapping[str, Any]]:
    """All rows of a file, few at a time. Errors: SourceError."""
    if suffix == ".parquet":
        yield from _parquet_rows(path)
        return
    for batch in FilePiece(path, suffix).batches(Columns()):
        yield from batch if isinstance(batch, list) else batch.to_pylist()


def _parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    for group in range(opened(path).num_row_groups):
        for batch in group_batches(path, group, None, ROWS_AT_ONCE):
            yield from batch if isinstance(batch, list) else batch.to_pylist()


def tags_of(path: Path) -> Tags:
    """The tag names of a build folder's recipe; the usual ones elsewhere."""
    folder = path if path.is_dir() else path.parent.parent
    try:
        return recipe_from_toml((folder / "recipe.toml").read_text(encoding="utf-8"), "recipe.toml").tags
    except (OSError, UnicodeDecodeError, RecipeError):
        return Tags()
