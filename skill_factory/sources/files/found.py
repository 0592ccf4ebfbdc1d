"""Which files a path, a folder or a glob means, and which format each of them is, whatever it is packed in."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from skill_factory import wording
from skill_factory.errors import SourceError
from skill_factory.hub.file_patterns import ARCHIVES, PACKED, is_archive
from skill_factory.sources.names import place_of
from skill_factory.sources.packed.eval_logs import is_eval_log

TEXTS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
SHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
ARROWS = (".arrow", ".feather")
SUFFIXES = (".parquet", *TEXTS, *SHEETS, *ARROWS, ".eval")
UPLOADS = tuple(
    one.lstrip(".")
    for one in (
        *SUFFIXES,
        *ARCHIVES,
        ".parquet.gzip",
        ".pq",
        *(text + packed for text in TEXTS for packed in PACKED),
    )
)
"""Endings of what can be uploaded, without their dot."""
_PARQUET_NAMES = (".parquet.gzip", ".parquet.snappy", ".parquet.zstd", ".parquet.brotli", ".parq", ".pq")
"""What pandas and others call Parquet that is compressed inside."""
_NOTES = (
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
    "state.json",
    "report.json",
    "config.json",
    "generation_config.json",
    "logs.json",
)
"""Files that describe data and hold none."""


def looks_like_path(text: str) -> bool:
    """Whether a person can only have meant a path."""
    special = text.startswith(("/", "./", "../", "~")) or any(sign in text for sign in "*?[\\")
    name = Path(text).name.lower()
    known = (*SUFFIXES, *_PARQUET_NAMES)
    return special or is_archive(name) or name.endswith(tuple(s + p for s in known for p in ("", *PACKED)))


def files_at(path: Path, text: str) -> list[Path]:
    if os.path.isdir(path):
        found = _data_in(path, text)
        if not found:
            raise SourceError(f"No data file in the folder {text}. Looked for {', '.join(SUFFIXES)}.")
        return found
    if os.path.isfile(path):
        return [path]
    found = sorted(Path(one) for one in glob.glob(str(path), recursive=True) if os.path.isfile(one))
    found = [one for one in found if one.name not in _NOTES] or found
    if not found:
        raise SourceError(
            f"There is no file {text}. Check the path; relative paths start at {Path.cwd().name}/."
        )
    return found


def _data_in(folder: Path, text: str) -> list[Path]:
    """The data files of a folder: without hidden ones, notes, and the results that stand beside a log of samples."""
    found = sorted(one for one in folder.rglob("*") if one.is_file() and format_of_file(one))
    found = [one for one in found if not any(part.startswith(".") for part in one.relative_to(folder).parts)]
    found = [one for one in found if one.name not in _NOTES]
    if os.path.isfile(folder / "dataset_dict.json"):
        return _saved_split(folder, found, text)
    if any(one.name.startswith("samples_") for one in found):
        found = [one for one in found if not one.name.startswith("results")]
    return found


def _saved_split(folder: Path, found: Sequence[Path], text: str) -> list[Path]:
    """The one split of a saved `DatasetDict`, or `train`. Errors: SourceError where neither is there."""
    splits = sorted(
        {one.relative_to(folder).parts[0] for one in found if len(one.relative_to(folder).parts) > 1}
    )
    chosen = "train" if "train" in splits else splits[0] if len(splits) == 1 else ""
    if not chosen:
        raise SourceError(
            f"{text} holds the splits {wording.listed(splits)}. Give one, e.g. {text}/{splits[0] if splits else 'train'}."
        )
    return [one for one in found if one.relative_to(folder).parts[0] == chosen]


_OTHER_ARCHIVES = (".7z", ".rar", ".lz4", ".z", ".br")


def unknown_ending(path: Path) -> str:
    """Why a file can't be read that has an ending of its own, with what to do."""
    if path.name.lower().endswith(_OTHER_ARCHIVES):
        return f"{path.name!r} is packed in a way that isn't unpacked here. Unpack it, and give the file or folder that was in it (or pack it as .zip)."
    with path.open("rb") as file:
        head = file.read(200).lstrip(b"\xef\xbb\xbf \r\n\t")
    if _is_parquet(path) or head[:1] in (b"{", b"["):
        kind = ".parquet" if _is_parquet(path) else ".jsonl"
        return f"Can't read {path.name!r}: its ending says nothing. It looks like {kind[1:]}, so rename it to {path.stem}{kind}."
    if table := _looks_like_table(head):
        return f"Can't read {path.name!r}: its ending says nothing. It looks like a table, so rename it to {path.stem}{table}."
    return (
        f"Can't read {path.name!r}: its ending is none of {', '.join((*SUFFIXES, '.zip', '.tar'))} "
        f"(text formats also with {wording.listed(list(PACKED), 'or')})."
    )


def _looks_like_table(head: bytes) -> str:
    """The ending that a text should have whose first line names columns; empty where it names none."""
    first = head.partition(b"\n")[0].decode("utf-8", "replace")
    for sign, suffix in (("\t", ".tsv"), (",", ".csv"), (";", ".csv")):
        names = first.split(sign)
        usual = any(
            place_of(field, name.strip('" \r')) is not None
            for field in ("question", "response")
            for name in names
        )
        if len(names) > 1 and usual:
            return suffix
    return ""


def format_of_file(path: Path) -> str:
    """The format's suffix, whatever it is packed in; empty where it is none of ours."""
    name = path.name.lower()
    if name.endswith((*_PARQUET_NAMES, ".parquet.gz")):
        return ".parquet" if _is_parquet(path) else ""
    if name.endswith(".zip"):
        return ".eval" if is_eval_log(path) else ""
    suffixes = [one.lower() for one in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
        return suffixes[-1] if suffixes and suffixes[-1] in TEXTS else ""
    return suffixes[-1] if suffixes and suffixes[-1] in SUFFIXES else ""


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False
