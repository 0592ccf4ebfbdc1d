"""Which files of a repository make which subset and split: pure, from the file list and the card's front matter.

The rules are those of the `datasets` library: what the card declares, else what the files' names say.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = {".parquet": "parquet", ".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": "csv"}
"""Endings of data files that can be read, and the `datasets` builder that reads them."""
PACKED = (".gz", ".zst")
"""Endings of compressed text files; the one before tells what is in them."""
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}
"""Words in a file's path that name its split, as the `datasets` library understands them."""


@dataclass(frozen=True)
class Split:
    """The files of one split; `rows` is None where neither card nor footers tell."""

    name: str
    files: tuple[str, ...]
    size: int
    rows: int | None = None


@dataclass(frozen=True)
class Config:
    """One subset: its splits and its columns, name → type (as Arrow writes it)."""

    name: str
    kind: str
    splits: tuple[Split, ...]
    columns: Mapping[str, str]
    is_default: bool = False

    @property
    def rows(self) -> int | None:
        known = [split.rows for split in self.splits if split.rows is not None]
        return sum(known) if len(known) == len(self.splits) else None


MOST_PATTERNS = 1_000
"""Patterns of files for one split."""
LONGEST_FRONT = 1_000_000
"""Characters of a card's YAML that are read; the `datasets` library writes some thousand."""
DEEPEST_FRONT = 100
"""Lists and mappings in brackets inside one another."""
MOST_MERGED = 1_000
"""Fields that a mapping of a card may take over from others; each `<<` may double them."""


def front_matter(card: str) -> dict[str, Any]:
    """The YAML fields of a card; {} when there are none or they can't be read."""
    import yaml  # type: ignore[import-untyped]

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """YAML in which no mapping grows without end."""

        def flatten_mapping(self, node: Any) -> None:
            super().flatten_mapping(node)
            if len(node.value) > MOST_MERGED:
                raise yaml.YAMLError("a mapping takes over too much")

    found = re.match(r"\ufeff?\s*---[ \t]*\r?\n(.*?\n)?---[ \t]*(\r?\n|$)", card[:LONGEST_FRONT], re.DOTALL)
    if found and _depth(found[1] or "") > DEEPEST_FRONT:
        return {}
    try:
        fields = Loader(found[1] or "").get_single_data() if found else None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, OverflowError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _depth(text: str) -> int:
    """Brackets inside one another, at most; reading takes the square of them."""
    depth = most = 0
    for sign in re.findall(r"[\[\]{}]", text):
        depth += 1 if sign in "[{" else -1
        most = max(most, depth)
    return most


def _listed(value: Any) -> list[Any]:
    """A list of a card; anything else is none."""
    return value if isinstance(value, list) else []


def _words(value: Any) -> str:
    """A text or number of a card as text; anything else, which may be endless, as none."""
    return str(value) if isinstance(value, str | int | float) else ""


def configs_of(sizes: Mapping[str, int], card: Mapping[str, Any]) -> tuple[Config, ...]:
    """Subsets and splits of a file list: as the card declares them, else by the files' names."""
    listed = [one for one in _listed(card.get("configs")) if isinstance(one, dict)]
    declared = [one for one in listed if _words(one.get("config_name"))]
    if any("data_files" in one for one in declared):
        made = [_declared(one, sizes) for one in declared]
    else:
        made = [_grouped("default", _by_name(data_files(sizes)), sizes, False)]
    return tuple(config for config in made if config.splits)


def data_files(paths: Iterable[str]) -> list[str]:
    """The paths that hold data, sorted; hidden files and the data set's own JSON notes are none."""
    notes = ("dataset_info.json", "dataset_infos.json", "report.json")
    return sorted(
        path
        for path in paths
        if ending(path) in KINDS and path.split("/")[-1] not in notes and not re.search(r"(^|/)[._]", path)
    )


def ending(path: str) -> str:
    """A file's ending in lower case, that of its content where it is compressed."""
    name = path.lower()
    bare = name.removesuffix(".gz").removesuffix(".zst")
    found = re.search(r"\.[a-z]+$", bare)
    return found[0] if found and not (found[0] == ".parquet" and bare != name) else ""


def _declared(one: Mapping[str, Any], sizes: Mapping[str, int]) -> Config:
    folder = _words(one.get("data_dir")).strip("/")
    prefix = f"{folder}/" if folder else ""
    splits: dict[str, list[str]] = {}
    for split, patterns in _patterns(one.get("data_files")):
        fitting = [path for path in data_files(sizes) if any(_fits(path, prefix + p) for p in patterns)]
        splits.setdefault(split, []).extend(fitting)
    return _grouped(_words(one["config_name"]), splits, sizes, one.get("default") is True)


def _patterns(wanted: Any) -> Iterator[tuple[str, list[str]]]:
    """Split and patterns of its files, as a card declares them: a pattern, some, or some for each split."""
    entries = _listed(wanted)
    if not any(isinstance(entry, dict) for entry in entries):
        entries = [{"path": wanted}]
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        path = entry.get("path")
        patterns = [path] if isinstance(path, str) else [one for one in _listed(path) if isinstance(one, str)]
        yield _words(entry.get("split")) or "train", patterns[:MOST_PATTERNS]


def _fits(path: str, pattern: str) -> bool:
    """Whether a card's pattern means the path: `*` stays within a folder, `**` does not."""
    if "**" in pattern:
        return fnmatchcase(path, pattern.replace("**/", "*").replace("**", "*"))
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def _by_name(paths: Iterable[str]) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for path in paths:
        words = re.split(r"[/._ -]|\d+", path.lower())
        named = next((SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS), "train")
        splits.setdefault(named, []).append(path)
    return splits


def _grouped(
    name: str, splits: Mapping[str, list[str]], sizes: Mapping[str, int], is_default: bool
) -> Config:
    """A subset whose files have one format, that of most of them: the library reads no mixture."""
    kinds = [KINDS[ending(path)] for paths in splits.values() for path in paths]
    kind = max(sorted(set(kinds)), key=kinds.count, default="")
    kept = {split: tuple(p for p in paths if KINDS[ending(p)] == kind) for split, paths in splits.items()}
    made = tuple(Split(s, paths, sum(sizes[p] for p in paths)) for s, paths in kept.items() if paths)
    return Config(name, kind, made, {}, is_default)


def told_rows(config: str, card: Mapping[str, Any]) -> dict[str, int]:
    """Rows per split, where the card's `dataset_info` tells them."""
    told = card.get("dataset_info")
    entries = [one for one in (_listed(told) or [told]) if isinstance(one, dict)]
    fitting = [one for one in entries if one.get("config_name", "default") == config]
    splits = [split for one in fitting for split in _listed(one.get("splits")) if isinstance(split, dict)]
    return {
        name: rows
        for split in splits
        if (name := _words(split.get("name")))
        and isinstance(rows := split.get("num_examples"), int)
        and rows >= 0
    }
