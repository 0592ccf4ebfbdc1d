"""Which files of a repository make which subset and split, from the file list and the card's front matter alone.

The rules are those of the `datasets` library: what the card declares, else what the files' names say.
"""

import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skill_factory.hub.file_patterns import (
    DEFAULT,
    KINDS,
    SPLIT_NAME,
    WHOLE,
    by_name,
    ending,
    is_whole,
    split_files,
)

__all__ = ["Config", "Split", "configs_of", "ending"]

MOST_PATTERNS = 1_000
"""Patterns of files for one subset."""


@dataclass(frozen=True)
class Split:
    """The files of one split; `rows` is None if neither the card nor the footers say."""

    name: str
    files: tuple[str, ...]
    size: int
    rows: int | None = None


@dataclass(frozen=True)
class Config:
    """One subset: its splits, and its columns as name → type (in Arrow's spelling)."""

    name: str
    kind: str
    splits: tuple[Split, ...]
    columns: Mapping[str, str]
    is_default: bool = False

    @property
    def rows(self) -> int | None:
        """Rows of all splits; None if those of one aren't known."""
        known = [split.rows for split in self.splits if split.rows is not None]
        return sum(known) if len(known) == len(self.splits) else None


def configs_of(sizes: Mapping[str, int], card: Mapping[str, Any]) -> tuple[Config, ...]:
    """
    Subsets and splits of a file list: as the card declares them, else by the files' names.

    A card that declares what can't be read declares nothing: the files' names decide.
    """
    declared = _declared(card)
    if declared:
        configs = [_of_declared(entry, sizes) for entry in declared]
    else:
        configs = [_grouped("default", split_files(sizes, by_name(sizes)), sizes, False)]
    return tuple(config for config in configs if config.splits)


@dataclass(frozen=True)
class _Declared:
    """One entry of a card's `configs`."""

    name: str
    patterns: Mapping[str, Sequence[str]] | None
    """Split → patterns; None where the files' names decide."""
    folder: str
    is_default: bool


def _declared(card: Mapping[str, Any]) -> list[_Declared]:
    """The card's subsets; none where one of them can't be read."""
    entries = card.get("configs")
    if not isinstance(entries, list) or not entries:
        return []
    read = [_entry(entry) for entry in entries]
    # All or none: half of the declared subsets would look like the whole dataset.
    return [entry for entry in read if entry] if all(read) else []


def _entry(entry: Any) -> _Declared | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config_name"), str | int | float):
        return None
    folder = entry.get("data_dir")
    if folder is not None and not isinstance(folder, str):
        return None
    patterns = None
    if entry.get("data_files") is not None:
        patterns = _patterns(entry["data_files"])
        if patterns is None or sum(map(len, patterns.values())) > MOST_PATTERNS:
            return None
    return _Declared(
        str(entry["config_name"]),
        patterns,
        posixpath.normpath(folder) if folder else "",
        bool(entry.get("default")),
    )


def _patterns(value: Any) -> dict[str, list[str]] | None:
    """Split → patterns of a `data_files`: a pattern, a list of them, or entries with split and path; None for others."""
    if isinstance(value, str):
        return {DEFAULT: [value]}
    if not isinstance(value, list) or not 0 < len(value) <= MOST_PATTERNS:
        return None
    if all(isinstance(entry, str) for entry in value):
        return {DEFAULT: list(value)}
    patterns: dict[str, list[str]] = {}
    for entry in value:
        if (
            not isinstance(entry, Mapping)
            # An unknown key may mean anything, so the whole card is set aside rather than half understood.
            or set(entry) != {"split", "path"}
            or not isinstance(entry["split"], str)
        ):
            return None
        paths = [entry["path"]] if isinstance(entry["path"], str) else entry["path"]
        good = isinstance(paths, list) and 0 < len(paths) <= MOST_PATTERNS
        good = good and all(isinstance(path, str) for path in paths)
        if not good or not SPLIT_NAME.fullmatch(entry["split"]) or entry["split"] in patterns:
            return None
        patterns[entry["split"]] = list(paths)
    return patterns


def _of_declared(declared: _Declared, sizes: Mapping[str, int]) -> Config:
    prefix = f"{declared.folder}/" if declared.folder and declared.folder != "." else ""
    # Patterns of a card are relative to the subset's folder.
    inside = {path.removeprefix(prefix): size for path, size in sizes.items() if path.startswith(prefix)}
    # A subset may be declared by its folder alone.
    patterns = declared.patterns if declared.patterns is not None else by_name(inside)
    splits = {
        split: [prefix + path for path in paths] for split, paths in split_files(inside, patterns).items()
    }
    return _grouped(declared.name, splits, sizes, declared.is_default)


def _grouped(
    name: str, splits: Mapping[str, list[str]], sizes: Mapping[str, int], is_default: bool
) -> Config:
    """A subset of the files whose format most of them have, since the library reads no mixture."""
    kinds = Counter(
        KINDS[ending(path)] for paths in splits.values() for path in paths if ending(path) in KINDS
    )
    # Of equally many Parquet wins, since it needs no guessing of columns; archives are for who has nothing else.
    kind = max(sorted(kinds), key=lambda candidate: (kinds[candidate], candidate == "parquet"), default=WHOLE)
    kept = {split: tuple(path for path in paths if _kind(path) == kind) for split, paths in splits.items()}
    kept_splits = tuple(Split(s, paths, sum(sizes[p] for p in paths)) for s, paths in kept.items() if paths)
    return Config(name, kind, kept_splits, {}, is_default)


def _kind(path: str) -> str:
    return WHOLE if is_whole(path) else KINDS.get(ending(path), "")
