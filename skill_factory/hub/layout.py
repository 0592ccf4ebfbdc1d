"""Which files of a repository make which subset and split, from the file list and the card's front matter alone.

The rules are those of the `datasets` library: what the card declares, else what the files' names say.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

KINDS = {
    ".parquet": "parquet", ".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": "csv", ".tsv": "csv",
    ".arrow": "arrow",
}  # fmt: skip
"""Endings of data files that can be read, and the `datasets` builder that reads them."""
PACKED = (".gz", ".zst")
"""Endings of compressed text files; the one before tells what is in them."""
DEFAULT = "train"
_SEPARATOR = "._ 0-9-"
_KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Words in a file's path that name its split, as the `datasets` library understands them, and in its order."""
_IN_FOLDER = ("**/{w}/**", "**/{w}[{s}]*/**", "**/*[{s}]{w}/**", "**/*[{s}]{w}[{s}]*/**")
_IN_NAME = ("**/{w}[{s}]*", "**/*[{s}]{w}[{s}]*")
_SHARDED = re.compile(r"data/([^/]+)-\d{5}-of-\d{5}[^/]*\.[^/]*")
_SPLIT_NAME = re.compile(r"\w+(\.\w+)*")
_IGNORED = (
    "README.md",
    "config.json",
    "dataset_info.json",
    "dataset_infos.json",
    "dummy_data.zip",
    "dataset_dict.json",
)
"""Files that the library passes over unless they are asked for by name."""


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


MOST_PATTERNS = 1_000
"""Patterns of files for one subset."""
LONGEST_FRONT = 1_000_000
"""Characters of a card's YAML that are read; the `datasets` library writes some thousand."""
DEEPEST_FRONT = 100
"""Lists and mappings in brackets inside one another."""
MOST_MERGED = 1_000
"""Fields that a mapping of a card may take over from others; each `<<` may double them."""


def front_matter(card: str) -> dict[str, Any]:
    """The YAML fields of a card; {} if there are none or they can't be read."""
    import yaml  # type: ignore[import-untyped]

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """YAML in which no mapping grows without end."""

        def flatten_mapping(self, node: Any) -> None:
            super().flatten_mapping(node)
            if len(node.value) > MOST_MERGED:
                raise yaml.YAMLError("a mapping takes over too much")

    head = re.match(r"\ufeff?\s*---[ \t]*\r?\n(.*?\n)?---[ \t]*(\r?\n|$)", card[:LONGEST_FRONT], re.DOTALL)
    if head and _depth(head[1] or "") > DEEPEST_FRONT:
        return {}
    try:
        fields = Loader(head[1] or "").get_single_data() if head else None
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


def configs_of(sizes: Mapping[str, int], card: Mapping[str, Any]) -> tuple[Config, ...]:
    """
    Subsets and splits of a file list: as the card declares them, else by the files' names.

    A card that declares what can't be read declares nothing: the files' names decide.
    """
    declared = _declared(card)
    if declared:
        made = [_of_declared(one, sizes) for one in declared]
    else:
        made = [_grouped("default", split_files(sizes, _by_name(sizes)), sizes, False)]
    return tuple(config for config in made if config.splits)


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
    found = [_entry(one) for one in entries]
    return [one for one in found if one] if all(found) else []


def _entry(one: Any) -> _Declared | None:
    if not isinstance(one, Mapping) or not isinstance(one.get("config_name"), str | int | float):
        return None
    folder = one.get("data_dir")
    if folder is not None and not isinstance(folder, str):
        return None
    patterns = None
    if one.get("data_files") is not None:
        patterns = _patterns(one["data_files"])
        if patterns is None or sum(map(len, patterns.values())) > MOST_PATTERNS:
            return None
    return _Declared(
        str(one["config_name"]),
        patterns,
        posixpath.normpath(folder) if folder else "",
        bool(one.get("default")),
    )


def _patterns(value: Any) -> dict[str, list[str]] | None:
    """Split → patterns of a `data_files`: a pattern, a list of them, or entries with split and path; None for others."""
    if isinstance(value, str):
        return {DEFAULT: [value]}
    if not isinstance(value, list) or not 0 < len(value) <= MOST_PATTERNS:
        return None
    if all(isinstance(one, str) for one in value):
        return {DEFAULT: list(value)}
    found: dict[str, list[str]] = {}
    for one in value:
        if not isinstance(one, Mapping) or set(one) != {"split", "path"} or not isinstance(one["split"], str):
            return None
        paths = [one["path"]] if isinstance(one["path"], str) else one["path"]
        good = isinstance(paths, list) and 0 < len(paths) <= MOST_PATTERNS
        good = good and all(isinstance(path, str) for path in paths)
        if not good or not _SPLIT_NAME.fullmatch(one["split"]) or one["split"] in found:
            return None
        found[one["split"]] = list(paths)
    return found


def _of_declared(one: _Declared, sizes: Mapping[str, int]) -> Config:
    prefix = f"{one.folder}/" if one.folder and one.folder != "." else ""
    inside = {path.removeprefix(prefix): size for path, size in sizes.items() if path.startswith(prefix)}
    patterns = one.patterns if one.patterns is not None else _by_name(inside)
    splits = {
        split: [prefix + path for path in paths] for split, paths in split_files(inside, patterns).items()
    }
    return _grouped(one.name, splits, sizes, one.is_default)


# -- patterns ------------------------------------------------------------------------------------------------------


def split_files(paths: Iterable[str], patterns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Split → the files of the given ones that its patterns match, each once, in the order of the patterns."""
    every = sorted(paths)
    return {
        split: list(dict.fromkeys(path for pattern in wanted for path in matching(every, pattern)))
        for split, wanted in patterns.items()
    }


def matching(paths: Iterable[str], pattern: str) -> list[str]:
    """The paths that a pattern matches: `*` stays within a folder, `**` does not; hidden ones only where it names them."""
    pattern = posixpath.normpath(pattern)
    translated = _translated(pattern)
    if translated is None:
        return []
    ignored = set(_IGNORED) - {posixpath.basename(pattern)}
    return [
        path for path in paths
        if translated.fullmatch(path) and posixpath.basename(path) not in ignored
        and _parts(path, ".") == _parts(pattern, ".")
        and _parts(posixpath.dirname(path), "__") == _parts(posixpath.dirname(pattern), "__")
    ]  # fmt: skip


def _parts(path: str, start: str) -> int:
    return sum(part.startswith(start) and set(part) != {"."} for part in path.split("/"))


@lru_cache(maxsize=512)
def _translated(pattern: str) -> Any:
    """A glob as a regular expression, as fsspec reads it, in RE2's bounded time; None if it can't be read."""
    parts = pattern.split("/")
    found = []
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part == "**":
            found.append(".*" if last else "(?:.+/)?")
        else:
            found.append(_one_part(part) + ("" if last else "/"))
    try:
        return re2.compile("(?s)" + "".join(found), _QUIET)
    except (re2.error, ValueError):  # a class like `[z-a]`, a program too large, half a surrogate
        return None


_QUIET = re2.Options()
_QUIET.log_errors = False
_SIGNS = re.compile(r"\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|.", re.DOTALL)


def _one_part(part: str) -> str:
    """One name of a glob; a double star within it, as old cards have it, goes across folders."""
    stars = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    found = []
    for sign in _SIGNS.findall(part):
        if sign in stars:
            found.append(stars[sign])
        elif sign.startswith("[") and len(sign) > 2:
            inner = sign[1:-1].replace("\\", r"\\")
            found.append(f"[{'^' + inner[1:] if inner[0] in '!^' else inner}]")
        else:
            found.append(re.escape(sign))
    return "".join(found)


def _by_name(paths: Iterable[str]) -> dict[str, list[str]]:
    """Split → patterns, by the first way of naming that any file follows."""
    every = sorted(paths)
    sharded = {m[1] for path in every if (m := _SHARDED.fullmatch(path))}
    if sharded and all(_SPLIT_NAME.fullmatch(split) for split in sharded):
        order = [split for split in _KEYWORDS if split in sharded]
        order += sorted(sharded - set(order))
        digits = "[0-9]" * 5
        return {split: [f"data/{split}-{digits}-of-{digits}*.*"] for split in order}
    if matching(every, "**/*.eval"):
        return {"logs": ["**/*.eval"]}
    for shapes in (_IN_FOLDER, _IN_NAME):
        found = {
            split: [shape.format(w=word, s=_SEPARATOR) for word in words for shape in shapes]
            for split, words in _KEYWORDS.items()
        }
        there = {
            split: wanted for split, wanted in found.items() if any(matching(every, one) for one in wanted)
        }
        if there:
            return there
    return {DEFAULT: ["**"]}


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


def _grouped(
    name: str, splits: Mapping[str, list[str]], sizes: Mapping[str, int], is_default: bool
) -> Config:
    """A subset whose files have one format, that of most of them: the library reads no mixture."""
    readable = {split: [path for path in paths if ending(path) in KINDS] for split, paths in splits.items()}
    kinds = Counter(KINDS[ending(path)] for paths in readable.values() for path in paths)
    kind = max(sorted(kinds), key=lambda one: (kinds[one], one == "parquet"), default="")
    kept = {split: tuple(p for p in paths if KINDS[ending(p)] == kind) for split, paths in readable.items()}
    made = tuple(Split(s, paths, sum(sizes[p] for p in paths)) for s, paths in kept.items() if paths)
    return Config(name, kind, made, {}, is_default)


def told_rows(config: str, card: Mapping[str, Any]) -> dict[str, int]:
    """Rows per split, where the card's `dataset_info` tells them; what it doesn't tell plainly is left out."""
    told = card.get("dataset_info")
    entries = [told] if isinstance(told, Mapping) else told if isinstance(told, list) else []
    fitting = [
        one for one in entries if isinstance(one, Mapping) and one.get("config_name", "default") == config
    ]
    splits = [split for one in fitting if isinstance(one.get("splits"), list) for split in one["splits"]]
    return {
        str(one["name"]): one["num_examples"]
        for one in splits
        if isinstance(one, Mapping)
        and isinstance(one.get("name"), str | int | float)
        and type(one.get("num_examples")) is int
        and one["num_examples"] >= 0
    }
