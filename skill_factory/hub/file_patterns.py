"""Which files a pattern matches, and which files make which split by their names alone, as the `datasets` library reads them."""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import re2

KINDS = {
    ".parquet": "parquet",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".arrow": "arrow",
}
"""Endings of data files that can be read → the `datasets` builder that reads them."""
PACKED = (".gz", ".zst", ".bz2", ".xz", ".lzma")
"""Endings of compressed text files; the ending before them says what is inside."""
_TARS = {".tgz": ".gz", ".tbz": ".bz2", ".tbz2": ".bz2", ".txz": ".xz", ".tlz": ".lzma", ".tzst": ".zst"}
"""Short endings of tar archives → how they are packed."""
ARCHIVES = (".zip", ".tar", *(f".tar{packed}" for packed in PACKED), *_TARS)
WHOLE = "whole"
"""What files are read as that have to be fetched whole: archives, spreadsheets and Inspect's logs."""
_WHOLE = (*ARCHIVES, ".eval", ".xlsx", ".xls", ".xlsb", ".ods")
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
SPLIT_NAME = re.compile(r"\w+(\.\w+)*")
_IGNORED = (
    "README.md",
    "config.json",
    "dataset_info.json",
    "dataset_infos.json",
    "dummy_data.zip",
    "dataset_dict.json",
)
"""Files that the library passes over unless they are asked for by name."""


def split_files(paths: Iterable[str], patterns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Split → the files of the given ones that its patterns match, each once, in the order of the patterns."""
    # Sorted, so that rows come in the same order whatever that of the listing.
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
    # A pattern that names such a file means it.
    ignored = set(_IGNORED) - {posixpath.basename(pattern)}
    return [
        path
        for path in paths
        if translated.fullmatch(path)
        and posixpath.basename(path) not in ignored
        and _parts(path, ".") == _parts(pattern, ".")
        and _parts(posixpath.dirname(path), "__") == _parts(posixpath.dirname(pattern), "__")
    ]


def _parts(path: str, start: str) -> int:
    return sum(part.startswith(start) and set(part) != {"."} for part in path.split("/"))


@lru_cache(maxsize=512)
def _translated(pattern: str) -> Any:
    """A glob as a regular expression, as fsspec reads it, in RE2's bounded time; None if it can't be read."""
    parts = pattern.split("/")
    pieces = []
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part == "**":
            pieces.append(".*" if last else "(?:.+/)?")
        else:
            pieces.append(_one_part(part) + ("" if last else "/"))
    try:
        # RE2, since a pattern is a stranger's: backtracking could take hours.
        return re2.compile("(?s)" + "".join(pieces), _QUIET)
    except (re2.error, ValueError):  # a class like `[z-a]`, a program too large, half a surrogate
        return None


_QUIET = re2.Options()
_QUIET.log_errors = False
_SIGNS = re.compile(r"\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|.", re.DOTALL)


def _one_part(part: str) -> str:
    """One name of a glob; a double star within it, as old cards have it, goes across folders."""
    stars = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = []
    for sign in _SIGNS.findall(part):
        if sign in stars:
            pieces.append(stars[sign])
        elif sign.startswith("[") and len(sign) > 2:
            inner = sign[1:-1].replace("\\", r"\\")
            pieces.append(f"[{'^' + inner[1:] if inner[0] in '!^' else inner}]")
        else:
            pieces.append(re.escape(sign))
    return "".join(pieces)


def by_name(paths: Iterable[str]) -> dict[str, list[str]]:
    """Split → patterns, by the first way of naming that any file follows."""
    every = sorted(paths)
    sharded = {m[1] for path in every if (m := _SHARDED.fullmatch(path))}
    if sharded and all(SPLIT_NAME.fullmatch(split) for split in sharded):
        order = [split for split in _KEYWORDS if split in sharded]
        order += sorted(sharded - set(order))
        digits = "[0-9]" * 5
        return {split: [f"data/{split}-{digits}-of-{digits}*.*"] for split in order}
    # Logs of Inspect have no split in their names, and all belong together.
    if matching(every, "**/*.eval"):
        return {"logs": ["**/*.eval"]}
    # A folder's name says more than a file's: `test/train_notes.csv` is test data.
    for shapes in (_IN_FOLDER, _IN_NAME):
        candidates = {
            split: [shape.format(w=word, s=_SEPARATOR) for word in words for shape in shapes]
            for split, words in _KEYWORDS.items()
        }
        # Only splits that have a file: the library reads no empty ones either.
        there = {
            split: wanted
            for split, wanted in candidates.items()
            if any(matching(every, pattern) for pattern in wanted)
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


def packing(path: str) -> str:
    """How a file is packed as a whole, as its ending says: one of PACKED, or empty."""
    suffix = posixpath.splitext(path.lower())[1]
    return _TARS.get(suffix, suffix if suffix in PACKED else "")


def is_archive(path: str) -> bool:
    """Whether a name is that of an archive that can be unpacked."""
    return path.lower().endswith(ARCHIVES)


def is_whole(path: str) -> bool:
    """Whether a file of the Hub has to be fetched whole."""
    return path.lower().endswith(_WHOLE)


def ending(path: str) -> str:
    """A file's ending in lower case; that of the content for a compressed file."""
    name = path.lower()
    bare = name.removesuffix(packing(name))
    suffix = re.search(r"\.[a-z]+$", bare)
    # Parquet is packed inside; nobody reads one that was packed once more.
    return suffix[0] if suffix and not (suffix[0] == ".parquet" and bare != name) else ""
