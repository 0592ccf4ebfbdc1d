"""Which files of a repository make which subset and split, from the file list and the card's front matter alone.

The rules are those of the `datasets` library: what the card declares, else what the files' names say.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = {".parquet": "parquet", ".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": "csv"}
"""Endings of data files that can be read → the `datasets` builder that reads them."""
PACKED = (".gz", ".zst")
"""Endings of compressed text files; the ending before them says what is inside."""
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


def front_matter(card: str) -> dict[str, Any]:
    """The YAML fields of a card; {} if there are none or they can't be read."""
    import yaml  # type: ignore[import-untyped]

    head = re.match(r"\ufeff?\s*---[ \t]*\r?\n(.*?\n)?---[ \t]*(\r?\n|$)", card, re.DOTALL)
    try:
        fields = yaml.safe_load(head[1] or "") if head else None
    except yaml.YAMLError:
        return {}
    return fields if isinstance(fields, dict) else {}


def configs_of(sizes: Mapping[str, int], card: Mapping[str, Any]) -> tuple[Config, ...]:
    """Subsets and splits of a file list: as the card declares them, otherwise by the files' names."""
    declared = [
        entry for entry in card.get("configs") or [] if isinstance(entry, dict) and entry.get("config_name")
    ]
    if any("data_files" in entry for entry in declared):
        configs = [_declared(entry, sizes) for entry in declared]
    else:
        configs = [_grouped("default", _by_name(data_files(sizes)), sizes, False)]
    return tuple(config for config in configs if config.splits)


def data_files(paths: Iterable[str]) -> list[str]:
    """The paths that hold data, sorted; hidden files and the dataset's own JSON notes don't count."""
    notes = ("dataset_info.json", "dataset_infos.json", "report.json")
    return sorted(
        path
        for path in paths
        if ending(path) in KINDS and path.split("/")[-1] not in notes and not re.search(r"(^|/)[._]", path)
    )


def ending(path: str) -> str:
    """A file's ending in lower case; that of the content for a compressed file."""
    name = path.lower()
    bare = name.removesuffix(".gz").removesuffix(".zst")
    suffix = re.search(r"\.[a-z]+$", bare)
    return suffix[0] if suffix and not (suffix[0] == ".parquet" and bare != name) else ""


def _declared(config: Mapping[str, Any], sizes: Mapping[str, int]) -> Config:
    wanted = config.get("data_files", [])
    if isinstance(wanted, str | list) and not (
        wanted and isinstance(wanted, list) and isinstance(wanted[0], dict)
    ):
        wanted = [{"split": "train", "path": wanted}]
    folder = str(config.get("data_dir") or "").strip("/")
    prefix = f"{folder}/" if folder else ""
    splits: dict[str, list[str]] = {}
    for entry in wanted:
        patterns = [entry["path"]] if isinstance(entry["path"], str) else list(entry["path"])
        fitting = [path for path in data_files(sizes) if any(_fits(path, prefix + p) for p in patterns)]
        splits.setdefault(str(entry.get("split", "train")), []).extend(fitting)
    return _grouped(str(config["config_name"]), splits, sizes, bool(config.get("default")))


def _fits(path: str, pattern: str) -> bool:
    """Whether a card's pattern matches the path: `*` stays within a folder, `**` doesn't."""
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
    """A subset of the files whose format most of them have, since the library reads no mixture."""
    kinds = [KINDS[ending(path)] for paths in splits.values() for path in paths]
    kind = max(sorted(set(kinds)), key=kinds.count, default="")
    kept = {split: tuple(p for p in paths if KINDS[ending(p)] == kind) for split, paths in splits.items()}
    splits_of_kind = tuple(
        Split(s, paths, sum(sizes[p] for p in paths)) for s, paths in kept.items() if paths
    )
    return Config(name, kind, splits_of_kind, {}, is_default)


def told_rows(config: str, card: Mapping[str, Any]) -> dict[str, int]:
    """Rows per split, as far as the card's `dataset_info` gives them."""
    info = card.get("dataset_info") or []
    entries = [info] if isinstance(info, dict) else [entry for entry in info if isinstance(entry, dict)]
    fitting = [entry for entry in entries if entry.get("config_name", "default") == config]
    splits = [split for entry in fitting for split in entry.get("splits") or []]
    return {s["name"]: int(s["num_examples"]) for s in splits if "name" in s and "num_examples" in s}
