"""Datasets of conversations, ours or not: which files hold them, and who says what in a row."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from skill_factory.errors import RecipeError
from skill_factory.recipe.mixture_file import recipe_or_mixture
from skill_factory.recipe.model import Columns, Tags
from skill_factory.sources.columns import excerpt
from skill_factory.sources.files import FilePiece, FileSource
from skill_factory.sources.parquet import group_batches, opened
from skill_factory.sources.thinking import joined

MESSAGES = ("conversations", "messages", "conversation", "chat")
PAIRS = (
    ("prompt", "completion"),
    ("prompt", "chosen"),
    ("prompt", "response"),
    ("instruction", "output"),
    ("question", "response"),
    ("question", "trace"),
    ("question", "attempt"),
    ("question", "deepseek_attempt"),
    ("question", "gemini_attempt"),
)
"""Columns of a user's and an assistant's text, by the names that datasets give them."""
ALONE = ("text", "completion", "response", "output", "trace")
"""Columns of an assistant's text that have no question beside them."""
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "model": "assistant"}
ROWS_AT_ONCE = 512


class Turn(NamedTuple):
    """One message of a conversation: who says what."""

    role: str
    """user, assistant or system, or whatever the data says."""
    text: str


def turns_of(row: Mapping[str, Any]) -> list[Turn]:
    """The conversation of a row, in any of the shapes that datasets use; empty if it has none."""
    for name in MESSAGES:
        if isinstance(row.get(name), list):
            return _messages(row[name])
    # In this order, since a row may have several pairs: preferences have `prompt`, `chosen` and `rejected`.
    for question, answer in PAIRS:
        if row.get(question) is not None and row.get(answer) is not None:
            return [*_side(row[question], "user"), *_side(_with_thinking(row, answer), "assistant")]
    for name in ALONE:
        if isinstance(row.get(name), str):
            # The row is one text without a column for the question, which the text may or may not contain.
            return [Turn("user", "(not given)"), Turn("assistant", row[name])]
    return []


def _with_thinking(row: Mapping[str, Any], answer: str) -> Any:
    """The text of a column, with the thinking from a column of its own in front."""
    beside = (
        answer.replace("attempt", "thinking_trajectory"),
        f"{answer}_reasoning",
        "reasoning_content",
        "reasoning",
    )
    thinking = next((row[name] for name in beside if name != answer and isinstance(row.get(name), str)), "")
    return joined(thinking, row[answer]) if thinking and isinstance(row[answer], str) else row[answer]


def _side(value: Any, role: str) -> list[Turn]:
    return _messages(value) if isinstance(value, list) else [Turn(role, str(value))]


def _messages(messages: list[Any]) -> list[Turn]:
    return [
        _turn(message) if isinstance(message, Mapping) else Turn("?", excerpt(message))
        for message in messages
    ]


def _turn(message: Mapping[str, Any]) -> Turn:
    # ShareGPT says from and value, everybody else role and content.
    role = str(message.get("role", message.get("from", "?")))
    text = message.get("content", message.get("value"))
    if isinstance(text, list):  # the parts of a multimodal message
        # Pictures and files in it are left out; what can be trained on here is text.
        text = "".join(str(part.get("text", "")) for part in text if isinstance(part, Mapping))
    thinking = message.get("reasoning_content") or message.get("reasoning")
    content = "" if text is None else str(text)
    spoken = ROLES.get(role.lower(), role)
    return Turn(
        spoken, joined(thinking, content) if isinstance(thinking, str) and spoken == "assistant" else content
    )


def data_files(path: Path) -> FileSource:
    """
    The data files of a build folder, of any other folder, or a single file.

    Errors: SourceError if there is nothing to read.
    """
    built = path / "sft_train"
    if built.is_dir():
        return FileSource.open(str(built))
    if path.is_dir():
        for suffix in (".parquet", ".jsonl"):
            # Folders of data often hold small JSON files about the data; so one format is read, Parquet first.
            if next(path.rglob(f"*{suffix}"), None) is not None:
                return FileSource.open(str(path / "**" / f"*{suffix}"))
    return FileSource.open(str(path))


def rows_of_file(path: Path, suffix: str) -> Iterator[Mapping[str, Any]]:
    """All rows of a file, a few at a time. Errors: SourceError."""
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
    """The tag names in the recipe of a build folder; the usual ones for anything else."""
    folder = path if path.is_dir() else path.parent.parent
    try:
        return recipe_or_mixture((folder / "recipe.toml").read_text(encoding="utf-8"), "recipe.toml").tags
    except (OSError, UnicodeDecodeError, RecipeError):
        return Tags()
